"""Alternative texts: what a chart shows, in words, from the same result that it draws.

Each function takes what its sister in `figures` takes.
"""

from __future__ import annotations

import pandas as pd


def _series(frame: pd.DataFrame, role: str, column: str, form: str) -> str:
    """Say where one area's line begins and ends; empty if it is not drawn."""
    rows = frame[frame["role"] == role].dropna(subset=column)
    if rows.empty:
        return ""
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"{first['area']} goes from {first[column]:{form}} in {first['year']} to "
        f"{last[column]:{form}} in {last['year']}. "
    )


def _lines(frame: pd.DataFrame, column: str, form: str, what: str) -> str:
    """Describe a line chart of an area and its comparators."""
    words = "".join(_series(frame, role, column, form) for role in ("area", "england", "region"))
    others = frame[frame["role"] == "neighbours"].dropna(subset=column)
    if len(others):
        last = others[others["year"] == others["year"].max()][column].astype(float)
        words += (
            f"The {others['area'].nunique()} statistical neighbours end between "
            f"{last.min():{form}} and {last.max():{form}}."
        )
    dots = " Dotted steps cross a break in the series." if (frame["caveat"] != "").any() else ""
    return f"Line chart of {what}. {words}".strip() + dots


def indexed(frame: pd.DataFrame) -> str:
    """Describe the chart of plans as an index."""
    return _lines(frame, "index", ".0f", f"plans, January {frame['year'].min()} as 100")


def rates(frame: pd.DataFrame) -> str:
    """Describe the chart of plans per 1,000."""
    return _lines(frame, "rate", ".1f", "plans per 1,000 residents aged 0 to 25 in January")


def five_year_growth(frame: pd.DataFrame) -> str:
    """Describe the chart of growth over five years to each January."""
    crosses = "".join(
        f" A mark shows the claim for {row.area}: {row.said}."
        for row in frame.dropna(subset="claimed").itertuples()
    )
    return _lines(frame, "growth", ".0f", "growth in per cent over five years") + crosses


def timeliness(frame: pd.DataFrame) -> str:
    """Describe the chart of plans issued in time."""
    crosses = "".join(
        f" A mark shows the claim of {row.said} in {row.year}."
        for row in frame.dropna(subset="claimed").itertuples()
    )
    return _lines(frame, "share", ".0f", "the per cent of plans issued within 20 weeks") + crosses


def caterpillar(frame: pd.DataFrame, area_code: str) -> str:
    """Describe the chart of every authority's growth."""
    ranked = frame.dropna(subset="rank").sort_values("rank")
    words = (
        f"Chart of the growth of {len(ranked)} authorities in order, each with a 95 % interval, "
        f"from {ranked['growth'].iloc[-1]:+.0f} % in {ranked['area'].iloc[-1]} to "
        f"{ranked['growth'].iloc[0]:+.0f} % in {ranked['area'].iloc[0]}."
    )
    own = ranked[ranked["area_code"] == area_code]
    for row in own.itertuples():
        words += (
            f" {row.area} is marked: rank {row.rank}, {row.growth:+.0f} %, interval "
            f"{row.lower:+.0f} to {row.upper:+.0f}."
        )
    return words


def categories(frame: pd.DataFrame, dimension: str) -> str:
    """Describe the chart of plans by category."""
    own = frame[frame["area"] == frame["area"].iloc[0]].dropna(subset="plans_end")
    own = own[own["plans_end"] > 0]
    if "plans_start" in own:
        words = [
            f"{row.category} {row.plans_start if not pd.isna(row.plans_start) else 'not collected'}"
            f" to {row.plans_end}"
            for row in own.itertuples()
        ]
        dots = " The series breaks in between." if (own["caveat"] != "").any() else ""
        return (
            f"Dot chart of plans by {dimension}, first and last January: {'; '.join(words)}.{dots}"
        )
    words = [f"{row.category} {row.plans_end}" for row in own.itertuples()]
    return f"Bar chart of plans by {dimension}: {'; '.join(words)}."


def flows(frame: pd.DataFrame) -> str:
    """Describe the chart of new and ceased plans."""
    rows = frame.dropna(subset=["new", "ceased"])
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Bar chart of plans that were new, ceased and unexplained in each calendar year from "
        f"{first['year']} to {last['year']}. New plans go from {first['new']} to {last['new']}, "
        f"ceased plans from {first['ceased']} to {last['ceased']}; in {last['year']} "
        f"{last['remainder']:+} are unexplained."
    )


def claimed_and_official(frame: pd.DataFrame) -> str:
    """Describe the chart of claims beside official figures."""
    words = [
        f"{row.statement}: claimed {row.said}, official {row.official:.1f} %"
        for row in frame.itertuples()
    ]
    return f"Dot chart of claimed and official figures in per cent. {'; '.join(words)}."
