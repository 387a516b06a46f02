"""Releases of one series: each year from the newest release that has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.cleaning import layout, reading
from send_analysis.errors import DataError, MissingFileError, nearest

EHC_PLANS = "ehc_plans"  # person-level returns, reporting year 2025 on
# Releases of EHC plans from before the person-level return; the others are found by what is there.
MIDDLE, OLD = "ehc_plans_2023", "ehc_plans_2022"


def known(series: str = EHC_PLANS) -> list[str]:
    """Return the releases of a series that `releases.yml` lists, newest first."""
    names = [
        name
        for name in layout.specification()["releases"]
        if layout.release(name).get("series") == series
    ]
    return sorted(names, key=lambda name: layout.release(name)["year"], reverse=True)


def present(root: Path, series: str = EHC_PLANS) -> list[str]:
    """Return the releases of a series whose files are below `root`, newest first.

    Raises
    ------
    MissingFileError
        If there is none.
    """
    names = known(series)
    found = [name for name in names if (root / layout.release(name)["path"]).exists()]
    if not found:
        paths = " or ".join(layout.release(name)["path"] for name in names)
        raise MissingFileError(
            f"no such file below {root}; fetch it with `send-analysis data refresh`", file=paths
        )
    return found


def holding(root: Path, file: str) -> str:
    """Return the newest release that has a file which not every release has.

    Raises
    ------
    MissingFileError
        If none has it.
    """
    names = present(root)
    for name in names:
        entry = layout.release(name)
        if reading.holds(root, entry["path"], entry["files"][file]):
            return name
    paths = " or ".join(layout.release(name)["path"] for name in names)
    raise MissingFileError(f"no file for {file!r} in it; fetch the whole archive", file=paths)


def rows(
    root: Path,
    file: str,
    topics: dict[str, str] | None = None,
    labels: dict[str, dict[str, str]] | None = None,
) -> pd.DataFrame:
    """Read one file of every release that is there: each year from the newest that has it.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    file : str
        File as `releases.yml` calls it.
    topics, labels : dict, optional
        As :func:`send_analysis.cleaning.reading.tidy` takes them.

    Returns
    -------
    DataFrame
        The columns of :func:`~send_analysis.cleaning.reading.tidy`, and ``release``.
    """
    parts: list[pd.DataFrame] = []
    years: set[int] = set()
    for name in present(root):
        part = reading.tidy(root, name, file, topics=topics, labels=labels)
        parts.append(part[~part["year"].isin(years)].assign(release=name))
        years |= set(part["year"].unique())
    return pd.concat(parts, ignore_index=True)


def revisions(
    root: Path,
    new: pd.DataFrame,
    read: Callable[[str], pd.DataFrame],
    *,
    table: str,
    item: str = "all",
) -> pd.DataFrame:
    """Set the newest release's totals beside those of the release before it.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    new : DataFrame
        ``area_code, year, value`` of the newest release.
    read : callable
        Gives the same of a release by its name.
    table, item : str
        Table and category that the findings belong to.

    Returns
    -------
    DataFrame
        Findings, as :mod:`send_analysis.quality` has them.
    """
    earlier = present(root)[1:2]
    if not earlier:
        return quality.none()
    found = quality.against_earlier(
        new,
        read(earlier[0]),
        table=table,
        value="value",
        key=["area_code", "year"],
        release=earlier[0],
    )
    return found.assign(item=item, check="differs from the release before")


def unread_columns(root: Path, name: str) -> pd.DataFrame:
    """List columns of a release that `releases.yml` does not know.

    Returns
    -------
    DataFrame
        ``file, column, nearest``: none if every column is read or left out on purpose.
    """
    entry = layout.release(name)
    found = []
    for spec in entry["files"].values():
        if "values" not in spec:
            continue
        try:
            head = reading.read_csv(root, entry["path"], spec["member"], nrows=0)
        except DataError:
            continue  # a file that the release lacks is refused where it is read
        read = [part for name in spec["values"] for part in layout.parts(name, head.columns)]
        read += ["time_period", *reading.PLACE_COLUMNS, *spec["key"]]
        found += [
            (head.attrs["file"], column, ", ".join(nearest(column, spec["values"])))
            for column in layout.unread(head.columns, read)
        ]
    return pd.DataFrame(found, columns=["file", "column", "nearest"])
