"""The line of sources under a chart or table: publications and releases of its tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from send_analysis import tables


def origin(names: Sequence[str]) -> str:
    """Name the publications behind tables, each with its releases.

    Parameters
    ----------
    names : sequence of str
        Tables, as a result carries them.

    Returns
    -------
    str
        ``"Publication, reporting years 2022 and 2025 (Publisher, June 2025); …"``.
    """
    found = {it["name"]: it for name in names for it in tables.resource(name)["sources"]}
    series: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for it in found.values():
        title, _, year = it["title"].partition(", reporting year ")
        series.setdefault((title, it["publisher"]), []).append((it["published"], year))
    return "; ".join(
        f"{title}{_reporting_years(sorted(filter(None, (year for _, year in releases))))} "
        f"({publisher}, {month(max(releases)[0])})"
        for (title, publisher), releases in series.items()
    )


def month(year_month: str) -> str:
    """Write a month such as ``"2025-06"`` as "June 2025"; a year alone stays one.

    Parameters
    ----------
    year_month : str
        Year and month, as the descriptor of the tables has them.

    Returns
    -------
    str
    """
    return year_month if len(year_month) == 4 else f"{pd.Timestamp(year_month):%B %Y}"


def _reporting_years(years: list[str]) -> str:
    """Name the reporting years of a publication, if it has any."""
    if len(years) < 2:
        return "".join(f", reporting year {year}" for year in years)
    return f", reporting years {', '.join(years[:-1])} and {years[-1]}"
