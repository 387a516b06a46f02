"""Every local authority in one table, and the regions beside England."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.forecasting import totals
from send_analysis.growth import denominators, series
from send_analysis.show.chart import Chart
from send_analysis.show.map import place
from send_analysis.show.style import PALETTE, ROLES, ink

ENGLAND = ROLES["england"]
HORIZON = 5  # years: the furthest at which forecasts have been tested


@tables.remembered
def summary(*, start: int = series.COMPARABLE) -> pd.DataFrame:
    """Sum up every authority of today, and England.

    Parameters
    ----------
    start : int, default 2019
        January from which growth is measured.

    Returns
    -------
    DataFrame
        England first, then authorities by name: ``area_code, area, region`` (name; empty for
        England), ``plans`` (latest January), ``growth`` (per cent from `start` to that January;
        of the unbroken footprint, named in ``footprint``, where boundaries changed since),
        ``rate`` (plans per 1,000 residents aged 0 to 25), ``in_time`` (per cent
        issued within 20 weeks in the latest calendar year, exceptions excluded), ``expected,
        expected_low, expected_high`` (forecast growth over the next five years, per cent: median
        and 80 % interval), ``faults`` (how many the checks found in the releases for the area),
        ``flagged`` (whether the latest return is: then no figure is made from it), ``caveat`` (why
        that is, or why growth cannot be told; empty where it can), ``in_time_caveat`` (why the
        times are flagged and there is no ``in_time``; else empty).
        What is not published, or would divide by nought, is missing. ``attrs`` has the
        years: ``start, january, calendar_year, forecast_year``.

    Raises
    ------
    ParameterError
        If there are no figures for `start`.
    """
    codes = [areas.ENGLAND, *areas.current()]
    known = tables.load("areas").set_index("area_code")
    plans = series.totals()
    january = int(plans["year"].max())
    out = pd.DataFrame({"area": known["area"].reindex(codes)})
    out["region"] = known["region_code"].reindex(codes).map(known["area"]).fillna("")
    out["plans"] = plans[plans["year"] == january].set_index("area_code")["plans"]
    grown = series.growth(start, january).assign(
        member=lambda frame: frame["area_code"].str.split("+", regex=False)
    )
    grown = grown.explode("member").set_index("member")
    merged = grown["area_code"].str.contains("+", regex=False)
    out["growth"] = grown["growth"].where(grown["caveat"] == "")
    out["footprint"] = grown["area"].where(merged, "").reindex(codes).fillna("")
    out["rate"] = 1000 * out["plans"].astype("Float64") / _residents(january - 1)
    shares = _in_time()
    out["in_time"] = shares["share"]
    told = caveats.flagged("timeliness", int(shares["year"].max()), category=series.IN_TIME).index
    out["in_time_caveat"] = pd.Series(
        {code: caveats.doubt("timeliness", code, category=series.IN_TIME) for code in told},
        dtype="str",
    )
    out["in_time_caveat"] = out["in_time_caveat"].fillna("")
    ahead = _expected(out["plans"])
    out = out.join(ahead)
    doubts = {code: caveats.doubt("ehc_plans", code, year=january) for code in codes}
    out["flagged"] = out.index.map(doubts) != ""
    out["caveat"] = grown["caveat"].where(grown["caveat"] == "", "Growth: " + grown["caveat"] + ".")
    out["caveat"] = out["caveat"].fillna("").mask(out["flagged"], out.index.map(doubts))
    leaning = ["growth", "rate", *ahead.columns]
    out[leaning] = out[leaning].astype("Float64").mask(out["flagged"])
    out["faults"] = tables.load("quality")["area_code"].value_counts()
    out = out.astype({"growth": "Float64", "in_time": "Float64", "rate": "Float64"})
    out["faults"] = out["faults"].fillna(0).astype("int64")
    out = out.rename_axis("area_code").reset_index()
    rank = out["area_code"].ne(areas.ENGLAND)
    out = out.assign(rank=rank).sort_values(["rank", "area"]).drop(columns="rank")
    out.attrs = {
        "start": start,
        "january": january,
        "calendar_year": int(shares["year"].max()),
        "forecast_year": january + HORIZON,
    }
    return out.reset_index(drop=True)


def _residents(year: int) -> pd.Series:
    """Residents aged 0 to 25 at the middle of a year."""
    people = denominators.residents().query("year == @year").set_index("area_code")["people"]
    return people.replace(0, pd.NA).astype("Float64")


def _in_time() -> pd.DataFrame:
    """Share of plans issued in time in the latest year, by area: ``year, share``."""
    rows = tables.load("timeliness").query("exceptions == 'excluded'")
    year = int(rows["year"].max())
    flagged = caveats.flagged("timeliness", year, category=series.IN_TIME)
    rows = rows[(rows["year"] == year) & ~rows["area_code"].isin(flagged.index)]
    wide = rows.pivot(index=["area_code", "year"], columns="issued_within", values="plans")
    issued = wide["any time"].where(wide["any time"] > 0)
    share = (100 * wide["20 weeks or less"] / issued).astype("Float64")
    return share.rename("share").reset_index("year")


def _expected(plans: pd.Series) -> pd.DataFrame:
    """Forecast growth from the latest January, per cent: median and 80 % interval by area."""
    ahead = totals.forecast(horizon=HORIZON)
    ahead = ahead[(ahead["horizon"] == HORIZON) & (ahead["category"] == "all")]
    wide = ahead.pivot(index="area_code", columns="quantile", values="value")
    names = {0.5: "expected", 0.1: "expected_low", 0.9: "expected_high"}
    base = plans.astype("Float64").replace(0, pd.NA)
    return 100 * (wide[list(names)].rename(columns=names).div(base, axis=0) - 1)


@reads.result
def regions() -> pd.DataFrame:
    """Plans per 1,000 residents aged 0 to 25 in each region and in England.

    Returns
    -------
    DataFrame
        ``area, role`` (region or england), ``year, rate, holds`` (authorities of the region whose
        return of the year is flagged; empty where none is).
    """
    known = tables.load("areas")
    codes = known.loc[known["level"] == "region", "area_code"]
    parts = [series.rates(code) for code in codes]
    out = pd.concat([part[part["role"] == "area"].assign(role="region") for part in parts])
    national = parts[0][parts[0]["role"] == "england"]
    out = pd.concat([out, national])
    end = out["year"].max()
    faulty = known[known["area_code"].isin(caveats.flagged("ehc_plans", int(end)).index)]
    names = faulty.groupby("region_code")["area"].agg(", ".join)
    out["holds"] = out["area_code"].map(names).where(out["year"] == end).fillna("")
    return out[["area", "role", "year", "rate", "holds"]].reset_index(drop=True)


def by_region(frame: pd.DataFrame) -> Chart:
    """A panel a region, each against England; `frame` as :func:`regions` returns it."""
    start, end = int(frame["year"].min()), int(frame["year"].max())
    national = frame[frame["role"] == "england"].set_index("year")["rate"]
    wide = frame[frame["role"] == "region"].pivot(index="year", columns="area", values="rate")
    wide = wide[wide.loc[end].sort_values(ascending=False).index]
    last = wide.loc[end]
    above = int((last > national[end]).sum())
    ends = ", ".join(f"{name} {wide.loc[start, name]:.1f} to {last[name]:.1f}" for name in wide)

    def draw(axs: np.ndarray) -> None:
        import seaborn as sns

        whole = ENGLAND | {"linestyle": (0, (5, 2)), "legend": False}
        own = {"color": PALETTE[0], "linewidth": 2.6, "legend": False}
        for ax, name in zip(np.ravel(axs), wide, strict=True):
            sns.lineplot(x=national.index, y=national, ax=ax, **whole)
            sns.lineplot(x=wide.index, y=wide[name], ax=ax, **own)
            ax.set_title(name, fontsize=10, pad=4)
            ax.text(end, 2, f"{last[name]:.1f}", ha="right", color=PALETTE[0], fontweight="bold")
            ax.set(ylim=(0, None), xticks=[start, end], xlabel="", ylabel="")
        first = np.ravel(axs)[0]
        first.text(end, 8, f"England {national[end]:.1f}", ha="right", color=ink(ENGLAND["color"]))
        axs[1, 0].set_ylabel("plans per 1,000 residents aged 0 to 25")

    return Chart(
        title=f"{above} of {len(last)} regions have more plans per 1,000 than England: from "
        f"{last.iloc[0]:.1f} in {place(last.index[0])} to {last.iloc[-1]:.1f} in "
        f"{place(last.index[-1])}",
        subtitle=f"Plans per 1,000 residents aged 0 to 25, January {start} to January {end}; "
        "dashed: England",
        alt=f"{len(last)} small line charts, one a region, each with England's dashed line, which "
        f"goes from {national[start]:.1f} in {start} to {national[end]:.1f} in {end}. {ends}.",
        data=frame,
        draw=draw,
        note=" ".join(
            f"The last figures of {place(row.area)} and of England hold the flagged return of "
            f"{row.holds}."
            for row in frame[frame["holds"] != ""].itertuples()
        ),
        height=6.2,
        panels={"nrows": 3, "ncols": 3, "sharex": True, "sharey": True},
    )  # fmt: skip
