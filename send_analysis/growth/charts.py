"""How the number of plans grew, drawn: each function takes a result and returns a chart."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import caveats
from send_analysis.areas import Area
from send_analysis.show import lines
from send_analysis.show.chart import Chart
from send_analysis.show.style import BREAK, CLEAR, PALETTE, ROLES, RULE, TEXT, across

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def indexed(frame: pd.DataFrame) -> Chart:
    """Plans as an index; `frame` as :func:`.series.indexed` returns it."""
    start, end = int(frame["year"].min()), lines.last(frame)
    since = f"since {start}" if end == frame["year"].max() else f"from {start} to {end}"
    own = frame[frame["role"] == "area"]
    name = own["area"].iloc[0]
    change, national = (lines.at(frame, role, "index", end) - 100 for role in ("area", "england"))
    parts = [f"Plans in {name} {_moved(change)} {since}"]
    if (own["caveat"] != "").any():
        parts = [f"How plans in {name} grew since {start} cannot be told: their series breaks"]
    elif not np.isnan(national):
        moved = _moved(national)
        same = moved.split(" by ")[0] == _moved(change).split(" by ")[0]
        parts.append(f"in England {moved[moved.index('by') :] if same else moved}")

    return Chart(
        title=", ".join(parts),
        subtitle=f"EHC plans and statements, January {start} = 100",
        alt=lines.told(frame, "index", ".0f", f"plans, January {start} as 100"),
        data=frame,
        draw=lines.drawing(frame, "index", y=f"January {start} = 100", bottom=None),
        note=joined(lines.neighbours(frame), caveats.noted(own["caveat"]), _held(frame)),
    )


def joined(*notes: str) -> str:
    """Put notes one after another, those that are empty left out."""
    return " ".join(filter(None, notes))


def _held(frame: pd.DataFrame) -> str:
    """Say so where the region's last total holds a flagged return."""
    last = frame[(frame["role"] == "region") & (frame["year"] == frame["year"].max())]
    said = [caveats.held("ehc_plans", Area(it.area_code), it.year) for it in last.itertuples()]
    return " ".join(
        f"{name}: {text}" for name, text in zip(last["area"], said, strict=True) if text
    )


def _moved(change: float) -> str:
    """Say a change in per cent as people do."""
    return f"rose by {change:.0f} %" if change >= 0 else f"fell by {-change:.0f} %"


def rates(frame: pd.DataFrame) -> Chart:
    """Plans per 1,000 residents; `frame` as :func:`.series.rates` returns it."""
    end = lines.last(frame)
    last = frame[frame["year"] == end]
    own = last[last["role"] == "area"].iloc[0]
    text = f"In {own['area']} {own['rate']:.0f} of 1,000 have a plan"
    if end < frame["year"].max():
        text = f"In January {end} {own['rate']:.0f} of 1,000 in {own['area']} had a plan"
    national = lines.at(frame, "england", "rate", end)
    if own["caveat"]:
        text = f"The last figure of {own['area']} does not compare with those before it"
    elif not np.isnan(national):
        text += f", in England {national:.0f}"
    guess = f" (residents of mid-{end - 1} estimated)" if "estimated" in set(last["basis"]) else ""

    return Chart(
        title=text,
        subtitle=f"Plans per 1,000 residents aged 0 to 25{guess}",
        alt=lines.told(frame, "rate", ".1f", "plans per 1,000 residents aged 0 to 25 in January"),
        data=frame.dropna(axis="columns", how="all"),
        draw=lines.drawing(frame, "rate", y="plans per 1,000"),
        note=f"{lines.neighbours(frame)} Residents at the middle of the year before. From mid-2021 "
        "as the Office for National Statistics publishes them by single year of age; mid-2018 to "
        "mid-2020 put on the base of the Census of 2021. What that changed is in the project's "
        "docs/corrections.md.",
    )


def caterpillar(frame: pd.DataFrame, area_code: str) -> Chart:
    """Every authority's growth with its interval, one marked.

    `frame` as :func:`.series.growth` returns it; `area_code` is that of a row of it.
    """
    ranked = frame.dropna(subset="areas").sort_values("growth").reset_index(drop=True)
    national = frame.iloc[-1]["growth"]
    own = ranked[ranked["area_code"] == area_code]
    low, high = ranked.iloc[0], ranked.iloc[-1]
    title = f"Growth between areas ranges from {low['growth']:+.0f} % to {high['growth']:+.0f} %"
    alt = (
        f"Chart of the growth of {len(ranked)} areas in order, each with a 95 % interval, "
        f"from {low['growth']:+.0f} % in {low['area']} to {high['growth']:+.0f} % in "
        f"{high['area']}."
    )
    for row in own.itertuples():
        rank = row.rank
        title = f"Growth in {row.area} ranks {rank} of {row.areas} areas"
        if pd.isna(rank):
            rank = "none"
            title = f"Too few plans in {row.area} to rank its growth among {row.areas} areas"
        alt += (
            f" {row.area} is marked: rank {rank}, {row.growth:+.0f} %, interval "
            f"{row.low:+.0f} to {row.high:+.0f}."
        )

    def draw(ax: Axes) -> None:
        in_order(ax, ranked, "growth", own)
        ax.axhline(national, color=ROLES["england"]["color"], lw=1.8, dashes=(5, 2))
        ax.annotate(f"England {national:+.0f} %", (0, national), xytext=(2, 5),
                    textcoords="offset points", **CLEAR)  # fmt: skip
        for row in own.itertuples():
            named = (
                f"{row.area} {row.growth:+.0f}\N{NO-BREAK SPACE}%, 95\N{NO-BREAK SPACE}% interval "
                f"{row.low:+.0f} to {row.high:+.0f}"
            )
            ax.annotate(
                textwrap.fill(named, 52),
                (0.01, 0.99), xycoords="axes fraction", va="top", fontweight="bold",
                color=PALETTE[2], **CLEAR,
            )  # fmt: skip
        # The intervals of a handful of children reach far beyond the rest: they are cut off.
        ax.set_ylim(min(0, ranked["growth"].min() - 20), ranked["growth"].max() + 40)
        ax.set_xlabel("areas, from the lowest growth to the highest")
        ax.set_ylabel("growth in per cent")
        ax.axhline(0, color=RULE, lw=0.8)

    return Chart(
        title=title,
        subtitle="Growth in plans; bars: how far chance alone could move it (95 %)",
        alt=alt,
        data=frame.rename(columns={"low": "growth_low", "high": "growth_high"}),
        draw=draw,
        note="The interval treats each January's number as a count of independent events. Areas "
        "differ for other reasons too, so more of them lie outside it than chance would put there. "
        "Authorities whose boundaries changed are one area together; areas whose series breaks are "
        "not ranked.",
    )


def in_order(ax: Axes, rows: pd.DataFrame, value: str, own: pd.DataFrame) -> None:
    """Draw the value of every area with its interval, in the order of the rows, some marked.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rows : DataFrame
        `value`, ``low, high``, indexed from nought.
    value : str
    own : DataFrame
        Those rows of it that are marked.
    """
    ax.vlines(rows.index, rows["low"], rows["high"], color=PALETTE[0], alpha=0.3, lw=1.6)
    ax.plot(rows.index, rows[value], "o", ms=2.5, color=PALETTE[0])
    if len(own):
        ax.vlines(own.index, own["low"], own["high"], color=PALETTE[2], lw=3, zorder=4)
        ax.plot(own.index, own[value], "D", ms=8, color=PALETTE[2], mec="white", zorder=5)
    ax.set_xlim(-1, len(rows))
    ax.set_xticks([])


def categories(frame: pd.DataFrame, dimension: str) -> Chart:
    """Plans by category at both ends; `frame` as :func:`.series.by` returns it.

    Only the first area of the frame is drawn; categories without a figure are left out.
    """
    own = frame[frame["area"] == frame["area"].iloc[0]].dropna(subset="plans_end")
    if dimension != "age band":
        own = own[own["plans_end"] > 0].sort_values("plans_end", ascending=False, kind="stable")
    rows = own.iloc[::-1].reset_index(drop=True)
    both = "plans_start" in rows
    broken = (rows["caveat"] != "").to_numpy() if both else np.zeros(len(rows), dtype=bool)
    ends = rows["plans_end"].to_numpy(dtype=float)
    start = rows["plans_start"].to_numpy(dtype=float, na_value=np.nan) if both else 0 * ends
    labels = [f"{value:,.0f}" for value in ends]
    if both:
        change = rows["change"].to_numpy(dtype=float, na_value=np.nan)
        told = ~np.isnan(change) & ~broken
        labels = [
            f"{label} ({value:+,.0f})" if is_told else label
            for label, value, is_told in zip(labels, change, told, strict=True)
        ]

    def draw(ax: Axes) -> None:
        if both:
            for of, look in ((~broken, {"lw": 2}), (broken, {"lw": 1.2, "ls": ":"})):
                ax.hlines(rows.index[of], start[of], ends[of], color=RULE, zorder=1, **look)
            ax.plot(start, rows.index, "o", ms=8, mfc="white", mec=PALETTE[0], mew=2)
            ax.plot(ends, rows.index, "o", ms=8, color=PALETTE[0])
        else:
            ax.barh(rows.index, ends, color=PALETTE[0], height=0.6)
        for place, (label, edge) in enumerate(zip(labels, np.fmax(start, ends), strict=True)):
            ax.annotate(
                label, (edge, place), xytext=(9, 0), textcoords="offset points", va="center"
            )
        across(ax, rows["category"])
        ax.set_xlim(0, 1.4 * ends.max())
        ax.set_xlabel("plans")

    dots = "; dotted: the series breaks in between" if broken.any() else ""
    later = {
        "placement": "Until January 2022 those awaiting a placement were counted apart; since 2023 "
        "some plans have no placement recorded.",
    }
    return Chart(
        title=_most(rows, dimension, broken=bool(broken.any())),
        subtitle=f"Hollow: first January; full: last January{dots}" if both else "",
        alt=_categories_told(own, dimension),
        data=frame,
        draw=draw,
        height=1.4 + 0.42 * len(rows),
        note=joined(
            later.get(dimension, ""),
            caveats.noted(frame["caveat"]) if both else "",
            *frame["lacks"].unique(),
        ),
    )


PLACED = {
    "mainstream": "in mainstream schools",
    "special": "in special schools",
    "educated elsewhere": "educated elsewhere",
}


def _most(rows: pd.DataFrame, dimension: str, *, broken: bool) -> str:
    """Say which category is the largest or grew most."""
    if "plans_start" not in rows:
        most = rows.nlargest(1, "share_end").iloc[0]
        name = f"{most['category'][0].lower()}{most['category'][1:]}"
        return f"The most frequent {dimension} is {name}: {most['share_end']:.0f} % of plans"
    by = "plans_end" if broken else "change"
    row = rows.dropna(subset=by).nlargest(1, by).iloc[0]
    placed = PLACED.get(row["category"], f"in {row['category']}")
    them = f"aged {row['category']}" if dimension == "age band" else placed
    if broken:
        return f"The largest group are those {them}: {row['share_end']:.0f} % of plans"
    return f"Plans of those {them} grew most: {row['change']:+,} plans"


def _categories_told(own: pd.DataFrame, dimension: str) -> str:
    """Alternative text of `categories`."""
    own = own[own["plans_end"] > 0]
    if "plans_start" not in own:
        words = "; ".join(f"{row.category} {row.plans_end}" for row in own.itertuples())
        return f"Bar chart of plans by {dimension}: {words}."
    words = "; ".join(
        f"{row.category} {'not collected' if pd.isna(row.plans_start) else row.plans_start} to "
        f"{row.plans_end}"
        for row in own.itertuples()
    )
    dots = " The series breaks in between." if (own["caveat"] != "").any() else ""
    return f"Dot chart of plans by {dimension}, first and last January: {words}.{dots}"


def flows(frame: pd.DataFrame) -> Chart:
    """What came in and what went out; `frame` as :func:`.series.flows` returns it."""
    rows = frame.dropna(subset=["new", "ceased"])
    first, last = rows.iloc[0], rows.iloc[-1]

    def draw(ax: Axes) -> None:
        new, ceased = rows["new"].astype(float), -rows["ceased"].astype(float)
        rest = rows["remainder"].astype(float)
        above, below = rest.clip(lower=0), rest.clip(upper=0)
        ax.bar(rows["year"], new, color=PALETTE[0], width=0.7)
        ax.bar(rows["year"], ceased, color=PALETTE[2], width=0.7)
        for part, base in ((above, new), (below, ceased)):
            ax.bar(rows["year"], part, bottom=base, width=0.7, facecolor="white", edgecolor=TEXT,
                   hatch="////", lw=0.8)  # fmt: skip
        ax.axhline(0, color=TEXT, lw=0.8)
        for year in rows.loc[(rows["caveat"] != "") & (rows["year"] > first["year"]), "year"]:
            ax.axvline(year - 0.5, color=RULE, lw=1, ls=":", gid=BREAK)
        ax.set_xticks(rows["year"])
        ax.grid(axis="x", visible=False)
        top, bottom = new.iloc[-1] + above.iloc[-1], ceased.iloc[-1] + below.iloc[-1]
        for height, words in (
            (new.iloc[-1] / 2, "new"),
            (ceased.iloc[-1] / 2, "ceased"),
            (top if above.iloc[-1] else bottom, "unexplained"),
        ):
            ax.annotate(words, (last["year"] + 0.4, height), xytext=(6, 0), va="center",
                        textcoords="offset points", annotation_clip=False)  # fmt: skip
        ax.set_ylabel("plans in the calendar year")

    return Chart(
        title=f"New plans in {last['year']}: {last['new']:,}; ceased: {last['ceased']:,}",
        subtitle="Hatched: what neither explains (moves between authorities, late recording)",
        alt="Bar chart of plans that were new, ceased and unexplained in each calendar year"
        + (
            f" from {first['year']} to {last['year']}. New plans go from {first['new']:,} to "
            f"{last['new']:,}, ceased plans from {first['ceased']:,} to {last['ceased']:,}; "
            if first["year"] < last["year"]
            else f" there is. {last['new']:,} are new and {last['ceased']:,} ceased; "
        )
        + f"in {last['year']} {last['remainder']:+,} are unexplained.",
        data=frame,
        draw=draw,
        note=caveats.noted(frame["caveat"]),
    )
