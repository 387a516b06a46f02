"""Why the number of plans grew, drawn: each function takes a result and returns a chart."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import caveats
from send_analysis.growth import panel, stages
from send_analysis.growth.charts import in_order, joined
from send_analysis.growth.decomposition import EDGES
from send_analysis.show import lines
from send_analysis.show.chart import Chart
from send_analysis.show.style import (
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    TEXT,
    across,
    broken_line,
    label_ends,
    mark_breaks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What a component of the decomposition is called on a chart.
COMPONENT_WORDS = {
    "population size": "number of children\nand young people",
    "age structure": "their ages",
    "prevalence": "share with a plan\nat the same age",
    "age not recorded": "age not recorded",
}
# …and in its title, where it added and where it took away.
COMPONENT_SAID = {
    "population size": ("More children and young people", "Fewer children and young people"),
    "age structure": ("The change in their ages", "The change in their ages"),
    "prevalence": (
        "A larger share with a plan, age for age,",
        "A smaller share with a plan, age for age,",
    ),
    "age not recorded": ("Plans without an age", "Plans without an age"),
}
PANELS = {
    "requests per 1,000 residents": "Requests per 1,000 residents",
    "requests assessed": "Requests assessed, %",
    "assessments ending in a plan": "Assessments ending in a plan, %",
    "plans ceased": "Plans ended or moved away, %",
}


def decomposition(frame: pd.DataFrame, sensitivity: pd.DataFrame | None = None) -> Chart:
    """What added to an area's plans; `sensitivity` adds how far estimates could move it.

    `frame` as :func:`.decomposition.decompose` returns it for one area, `sensitivity` as
    :func:`.decomposition.sensitivity` does.
    """
    whole = frame[frame["age_band"] == "all"].set_index("component")["plans"]
    change = whole["all"]
    parts = whole.drop("all")
    rows = parts.drop("age not recorded", errors="ignore")
    if abs(parts.get("age not recorded", 0)) >= 0.5:
        rows = parts
    rows = rows.iloc[::-1]
    first = frame.iloc[0]
    main = rows.abs().idxmax()
    said = COMPONENT_SAID[main][int(rows[main] < 0)]
    alt = f"Bar chart of plans added, {change:+,.0f} in all: " + "; ".join(
        f"{component} {plans:+,.0f}" for component, plans in parts.items()
    )
    edges = _edges(sensitivity)
    spans = None
    if edges is not None:
        spans = np.sort(edges.loc[rows.index].to_numpy(), axis=1)
        low, high = sorted(edges.loc["prevalence"])
        alt += f". Over the range of estimated residents prevalence is {low:+,.0f} to {high:+,.0f}"

    def draw(ax: Axes) -> None:
        ends, places = rows.to_numpy(float), np.arange(len(rows))
        colours = np.where(ends >= 0, PALETTE[0], PALETTE[2])
        ax.barh(places, ends, color=colours, height=0.55)
        edge = ends
        if spans is not None:
            ax.hlines(places, *spans.T, color=TEXT, lw=2)
            ax.plot(spans, np.column_stack([places] * 2), "|", ms=9, color=TEXT)
            edge = np.where(ends >= 0, np.fmax(ends, spans[:, 1]), np.fmin(ends, spans[:, 0]))
        for place, value in enumerate(ends):
            side = 1 if value >= 0 else -1
            ax.annotate(
                f"{value:+,.0f}", (edge[place], place), xytext=(7 * side, 0), va="center",
                ha="left" if side > 0 else "right", textcoords="offset points",
            )  # fmt: skip
        ax.axvline(0, color=RULE, lw=0.8)
        across(ax, rows.index.map(COMPONENT_WORDS))
        ax.margins(x=0.18)
        ax.set_xlabel("plans added")

    return Chart(
        title=f"{said} {_moved(rows[main])} in {first['area']}; all changes together: "
        f"{change:+,.0f}",
        subtitle=f"January {first['start']} to January {first['end']}"
        + ("; lines: range of estimated residents" if spans is not None else ""),
        alt=f"{alt}.",
        data=frame,
        draw=draw,
        height=1.5 + 0.6 * len(rows),
        note="From 2023 ages seem to be counted in August; the table below restates them.",
    )


def _moved(plans: float) -> str:
    """Write a change as "added 12 plans" or "took away 3"."""
    verb = "added" if plans >= 0 else "took away"
    return f"{verb} {abs(plans):,.0f} plan{'s' * (round(abs(plans)) != 1)}"


def _edges(sensitivity: pd.DataFrame | None) -> pd.DataFrame | None:
    """Components at the ends of the range of estimated residents; None where none are."""
    if sensitivity is None or not sensitivity["variant"].isin(EDGES).any():
        return None
    return sensitivity.pivot(index="component", columns="variant", values="plans")[list(EDGES)]


def prevalence(frame: pd.DataFrame) -> Chart:
    """Plans per 1,000 by age band at both ends, the area above England.

    `frame` as :func:`.decomposition.prevalence` returns it.
    """
    start, end = frame["year"].min(), frame["year"].max()
    bands, names = list(frame["age_band"].unique()), list(frame["area"].unique())
    rates = frame.set_index(["area", "age_band", "year"])["rate"].unstack("year")
    broken = bool((frame["caveat"] != "").any())
    own = rates.loc[names[0]]
    if broken:
        band = own[end].idxmax()
        title = f"Of 1,000 aged {band} in {names[0]}, {own.loc[band, end]:.0f} had a plan in {end}"
    else:
        band = (own[end] - own[start]).idxmax()
        title = (
            f"Of 1,000 aged {band} in {names[0]}, {own.loc[band, start]:.0f} had a plan in {start} "
            f"and {own.loc[band, end]:.0f} in {end}"
        )
    ends = rates.loc[[(name, one) for name in names for one in bands]]
    told = "; ".join(
        f"{name} aged {one} {row[start]:.0f} to {row[end]:.0f}"
        for (name, one), row in ends.iterrows()
    )

    def draw(ax: Axes) -> None:
        look = {"lw": 1.2, "ls": ":"} if broken else {"lw": 2}
        across(ax, bands[::-1])
        for name, role, shift in zip(names, ("area", "england"), (0.16, -0.16), strict=False):
            rows, colour = rates.loc[name].loc[bands[::-1]], ROLES[role]["color"]
            y = np.arange(len(bands)) + shift
            ax.hlines(y, rows[start], rows[end], color=colour, **look)
            ax.plot(rows[start], y, "o", ms=7, mfc="white", mec=colour, mew=2)
            ax.plot(rows[end], y, "o", ms=7, color=colour)
            for place, value in zip(y, rows[end], strict=True):
                ax.annotate(f"{name} {value:.0f}", (value, place), xytext=(9, 0), va="center",
                            textcoords="offset points")  # fmt: skip
        room = 0.06 + 0.016 * max(map(len, names))  # of the width, for the longest name
        ax.set_xlim(0, frame["rate"].max() / (1 - room))
        ax.set_xlabel("plans per 1,000 residents of that age")

    return Chart(
        title=title,
        subtitle=f"Hollow: January {start}; full: January {end}"
        + ("; dotted: the series breaks in between" if broken else ""),
        alt=f"Dot chart of plans per 1,000 residents, January {start} to January {end}: {told}."
        + (" The series breaks in between." if broken else ""),
        data=frame,
        draw=draw,
        height=1.4 + 0.75 * len(bands),
        note=joined(caveats.noted(frame["caveat"]), *frame["lacks"].unique()),
    )


def account(frame: pd.DataFrame) -> Chart:
    """The account of the stock as steps from one January to another.

    `frame` as :func:`.account.stock_account` returns it for the whole period.
    """
    rows = frame[(frame["plans"] != 0) | (frame["kind"] != "out")].reset_index(drop=True)
    start, end = frame["start"].iloc[0], frame["end"].iloc[0]
    stock, steps = frame[frame["kind"] == "stock"], frame[frame["kind"] != "stock"]
    told = "; ".join(f"{row.item} {row.plans:+,}" for row in steps.itertuples() if row.plans)
    names = rows["item"].str.replace(" at or after the end of compulsory schooling", ", aged 16+")
    names.iloc[0], names.iloc[-1] = f"plans in January {start}", f"plans in January {end}"

    def draw(ax: Axes) -> None:
        plans, kind = rows["plans"].to_numpy(float), rows["kind"].to_numpy()
        after = np.where(kind == "stock", plans, np.cumsum(plans))
        base = np.where(kind == "stock", 0, after - plans)
        y = len(rows) - 1 - np.arange(len(rows))
        looks = {
            "stock": {"color": RULE},
            "in": {"color": PALETTE[0]},
            "out": {"color": PALETTE[2]},
            "remainder": {"facecolor": "white", "edgecolor": TEXT, "hatch": "////", "lw": 0.8},
        }
        for one, look in looks.items():
            of = kind == one
            ax.barh(y[of], plans[of], left=base[of], height=0.65, **look)
        forms = np.where(kind == "stock", "{:,.0f}", "{:+,.0f}")
        for place, value, edge, form in zip(y, plans, np.fmax(base, after), forms, strict=True):
            ax.annotate(form.format(value), (edge, place), xytext=(6, 0), va="center",
                        textcoords="offset points")  # fmt: skip
        across(ax, names[::-1])
        ax.margins(x=0.12)
        ax.set_xlabel("plans")

    return Chart(
        title=f"{frame.set_index('item')['plans']['new plans']:,} plans were new in "
        f"{frame['area'].iloc[0]}",
        subtitle=f"January {start} to January {end}; hatched: what the flows do not explain",
        alt=f"Steps from {stock['plans'].iloc[0]:,} plans in January {start} to "
        f"{stock['plans'].iloc[-1]:,} in January {end}: {told}.",
        data=frame,
        draw=draw,
        height=1.4 + 0.36 * len(rows),
        note=caveats.noted(frame["caveat"]),
    )


def ratios(frame: pd.DataFrame) -> Chart:
    """The ratios from request to plan, a panel each; `frame` as :func:`.stages.ratios` has it.

    Shares that say how requests are recorded are not drawn.
    """
    frame, every = frame[stages.told(frame)], frame
    end = frame["year"].max()
    last = frame[(frame["year"] == end) & frame["measure"].isin(PANELS)]
    told = ". ".join(
        f"{measure}: " + "; ".join(f"{row.area} {row.value:.1f}" for row in rows.itertuples())
        for measure, rows in last.groupby("measure", sort=False)
    )
    asked = frame[frame["measure"] == "requests per 1,000 residents"]
    asked = asked[(asked["year"] == asked["year"].max()) & asked["role"].isin(["area", "england"])]
    words = ", ".join(f"{row.area} {row.value:.1f}" for row in asked.itertuples())

    def draw(axs: np.ndarray) -> None:
        for ax, (measure, heading) in zip(np.ravel(axs), PANELS.items(), strict=True):
            rows = frame[frame["measure"] == measure]
            for role in lines.ORDER:
                line = rows[rows["role"] == role].sort_values("year")
                if len(line):
                    look = ROLES[role] | ({"linewidth": 1.8} if role == "neighbours" else {})
                    broken_line(ax, line["year"], line["value"], line["caveat"],
                                label=line["area"].iloc[0], **look)  # fmt: skip
            mark_breaks(ax, rows)
            own = rows[rows["role"] == "area"].sort_values("year")
            ax.fill_between(own["year"], own["low"], own["high"], color=PALETTE[0], alpha=0.15,
                            lw=0)  # fmt: skip
            ax.set_title(heading, fontsize=10, loc="left", color=MUTED_TEXT, fontweight="normal",
                         pad=6)  # fmt: skip
            ax.set_xticks(np.sort(rows["year"].unique())[::-1][::2][::-1])
            label_ends(ax, size=9)

    return Chart(
        title=f"Requests per 1,000 residents in {asked['year'].max()}: {words}",
        alt=f"Four line charts. In {end}, {told}."
        + (" Dotted steps cross a break in the series." if (frame["caveat"] != "").any() else ""),
        data=frame.rename(
            columns={"low": "value_low", "high": "value_high", "level": "shared_with"}
        ),
        draw=draw,
        height=6.4,
        panels={"nrows": 2, "ncols": 2},
        note=joined(
            "From 2023 requests assessed are those among decisions made; before, requests not "
            "refused. The two are not quite alike.",
            "Years in which few requests were decided on, or none was refused, are left out."
            if len(frame) < len(every)
            else "",
            caveats.noted(frame.loc[frame["role"] == "area", "caveat"]),
        ),
    )


def growth_ratios(frame: pd.DataFrame, area_code: str) -> Chart:
    """Every area's yearly growth over England's with its interval, one marked.

    `frame` as :func:`.panel.growth_ratios` returns it for all areas.
    """
    rows = frame.sort_values("ratio").reset_index(drop=True)
    own = rows[rows["area_code"] == area_code]
    apart = int((panel.ways(rows) != "").sum())
    title = f"The growth of {apart} of {len(rows)} areas is different beyond chance"
    low, high = rows.iloc[0], rows.iloc[-1]
    alt = (
        f"Chart of the yearly growth ratio of {len(rows)} areas in order, each with a 95 % "
        f"interval, from {low['ratio']:.3f} in {low['area']} to {high['ratio']:.3f} in "
        f"{high['area']}."
    )
    for row in own.itertuples():
        within = "not " if row.low <= 1 <= row.high else ""
        title = f"Growth in {row.area} is {within}different beyond chance"
        alt += f" {row.area} is marked: {row.ratio:.3f}, interval {row.low:.3f} to {row.high:.3f}."

    def draw(ax: Axes) -> None:
        in_order(ax, rows, "ratio", own)
        ax.axhline(1, color=ROLES["england"]["color"], lw=1.8, dashes=(5, 2))
        for row in own.itertuples():
            right = row.Index < len(rows) / 2
            ax.annotate(
                textwrap.fill(f"{row.area} {row.ratio:.3f}", 32)
                + f"\n95 % interval {row.low:.3f} to {row.high:.3f}",
                (row.Index, row.low), xytext=(12 if right else -12, -18),
                textcoords="offset points", ha="left" if right else "right", va="top",
                fontweight="bold",
            )  # fmt: skip
        ax.margins(y=0.15)
        ax.set_xlabel("areas, from the lowest ratio to the highest")
        ax.set_ylabel("yearly growth factor over others'")

    against = {"england": "England", "region": "its region", "neighbours": "its neighbours"}
    return Chart(
        title=title,
        subtitle=f"Yearly growth over that of {against[rows['against'].iloc[0]]}, January "
        f"{low['start']} to {low['end']}, chance allowed for; bars: 95 % interval",
        alt=alt,
        data=frame.rename(
            columns={
                "growth": "growth_a_year",
                "low": "ratio_low",
                "high": "ratio_high",
            }
        ),
        draw=draw,
        note="A ratio of 1.01 means that plans grew by 1 per cent a year more than England's.",
    )


def counterfactuals(frame: pd.DataFrame) -> Chart:
    """The plans an area would have had it grown as others did.

    `frame` as :func:`.counterfactuals.counterfactuals` returns it.
    """
    rows, first = frame.iloc[::-1].reset_index(drop=True), frame.iloc[0]
    more = "more" if first["difference"] >= 0 else "fewer"
    told = "; ".join(
        f"with {row.basis} growing as in {row.area} {row.plans_if:,.0f}"
        for row in frame.itertuples()
    )
    caveat = caveats.noted(frame["caveat"])

    def draw(ax: Axes) -> None:
        heads = rows["basis"].map({"plans": "", "plans a head": ",\nage by age"})
        across(ax, "as " + rows["area"] + heads)
        ax.hlines(rows.index, rows["low"], rows["high"], color=RULE, lw=2)
        ax.plot(rows["plans_if"], rows.index, "o", ms=9, color=PALETTE[0])
        for place, plans in rows["plans_if"].items():
            ax.annotate(f"{plans:,.0f}", (plans, place), xytext=(0, 8), ha="center",
                        textcoords="offset points")  # fmt: skip
        own = first["plans"]
        ax.axvline(own, color=PALETTE[2], lw=2.5, zorder=0)
        ax.annotate(f"has {own:,.0f}", (own, len(rows) - 0.5), xytext=(6, 0), va="center",
                    textcoords="offset points", fontweight="bold")  # fmt: skip
        ax.set_ylim(-0.6, len(rows) - 0.1)
        ax.set_xlabel(f"plans in January {first['end']}")

    off = f"{abs(first['difference']):,.0f}"
    return Chart(
        title=f"{off} {more} plan{'s' * (off != '1')} than with the growth of "
        f"{first['area']} since {first['start']}",
        subtitle="Dots: plans with the growth of others; lines: their middle half",
        alt=f"Dot chart. Plans in January {first['end']} are {first['plans']:,.0f}; {told}.",
        data=frame.drop(columns="area_code").rename(
            columns={"area": "grown_as", "low": "plans_if_low", "high": "plans_if_high"}
        ),
        draw=draw,
        height=1.6 + 0.5 * len(rows),
        note=joined(f"Age by age: {caveat}" * bool(caveat), *frame["lacks"].unique()),
    )
