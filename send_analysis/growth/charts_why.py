"""Why demand grew, drawn: each function takes a result and returns the axes, and computes nothing.

Alternative texts are in `alt_texts_why`, from the same results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis.growth.decomposition import EDGES
from send_analysis.show.style import (
    GRID,
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    TEXT,
    WIDTH,
    axes,
    broken_line,
    house,
    label_ends,
    layout,
    mark_breaks,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What a component of the decomposition is called on a chart.
COMPONENT_WORDS = {
    "population size": "number of children\nand young people",
    "age structure": "their ages",
    "prevalence": "plans a child of\nthe same age",
    "age not recorded": "age not recorded",
}
PANELS = {
    "requests per 1,000 residents": "Requests per 1,000 residents",
    "requests assessed": "Requests assessed, %",
    "assessments ending in a plan": "Assessments ending in a plan, %",
    "plans ceased": "Plans ceased, % of plans",
}


def _edges(sensitivity: pd.DataFrame | None) -> pd.DataFrame | None:
    """Components at the ends of the range of estimated residents; None where none are."""
    if sensitivity is None or not sensitivity["variant"].isin(EDGES).any():
        return None
    wide = sensitivity.pivot(index="component", columns="variant", values="plans")
    return wide[list(EDGES)]


@house
def decomposition(
    frame: pd.DataFrame, sensitivity: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw what added to an area's plans; `sensitivity` adds how far estimates could move it.

    `frame` as :func:`decomposition.decompose` returns it for one area, `sensitivity`
    as :func:`decomposition.sensitivity` does.
    """
    edges = _edges(sensitivity)
    rows = frame[(frame["age_band"] == "all") & (frame["component"] != "all")]
    rows = rows[(rows["component"] != "age not recorded") | (rows["plans"].abs() >= 0.5)]
    rows = rows.iloc[::-1].reset_index(drop=True)
    ax = axes(ax, height=1.5 + 0.6 * len(rows))
    colours = [PALETTE[0] if value >= 0 else PALETTE[2] for value in rows["plans"]]
    ax.barh(rows.index, rows["plans"], color=colours, height=0.55)
    ends = rows["plans"].to_numpy(float)
    if edges is not None:
        wide = edges.loc[rows["component"]].to_numpy()
        wide = np.sort(wide, axis=1)
        ax.hlines(rows.index, wide[:, 0], wide[:, 1], color=TEXT, lw=2)
        ax.plot(wide, np.column_stack([rows.index] * 2), "|", ms=9, color=TEXT)
        ends = np.where(ends >= 0, np.fmax(ends, wide[:, 1]), np.fmin(ends, wide[:, 0]))
    for place, row in rows.iterrows():
        side = 1 if row["plans"] >= 0 else -1
        ax.annotate(
            f"{row['plans']:+,.0f}", (ends[place], place), xytext=(7 * side, 0), va="center",
            ha="left" if side > 0 else "right", textcoords="offset points",
        )  # fmt: skip
    ax.axvline(0, color=RULE, lw=0.8)
    ax.set_yticks(rows.index, rows["component"].map(COMPONENT_WORDS))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.margins(x=0.18)
    ax.set_xlabel("plans added")
    change = frame.loc[frame["component"] == "all", "plans"].iloc[0]
    main = rows.loc[rows["plans"].abs().idxmax()]
    first = rows.iloc[0]
    words = COMPONENT_WORDS[main["component"]].replace("\n", " ")
    title(
        ax,
        f"{words[0].upper()}{words[1:]}: {main['plans']:+,.0f}, all changes together "
        f"{change:+,.0f}, in {first['area']}",
        subtitle=f"January {first['start']} to January {first['end']}"
        + ("; lines: range of estimated residents" if edges is not None else ""),
    )
    return ax


@house
def prevalence(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw plans per 1,000 by age band at both ends, the area above England.

    `frame` as :func:`decomposition.prevalence` returns it.
    """
    start, end = frame["year"].min(), frame["year"].max()
    bands = list(frame["age_band"].unique())
    ax = axes(ax, height=1.4 + 0.75 * len(bands))
    names = list(frame["area"].unique())
    broken = bool((frame["caveat"] != "").any())
    look = {"lw": 1.2, "ls": ":"} if broken else {"lw": 2}
    looks = (ROLES["area"]["color"], ROLES["england"]["color"])
    for name, colour, shift in zip(names, looks, (0.16, -0.16), strict=False):
        rows = frame[frame["area"] == name].pivot(index="age_band", columns="year", values="rate")
        rows = rows.loc[bands]
        y = len(bands) - 1 - np.arange(len(bands)) + shift
        ax.hlines(y, rows[start], rows[end], color=colour, **look)
        ax.plot(rows[start], y, "o", ms=7, mfc="white", mec=colour, mew=2)
        ax.plot(rows[end], y, "o", ms=7, color=colour)
        for place, value in zip(y, rows[end], strict=True):
            ax.annotate(f"{name} {value:.0f}", (value, place), xytext=(9, 0), va="center",
                        textcoords="offset points")  # fmt: skip
    ax.set_yticks(range(len(bands)), bands[::-1])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.set_xlim(0, 1.25 * frame["rate"].max())
    ax.set_ylim(-0.6, len(bands) - 0.4)
    ax.set_xlabel("plans per 1,000 residents of that age")
    own = frame[frame["area"] == names[0]].set_index(["age_band", "year"])["rate"]
    band = max(bands, key=lambda one: own[one, end] - own[one, start])
    finding = (
        f"Of 1,000 aged {band} in {names[0]}, {own[band, start]:.0f} had a plan in {start} "
        f"and {own[band, end]:.0f} in {end}"
    )
    if broken:
        band = max(bands, key=lambda one: own[one, end])
        finding = f"Of 1,000 aged {band} in {names[0]}, {own[band, end]:.0f} had a plan in {end}"
    title(
        ax, finding, subtitle=f"Hollow: January {start}; full: January {end}"
        + ("; dotted: the series breaks in between" if broken else ""),
    )  # fmt: skip
    return ax


@house
def account(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the account of the stock as steps from one January to another.

    `frame` as :func:`pipeline.stock_account` returns it for the whole period.
    """
    rows = frame[(frame["plans"] != 0) | (frame["kind"] != "out")].reset_index(drop=True)
    ax = axes(ax, height=1.4 + 0.36 * len(rows))
    plans = rows["plans"].to_numpy(float)
    stock = (rows["kind"] == "stock").to_numpy()
    after = np.where(stock, plans, np.cumsum(plans))
    base = np.where(stock, 0, after - plans)
    y = len(rows) - 1 - np.arange(len(rows))
    kinds = {"stock": RULE, "in": PALETTE[0], "out": PALETTE[2]}
    for kind, colour in kinds.items():
        of = (rows["kind"] == kind).to_numpy()
        ax.barh(y[of], plans[of], left=base[of], color=colour, height=0.65)
    of = (rows["kind"] == "remainder").to_numpy()
    ax.barh(y[of], plans[of], left=base[of], height=0.65, facecolor="white", edgecolor=TEXT,
            hatch="////", lw=0.8)  # fmt: skip
    form = np.where(stock, "{:,.0f}", "{:+,.0f}")
    for place, value, edge, words in zip(y, plans, np.maximum(base, after), form, strict=True):
        ax.annotate(words.format(value), (edge, place), xytext=(6, 0), va="center",
                    textcoords="offset points")  # fmt: skip
    start, end = rows["start"].iloc[0], rows["end"].iloc[0]
    names = rows["item"].str.replace(" at or after the end of compulsory schooling", ", aged 16+")
    names.iloc[0], names.iloc[-1] = f"plans in January {start}", f"plans in January {end}"
    ax.set_yticks(y, names)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.margins(x=0.12)
    ax.set_xlabel("plans")
    items = rows.set_index("item")["plans"]
    title(
        ax, f"{items['new plans']:,} plans were new in {rows['area'].iloc[0]}",
        subtitle=f"January {start} to January {end}; hatched: what the flows do not explain",
    )  # fmt: skip
    return ax


@house
def ratios(frame: pd.DataFrame, axs: np.ndarray | None = None) -> np.ndarray:
    """Draw the ratios from request to plan, a panel each.

    `frame` as :func:`pipeline.ratios` returns it; `axs` are four axes.
    """
    if axs is None:
        import matplotlib.pyplot as plt

        _, axs = plt.subplots(2, 2, figsize=(WIDTH, 6.4), layout=layout())
    for ax, (measure, words) in zip(np.ravel(axs), PANELS.items(), strict=True):
        rows = frame[frame["measure"] == measure]
        for role in ("neighbours", "region", "england", "area"):
            line = rows[rows["role"] == role].sort_values("year")
            if len(line):
                look = ROLES[role] | ({"linewidth": 1.8} if role == "neighbours" else {})
                broken_line(
                    ax, line["year"], line["value"], line["caveat"], label=line["area"].iloc[0],
                    **look,
                )  # fmt: skip
        mark_breaks(ax, rows)
        own = rows[rows["role"] == "area"].sort_values("year")
        ax.fill_between(own["year"], own["low"], own["high"], color=PALETTE[0], alpha=0.15, lw=0)
        ax.set_title(words, fontsize=10, loc="left", color=MUTED_TEXT, fontweight="normal", pad=6)
        years = np.sort(rows["year"].unique())
        ax.set_xticks(years[::-1][::2][::-1])
        label_ends(ax, size=8)
    figure = np.ravel(axs)[0].figure
    asked = frame[frame["measure"] == "requests per 1,000 residents"]
    asked = asked[(asked["year"] == asked["year"].max()) & asked["role"].isin(["area", "england"])]
    words = ", ".join(f"{row.area} {row.value:.1f}" for row in asked.itertuples())
    figure.suptitle(
        f"Requests per 1,000 residents in {asked['year'].max()}: {words}",
        x=0.01, ha="left", fontweight="bold", fontsize=12, wrap=True,
    )  # fmt: skip
    return axs


@house
def growth_ratios(frame: pd.DataFrame, area_code: str, ax: Axes | None = None) -> Axes:
    """Draw every area's yearly growth over England's with its interval, one marked.

    `frame` as :func:`growth_panel.growth_ratios` returns it for all areas.
    """
    ax = axes(ax)
    rows = frame.sort_values("ratio").reset_index(drop=True)
    ax.vlines(rows.index, rows["low"], rows["high"], color=PALETTE[0], alpha=0.3, lw=1.6)
    ax.plot(rows.index, rows["ratio"], "o", ms=2.5, color=PALETTE[0])
    ax.axhline(1, color=ROLES["england"]["color"], lw=1.8, dashes=(5, 2))
    apart = int(((rows["low"] > 1) | (rows["high"] < 1)).sum())
    finding = f"The growth of {apart} of {len(rows)} areas is different beyond chance"
    for x, row in rows[rows["area_code"] == area_code].iterrows():
        ax.vlines(x, row["low"], row["high"], color=PALETTE[2], lw=3, zorder=4)
        ax.plot(x, row["ratio"], "D", ms=8, color=PALETTE[2], mec="white", zorder=5)
        right = x < len(rows) / 2
        ax.annotate(
            f"{row['area']} {row['ratio']:.3f}\n95 % interval {row['low']:.3f} to "
            f"{row['high']:.3f}", (x, row["low"]), xytext=(12 if right else -12, -18),
            textcoords="offset points", ha="left" if right else "right", va="top",
            fontweight="bold",
        )  # fmt: skip
        within = row["low"] <= 1 <= row["high"]
        finding = f"{row['area']}'s growth is {'not ' if within else ''}different beyond chance"
    ax.set_xlim(-1, len(rows))
    ax.margins(y=0.15)
    ax.set_xticks([])
    ax.set_xlabel("areas, from the lowest ratio to the highest")
    ax.set_ylabel("yearly growth factor over others'")
    against = {"england": "England", "region": "its region", "neighbours": "its neighbours"}
    words = against[rows["against"].iloc[0]]
    title(
        ax, finding, subtitle=f"Yearly growth over that of {words}, January "
        f"{rows['start'].iloc[0]} to {rows['end'].iloc[0]}, shrunken; bars: 95 % interval",
    )  # fmt: skip
    return ax


@house
def counterfactuals(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the plans an area would have had it grown as others did.

    `frame` as :func:`pipeline.counterfactuals` returns it.
    """
    rows = frame.iloc[::-1].reset_index(drop=True)
    ax = axes(ax, height=1.6 + 0.5 * len(rows))
    ax.hlines(rows.index, rows["low"], rows["high"], color=RULE, lw=2)
    ax.plot(rows["plans_if"], rows.index, "o", ms=9, color=PALETTE[0])
    for place, row in rows.iterrows():
        ax.annotate(f"{row['plans_if']:,.0f}", (row["plans_if"], place), xytext=(0, 8),
                    ha="center", textcoords="offset points")  # fmt: skip
    own = rows["plans"].iloc[0]
    ax.axvline(own, color=PALETTE[2], lw=2.5, zorder=0)
    ax.annotate(f"has {own:,.0f}", (own, len(rows) - 0.5), xytext=(6, 0), va="center",
                textcoords="offset points", fontweight="bold")  # fmt: skip
    heads = rows["basis"].map({"plans": "", "plans a head": ",\nage by age"})
    ax.set_yticks(rows.index, "as " + rows["area"] + heads)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.set_ylim(-0.6, len(rows) - 0.1)
    ax.set_xlabel(f"plans in January {rows['end'].iloc[0]}")
    first = frame.iloc[0]
    more = "more" if first["difference"] >= 0 else "fewer"
    title(
        ax,
        f"{abs(first['difference']):,.0f} {more} plans than with the growth of {first['area']} "
        f"since {first['start']}",
        subtitle="Dots: plans with the growth of others; lines: their middle half",
    )  # fmt: skip
    return ax
