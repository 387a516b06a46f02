"""What a figure may not carry: growth across a break in its series, and returns that are flagged.

Everything that says growth, ranks, fits or forecasts asks here first. Breaks and flags are data,
the table `series_breaks`; nothing about an area or a year is written in code.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from send_analysis import areas, quality, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, either

# Kinds that touch only the years from `year` to before `settled`, and say nothing of those around.
ONCE = ("for a time", "withheld")
# Kinds that are one area's and cast doubt on the figure itself.
FLAGS = ("jump", *ONCE)
# What is not worked out from a table's flagged figures.
LEFT_OUT = {"ehc_plans": "growth, rank or forecast", "timeliness": "share in time"}
STOCKS = ("ehc_plans", "ehc_plans_by_age", "placements", "primary_need")  # counted in January


@tables.remembered
def breaks(table: str) -> pd.DataFrame:
    """List the breaks in the series of a table.

    Parameters
    ----------
    table : str
        A table that :func:`send_analysis.tables.catalogue` lists.

    Returns
    -------
    DataFrame
        Rows of `series_breaks`, by year; those of all tables are among them. An authority with new
        boundaries is there from its first January on. Where the table has the calendar year before,
        the row says that this one may not be whole: authorities begin with the financial year.
    """
    tables.resource(table)
    rows = tables.load("series_breaks")
    rows = rows[rows["table"].isin([table, ""])].sort_values("year", kind="stable")
    with reads.aside():  # only which years there are
        counted = tables.load(table)
    if not {"area_code", "year"} <= set(counted):
        return rows
    new = rows[rows["kind"] == "boundary"]
    before = new["year"] - new["area_code"].map(counted.groupby("area_code")["year"].min())
    began = new[before == 1]
    note = began["area_code"].map(areas.name) + " began in April "
    note += (began["year"] - 1).astype("str")
    note += ": whether its figures of that year hold the months before is not said"
    rows = rows.drop(new.index[before > 1])  # figures were made anew for these boundaries
    return rows.assign(note=note.reindex(rows.index).fillna(rows["note"]))


@tables.remembered
def _each_break(table: str) -> list[tuple]:
    """Rows of :func:`breaks`, one by one."""
    return list(breaks(table).itertuples())


def crossed(
    frame: pd.DataFrame,
    table: str,
    start: int | pd.Series,
    end: int | pd.Series,
    *,
    category: str | pd.Series = "all",
) -> pd.Series:
    """Say of each row why growth from one year to another is not growth of one thing.

    Parameters
    ----------
    frame : DataFrame
        With ``area_code``; a merged footprint (codes joined by ``+``) has its members' breaks.
    table : str
        Table that the figures are from.
    start, end : int or Series
        Years, `start` before `end`; a Series is aligned with the frame.
    category : str or Series, default "all"
        Categories in the order of the table's key, joined by " / ", as in ``special / all``.

    Returns
    -------
    Series of str
        ``the series breaks in 2023 (why)``; empty where it does not break.

    Examples
    --------
    >>> frame = pd.DataFrame({"area_code": ["E08000002"]})
    >>> crossed(frame, "placements", 2019, 2025, category="special / all").iloc[0][:25]
    'the series breaks in 2023'
    """
    columns = {"start": start, "end": end, "category": category}
    rows = pd.DataFrame(columns, index=frame.index)
    codes, of_row = np.unique(frame["area_code"].to_numpy(dtype=object), return_inverse=True)
    there = {"", *codes, *"+".join(codes).split("+")}
    first, last = (rows[name].to_numpy(dtype=float, na_value=np.nan) for name in ("start", "end"))
    kinds, of_kind = np.unique(rows["category"].to_numpy(dtype=object), return_inverse=True)
    said = np.full(len(rows), "", dtype=object)
    for row in _each_break(table):
        if row.area_code not in there:
            continue
        touched = np.array([quality.touches(row.category, kind) for kind in kinds], dtype=bool)
        if not touched.any():
            continue
        if row.kind in ONCE:
            hit = (first >= row.year) & (first < row.settled)
            hit |= (last >= row.year) & (last < row.settled)
        else:
            hit = (first < row.settled) & (last >= row.year)
        if row.area_code:
            own = [
                # A merged footprint is what it is because its members' boundaries changed.
                row.area_code == code
                or (row.kind != "boundary" and row.area_code in code.split("+"))
                for code in codes
            ]
            hit &= np.array(own)[of_row]
        hit &= touched[of_kind]
        joined = np.where(said[hit] == "", "the series breaks in ", said[hit] + " and in ")
        said[hit] = joined + f"{row.year} ({row.note})"
    return pd.Series(said, index=frame.index, dtype="str")


def yearly(frame: pd.DataFrame, table: str, *, category: str | pd.Series = "all") -> pd.Series:
    """Say of each row of yearly series why it does not compare with the row before it.

    Parameters
    ----------
    frame : DataFrame
        ``area_code, year``; with a category that is a Series, its series are told apart by it.
    table, category
        As :func:`crossed` takes them.

    Returns
    -------
    Series of str
        As :func:`crossed`; empty in the first year of each series.
    """
    series = [frame["area_code"], *([category] if isinstance(category, pd.Series) else [])]
    before = frame["year"].sort_values(kind="stable").groupby(series).shift()
    before = before.reindex(frame.index).fillna(frame["year"])
    said = crossed(frame, table, before, frame["year"], category=category)
    return said.where(before < frame["year"], "")


def noted(said: pd.Series) -> str:
    """Put what :func:`crossed` says of many rows into a note under a chart.

    Parameters
    ----------
    said : Series of str

    Returns
    -------
    str
        Each break once, by year; empty where there is none.
    """
    one = re.compile(r"in (\d{4} \(.*?\))(?= and in \d{4} \(|$)")
    found = {part for text in said.unique() for part in one.findall(text)}
    return f"The series breaks in {'; in '.join(sorted(found))}." if found else ""


@tables.remembered
def flagged(table: str, year: int, *, category: str = "all") -> pd.Series:
    """List the areas whose figure of a year is flagged: no rank, growth or fit is made from it.

    Parameters
    ----------
    table : str
        A table that :func:`send_analysis.tables.catalogue` lists.
    year : int
        As the table has it.
    category : str, default "all"
        As :func:`crossed` takes it.

    Returns
    -------
    Series of str
        Why, indexed by ``area_code``; empty where no figure is flagged.
    """
    rows = breaks(table)
    rows = rows[rows["kind"].isin(FLAGS) & (rows["area_code"] != "")]
    rows = rows[(rows["year"] <= year) & (year < rows["settled"])]
    rows = rows[rows["category"].map(lambda pattern: quality.touches(pattern, category)).eq(True)]
    return rows.groupby("area_code", sort=False)["note"].agg("; ".join)


@reads.found
def held(table: str, group: Area, year: int) -> str:
    """Say whose flagged figures stand in a total of England or a region; empty where none do.

    Parameters
    ----------
    table : str
    group : Area
        Any other area has no parts.
    year : int
        As the table has it.
    """
    known = tables.load("areas").set_index("area_code")
    faulty = flagged(table, year)
    with reads.aside():  # only whether there is a figure
        counted = tables.load(table, area_code=list(faulty.index), year=year)
    if "missing" in counted:
        counted = counted[counted["missing"] == ""]
    faulty = faulty.index.intersection(counted["area_code"])
    within = known.loc[faulty, "region_code"].eq(group) | (group == areas.ENGLAND)
    names = either(known.loc[faulty[within.to_numpy()], "area"], "and")
    return (
        f"The total of {_when(table, year)} holds the flagged return of {names}." if names else ""
    )


def sound(frame: pd.DataFrame, table: str, *, category: str = "all") -> pd.Series:
    """Say of each row whether the area's figure of that year stands unflagged.

    Parameters
    ----------
    frame : DataFrame
        ``area_code, year``.
    table : str
        Table that the figures are from.
    category : str, default "all"
        As :func:`crossed` takes it.

    Returns
    -------
    Series of bool
    """
    faulty = [
        (code, year)
        for year in frame["year"].unique()
        for code in flagged(table, int(year), category=category).index
    ]
    faulty = pd.MultiIndex.from_tuples(faulty, names=["area_code", "year"])
    rows = pd.MultiIndex.from_frame(frame[["area_code", "year"]])
    return pd.Series(~rows.isin(faulty), index=frame.index)


def latest(table: str) -> int:
    """Return the last year of a table."""
    return int(tables.resource(table)["years"][1])


@reads.found
def unplaced(area: Area, *, year: int | None = None) -> str:
    """Say why nothing is built on where an area's plans of a January are; empty where it can be.

    Parameters
    ----------
    area : Area or str
    year : int, optional
        The latest January if not given.

    Returns
    -------
    str
        As :func:`doubt`, of the plans or of their placements.
    """
    return doubt("ehc_plans", area, year=year) or doubt(
        "placements", area, year=year, category="special / all"
    )


@reads.found
def doubt(table: str, area: Area, *, year: int | None = None, category: str = "all") -> str:
    """Say why an area's figure of a year is not to be leant on.

    Parameters
    ----------
    table : str
        Table that the figure is from.
    area : Area or str
    year : int, optional
        The last one of the table if not given.
    category : str, default "all"
        As :func:`crossed` takes it.

    Returns
    -------
    str
        A sentence; empty where nothing is flagged.
    """
    year = latest(table) if year is None else year
    found = flagged(table, year, category=category)
    found = found[found.index.isin(area.members)]
    if found.empty:
        return ""
    name = areas.name(found.index[0])
    left_out = f"No {LEFT_OUT.get(table, 'figure')} is worked out from it."
    plans = tables.load("ehc_plans", area_code=found.index[0], age_band="all")
    plans = plans.set_index("year")["plans"]
    jumped = breaks("ehc_plans").query("kind == 'jump' and year == @year")["area_code"]
    if found.index[0] in set(jumped) and {year, year - 1} <= set(plans.index):
        return (
            f"{name} returned {plans[year]:,} plans in January {year} after {plans[year - 1]:,} a "
            f"year before: more likely a fault of recording than a change. {left_out}"
        )
    what = table.replace("_", " ").replace("ehc", "EHC")
    return f"{name}, {what}, {_when(table, year)}: {found.iloc[0]}. {left_out}"


def _when(table: str, year: int) -> str:
    """Name a year of a table, or its January."""
    return f"{'January ' if table in STOCKS else ''}{year}"


@reads.found
def require(table: str, area: Area, *, year: int | None = None, category: str = "all") -> None:
    """Refuse an area's figure of a year that is not to be leant on.

    Parameters
    ----------
    table, area, year, category
        As :func:`doubt` takes them.

    Raises
    ------
    MissingDataError
        With what :func:`doubt` says, if it says something.
    """
    said = doubt(table, area, year=year, category=category)
    if said:
        raise MissingDataError(said)
