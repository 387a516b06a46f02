"""Result tables drawn: each function takes a result and returns the axes, and computes nothing.

The title says what the figure shows, in numbers read off the result. Its sister in
`alt_texts` writes the alternative text from the same result.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis.show.style import (
    BREAK,
    GRID,
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    TEXT,
    axes,
    broken_line,
    house,
    label_ends,
    mark_breaks,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_ORDER = ("neighbours", "region", "england", "area")


def _lines(ax: Axes, frame: pd.DataFrame, value: str, *, mark: bool = True) -> None:
    """One line an area, drawn by the part it plays; neighbours share one label."""
    for role in _LINE_ORDER:
        rows = frame[frame["role"] == role]
        for place, (name, one) in enumerate(rows.groupby("area", sort=False)):
            label = name if role != "neighbours" else ("neighbours" if place == 0 else "_")
            broken_line(
                ax, one["year"], one[value].astype(float), one["caveat"], label=label, **ROLES[role]
            )
    if mark:
        mark_breaks(ax, frame)
    years = np.arange(frame["year"].min(), frame["year"].max() + 1)
    ax.set_xticks(years[:: max(1, len(years) // 8)])
    ax.set_xlim(years[0], years[-1])


def _named(ax: Axes) -> None:
    """Name the lines, all neighbours once, at the end of the middle one."""
    from matplotlib.lines import Line2D

    lines = [it for it in ax.get_lines() if isinstance(it, Line2D) and it.get_gid() != BREAK]
    grey = [line for line in lines if line.get_color() == RULE]
    if grey:
        middle = sorted(grey, key=lambda line: line.get_ydata()[-1])[len(grey) // 2]
        for line in grey:
            line.set_label("neighbours" if line is middle else "_")
    label_ends(ax, lines=lines)


def _at(frame: pd.DataFrame, role: str, column: str, year: int) -> float:
    """Value of the area that plays a role, in one year; not a number where there is none."""
    rows = frame[(frame["role"] == role) & (frame["year"] == year)]
    return float(rows[column].iloc[0]) if len(rows) else float("nan")


@house
def indexed(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw plans as an index; `frame` as :func:`growth.indexed` returns it."""
    ax = axes(ax)
    start, end = int(frame["year"].min()), _last(frame)
    since = f"since {start}" if end == frame["year"].max() else f"from {start} to {end}"
    _lines(ax, frame, "index")
    ax.set_ylabel(f"January {start} = 100")
    ax.set_xlabel("January")
    own = frame[frame["role"] == "area"]["area"].iloc[0]
    parts = [f"Plans in {own} {_moved(_at(frame, 'area', 'index', end) - 100)} {since}"]
    national = _at(frame, "england", "index", end)
    if _broken(frame):
        parts = [f"How plans in {own} grew since {start} cannot be told: their series breaks"]
    elif not np.isnan(national):
        parts.append(f"in England {_moved(national - 100)}")
    title(ax, ", ".join(parts), subtitle=f"EHC plans and statements, January {start} = 100")
    _named(ax)
    return ax


def _last(frame: pd.DataFrame) -> int:
    """Last year that the area itself has a figure for; that of all if it has none."""
    own = frame.loc[frame["role"] == "area", "year"]
    return int((own if len(own) else frame["year"]).max())


def _broken(frame: pd.DataFrame) -> bool:
    """Whether the area's own series breaks."""
    return bool((frame.loc[frame["role"] == "area", "caveat"] != "").any())


def _moved(change: float) -> str:
    """Say a change in per cent as people do."""
    return f"rose by {change:.0f} %" if change >= 0 else f"fell by {-change:.0f} %"


@house
def rates(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw plans per 1,000; `frame` as :func:`growth.rates` returns it."""
    ax = axes(ax)
    end = _last(frame)
    _lines(ax, frame, "rate")
    ax.set_ylim(bottom=0)
    ax.set_ylabel("plans per 1,000")
    ax.set_xlabel("January")
    own = frame[frame["role"] == "area"]["area"].iloc[0]
    text = f"In {own} {_at(frame, 'area', 'rate', end):.0f} of 1,000 have a plan"
    if end < frame["year"].max():
        text = (
            f"In January {end} {_at(frame, 'area', 'rate', end):.0f} of 1,000 in {own} had a plan"
        )
    national = _at(frame, "england", "rate", end)
    at_end = frame[(frame["role"] == "area") & (frame["year"] == end)]
    if (at_end["caveat"] != "").any():
        text = f"The last figure of {own} does not compare with those before it"
    elif not np.isnan(national):
        text += f", in England {national:.0f}"
    last = frame[frame["year"] == end]
    guess = f" (residents of mid-{end - 1} estimated)" if "estimated" in set(last["basis"]) else ""
    title(ax, text, subtitle=f"Plans per 1,000 residents aged 0 to 25{guess}")
    _named(ax)
    return ax


@house
def caterpillar(frame: pd.DataFrame, area_code: str, ax: Axes | None = None) -> Axes:
    """Draw every authority's growth with its interval, one marked.

    `frame` as :func:`send_analysis.growth.series.growth` returns it.
    """
    ax = axes(ax)
    ranked = frame.dropna(subset="rank").sort_values("growth").reset_index(drop=True)
    national = frame.iloc[-1]
    ax.vlines(ranked.index, ranked["lower"], ranked["upper"], color=PALETTE[0], alpha=0.3, lw=1.6)
    ax.plot(ranked.index, ranked["growth"], "o", ms=2.5, color=PALETTE[0])
    ax.axhline(national["growth"], color=ROLES["england"]["color"], lw=1.8, dashes=(5, 2))
    ax.text(0, national["growth"], f"England {national['growth']:+.0f} %\n", va="center")
    own = ranked[ranked["area_code"] == area_code]
    finding = f"Growth between authorities ranges from {ranked['growth'].iloc[0]:+.0f} % to " \
              f"{ranked['growth'].iloc[-1]:+.0f} %"  # fmt: skip
    if len(own):
        row, x = own.iloc[0], own.index[0]
        ax.vlines(x, row["lower"], row["upper"], color=PALETTE[2], lw=3, zorder=4)
        ax.plot(x, row["growth"], "D", ms=8, color=PALETTE[2], mec="white", zorder=5)
        ax.annotate(
            f"{row['area']} {row['growth']:+.0f} %, 95 % interval {row['lower']:+.0f} to "
            f"{row['upper']:+.0f}", (0.01, 0.99), xycoords="axes fraction", va="top",
            fontweight="bold", color=PALETTE[2],
        )  # fmt: skip
        finding = f"{row['area']}'s growth ranks {row['rank']} of {row['areas']} authorities"
    ax.set_xlim(-1, len(ranked))
    # The intervals of a handful of children reach far beyond the rest: they are cut off.
    ax.set_ylim(min(0, ranked["growth"].min() - 20), ranked["growth"].max() + 40)
    ax.set_xticks([])
    ax.set_xlabel("authorities, from the lowest growth to the highest")
    ax.set_ylabel("growth in per cent")
    ax.axhline(0, color=RULE, lw=0.8)
    title(ax, finding, subtitle="Growth in plans; bars: how far chance alone could move it (95 %)")
    return ax


@house
def categories(frame: pd.DataFrame, dimension: str, ax: Axes | None = None) -> Axes:
    """Draw plans by category at both ends; `frame` as :func:`growth.by` returns it.

    Only the first area of the frame is drawn, categories without a figure are left out.
    """
    own = frame[frame["area"] == frame["area"].iloc[0]].dropna(subset="plans_end")
    if dimension != "age band":
        own = own[own["plans_end"] > 0].sort_values("plans_end", ascending=False, kind="stable")
    rows = own.iloc[::-1].reset_index(drop=True)
    ax = axes(ax, height=1.4 + 0.42 * len(rows))
    both = "plans_start" in rows
    broken = (rows["caveat"] != "").to_numpy() if both else np.zeros(len(rows), dtype=bool)
    if both:
        start = rows["plans_start"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        ends = rows["plans_end"].astype(float)
        ax.hlines(rows.index[~broken], start[~broken], ends[~broken], color=RULE, lw=2, zorder=1)
        ax.hlines(
            rows.index[broken], start[broken], ends[broken], color=RULE, lw=1.2, ls=":", zorder=1
        )
        ax.plot(start, rows.index, "o", ms=8, mfc="white", mec=PALETTE[0], mew=2)
    else:
        ax.barh(rows.index, rows["plans_end"].astype(float), color=PALETTE[0], height=0.6)
    if both:
        ax.plot(rows["plans_end"].astype(float), rows.index, "o", ms=8, color=PALETTE[0])
    for place, row in rows.iterrows():
        words = f"{row['plans_end']:,}"
        if both and not pd.isna(row["change"]) and not broken[place]:
            words += f" ({row['change']:+,})"
        edge = row["plans_end"] if not both else np.nanmax([start[place], row["plans_end"]])
        ax.annotate(words, (edge, place), xytext=(9, 0), textcoords="offset points", va="center")
    ax.set_yticks(rows.index, rows["category"])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.set_xlim(0, 1.22 * float(rows["plans_end"].max()))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel("plans")
    if broken.any():
        most = rows.nlargest(1, "plans_end").iloc[0]
        words = f"aged {most['category']}" if dimension == "age band" else f"in {most['category']}"
        finding = f"The largest group are those {words}: {most['share_end']:.0f} % of plans"
    elif both:
        grew = rows.dropna(subset="change").nlargest(1, "change").iloc[0]
        words = f"aged {grew['category']}" if dimension == "age band" else f"in {grew['category']}"
        finding = f"Plans of those {words} grew most: {grew['change']:+,} plans"
    else:
        most = rows.nlargest(1, "share_end").iloc[0]
        finding = f"{most['category'].capitalize()}: {most['share_end']:.0f} % of plans"
    subtitle = "Hollow: first January; full: last January" if both else None
    if broken.any():
        subtitle += "; dotted: the series breaks in between"
    title(ax, finding, subtitle=subtitle)
    return ax


@house
def flows(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what came in and went out; `frame` as :func:`growth.flows` returns it."""
    ax = axes(ax)
    rows = frame.dropna(subset=["new", "ceased"])
    new, ceased = rows["new"].astype(float), -rows["ceased"].astype(float)
    rest = rows["remainder"].astype(float)
    ax.bar(rows["year"], new, color=PALETTE[0], width=0.7)
    ax.bar(rows["year"], ceased, color=PALETTE[2], width=0.7)
    above, below = rest.clip(lower=0), rest.clip(upper=0)
    for part, base in ((above, new), (below, ceased)):
        ax.bar(rows["year"], part, bottom=base, width=0.7, facecolor="white", edgecolor=TEXT,
               hatch="////", lw=0.8)  # fmt: skip
    ax.axhline(0, color=TEXT, lw=0.8)
    for year in rows.loc[(rows["caveat"] != "") & (rows["year"] > rows["year"].min()), "year"]:
        ax.axvline(year - 0.5, color=RULE, lw=1, ls=":", gid=BREAK)
    ax.set_xticks(rows["year"])
    ax.grid(axis="x", visible=False)
    last = rows.iloc[-1]
    for height, words in (
        (new.iloc[-1] / 2, "new"),
        (ceased.iloc[-1] / 2, "ceased"),
        (new.iloc[-1] + above.iloc[-1] if above.iloc[-1] else ceased.iloc[-1] + below.iloc[-1],
         "unexplained"),
    ):  # fmt: skip
        ax.annotate(words, (last["year"] + 0.4, height), xytext=(6, 0), va="center",
                    textcoords="offset points", annotation_clip=False)  # fmt: skip
    ax.set_ylabel("plans in the calendar year")
    title(
        ax, f"New plans in {last['year']}: {last['new']:,}; ceased: {last['ceased']:,}",
        subtitle="Hatched: what neither explains (moves between authorities, late recording)",
    )  # fmt: skip
    return ax


@house
def five_year_growth(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw growth over windows of one length by the year they end, with what was claimed.

    `frame` as :func:`growth.over_years` returns it, with ``claimed`` (per cent,
    missing where nothing was claimed) and ``compare`` from :func:`evidence.mark`.
    """
    ax = axes(ax)
    _lines(ax, frame, "growth", mark=False)
    for row in frame.dropna(subset="claimed").itertuples():
        ax.plot(row.year, row.claimed, _mark(row.compare), ms=11, color=ROLES[row.role]["color"],
                mec="white", zorder=6, clip_on=False)  # fmt: skip
        ax.annotate(
            f"claimed for {row.area}: {row.said}", (row.year, row.claimed),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    highest = frame[["growth", "claimed"]].max().max()
    ax.set_ylim(min(0, frame["growth"].min()), 1.12 * highest)
    ax.set_ylabel("growth in per cent")
    ax.set_xlabel("five years to January")
    own = frame[frame["role"] == "area"]
    whole = own[own["caveat"] == ""]
    if len(whole):
        best = whole.loc[whole["growth"].idxmax()]
        finding = f"The highest five-year growth in {best['area']} was {best['growth']:.0f} %"
        finding += ", breaks left out" if len(whole) < len(own) else ""
    else:
        finding = f"Five-year growth in {own['area'].iloc[0]} cannot be told: the series breaks"
    title(
        ax, finding, subtitle="Growth in plans over the five years to each January; dotted: the "
        f"series breaks within them{_key(frame)}",
    )  # fmt: skip
    _named(ax)
    return ax


@house
def timeliness(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of plans issued in time, with what was claimed.

    `frame` as :func:`growth.timeliness` returns it, with ``claimed`` and ``compare`` from
    :func:`evidence.mark`.
    """
    ax = axes(ax)
    _lines(ax, frame, "share")
    claims = frame.dropna(subset="claimed").sort_values("claimed", ascending=False)
    below = claims.duplicated("year")  # of two claims about a year the higher has its label above
    for row, lower in zip(claims.itertuples(), below, strict=True):
        ax.plot(row.year, row.claimed, _mark(row.compare), ms=11, color=ROLES[row.role]["color"],
                mec="white", zorder=6)  # fmt: skip
        ax.annotate(row.said, (row.year, row.claimed), xytext=(0, -9 if lower else 9),
                    textcoords="offset points", ha="center", va="top" if lower else "bottom",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
                    zorder=5, color=TEXT)  # fmt: skip
    ax.set_ylim(0, 104)
    ax.set_ylabel("per cent of plans")
    ax.set_xlabel("calendar year")
    own = frame[(frame["role"] == "area")].dropna(subset="share")
    since = own.loc[own["caveat"] != "", "year"].max()
    own = own[own["year"] >= since] if pd.notna(since) else own
    last, worst = own.iloc[-1], own.loc[own["share"].idxmin()]
    least = f"; {worst['share']:.0f} % in {worst['year']}"
    first = own.iloc[0]
    few = {1: "", 2: f"; {first['share']:.0f} % in {first['year']}"}
    never = few.get(len(own), f"; in no year since {first['year']} less")
    title(
        ax, f"In {last['area']} {last['in_time']:,} of {last['issued']:,} plans counted came "
        f"within 20 weeks in {last['year']} ({last['share']:.0f} %"
        f"{least if worst['share'] < last['share'] else never})",
        subtitle="Plans with a statutory exception are not counted; dotted: the series breaks"
        f"{_key(frame)}",
    )  # fmt: skip
    _named(ax)
    return ax


def _key(frame: pd.DataFrame) -> str:
    """Say what the marks of claims are, those there are."""
    compared = set(frame.dropna(subset="claimed")["compare"])
    crosses = "; crosses: claims" if "equal" in compared else ""
    return crosses + ("; triangles: thresholds claimed" if compared - {"equal"} else "")


def _mark(compare: str) -> str:
    """Marker of a claim: a cross for a figure, a triangle that points where a threshold does."""
    return {"above": "^", "at least": "^", "below": "v"}.get(compare, "X")


def _reproduced(verdicts: pd.Series) -> str:
    """Say how many claims that are percentages are reproduced; none restates another."""
    if len(verdicts) == 1:
        return f"The one claim that is a percentage is {verdicts.iloc[0]}"
    count = int(verdicts.eq("reproduced").sum())
    are = "is" if count == 1 else "are"
    return f"{count} of {len(verdicts)} claims that are percentages {are} reproduced"


@house
def claimed_and_official(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw claims in per cent beside the official figures.

    A figure is a cross, joined to the official one by what lies between; a threshold is a bar with
    all that would agree with it shaded, so that no distance from it is drawn.

    `frame` as :func:`send_analysis.evidence.words.percentages` returns it.
    """
    rows = frame.iloc[::-1].reset_index(drop=True)
    ax = axes(ax, height=1.4 + (0.75 if len(rows) < 9 else 0.5) * len(rows))
    span = pd.concat([rows["claimed"], rows["official"]])
    low, high = min(0, span.min()), span.max()
    margin = 0.12 * (high - low)
    figure = rows["compare"] == "equal"
    for place, row in rows[~figure].iterrows():
        end = low - margin if row["compare"] == "below" else high + margin
        left = row["claimed"] > (low + high) / 2
        ax.hlines(place, row["claimed"], end, color=GRID, lw=9, zorder=0)
        ax.plot(row["claimed"], place, "|", ms=20, mew=3, color=PALETTE[3])
        ax.annotate(row["said"], (row["claimed"], place), xytext=(-4 if left else 4, 7),
                    ha="right" if left else "left", textcoords="offset points")  # fmt: skip
    exact = rows[figure]
    ax.hlines(exact.index, exact["claimed"], exact["official"], color=RULE, lw=2, zorder=1)
    ax.plot(rows["official"], rows.index, "o", ms=11, color=PALETTE[0])
    ax.plot(exact["claimed"], exact.index, "X", ms=7, color=PALETTE[3], mec=PALETTE[3], zorder=4)
    for place, row in rows.iterrows():
        apart = row["claimed"] < row["official"]
        texts = [(f"{row['official']:.1f}", row["official"], 1 if apart else -1)]
        if figure[place]:
            texts.append((f"{row['claimed']:g}", row["claimed"], -1 if apart else 1))
        for text, value, sign in texts:
            ax.annotate(text, (value, place), xytext=(11 * sign, 0), va="center",
                        ha="left" if sign > 0 else "right", textcoords="offset points")  # fmt: skip
    ax.set_yticks(rows.index, [textwrap.fill(words, 40) for words in rows["statement"]])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)
    ax.set_xlim(low - margin, high + margin)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel("per cent")
    bars = "" if figure.all() else "; bar: a threshold, shaded where figures agree with it"
    counted = rows.loc[rows["same_as"] == "", "verdict"]  # one fact counts once
    title(ax, _reproduced(counted), subtitle=f"Cross: claimed{bars}; dot: official figure")
    ax.tick_params(axis="y", labelcolor=MUTED_TEXT)
    return ax
