"""Regions and kinds of authorities: beside England, and each region's authorities by themselves."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.forecasting import totals
from send_analysis.growth import denominators, panel, series
from send_analysis.report import england
from send_analysis.show.chart import Chart
from send_analysis.show.map import place
from send_analysis.show.style import PALETTE, ROLES, RULE, across, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENGLAND = ROLES["england"]
# By the first letters of the codes of today's authorities (Office for National Statistics).
KINDS = {
    "E06": "unitary authorities",
    "E08": "metropolitan boroughs",
    "E09": "London boroughs",
    "E10": "county councils",
}


def codes() -> list[Area]:
    """Return the regions of England, by name."""
    known = tables.load("areas")
    known = known[known["level"] == "region"].sort_values("area")
    return [Area(code) for code in known["area_code"]]


@tables.remembered
@reads.result
def regions() -> pd.DataFrame:
    """Plans per 1,000 residents aged 0 to 25 in each region and in England.

    Returns
    -------
    DataFrame
        ``area, role`` (region or england), ``year, rate, holds`` (authorities of the region, or of
        England, whose return of the year is flagged; empty where none is), ``sound`` (the rate
        without these).
    """
    known = tables.load("areas").set_index("area_code")
    parts = [series.rates(code) for code in known.index[known["level"] == "region"]]
    out = pd.concat([part[part["role"] == "area"].assign(role="region") for part in parts])
    national = parts[0][parts[0]["role"] == "england"]
    out = pd.concat([out, national])
    return _held(out, known["region_code"].map(known["area"]))


@tables.remembered
@reads.result
def kinds() -> pd.DataFrame:
    """Plans per 1,000 residents aged 0 to 25 in each kind of authority and in England.

    Authorities count by the kind that they, or those that replaced them, are of today.

    Returns
    -------
    DataFrame
        As :func:`regions`, ``role`` being kind or england.
    """
    known = tables.load("areas").query("level == 'local authority'").set_index("area_code")
    kind = known["footprint"].str[:3].map(KINDS)
    people = denominators.residents()
    counted = series.totals().merge(
        people.assign(year=people["year"] + 1)[["area_code", "year", "people"]],
        on=["area_code", "year"], how="outer",
    )  # fmt: skip
    counted["area"] = counted["area_code"].map(kind)
    out = counted.dropna(subset="area").groupby(["area", "year"])[["plans", "people"]].sum()
    out = out[(out > 0).all(axis=1)].reset_index().assign(role="kind")
    whole = series.rates(areas.ENGLAND).assign(role="england")
    out = pd.concat([out, whole[["area", "role", "year", "plans", "people"]]])
    out = out[out["year"].isin(whole["year"])]
    out["rate"] = (1000 * out["plans"] / out["people"]).astype("float64")
    return _held(out, kind)


def _held(out: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Name the authorities of a group whose last return is flagged, and rate it without them.

    Parameters
    ----------
    out : DataFrame
        ``area, role, year, plans, people, rate``.
    group : Series of str
        Group of each authority, by its code.
    """
    end = int(out["year"].max())
    faulty = caveats.flagged("ehc_plans", end).index
    people = denominators.residents().query("year == @end - 1").set_index("area_code")["people"]
    held = series.totals().query("year == @end").set_index("area_code")[["plans"]].reindex(faulty)
    held = held.assign(people=people, holds=held.index.map(areas.name), area=group)
    held = pd.concat([held, held.assign(area=areas.ENGLAND.name)])
    held = held.groupby("area").agg({"plans": "sum", "people": "sum", "holds": ", ".join})
    out = out.merge(held.assign(year=end), how="left", on=["area", "year"], suffixes=("", "_held"))
    plans, people = (out[it] - out[f"{it}_held"].fillna(0) for it in ("plans", "people"))
    out["sound"] = (1000 * plans / people).astype("float64")
    out["holds"] = out["holds"].fillna("")
    return out[["area", "role", "year", "rate", "holds", "sound"]]


def _last() -> pd.DataFrame:
    """Rate of each region in the last January, and what it holds, by its name."""
    rows = regions().query("role == 'region' and year == year.max()")
    return rows.set_index("area")[["rate", "holds"]]


def beside_england(frame: pd.DataFrame, what: str) -> Chart:
    """A panel a region or kind, each against England.

    Parameters
    ----------
    frame : DataFrame
        As :func:`regions` or :func:`kinds` returns it.
    what : str
        What the panels are: "regions", "kinds of authorities".
    """
    start, end = int(frame["year"].min()), int(frame["year"].max())
    national = frame[frame["role"] == "england"].set_index("year")["rate"]
    wide = frame[frame["role"] != "england"].pivot(index="year", columns="area", values="rate")
    wide = wide[wide.loc[end].sort_values(ascending=False).index]
    last = wide.loc[end]
    sound = frame[frame["year"] == end].set_index("area")["sound"]
    whole = sound[areas.ENGLAND.name]
    ordered = sound.drop(areas.ENGLAND.name).sort_values(ascending=False)
    above = int((ordered > whole).sum())
    ends = ", ".join(f"{name} {wide.loc[start, name]:.1f} to {last[name]:.1f}" for name in wide)
    columns = 3 if len(last) > 4 else 2
    rows = -(-len(last) // columns)

    def draw(axs: np.ndarray) -> None:
        import seaborn as sns

        dashed = ENGLAND | {"linestyle": (0, (5, 2)), "legend": False}
        own = {"color": PALETTE[0], "linewidth": 2.6, "legend": False}
        for ax, name in zip_longest(np.ravel(axs), wide):
            if name is None:
                ax.axis("off")
                continue
            sns.lineplot(x=national.index, y=national, ax=ax, **dashed)
            sns.lineplot(x=wide.index, y=wide[name], ax=ax, **own)
            ax.set_title(textwrap.fill(name, 16), fontsize=10, pad=4)
            ax.text(end, 2, f"{last[name]:.1f}", ha="right", color=PALETTE[0], fontweight="bold")
            ax.set(ylim=(0, None), xticks=[start, end], xlabel="", ylabel="")
        first = np.ravel(axs)[0]
        first.text(end, 8, f"England {national[end]:.1f}", ha="right", color=ink(ENGLAND["color"]))
        axs[-1, 0].set_ylabel("plans per 1,000 residents aged 0 to 25", y=1, ha="center")

    high, low = (f"{ordered.iloc[at]:.1f} in {_placed(ordered.index[at], what)}" for at in (0, -1))
    held = ", ".join(
        f"without {row.holds} {_placed(row.area, what)} has {row.sound:.1f}"
        for row in frame[frame["holds"] != ""].itertuples()
    )
    return Chart(
        title=f"{above} of {len(last)} {what} {'has' if above == 1 else 'have'} more plans per "
        f"1,000 than England: {high} is the most, {low} the least",
        subtitle=f"Plans per 1,000 residents aged 0 to 25, January {start} to January {end}; "
        "dashed: England",
        alt=f"{len(last)} small line charts of {what}, each with England's dashed line, which "
        f"goes from {national[start]:.1f} in {start} to {national[end]:.1f} in {end}. {ends}.",
        data=frame,
        draw=draw,
        note=f"The title leaves out flagged returns: {held}." if held else "",
        height=2.1 * rows,
        panels={"nrows": rows, "ncols": columns, "sharex": True, "sharey": True},
    )  # fmt: skip


def _placed(name: str, what: str) -> str:
    """Return a region's or a kind's name as it stands in a sentence."""
    return place(name) if what == "regions" and name != areas.ENGLAND.name else name


@reads.result
def within(region: Area) -> pd.DataFrame:
    """Growth of each authority of a region, as :func:`.series.growth`, the region and England.

    Returns
    -------
    DataFrame
        ``area, role, plans_start, plans_end, growth, growth_low_95, growth_high_95,
        beyond_chance`` (``faster`` or ``slower`` than England, as :func:`.panel.growth_ratios`
        tells; else empty): authorities and units by growth, those that cannot be told left out;
        then the region (not where one of its returns is flagged; it has no interval) and England.
    """
    start, end = series.COMPARABLE, series.latest()
    known = tables.load("areas").set_index("area_code")["region_code"]
    grown = series.growth(start, end)
    own = known.reindex(grown["area_code"].str.split("+", regex=False).str[0]).eq(region)
    local = grown[own.to_numpy() & (grown["caveat"] == "").to_numpy()].assign(role="authority")
    plans = series.totals([region]).set_index("year")["plans"]
    whole = pd.DataFrame({
        "area": [region.name], "plans_start": plans[start], "plans_end": plans[end],
        "growth": 100 * (plans[end] / plans[start] - 1), "role": "region",
    })  # fmt: skip
    with reads.aside():  # no figure is made from its rate
        if _last().loc[region.name, "holds"]:
            whole = whole.iloc[:0]
    national = grown[grown["area_code"] == areas.ENGLAND].assign(role="england")
    ends = {"low": "growth_low_95", "high": "growth_high_95"}
    columns = ["area", "role", "plans_start", "plans_end", "growth", *ends.values()]
    sure = panel.growth_ratios(start=start, end=end).set_index("area_code")
    local["beyond_chance"] = local["area_code"].map(panel.ways(sure)).fillna("")
    out = pd.concat([local, whole, national]).rename(columns=ends)
    return out.reindex(columns=[*columns, "beyond_chance"]).reset_index(drop=True)


@reads.found
def compared(frame: pd.DataFrame, region: Area) -> Chart:
    """Growth of the areas of a region in order; `frame` as :func:`within` returns it.

    Those count as faster or slower than England that page 02 calls so: the ordinary ups and downs
    of a year are allowed for, which the intervals that are drawn do not.
    """
    rows = frame[frame["role"] == "authority"].iloc[::-1].reset_index(drop=True)
    marks = frame[frame["role"] != "authority"].set_index("role")
    national = marks.loc["england", "growth"]
    low, high = rows["growth_low_95"], rows["growth_high_95"]
    above, below = ((rows["beyond_chance"] == way).sum() or "none" for way in ("faster", "slower"))
    start, end = series.COMPARABLE, series.latest()
    listed = ", ".join(f"{it.area} {it.growth:+.0f} %" for it in rows.iloc[::-1].itertuples())

    def draw(ax: Axes) -> None:
        across(ax, [textwrap.fill(name, 26) for name in rows["area"]])
        values = marks["growth"].sort_values()
        for role, value in values.items():
            side = "left" if value == values.iloc[-1] else "right"
            look = ROLES[role]
            ax.axvline(value, color=look["color"], linestyle=look.get("linestyle", "-"), lw=1.6)
            ax.text(value, 1.005, f" {marks.loc[role, 'area']} {value:+.0f} ", ha=side, va="bottom",
                    color=ink(look["color"]), transform=ax.get_xaxis_transform())  # fmt: skip
        ax.hlines(rows.index, low, high, color=RULE, lw=2)
        ax.plot(rows["growth"], rows.index, "o", color=PALETTE[0])
        ax.set_xlabel("growth in plans, %")

    return Chart(
        title=f"Beyond the ups and downs of a year plans grew faster than England's in {above} of "
        f"{len(rows)} areas of {place(region.name)}, slower in {below}",
        subtitle=f"Growth in plans, January {start} to January {end}; lines: 95 % interval of the "
        "chance of counting alone",
        alt=f"Dots of growth in plans of the areas of {place(region.name)}, in order, beside "
        f"England's {national:+.0f} %: {listed}.",
        data=frame,
        draw=draw,
        note="Areas whose growth cannot be told are left out; areas whose boundaries changed are "
        "counted together.",
        height=1.2 + 0.27 * len(rows),
    )


@tables.remembered
def summary() -> pd.DataFrame:
    """Sum up every region, as :func:`.england.summary` does authorities.

    Returns
    -------
    DataFrame
        ``area_code, area, plans, growth, rate, in_time, timed, expected, expected_low,
        expected_high, faults, holds``: figures of a region that holds a flagged return stand as
        they add up, and ``holds`` names it.
    """
    start, end = series.COMPARABLE, series.latest()
    listed = codes()
    wide = series.totals(listed).pivot(index="area_code", columns="year", values="plans")
    index = pd.Index(listed, name="area_code")
    out = pd.DataFrame({"area": [code.name for code in listed]}, index=index)
    out["plans"] = wide[end]
    out["growth"] = 100 * (wide[end] / wide[start] - 1)
    last = _last().loc[out["area"]].set_axis(out.index)
    out["rate"] = last["rate"]
    out[["in_time", "timed"]] = england.in_time()[["share", "timed"]]
    out = out.join(england.expected(out["plans"], totals.forecast(listed, england.HORIZON)))
    out["faults"] = england.faults().reindex(out.index, fill_value=0)
    out["holds"] = last["holds"]
    return out.reset_index()
