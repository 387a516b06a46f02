"""A file with one row a person added up to the tidy tables, in bounded memory.

The national pupil-level extracts have about nine million rows. They are not public and none is
part of this project; who may use one can get from it the same tables that the releases give.

One CSV file, one row a child or young person each January, with the columns of `COLUMNS` (others
are passed over, in any order):

==============  ===================================================================================
``person_id``   any text; once a January: two rows for one person are refused
``area_code``   the ONS code, current or former, of the responsible authority
``year``        year of the January
``age``         whole years, 0 to 25
``support``     ``EHC plan``, ``SEN support`` or ``none``
``setting``     as in `ehc_plans_by_age`, e.g. ``mainstream``; read for plans only
``need``        as in `primary_need`, e.g. ``visual impairment``; read for plans only
==============  ===================================================================================

DuckDB does the adding up: it streams the file through both cores and, unlike chunks of pandas,
can tell in bounded memory whether a person stands there twice, because it spills to disk.
"""

from __future__ import annotations

import csv
import gzip
import os
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from send_analysis import tables
from send_analysis.areas import ENGLAND
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import DataError, ParameterError, nearest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = ("person_id", "area_code", "year", "age", "support", "setting", "need")
SUPPORT = ("EHC plan", "SEN support", "none")
OLDEST = 25  # a plan can be kept until the end of the year in which a person turns 25


def aggregate(
    path: str | Path, *, memory: str = "1GB", threads: int = 2
) -> dict[str, pd.DataFrame]:
    """Add a pupil-level file up to tidy tables.

    Parameters
    ----------
    path : str or Path
        CSV file as the module describes it; it may be compressed (``.csv.gz``).
    memory : str, default "1GB"
        What the work may take; the rest goes to a temporary file on disk.
    threads : int, default 2

    Returns
    -------
    dict of DataFrame
        By name of the table, with authorities, regions and England, sorted:
        ``ehc_plans`` (``area_code, year, age_band, plans``), ``ehc_plans_by_age`` (``area_code,
        year, age, setting, plans``) and ``primary_need`` (``area_code, year, plans_counted,
        primary_need, plans``), each with its rows ``all``; ``support`` (``area_code, year, support,
        people``). Categories without a person have no row. Nothing is rounded or suppressed: what
        may be published is for the terms to say under which the file was supplied.

    Raises
    ------
    DataError
        If a column is absent, a row is damaged, a value is not one of those above, or a person
        stands there twice; the message names the row.
    ParameterError
        If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise ParameterError(
            "Pupil-level files need DuckDB: pip install 'send-analysis[pupil-level]'."
        ) from None
    path = Path(path)
    header = _header(path)
    varchar = ": 'VARCHAR'"
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{memory}'; SET threads = {threads}")
        connection.execute(f"SET temp_directory = '{spill}'")
        try:
            connection.execute(
                f"CREATE VIEW people AS SELECT * FROM read_csv({_quoted(str(path))}, "
                "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
                f"columns = {{{', '.join(_quoted(name) + varchar for name in header)}}})"
            )
            cells = connection.execute(
                "SELECT area_code, year, age, support, setting, need, count(*) AS people "
                "FROM (SELECT area_code, year, age, support, "
                "CASE WHEN support = 'EHC plan' THEN setting END AS setting, "
                "CASE WHEN support = 'EHC plan' THEN need END AS need FROM people) GROUP BY ALL"
            ).df()
            cells = _checked(cells, connection, path)
            _check_once(connection, path)
        except duckdb.Error as error:
            # Without the line itself, which is a person's.
            first, *more = str(error).splitlines()
            why = [first, *(line for line in more if line.startswith("Expected Number"))]
            raise DataError(f"cannot be read ({'; '.join(why)})", file=str(path)) from None
    if cells.empty:
        raise DataError("holds a heading and no rows", file=str(path))
    return _tables(cells)


def _header(path: Path) -> list[str]:
    """Columns of the file; refuse one that is absent or lacks a column, with the nearest."""
    ended = True
    try:
        if path.suffix != ".gz" and path.stat().st_size:
            with path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                ended = file.read() in b"\r\n"
        opened = gzip.open if path.suffix == ".gz" else Path.open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read ({error})", file=str(path)) from None
    if not ended:
        raise DataError(
            "the last row has no line end, so it may be cut short; supply the file again, or end "
            "the line if it is whole",
            file=str(path),
        )
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise DataError("two columns have this heading", file=str(path), column=twice[0])
    for name in COLUMNS:
        if name not in header:
            near = nearest(name, header) or header
            raise DataError(f"no column {name!r}; nearest: {', '.join(near)}", file=str(path))
    return header


def _quoted(text: str) -> str:
    """Text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _checked(cells: pd.DataFrame, connection: DuckDBPyConnection, path: Path) -> pd.DataFrame:
    """Bring cells into their types and newest codes; refuse values that cannot be."""
    codes = tables.load("area_codes").set_index("code")["area_code"]
    known = tables.load("areas").set_index("area_code")
    local = known.index[known["level"] == "local authority"]
    codes = codes[codes.isin(local)]
    plan = cells["support"] == "EHC plan"
    settings = next(
        field["constraints"]["enum"]
        for field in tables.resource("ehc_plans_by_age")["schema"]["fields"]
        if field["name"] == "setting"
    )
    needs = tables.load("primary_need")["primary_need"].unique()
    allowed = {
        "area_code": cells["area_code"].isin(codes.index),
        "year": cells["year"].str.fullmatch(r"20\d\d").fillna(False),
        "age": cells["age"].isin([str(age) for age in range(OLDEST + 1)]),
        "support": cells["support"].isin(SUPPORT),
        "setting": ~plan | (cells["setting"].isin(settings) & (cells["setting"] != "all")),
        "need": ~plan | (cells["need"].isin(needs) & (cells["need"] != "all")),
    }
    says = {
        "area_code": "is not the code of an authority; give the ONS code of nine characters",
        "year": "is not a year; give the year of the January in four digits",
        "age": f"is not an age; give whole years from 0 to {OLDEST}",
        "support": f"is not one of {', '.join(SUPPORT)}",
        "setting": f"is not one of {', '.join(it for it in settings if it != 'all')}",
        "need": f"is not one of {', '.join(sorted(it for it in needs if it != 'all'))}",
    }
    for column, good in allowed.items():
        if not good.all():
            value = cells.loc[~good, column].iloc[0]
            missing = pd.isna(value)
            row = _first_row(connection, column, None if missing else value)
            shown = "an empty cell" if missing else repr(value)
            raise DataError(f"{shown} {says[column]}", file=str(path), column=column, row=row)
    return cells.assign(
        area_code=cells["area_code"].map(codes),
        year=cells["year"].astype("int64"),
        age=cells["age"].astype("int64"),
        people=cells["people"].astype("int64"),
    )


def _first_row(connection: DuckDBPyConnection, column: str, value: str | None) -> int:
    """Row, as a spreadsheet counts, of the first person with a value."""
    plan = " AND support = 'EHC plan'" if column in {"setting", "need"} else ""
    number = connection.execute(
        f"SELECT min(row) FROM (SELECT row_number() OVER () + 1 AS row, {column}, support "
        f"FROM people) WHERE {column} IS NOT DISTINCT FROM ?{plan}",
        [value],
    ).fetchone()
    return int(number[0])


def _check_once(connection: DuckDBPyConnection, path: Path) -> None:
    """Refuse a person who stands there twice in one January, or without an identifier."""
    twice = connection.execute(
        "SELECT person_id, year, count(*) FROM people GROUP BY ALL "
        "HAVING count(*) > 1 OR person_id IS NULL ORDER BY ALL LIMIT 1"
    ).fetchone()
    if twice is not None:
        person, year, count = twice
        raise DataError(
            f"{'an empty identifier' if person is None else repr(person)} stands in {count:,} rows "
            f"of January {year}; a person must stand there once",
            file=str(path),
            column="person_id",
            row=_first_row(connection, "person_id", person),
        )


def _tables(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Add cells up over areas and categories."""
    cells = _with_parents(cells)
    plans = cells[cells["support"] == "EHC plan"].rename(columns={"people": "plans"})
    edges = [*(ages[0] for ages in AGE_BANDS.values()), OLDEST + 1]
    bands = pd.cut(plans["age"], edges, right=False, labels=list(AGE_BANDS))
    # Ages are grouped at the ends as the release groups them.
    ages = plans["age"].astype(str).mask(plans["age"] <= 2, "0-2")
    plans = plans.assign(
        age_band=bands.astype(str), age=ages, primary_need=plans["need"], plans_counted="in January"
    )
    return {
        "ehc_plans": _counted(plans, ["age_band"]),
        "ehc_plans_by_age": _counted(plans, ["age", "setting"], whole="setting"),
        "primary_need": _counted(plans, ["plans_counted", "primary_need"], whole="primary_need"),
        "support": cells.groupby(["area_code", "year", "support"], as_index=False)["people"].sum(),
    }


def _with_parents(cells: pd.DataFrame) -> pd.DataFrame:
    """Add rows for regions and England."""
    region = tables.load("areas").set_index("area_code")["region_code"]
    above = cells.assign(area_code=cells["area_code"].map(region))
    return pd.concat([cells, above, cells.assign(area_code=ENGLAND)], ignore_index=True)


def _counted(plans: pd.DataFrame, by: list[str], *, whole: str | None = None) -> pd.DataFrame:
    """Count plans by area, year and categories, with a row ``all`` of one of them."""
    key = ["area_code", "year", *by]
    everything = plans.assign(**{whole or by[0]: "all"})
    both = pd.concat([everything, plans], ignore_index=True)
    return both.groupby(key, as_index=False)["plans"].sum()
