"""The sources of a chart or table: publications and releases of its tables, and a line of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from send_analysis import tables

# What tells the releases of one publication apart: a year, a middle of a year, a month at the end.
WHEN = re.compile(
    r"(?<=reporting year )\d{4}|mid-\d{4}|(?<=services, )\d{4}-\d\d$|(?<=lists, )[A-Z][a-z]+ \d{4}$"
)
GAP = "…"
# Lists of which areas belong together: figures are added up by them, none is theirs.
LISTS = re.compile(r"\blookup\b|\blink of\b|\blocations to\b|\bnames and codes\b")
# What a title has after the name of the publication: from the first part with a number on.
PARTICULARS = re.compile(r", [^,]*\d.*")
LINE = 140  # characters


@tables.remembered
def origin(names: tuple[str, ...]) -> str:
    """Name the publications behind tables, each with its releases; lists of areas left out.

    Parameters
    ----------
    names : tuple of str
        Tables, as a result carries them.

    Returns
    -------
    str
        ``"Publication, reporting years 2022 and 2025 (Publisher, June 2025); …"``.
    """
    series: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for it in _sources(names):
        when = WHEN.findall(it["title"])
        title = WHEN.sub(GAP, it["title"]) if len(when) == 1 else it["title"]
        series.setdefault((title, it["publisher"]), []).append((it["published"], *when))
    return "; ".join(
        f"{_filled(title, releases)} ({publisher}, {month(max(releases)[0])})"
        for (title, publisher), releases in series.items()
    )


@tables.remembered
def brief(names: tuple[str, ...]) -> str:
    """Name the sources of tables in a line: as :func:`origin` where that is no longer.

    Parameters
    ----------
    names : tuple of str
        Tables, as a result carries them.

    Returns
    -------
    str
        ``"Publication (Publisher, June 2025) and 3 more of its releases; …"``: of each publisher
        the publication that most of the tables are from, with its latest release.
    """
    whole = origin(names)
    if len(whole) <= LINE:
        return whole
    used = Counter(key for name in names for key in {_publication(it) for it in _sources([name])})
    by_publisher: dict[str, list[dict]] = {}
    for it in _sources(names):
        by_publisher.setdefault(it["publisher"], []).append(it)
    said = []
    for publisher, releases in by_publisher.items():
        first = max(releases, key=lambda it: (used[_publication(it)], it["published"]))
        more = len(releases) - 1
        others = f" and {more} more of its releases" if more else ""
        title = _publication(first)[1]
        said.append(f"{title} ({publisher}, {month(first['published'])}){others}")
    return "; ".join(said)


def _sources(names: Sequence[str]) -> list[dict]:
    """Releases behind tables, each once; lists of areas only where there is nothing else."""
    found = {it["name"]: it for name in names for it in tables.resource(name)["sources"]}
    return [it for it in found.values() if not LISTS.search(it["title"])] or [*found.values()]


def _publication(source: dict) -> tuple[str, str]:
    """Publisher and name of a publication, without what tells its releases apart."""
    return source["publisher"], PARTICULARS.sub("", source["title"])


def _filled(title: str, releases: list[tuple[str, ...]]) -> str:
    """Put what its releases are of into the title of a publication."""
    when = sorted({release[1] for release in releases if GAP in title})
    if len(when) > 1:
        title = title.replace(f"reporting year {GAP}", f"reporting years {GAP}")
    if when and when[0][0].isupper():
        when = _runs(pd.PeriodIndex(pd.to_datetime(when, format="%B %Y"), freq="M").sort_values())
    listed = " and ".join(filter(None, [", ".join(when[:-1]), *when[-1:]]))
    return title.replace(GAP, listed)


def _runs(months: pd.PeriodIndex) -> list[str]:
    """Put months that follow one another together: "January to October 2023"."""
    parts = []
    for _, run in pd.Series(months).groupby(months.astype("int64") - np.arange(len(months))):
        first, last = run.iloc[0], run.iloc[-1]
        start = "" if len(run) == 1 else f"{first:%B} to "
        if first.year != last.year:
            start = f"{first:%B %Y} to "
        parts.append(f"{start}{last:%B %Y}")
    return parts


def month(year_month: str) -> str:
    """Write a month such as ``"2025-06"`` as "June 2025"; a year alone stays one.

    Parameters
    ----------
    year_month : str
        Year and month, as the descriptor of the tables has them.
    """
    return year_month if len(year_month) == 4 else f"{pd.Timestamp(year_month):%B %Y}"
