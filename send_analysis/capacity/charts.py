"""Capacity drawn: each function takes a result of `capacity_views` and computes nothing.

The sisters in `alt_texts_capacity` write the alternative texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis.capacity import alt_texts
from send_analysis.capacity.alt_texts import millions
from send_analysis.show.style import PALETTE, ROLES, RULE, axes, house, label_ends, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEMAND, NEED = PALETTE[1], PALETTE[2]


def _whole_years(ax: Axes, years: pd.Series) -> None:
    """Mark whole years, and write numbers with commas, from zero."""
    from matplotlib.ticker import StrMethodFormatter

    span = np.arange(years.min(), years.max() + 1)
    ax.set_xticks(span[:: -(-len(span) // 10)])
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylim(bottom=0)


@house
def places(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw demand for places against capacity.

    `frame` as :func:`views.fan` returns it.
    """
    ax = axes(ax)
    first, last = frame.iloc[0], frame.iloc[-1]
    ax.fill_between(
        frame["year"], frame["low_80"].astype(float), frame["high_80"].astype(float),
        color=DEMAND, alpha=0.28, linewidth=0,
    )  # fmt: skip
    ax.plot(frame["year"], frame["demand"], label="demand", color=DEMAND, lw=2.2, ls="--")
    ax.plot(frame["year"], frame["capacity"], label="capacity", **ROLES["area"])
    _whole_years(ax, frame["year"])
    ax.set_xlim(first["year"], last["year"])
    ax.set_ylabel("places")
    ax.set_xlabel("January")
    then = alt_texts.ahead(frame)
    phase = "" if first["phase"] == "all" else f"{first['phase']} "
    title(
        ax,
        f"{then['low_80']:,.0f} to {then['high_80']:,.0f} {phase}places needed in January "
        f"{then['year']:.0f}, a range meant to hold four times in five; in use and announced: "
        f"{then['capacity']:,.0f}",
        subtitle=f"{first['kind'].capitalize()} places for residents of {first['area']}; shaded: "
        "80 % interval of demand, tested one year ahead only",
    )
    label_ends(
        ax,
        lines=ax.get_lines(),
        labels={
            "demand": f"demand {last['demand']:,.0f}",
            "capacity": f"capacity {last['capacity']:,.0f}",
        },
    )
    return ax


@house
def reliability(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw chances against how often they came true.

    `frame` as :func:`views.reliability` returns it.
    """
    ax = axes(ax)
    ax.plot([0, 100], [0, 100], color=RULE, lw=1.2, ls=":", label="as often as said")
    styles = zip(PALETTE, ("o", "s", "^", "D"), strict=False)
    for (phase, rows), (colour, marker) in zip(
        frame.groupby("phase", sort=False), styles, strict=False
    ):
        ax.plot(
            rows["probability"], rows["short"], color=colour, marker=marker, lw=1.6,
            label="all ages" if phase == "all" else phase,
        )  # fmt: skip
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 105)
    ax.set_xlabel("chance given a year before, %")
    ax.set_ylabel("more places were needed, % of areas")
    title(
        ax,
        alt_texts.came_true(frame),
        subtitle="All specialist places, authorities of England by tenths of the chance; dotted: "
        "as often as said",
    )
    label_ends(ax)
    return ax


@house
def open_cases(frame: pd.DataFrame, area: str, ax: Axes | None = None) -> Axes:
    """Draw open assessments and the backlog among them.

    `frame` as :func:`assessments.queue` returns it.
    """
    ax = axes(ax)
    rest = frame["open_cases"] - frame["backlog"]
    ax.bar(frame["year"], rest, color=PALETTE[0], width=0.7)
    ax.bar(frame["year"], frame["backlog"], bottom=rest, color=PALETTE[3], width=0.7)
    low, high = frame["open_cases_p10"], frame["open_cases_p90"]
    ax.vlines(frame["year"], low, high, color=RULE, lw=1.6, zorder=3)
    _whole_years(ax, frame["year"])
    ax.set_ylabel("assessments open")
    ax.set_xlabel("calendar year")
    top = frame.loc[frame["open_cases"].idxmax()]
    title(
        ax,
        f"By estimate open assessments peaked at {top['open_cases']:,.0f} in {top['year']}, "
        f"{top['backlog']:,.0f} of them backlog",
        subtitle=f"Assessments open on average in the year in {area}, estimated; orange: more than "
        "would be open at 90 % within 20 weeks; lines: 80 % interval",
    )
    return ax


@house
def completions(frame: pd.DataFrame, area: str, ax: Axes | None = None) -> Axes:
    """Draw assessments completed against those that meet the targets.

    `frame` as :func:`views.against_need` returns it.
    """
    ax = axes(ax)
    ax.plot(frame["year"], frame["needed_90"], color=NEED, lw=1.8, ls=":", label="for 90 %")
    ax.plot(frame["year"], frame["needed_60"], color=DEMAND, lw=1.8, ls="--", label="for 60 %")
    done = frame.dropna(subset="completed")
    number = done["completed"].astype(float)
    ax.plot(done["year"], number, label="completed", marker="o", **ROLES["area"])
    for row in done.itertuples():
        ax.annotate(
            f"{row.timely:.0f} %", (row.year, row.completed), xytext=(0, -16),
            textcoords="offset points", ha="center", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    _whole_years(ax, frame["year"])
    ax.set_ylabel("assessments completed")
    ax.set_xlabel("calendar year")
    title(
        ax,
        alt_texts.rule(frame),
        subtitle=f"Assessments completed in {area}, with the share of plans within 20 weeks, and "
        "how many volumes would ask for with 60 and 90 %",
    )
    label_ends(ax, lines=ax.get_lines(), labels={"completed": "completed"})
    return ax


@house
def cost(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what placements cost in all.

    `frame` as :func:`views.millions` returns it.
    """
    ax = axes(ax)
    whole = frame[frame["setting"] == "all"]
    low, high = whole["low_80"], whole["high_80"]
    ax.fill_between(whole["year"], low, high, color=DEMAND, alpha=0.28, linewidth=0)
    ax.plot(whole["year"], whole["cost"], label="all placements", **ROLES["area"])
    last = whole["year"].max()
    ends = frame[(frame["year"] == last) & (frame["setting"] != "all")]
    styles = zip((PALETTE[2], PALETTE[3], PALETTE[5]), ("--", ":", "-."), strict=True)
    for setting in ends.nlargest(3, "cost")["setting"]:
        rows = frame[frame["setting"] == setting]
        colour, dash = next(styles)
        ax.plot(
            rows["year"], rows["cost"], color=colour, ls=dash, lw=1.8,
            label=setting.replace(" or non-maintained", "").replace(" special", "\nspecial"),
        )  # fmt: skip
    _whole_years(ax, frame["year"])
    ax.set_xlim(whole["year"].min(), last)
    ax.set_ylabel("millions of pounds a year")
    ax.set_xlabel("January")
    first, end = whole.iloc[0], alt_texts.ahead(whole)
    title(
        ax,
        f"At prices of 2021-22 placements would cost {millions(end['low_80'])} to "
        f"{millions(end['high_80'])} million pounds in {end['year']}, a range meant to hold four "
        f"times in five, after {millions(first['cost'])} million in {first['year']}",
        subtitle=f"Placements of residents of {first['area']} in settings with a unit cost; "
        "shaded: 80 % interval, untested",
    )
    label_ends(ax)
    return ax
