"""Read an authority's own person-level files: transitions, population, valid states, costs.

The layout is that of witan.send (Mastodon C), which many authorities already produce. Every file is
checked as it is read; a mistake is reported with its file, column and row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis.cells import Number, Words, read_list, refuse
from send_analysis.errors import DataError, MissingDataError, nearest

NO_PLAN = "NONSEND"  # the format's word for someone without a plan
FIRST_YEAR, LAST_YEAR = -4, 20  # academic years modelled: nursery age to the year of 25th birthday

YEAR = Number(1990, 2100, whole=True)
DEAREST = 10_000_000  # pounds a plan and year
MOST = 10_000_000  # people of one age


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


class Files(NamedTuple):
    """What an authority hands in, as the readers below return it."""

    transitions: pd.DataFrame
    population: pd.DataFrame
    states: States
    costs: np.ndarray | None = None  # pounds a year; a pair without one counts nothing


def read_valid_states(path: str | Path) -> States:
    """Read which needs and academic years each setting takes, and where one may move from it.

    Parameters
    ----------
    path : path
        CSV with `setting`, `min-academic-year`, `max-academic-year`, `needs` and
        `setting->setting` (the last two are lists in one cell, parted by commas).

    Raises
    ------
    DataError
        For a missing column, a setting listed twice, ages the wrong way round, or an unknown
        setting among those to move to.
    """
    age = Number(FIRST_YEAR, LAST_YEAR, whole=True)
    table = read_list(
        path,
        "valid states",
        {
            "setting": Words(),
            "min-academic-year": age,
            "max-academic-year": age,
            "needs": Words(),
            "setting->setting": Words(empty=True),
        },
        key=["setting"],
    )
    name = table.attrs["file"]
    low = table["min-academic-year"]
    refuse(low > table["max-academic-year"], low, "is above max-academic-year", file=name)
    settings = table["setting"].tolist()
    refuse(table["setting"] == NO_PLAN, table["setting"], "is not a setting's name", file=name)
    needs_of = [_words(cell) for cell in table["needs"]]
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
                    row=int(table.index[index]) + 2,
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
    setting, need = (Words([*words, NO_PLAN]) for words in (states.settings, states.needs))
    table = read_list(
        path,
        "transitions",
        {
            "calendar-year": YEAR,
            "setting-1": setting,
            "need-1": need,
            # A joiner may come from the year below the first, a leaver go to that above the last.
            "academic-year-1": Number(FIRST_YEAR - 1, LAST_YEAR, whole=True),
            "setting-2": setting,
            "need-2": need,
            "academic-year-2": Number(FIRST_YEAR, LAST_YEAR + 1, whole=True),
        },
    )
    name = table.attrs["file"]
    for end in "12":
        setting, need = table[f"setting-{end}"], table[f"need-{end}"]
        half = (setting == NO_PLAN) != (need == NO_PLAN)
        refuse(half, need, f"and setting-{end} must both be {NO_PLAN}, or neither", file=name)
        _check_states(table, end, states, name)
    after, at_end = table["academic-year-2"], table["setting-2"]
    step = after - table["academic-year-1"]
    refuse(step != 1, after, "is not one above academic-year-1", file=name)
    nobody = (table["setting-1"] == NO_PLAN) & (at_end == NO_PLAN)
    refuse(nobody, at_end, "shows no plan at either end; drop the row", file=name)
    table = table.rename(columns=lambda heading: heading.replace("-", "_"))
    return table.reset_index(drop=True)


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
    key = ["calendar-year", "academic-year"]
    table = read_list(
        path,
        "population",
        {key[0]: YEAR, key[1]: Number(-10, 40, whole=True), "population": Number(0, MOST)},
        key=key,
    )
    wide = table.pivot(index="academic-year", columns="calendar-year", values="population")
    wide = wide.reindex(range(FIRST_YEAR, LAST_YEAR + 1))
    gaps = wide.isna().stack()
    if gaps.any():
        age, year = gaps.idxmax()
        raise MissingDataError(
            f"{path}: no population for academic year {age} in {year}. Every calendar year needs "
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
    table = read_list(
        path,
        "costs",
        {
            "need": Words(states.needs),
            "setting": Words(states.settings),
            "cost": Number(0, DEAREST),
        },
        key=["need", "setting"],
    )
    wide = table.pivot(index="need", columns="setting", values="cost")
    return wide.reindex(index=states.needs, columns=states.settings).to_numpy(dtype=float)


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
        row = table.iloc[int(wrong.argmax())]
        refuse(
            wrong,
            table[f"academic-year-{end}"],
            f"is not an academic year in which setting {row[f'setting-{end}']!r} takes need "
            f"{row[f'need-{end}']!r}; correct the row or widen the valid states",
            file=name,
        )


def _words(cell: str) -> list[str]:
    """Split a cell that holds a list."""
    return [word.strip() for word in cell.split(",") if word.strip()]
