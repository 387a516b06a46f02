"""The tidy tables: the only reader of the `data` folder.

What a table is called, what its columns hold and where it comes from is in the Data Package
descriptor ``data/datapackage.json``; types are read from there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial, reduce, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from send_analysis import reads
from send_analysis.disk import read_bytes
from send_analysis.errors import DataError, SendAnalysisError, unknown

P = ParamSpec("P")
R = TypeVar("R")

DESCRIPTOR = "datapackage.json"
_FOLDER_VARIABLE = "SEND_ANALYSIS_DATA"


def data_dir() -> Path:
    """Return the folder of the tables.

    The environment variable ``SEND_ANALYSIS_DATA`` if it is set; else ``data`` beside the package
    in a checkout, or the copy within an installed package.

    Raises
    ------
    SendAnalysisError
        If there is no descriptor in the folder.
    """
    return _folder(os.environ.get(_FOLDER_VARIABLE))


@cache
def _folder(chosen: str | None) -> Path:
    """Find the folder of the tables, once: every result that is kept asks for it."""
    package = Path(__file__).parent
    folders = [Path(chosen)] if chosen else [package.parent / "data", package / "_data"]
    for folder in folders:
        if (folder / DESCRIPTOR).is_file():
            return folder
    raise SendAnalysisError(
        f"No {DESCRIPTOR} in {' or '.join(map(str, folders))}. Run from a clone of the project, or "
        f"set {_FOLDER_VARIABLE} to the folder that `send-analysis data build --out` wrote."
    )


# What people may change beside the tables: files and folders below the folder of the tables.
PARAMETERS = (
    "assumptions.yml",
    "claims",
    "forecasts",
    "hindcasts",
    "plans",
    "published_forecasts.yml",
    "scenarios",
)


def parameters(name: str) -> Path:
    """Return the path of a file or folder of parameters.

    Parameters
    ----------
    name : str
        One of :data:`PARAMETERS`.

    Returns
    -------
    Path
        In the folder of the tables; the project's own where that has none, as a folder that
        `send-analysis data build --out` wrote.
    """
    path = data_dir() / name
    return path if path.exists() else own_folder() / name


def own_folder() -> Path:
    """Folder of tables of the checkout or of the installed package."""
    package = Path(__file__).parent
    folders = [package.parent / "data", package / "_data"]
    return next((folder for folder in folders if (folder / DESCRIPTOR).is_file()), folders[0])


@cache
def _descriptor(folder: Path) -> dict:
    return read_descriptor(folder)


def read_descriptor(folder: Path) -> dict:
    """Read the descriptor in a folder of tables.

    Raises
    ------
    DataError
        If it is damaged.
    """
    file = folder / DESCRIPTOR
    try:
        content = json.loads(read_bytes(file).decode("utf-8"))
        for entry in content["resources"]:
            _ = entry["name"], entry["path"], entry["hash"], entry["rows"], entry["years"]
            _ = entry["sources"], entry["schema"]["fields"], entry["schema"]["primaryKey"]
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(
            f"damaged ({type(error).__name__}: {error}); restore it, or run `send-analysis data "
            "build`",
            file=str(file),
        ) from None
    return content


def descriptor() -> dict:
    """Return the Data Package descriptor of the tables."""
    return _descriptor(data_dir())


_remembered: list[Callable[[], None]] = []


def clear_cache() -> None:
    """Forget tables already read; call it after the files in the folder have changed."""
    _folder.cache_clear()
    _descriptor.cache_clear()
    _read.cache_clear()
    _places.cache_clear()
    for forget in _remembered:
        forget()


def remembered(
    function: Callable[P, R] | None = None, *, most: int | None = None
) -> Callable[..., Any]:
    """Decorate a function of the tables: the same arguments give its first result again.

    For results about all areas that the reports of many areas need, or, with `most`, about the
    area at hand. They are kept for each folder of tables until :func:`clear_cache`.

    Parameters
    ----------
    function : callable
        Takes hashable arguments; its result depends on them and on the tables, on nothing else.
    most : int, optional
        Results that are kept, the latest used; all by default.

    Returns
    -------
    callable
        Returns a DataFrame or Series that is yours to change and carries the tables it was made
        from; anything else must be left as it is.
    """
    if function is None:
        return partial(remembered, most=most)

    @lru_cache(most)
    def kept(_folder: Path, args: tuple, kwargs: tuple) -> tuple[R, set[str]]:
        with reads.recording() as names:
            made = function(*args, **dict(kwargs))
        if isinstance(made, pd.DataFrame | pd.Series):
            made = made.copy(deep=False)  # another may keep it as it is
        return reads.signed(function, reads.stamp(made, names)), names

    _remembered.append(kept.cache_clear)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        found, names = kept(data_dir(), args, tuple(sorted(kwargs.items())))
        reads.mark(names)
        return found.copy(deep=False) if isinstance(found, pd.DataFrame | pd.Series) else found

    return call


def resource(name: str) -> dict:
    """Return one table's entry of the descriptor.

    Raises
    ------
    UnknownNameError
        If there is no such table; the message names the nearest.
    """
    for entry in descriptor()["resources"]:
        if entry["name"] == name:
            return entry
    known = [entry["name"] for entry in descriptor()["resources"]]
    raise unknown("table", name, known, hint=f"Tables: {', '.join(known)}.")


def _dtype(field: dict) -> str:
    """Type of a column in memory: nullable integers, unless every row has a value."""
    if field["type"] == "integer":
        return "int64" if field.get("constraints", {}).get("required") else "Int64"
    return {"number": "Float64", "string": "str", "date": "str"}[field["type"]]


@cache
def _read(folder: Path, name: str) -> pd.DataFrame:
    entry = resource(name)
    fields = entry["schema"]["fields"]
    text = [field["name"] for field in fields if field["type"] in {"string", "date"}]
    try:
        frame = pd.read_csv(
            folder / entry["path"],
            dtype={field["name"]: _dtype(field) for field in fields},
            keep_default_na=False,
            na_values={field["name"]: [""] for field in fields if field["name"] not in text},
        )
    except FileNotFoundError:
        raise DataError(
            "missing; restore it, or run `send-analysis data build`",
            file=str(folder / entry["path"]),
        ) from None
    except ValueError as error:
        raise DataError(
            f"not as {DESCRIPTOR} says ({error}); run `send-analysis data verify`",
            file=str(folder / entry["path"]),
        ) from None
    if len(frame) < entry["rows"]:
        raise DataError(
            f"cut short: {len(frame):,} rows, {DESCRIPTOR} says {entry['rows']:,}; restore it, or "
            "run `send-analysis data build`",
            file=str(folder / entry["path"]),
        )
    for field in fields:
        if field["type"] == "date":
            frame[field["name"]] = pd.to_datetime(frame[field["name"]], format="%Y-%m-%d")
    return frame


@cache
def _places(folder: Path, name: str, column: str) -> dict[Any, np.ndarray]:
    """Places of a table's rows, by the value of a column."""
    return _read(folder, name).groupby(column).indices


def _having(folder: Path, name: str, column: str, wanted: Any) -> np.ndarray:
    """Places of the rows that have one of the wanted values in a column, in order."""
    known = _places(folder, name, column)
    values = known.keys() & (set(wanted) if is_list_like(wanted) else {wanted})
    return np.sort(np.concatenate([np.empty(0, int), *(known[value] for value in values)]))


def load(name: str, **where: Any) -> pd.DataFrame:
    """Read a tidy table, or the rows of it that are wanted.

    Parameters
    ----------
    name : str
        A table that :func:`catalogue` lists, e.g. ``"ehc_plans"``.
    **where
        Column, and the value or values that its rows have. They are looked up: the rows of one
        area are at hand without a search of all areas'.

    Returns
    -------
    DataFrame
        One row an observation, ``area_code`` and ``year`` first in most tables. Counts are
        nullable integers; where one is missing the column ``missing`` has the reason. The frame
        is yours to change.

    Raises
    ------
    UnknownNameError
        If there is no such table.
    DataError
        If the file is missing or is not as the descriptor says.

    Examples
    --------
    >>> load("ehc_plans", area_code="E08000002", age_band=["all", "under 5"], year=2025)["plans"]
    5302    2804
    5303     146
    Name: plans, dtype: Int64
    """
    resource(name)
    reads.mark([name])
    folder = data_dir()
    if not where:
        return _read(folder, name).copy(deep=False)
    rows = [_having(folder, name, column, wanted) for column, wanted in where.items()]
    return _read(folder, name).take(reduce(lambda few, more: few[np.isin(few, more)], rows))


def licences(sources: Iterable[dict]) -> list[str]:
    """Name the licences of sources as the descriptor has them, each once: one may have two."""
    names = (name for source in sources for name in source["licence"].split(" and "))
    return list(dict.fromkeys(names))


def catalogue() -> pd.DataFrame:
    """List the tables.

    Returns
    -------
    DataFrame
        Indexed by ``table``: ``title, rows, first_year, last_year, source`` (publications),
        ``licence, columns``.
    """
    rows = [
        {
            "table": entry["name"],
            "title": entry["title"],
            "rows": entry["rows"],
            "first_year": entry["years"][0] if entry["years"] else pd.NA,
            "last_year": entry["years"][1] if entry["years"] else pd.NA,
            "source": "; ".join(source["title"] for source in entry["sources"]),
            "licence": "; ".join(licences(entry["sources"])),
            "columns": ", ".join(field["name"] for field in entry["schema"]["fields"]),
        }
        for entry in descriptor()["resources"]
    ]
    frame = pd.DataFrame(rows).set_index("table")
    return frame.astype({"first_year": "Int64", "last_year": "Int64"})


def verify() -> pd.DataFrame:
    """Check every table against the descriptor.

    Returns
    -------
    DataFrame
        ``table, problem``: one row a problem, none if all is well.
    """
    folder = data_dir()
    problems = [
        (entry["name"], problem)
        for entry in descriptor()["resources"]
        for problem in _problems(folder, entry)
    ]
    return pd.DataFrame(problems, columns=["table", "problem"])


def _problems(folder: Path, entry: dict) -> list[str]:
    """Say what is wrong with one table."""
    file = folder / entry["path"]
    if not file.is_file():
        return [f"{file} is missing"]
    out = []
    digest = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    if digest != entry["hash"]:
        out.append(
            f"{file}: SHA-256 is {digest[7:19]}…, the descriptor says {entry['hash'][7:19]}…"
        )
    try:
        frame = _read.__wrapped__(folder, entry["name"])
    except DataError as error:
        return [*out, str(error)]
    if len(frame) != entry["rows"]:
        out.append(f"{file}: {len(frame):,} rows, the descriptor says {entry['rows']:,}")
    key = entry["schema"]["primaryKey"]
    again = frame.duplicated(key)
    if again.any():
        out.append(
            f"{file}, row {int(again.to_numpy().argmax()) + 2:,}: a second row for "
            f"{frame.loc[again, key].iloc[0].to_dict()}"
        )
    for field in entry["schema"]["fields"]:
        column, limits = frame[field["name"]], field.get("constraints", {})
        bad = pd.Series(False, index=frame.index)
        if "enum" in limits:
            bad |= ~column.isin(limits["enum"])
        if "minimum" in limits:
            bad |= (column < limits["minimum"]).fillna(False)
        if bad.any():
            row = int(bad.to_numpy().argmax())
            out.append(
                f"{file}, column {field['name']!r}, row {row + 2:,}: {column.iat[row]!r} "
                "is not a value the descriptor allows"
            )
    return out


# A table's series of releases, and how many years after its year the reporting year is: plans of
# January 2024 are in reporting year 2024, plans issued in 2023 as well.
SERIES = {
    "ehc_plans": ("ehc_plans", 0),
    "ehc_plans_by_age": ("ehc_plans", 0),
    "placements": ("ehc_plans", 0),
    "primary_need": ("ehc_plans", 0),
    "new_plans": ("ehc_plans", 1),
    "new_plans_by_age": ("ehc_plans", 1),
    "new_plans_by_placement": ("ehc_plans", 1),
    "requests": ("ehc_plans", 1),
    "assessments": ("ehc_plans", 1),
    "timeliness": ("ehc_plans", 1),
    "tribunals": ("ehc_plans", 1),
    "pupils": ("pupils", 0),
}


def first_published(table: str, period: int | pd.Timestamp) -> str | None:
    """Return the month in which a table's figure first came out.

    Parameters
    ----------
    table : str
        E.g. ``"ehc_plans"``.
    period : int or Timestamp
        Year, or month where the table has months.

    Returns
    -------
    str or None
        Year and month, ``"2024-06"``; None where no release says.
    """
    if isinstance(period, pd.Timestamp):
        return _releases().get(f"{table}_{period:%Y_%m}")
    series, later = SERIES.get(table, (table, 0))
    return _releases().get(f"{series}_{period + later}")


@remembered
def _releases() -> dict[str, str]:
    """Month of publication of every release and of reporting years without one, by name."""
    described = descriptor()
    known = {
        f"{series}_{year}": month
        for series, years in described.get("first_published", {}).items()
        for year, month in years.items()
    }
    for entry in described["resources"]:
        known |= {source["name"]: source["published"][:7] for source in entry["sources"]}
    return known
