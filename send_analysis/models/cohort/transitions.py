"""Read an authority's own person-level files: transitions, population, valid states, costs.

The layout is that of witan.send (Mastodon C), which many authorities already produce. Every file is
checked as it is read; a mistake is reported with its file, column and row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis.errors import DataError, MissingDataError, nearest

NO_PLAN = "NONSEND"  # the format's word for someone without a plan
FIRST_YEAR, LAST_YEAR = -4, 20  # academic years modelled: nursery age to the year of 25th birthday

COLUMNS = {
    "transitions": {
        "calendar-year": "calendar_year",
        "setting-1": "setting_1",
        "need-1": "need_1",
        "academic-year-1": "academic_year_1",
        "setting-2": "setting_2",
        "need-2": "need_2",
        "academic-year-2": "academic_year_2",
    },
    "population": {
        "calendar-year": "calendar_year",
        "academic-year": "academic_year",
        "population": "population",
    },
    "valid states": {
        "setting": "setting",
        "min-academic-year": "min_academic_year",
        "max-academic-year": "max_academic_year",
        "needs": "needs",
        "setting->setting": "reachable",
    },
    "costs": {"need": "need", "setting": "setting", "cost": "cost"},
}


@dataclass(frozen=True)
class States:
    """The states there are: who may be where, and where one may go from there.

    Parameters
    ----------
    ages : range
        Academic years (national curriculum years; reception is 0).
    needs, settings : list of str
    allowed : ndarray of bool (ages, needs, settings)
    reachable : ndarray of bool (settings, settings)
        Settings one may move to; never the same one.
    """

    ages: range
    needs: list[str]
    settings: list[str]
    allowed: np.ndarray
    reachable: np.ndarray


def read_valid_states(path: str | Path) -> States:
    """Read which needs and academic years each setting takes, and where one may move from it.

    Parameters
    ----------
    path : path
        CSV with `setting`, `min-academic-year`, `max-academic-year`, `needs` and
        `setting->setting` (the last two are lists in one cell, parted by commas).

    Returns
    -------
    States

    Raises
    ------
    DataError
        For a missing column, a setting listed twice, ages the wrong way round, or an unknown
        setting among those to move to.
    """
    table, name = _read(path, "valid states")
    _no_repeats(table, ["setting"], name)
    for column in ("min-academic-year", "max-academic-year"):
        table[column] = _whole_numbers(table, column, name)
        _within(table, column, FIRST_YEAR, LAST_YEAR, name)
    wrong = table["min-academic-year"] > table["max-academic-year"]
    _refuse(table, wrong, "min-academic-year", name, "is above max-academic-year")
    settings = table["setting"].tolist()
    _refuse(table, table["setting"].isin(["", NO_PLAN]), "setting", name, "is not a setting's name")
    needs_of = [_words(cell) for cell in table["needs"]]
    _refuse(table, [not words for words in needs_of], "needs", name, "is empty; name the needs")
    needs = sorted({need for words in needs_of for need in words})
    ages = range(FIRST_YEAR, LAST_YEAR + 1)
    allowed = np.zeros((len(ages), len(needs), len(settings)), dtype=bool)
    reachable = np.zeros((len(settings), len(settings)), dtype=bool)
    number = {setting: index for index, setting in enumerate(settings)}
    spans = zip(table["min-academic-year"], table["max-academic-year"], strict=True)
    for index, (low, high) in enumerate(spans):
        columns = [needs.index(need) for need in needs_of[index]]
        allowed[low - FIRST_YEAR : high - FIRST_YEAR + 1, columns, index] = True
        for target in _words(table["setting->setting"].iloc[index]):
            if target not in number:
                raise DataError(
                    f"names setting {target!r}, which has no row of its own."
                    f"{_suggest(target, settings)}",
                    file=name,
                    column="setting->setting",
                    row=_sheet_row(table, index),
                )
            reachable[index, number[target]] = True
    np.fill_diagonal(reachable, val=False)
    return States(ages, needs, settings, allowed, reachable)


def read_transitions(path: str | Path, states: States) -> pd.DataFrame:
    """Read where each plan was in one January and in the next; one row a plan.

    Parameters
    ----------
    path : path
        CSV; `calendar-year` c says where a plan was in January c (columns ending in 1) and in
        January c + 1 (columns ending in 2). NONSEND stands for no plan.
    states : States
        From `read_valid_states`.

    Returns
    -------
    DataFrame
        `calendar_year, setting_1, need_1, academic_year_1, setting_2, need_2, academic_year_2`.
        Rows may repeat: two children can do the same.

    Raises
    ------
    DataError
        For a missing column, an unknown setting or need, an academic year outside −4 to 20 or
        outside those its setting takes, a row that does not move on by one academic year, or a row
        without a plan at either end.
    """
    table, name = _read(path, "transitions")
    for column in ("calendar-year", "academic-year-1", "academic-year-2"):
        table[column] = _whole_numbers(table, column, name)
    _within(table, "calendar-year", 1990, 2100, name)
    # a joiner may come from the year below the first, a leaver go to the year above the last
    _within(table, "academic-year-1", FIRST_YEAR - 1, LAST_YEAR, name)
    _within(table, "academic-year-2", FIRST_YEAR, LAST_YEAR + 1, name)
    for end in "12":
        _known(table, f"setting-{end}", [*states.settings, NO_PLAN], name)
        _known(table, f"need-{end}", [*states.needs, NO_PLAN], name)
        half = (table[f"setting-{end}"] == NO_PLAN) != (table[f"need-{end}"] == NO_PLAN)
        _refuse(table, half, f"need-{end}", name, f"and setting-{end} must both be {NO_PLAN}")
        _check_states(table, end, states, name)
    step = table["academic-year-2"] - table["academic-year-1"]
    _refuse(table, step != 1, "academic-year-2", name, "is not one above academic-year-1")
    nobody = (table["setting-1"] == NO_PLAN) & (table["setting-2"] == NO_PLAN)
    _refuse(table, nobody, "setting-2", name, "shows no plan at either end; drop the row")
    return table.rename(columns=COLUMNS["transitions"]).reset_index(drop=True)


def read_population(path: str | Path) -> pd.DataFrame:
    """Read people by calendar year and academic year, past and projected.

    Returns
    -------
    DataFrame
        One row an academic year −4 … 20, one column a calendar year, people in the cells.

    Raises
    ------
    DataError
        For a missing column, a negative count, or a year and academic year listed twice.
    MissingDataError
        For a year in which an academic year has no row.
    """
    table, name = _read(path, "population")
    for column in ("calendar-year", "academic-year"):
        table[column] = _whole_numbers(table, column, name)
    table["population"] = _numbers(table, "population", name)
    _refuse(table, table["population"] < 0, "population", name, "is negative")
    _no_repeats(table, ["calendar-year", "academic-year"], name)
    wide = table.pivot(index="academic-year", columns="calendar-year", values="population")
    wide = wide.reindex(range(FIRST_YEAR, LAST_YEAR + 1))
    gaps = wide.isna().stack()
    if gaps.any():
        age, year = gaps.idxmax()
        raise MissingDataError(
            f"{name}: no population for academic year {age} in {year}. Every calendar year needs "
            f"one row for each academic year {FIRST_YEAR} to {LAST_YEAR}."
        )
    return wide.round().astype(int)


def read_costs(path: str | Path, states: States) -> np.ndarray:
    """Read the yearly cost of a plan by need and setting.

    Returns
    -------
    ndarray (needs, settings)
        Pounds a year; NaN where the file gives none.

    Raises
    ------
    DataError
        For a missing column, an unknown need or setting, a negative cost, or a pair listed twice.
    """
    table, name = _read(path, "costs")
    _known(table, "need", states.needs, name)
    _known(table, "setting", states.settings, name)
    table["cost"] = _numbers(table, "cost", name)
    _refuse(table, table["cost"] < 0, "cost", name, "is negative")
    _no_repeats(table, ["need", "setting"], name)
    wide = table.pivot(index="need", columns="setting", values="cost")
    return wide.reindex(index=states.needs, columns=states.settings).to_numpy(dtype=float)


def _read(path: str | Path, kind: str) -> tuple[pd.DataFrame, str]:
    """Read one file as text and check that its columns are there."""
    path = Path(path)
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except FileNotFoundError as error:
        raise MissingDataError(f"{path}: there is no such {kind} file.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"is not a CSV file ({error}).", file=path.name) from error
    table.columns = table.columns.str.strip()
    for column in COLUMNS[kind]:
        if column not in table:
            near = nearest(column, table.columns, count=1)
            likely = f" Is {near[0]!r} meant?" if near else ""
            raise DataError(
                f"is missing. The {kind} file needs {', '.join(COLUMNS[kind])}.{likely}",
                file=path.name,
                column=column,
            )
    table = table[list(COLUMNS[kind])].apply(lambda cells: cells.fillna("").str.strip())
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise DataError(f"has no rows; a {kind} file needs at least one.", file=path.name)
    return table, path.name


def _sheet_row(table: pd.DataFrame, position: int) -> int:
    """Row as a spreadsheet counts it, the heading being row 1."""
    return int(table.index[position]) + 2


def _refuse(table: pd.DataFrame, wrong: object, column: str, name: str, problem: str) -> None:
    """Raise for the first row that is wrong, saying how many are."""
    wrong = np.asarray(wrong, dtype=bool)
    if not wrong.any():
        return
    first = int(wrong.argmax())
    more = f" ({wrong.sum():,} rows are like it)" if wrong.sum() > 1 else ""
    raise DataError(
        f"{table[column].iloc[first]!s} {problem}{more}.",
        file=name,
        column=column,
        row=_sheet_row(table, first),
    )


def _numbers(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """Turn text into numbers, or say which row is none."""
    numbers = pd.to_numeric(table[column].str.replace(",", "", regex=False), errors="coerce")
    wrong = ~np.isfinite(numbers.to_numpy(dtype=float, na_value=np.nan))
    _refuse(table, wrong, column, name, "is not a number")
    return numbers.astype(float)


def _whole_numbers(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """Turn text into whole numbers, or say which row is none."""
    numbers = _numbers(table, column, name)
    _refuse(table, numbers % 1 != 0, column, name, "is not a whole number")
    return numbers.astype(int)


def _within(table: pd.DataFrame, column: str, low: int, high: int, name: str) -> None:
    """Refuse numbers outside a range."""
    outside = ~table[column].between(low, high)
    _refuse(table, outside, column, name, f"is outside {low} to {high}")


def _known(table: pd.DataFrame, column: str, known: list[str], name: str) -> None:
    """Refuse names that the valid states do not list."""
    strange = ~table[column].isin(known)
    if strange.any():
        value = table[column][strange].iloc[0]
        _refuse(
            table,
            strange,
            column,
            name,
            f"is not in the valid states.{_suggest(value, known)} Known: {', '.join(known)}",
        )


def _suggest(value: str, known: list[str]) -> str:
    """Offer the nearest known name, if one is near."""
    near = nearest(value, known, count=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _check_states(table: pd.DataFrame, end: str, states: States, name: str) -> None:
    """Refuse a plan whose setting does not take its need at its academic year."""
    planned = (table[f"setting-{end}"] != NO_PLAN).to_numpy()
    age = table[f"academic-year-{end}"].to_numpy() - FIRST_YEAR
    need = pd.Index(states.needs).get_indexer(table[f"need-{end}"])
    setting = pd.Index(states.settings).get_indexer(table[f"setting-{end}"])
    inside = (age >= 0) & (age < len(states.ages))
    fits = np.zeros(len(table), dtype=bool)
    check = planned & inside
    fits[check] = states.allowed[age[check], need[check], setting[check]]
    wrong = planned & ~fits
    if wrong.any():
        first = int(wrong.argmax())
        row = table.iloc[first]
        _refuse(
            table,
            wrong,
            f"academic-year-{end}",
            name,
            f"is not an academic year in which setting {row[f'setting-{end}']!r} takes need "
            f"{row[f'need-{end}']!r}; correct the row or widen the valid states",
        )


def _no_repeats(table: pd.DataFrame, keys: list[str], name: str) -> None:
    """Refuse rows whose key has come before."""
    _refuse(
        table,
        table.duplicated(keys),
        keys[-1],
        name,
        f"repeats an earlier row with the same {' and '.join(keys)}",
    )


def _words(cell: str) -> list[str]:
    """Split a cell that holds a list."""
    return [word.strip() for word in cell.split(",") if word.strip()]
