"""Capacity drawn: each function takes a result and returns a chart, and computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.capacity.hindcast import SMALLEST
from send_analysis.capacity.views import HORIZON
from send_analysis.errors import either
from send_analysis.show.chart import Chart
from send_analysis.show.style import (
    CLEAR,
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    TEXT,
    counts_by_year,
    from_here,
    label_ends,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEMAND, NEED = PALETTE[1], PALETTE[2]
FEWEST = 3  # years, for one to be called the most


def _ahead(frame: pd.DataFrame) -> pd.Series:
    """Take the year of the headline out of a forecast that begins with its origin."""
    return frame[frame["year"] <= frame["year"].iloc[0] + HORIZON].iloc[-1]


def places(frame: pd.DataFrame) -> Chart:
    """Demand for places against capacity; `frame` as :func:`.views.fan` returns it."""
    first, then, last = frame.iloc[0], _ahead(frame), frame.iloc[-1]
    phase = "" if first["phase"] == "all" else f"{first['phase']} "
    few = frame["demand"].iloc[1] < SMALLEST  # in the first January ahead
    tested = "untested for so few places" if few else "tested one year ahead only"
    near, far = frame[frame["year"] <= then["year"]], frame[frame["year"] >= then["year"]]
    beyond = (
        f" By {last['year']} the middle of demand is {last['demand']:,.0f}, and untested."
        if last["year"] > then["year"]
        else ""
    )

    def draw(ax: Axes) -> None:
        for rows, colour, shade in ((near, DEMAND, 0.28), (far, MUTED_TEXT, 0.13)):
            low, high = rows["low_80"].astype(float), rows["high_80"].astype(float)
            ax.fill_between(rows["year"], low, high, color=colour, alpha=shade, linewidth=0)
        ax.plot(near["year"], near["demand"], label="_", color=DEMAND, lw=2.2, ls="--")
        ax.plot(far["year"], far["demand"], label="demand", color=MUTED_TEXT, lw=1.8, ls=":")
        ax.plot(frame["year"], frame["capacity"], label="capacity", **ROLES["area"])
        if len(far) > 1:
            from_here(ax, then["year"], "illustration")
        up = 1 if then["demand"] >= then["capacity"] else -1
        for name, side in (("demand", up), ("capacity", -up)):
            ax.plot(then["year"], then[name], "o", ms=5, color=TEXT, label="_", zorder=6)
            ax.annotate(f"{then[name]:,.0f}", (then["year"], then[name]), xytext=(-4, 7 * side),
                        textcoords="offset points", ha="right", fontweight="bold",
                        va="bottom" if side > 0 else "top", zorder=7)  # fmt: skip
        counts_by_year(ax, frame["year"])
        ax.set_xlim(first["year"], last["year"])
        ax.set_ylabel("places")
        ax.set_xlabel("January")
        label_ends(ax)

    return Chart(
        title=f"{then['low_80']:,.0f} to {then['high_80']:,.0f} {phase}places needed in January "
        f"{then['year']:.0f} in 80 of 100 simulations; in use and announced: "
        f"{then['capacity']:,.0f}",
        subtitle=f"{first['kind'].capitalize()} places for residents of {first['area']}; shaded: "
        f"80 % interval of demand, {tested}",
        alt=f"Line chart of {phase}places, {first['kind']}, in {first['area']}: "
        f"{first['capacity']:,.0f} in use in {first['year']}. Capacity goes to "
        f"{then['capacity']:,.0f} in {then['year']}, the middle of demand to "
        f"{then['demand']:,.0f}, with an 80 % interval of {then['low_80']:,.0f} to "
        f"{then['high_80']:,.0f}.{beyond}",
        data=frame,
        draw=draw,
        note=_grey(then["year"]) if len(far) > 1 else "",
    )


def _grey(year: float) -> str:
    """Say what is drawn in grey."""
    return (
        f"Grey: beyond January {year:.0f} the forecast of all plans has not been tested either, so "
        "that this is an illustration."
    )


def reliability(frame: pd.DataFrame) -> Chart:
    """Chances against how often they came true; `frame` as :func:`.views.reliability`."""
    phase = frame["phase"].iloc[-1]  # all ages stand last
    top = frame[frame["phase"] == phase].iloc[-1]
    told = "; ".join(
        f"{row.phase}: said {row.probability:.0f} %, came true in {row.short:.0f} % of {row.areas}"
        for row in frame.itertuples()
    )

    def draw(ax: Axes) -> None:
        import seaborn as sns

        ax.plot([0, 100], [0, 100], color=RULE, lw=1.2, ls=":", label="as often as said")
        named = frame["phase"].replace("all", "all ages")
        kinds = named.nunique()
        sns.lineplot(x=frame["probability"], y=frame["short"], hue=named, style=named, ax=ax,
                     palette=PALETTE[:kinds], markers=["o", "s", "^", "D"][:kinds], dashes=False,
                     lw=1.6, ms=7, legend=False)  # fmt: skip
        for line, name in zip(ax.get_lines()[1:], named.unique(), strict=False):
            line.set_label(name)
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 105)
        ax.set_xlabel("chance given a year before, %")
        ax.set_ylabel("more places were needed, % of areas")
        label_ends(ax)

    return Chart(
        title=f"Where the chance was put at {top['chance_low']:.0f} to {top['chance_high']:.0f} %, "
        f"more places {'of all ages' if phase == 'all' else phase} were needed in "
        f"{top['short']:.0f} % of {top['areas']:.0f} areas",
        subtitle="All specialist places, authorities of England by tenths of the chance; dotted: "
        "as often as said",
        alt="Line chart of the chance that more specialist places are needed, as given a year "
        f"before, against the share of areas where it came true, by tenths. {told}.",
        data=frame,
        draw=draw,
        note="Only tenths with at least ten areas.",
    )


def open_cases(frame: pd.DataFrame) -> Chart:
    """Open cases and the backlog among them; `frame` as :func:`.views.queue` returns it."""
    area, first, last = frame["area"].iloc[0], frame["year"].iloc[0], frame["year"].iloc[-1]
    compared = frame["open_cases"].count() >= FEWEST
    top = frame.loc[frame["open_cases"].idxmax() if compared else frame.index[-1]]
    most = {top["year"]: f", the most from {first} to {last}"} if compared else {}
    told = "; ".join(
        f"{row.open_cases:,.0f} in {row.year}{most.get(row.year, '')}, "
        f"of which {row.backlog:,.0f} backlog"
        for row in frame[frame["year"].isin([first, top["year"], last])].itertuples()
    )

    def draw(ax: Axes) -> None:
        rest = frame["open_cases"] - frame["backlog"]
        ax.bar(frame["year"], rest, color=PALETTE[0], width=0.7)
        ax.bar(frame["year"], frame["backlog"], bottom=rest, color=PALETTE[3], width=0.7)
        low, high = frame["open_cases_low_80"], frame["open_cases_high_80"]
        ax.vlines(frame["year"], low, high, color=RULE, lw=1.6, zorder=3)
        counts_by_year(ax, frame["year"])
        ax.set_ylabel("cases open")
        ax.set_xlabel("calendar year")

    return Chart(
        title=f"By estimate {top['open_cases']:,.0f} cases were open in {top['year']}"
        f"{most.get(top['year'], '')}, {top['backlog']:,.0f} of them backlog",
        subtitle=f"Cases open on average in the year in {area}, from request to plan, estimated; "
        "orange: more than would be open at 90 % within 20 weeks; lines: 80 % interval",
        alt=f"Bar chart of cases open in {area} by year, from request to plan, estimated: about "
        f"{told}.",
        data=frame.drop(columns=["area_code", "issued", "counted", "effective_capacity"]),
        draw=draw,
        note=" ".join(_beside(frame)),
    )


def _beside(frame: pd.DataFrame) -> list[str]:
    """Say what was published of open cases, and which years have no estimate."""
    counted = frame.dropna(subset=["published_open", "at_end"])
    unknown = frame.loc[frame["open_cases"].isna(), "year"]
    out = []
    if len(counted):
        last = counted.iloc[-1]
        low = last["published_open"].round() > last["at_end"].round()
        out.append(
            "The estimate counts a case from its request on. The published count of assessments "
            "without an outcome leaves out requests that wait for a decision: "
            f"{last['published_open']:,.0f} at the end of {last['year']}, where "
            f"{last['at_end']:,.0f} cases are estimated"
            + (", so that the estimate of that year is too low." if low else ".")
        )
    if len(unknown):
        years = either(unknown, "and")
        out.append(f"No estimate is made for {years}: figures of the year are missing.")
    return out


@reads.found
def completions(frame: pd.DataFrame, area: Area) -> Chart:
    """Assessments completed against those that meet the targets.

    `frame` as :func:`.views.against_need` returns it.
    """
    done, coming = frame.dropna(subset="completed"), frame.iloc[-1]
    ends = done[done["year"].isin([done["year"].iloc[0], done["year"].iloc[-1]])]
    told = either((f"{row.completed:,.0f} in {row.year}" for row in ends.itertuples()), "and")

    def draw(ax: Axes) -> None:
        ax.plot(frame["year"], frame["needed_90"], color=NEED, lw=1.8, ls=":", marker=".",
                label="for 90 %")  # fmt: skip
        ax.plot(frame["year"], frame["needed_60"], color=DEMAND, lw=1.8, ls="--", marker=".",
                label="for 60 %")  # fmt: skip
        completed = frame["completed"].to_numpy(dtype=float, na_value=np.nan)
        ax.plot(frame["year"], completed, label="completed", marker="o", **ROLES["area"])
        for row in done.dropna(subset="timely").itertuples():
            ax.annotate(
                f"{row.timely:.0f} %", (row.year, row.completed), xytext=(0, -16),
                textcoords="offset points", ha="center", fontsize=9,
                **CLEAR,
            )  # fmt: skip
        counts_by_year(ax, frame["year"])
        ax.set_ylabel("assessments completed")
        ax.set_xlabel("calendar year")
        label_ends(ax)

    return Chart(
        title=_rule(frame),
        subtitle=f"Assessments completed in {area.name}, with the share of plans within 20 weeks, "
        "and how many volumes would ask for with 60 and 90 %",
        alt=f"Line chart of assessments completed in {area.name}: {told}, against those that "
        "volumes would ask for with 60 and 90 % of plans within 20 weeks; in "
        f"{coming['year']:.0f} these are {coming['needed_60']:,.0f} and "
        f"{coming['needed_90']:,.0f}.",
        data=frame,
        draw=draw,
        note="Where the share in time is far from what the lines say, the pipeline changed in a "
        "way that volumes do not show: who was late, how cases were ordered, or how they were "
        "recorded.",
    )


def _rule(frame: pd.DataFrame) -> str:
    """Say what volumes ask of the coming year, and how far such figures have been off."""
    coming = frame.iloc[-1]
    said = (
        f"By the number of cases, {coming['needed_90']:,.0f} assessments would have to be "
        f"completed in {coming['year']:.0f} for nine plans in ten to be in time"
    )
    missed = (frame["timely_by_volumes"] - frame["timely"]).abs().dropna()
    if missed.empty:
        return f"{said}; no year of the area tests that"
    years = "the one year" if len(missed) == 1 else f"{len(missed)} years"
    points = f"{missed.mean():.0f} point{'' if round(missed.mean()) == 1 else 's'}"
    return f"{said}; this rule missed the share in time by {points} in {years}" + (
        " that can be tested" if len(missed) == 1 else " on average"
    )


def _millions(value: float) -> str:
    """Write millions, with decimals below one."""
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:,.2f}"


def cost(frame: pd.DataFrame) -> Chart:
    """What placements cost in all; `frame` as :func:`.views.millions` returns it."""
    whole, parts = frame[frame["setting"] == "all"], frame[frame["setting"] != "all"]
    first, end, last = whole.iloc[0], _ahead(whole), whole["year"].max()
    near, far = whole[whole["year"] <= end["year"]], whole[whole["year"] >= end["year"]]
    then = parts[parts["year"] == end["year"]]
    most = then.loc[then["cost"].idxmax()]
    before, low, middle, high = map(
        _millions, (first["cost"], end["cost_low_80"], end["cost"], end["cost_high_80"])
    )

    def draw(ax: Axes) -> None:
        for rows, colour, shade in ((near, DEMAND, 0.28), (far, MUTED_TEXT, 0.13)):
            ax.fill_between(rows["year"], rows["cost_low_80"], rows["cost_high_80"], color=colour,
                            alpha=shade, linewidth=0)  # fmt: skip
        if len(far) > 1:
            from_here(ax, end["year"], "illustration")
        ax.plot(whole["year"], whole["cost"], label="all placements", **ROLES["area"])
        largest = parts[parts["year"] == last].nlargest(3, "cost")["setting"]
        looks = zip((PALETTE[2], PALETTE[3], PALETTE[5]), ("--", ":", "-."), strict=True)
        for setting, (colour, dash) in zip(largest, looks, strict=False):
            rows = parts[parts["setting"] == setting]
            label = setting.replace(" or non-maintained", "").replace(" special", "\nspecial")
            ax.plot(rows["year"], rows["cost"], color=colour, ls=dash, lw=1.8, label=label)
        counts_by_year(ax, frame["year"])
        ax.set_xlim(first["year"], last)
        ax.set_ylabel("millions of pounds a year")
        ax.set_xlabel("January")
        label_ends(ax)

    return Chart(
        title=f"At prices of 2021-22 placements would cost {low} to {high} million pounds in "
        f"{end['year']} in 80 of 100 simulations, untested, after {before} million in "
        f"{first['year']}",
        subtitle=f"Placements of residents of {first['area']} in settings with a unit cost; "
        "shaded: 80 % interval, untested",
        alt=f"Line chart of the yearly cost of placements of residents of {first['area']}, at "
        f"prices of 2021-22: {before} million pounds in {first['year']}, {middle} million in "
        f"{end['year']}, with an 80 % interval of {low} to {high} million. The largest part is "
        f"{most['setting']} with {_millions(most['cost'])} million.",
        data=frame,
        draw=draw,
        note=_grey(end["year"]) if len(far) > 1 else "",
    )
