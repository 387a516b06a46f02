"""Read the publishers' files as they are, and refuse what is not as `releases.yml` says."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import disk
from send_analysis.areas import ENGLAND
from send_analysis.cells import refuse, require_columns, require_unique
from send_analysis.cleaning import layout
from send_analysis.cleaning.layout import release
from send_analysis.errors import DataError, LayoutError, MissingFileError, nearest

PLACE_COLUMNS = ["geographic_level", "country_code", "region_code", "new_la_code", "old_la_code"]
LEVELS = ["National", "Regional", "Local authority"]
# Unitary authorities, metropolitan districts, London boroughs, counties; regions (E13: Inner and
# Outer London).
LOCAL, REGION = r"E(?:06|08|09|10)\d{6}", r"E1[23]\d{6}"
# What to do about a value that cannot be.
COMPARE = "compare it with the published file, and fetch that again if it is so there"
LARGEST = 1e12  # pounds or people: nothing in an official table of England comes near

# Codes that some publishers still print after the authority was given a new one
# (ONS Code History Database; the footprint did not change).
RECODED = {
    "E08000016": "E08000038",  # Barnsley, May 2025
    "E08000019": "E08000039",  # Sheffield, May 2025
    "E08000020": "E08000037",  # Gateshead, 2013
    "E06000048": "E06000057",  # Northumberland, 2013
    "E10000002": "E06000060",  # Buckinghamshire, unitary from April 2020
    "E10000023": "E06000065",  # North Yorkshire, unitary from April 2023
    "E10000027": "E06000066",  # Somerset, unitary from April 2023
}

# Authorities whose boundaries changed since 2010, and the footprint on which a series is unbroken.
# Structural Changes Orders: Dorset 2018/648 (April 2019), Northamptonshire 2020/156 (April 2021),
# Cumbria 2022/331 (April 2023). Christchurch moved from Dorset to the new BCP.
FOOTPRINTS = {
    "E06000058+E06000059": ["E10000009", "E06000028", "E06000029", "E06000058", "E06000059"],
    "E06000061+E06000062": ["E10000021", "E06000061", "E06000062"],
    "E06000063+E06000064": ["E10000006", "E06000063", "E06000064"],
}

# What reading a compressed file raises where it is not whole.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)


class Content(NamedTuple):
    """A file's bytes, and the name that errors give it."""

    content: bytes
    where: str


def read_bytes(root: Path, path: str, member: str | list[str] | None = None) -> Content:
    """Read a file, out of its archive where it has one.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    path : str
        File or zip archive below `root`.
    member : str or list of str, optional
        File inside the archive: one name, or several it may have, best first; ``*`` is allowed.

    Raises
    ------
    MissingFileError
        If the file is absent.
    DataError
        If the archive is cut short, damaged, or lacks the member.
    """
    file = root / path
    wanted = [member] if isinstance(member, str) else member
    where = f"{path}!{' or '.join(wanted)}" if wanted else path
    try:
        if member is None:
            content = file.read_bytes()
            return Content(gzip.decompress(content) if file.suffix == ".gz" else content, where)
        with zipfile.ZipFile(file) as archive:
            found = layout.find_member(member, archive.namelist())
            if found is None:
                near = nearest(wanted[0], archive.namelist())
                hint = f"; nearest files: {', '.join(near)}" if near else ""
                raise LayoutError(
                    f"the archive does not hold this file{hint}. Is it another release?",
                    file=where,
                )
            return Content(archive.read(found), f"{path}!{found}")
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(
            f"no such file below {root}; see data/datapackage.json for the "
            "releases that the tables are made from",
            file=where,
        ) from None
    except IsADirectoryError:
        raise DataError("is a folder; the release is one file", file=where) from None
    except DAMAGED as error:
        raise DataError(f"damaged or cut short ({error}); fetch it again", file=where) from None
    except (RuntimeError, NotImplementedError, OSError) as error:
        raise DataError(f"cannot be read ({error}); fetch it again", file=where) from None


def holds(root: Path, path: str, spec: dict) -> bool:
    """Say whether an archive has the file that an entry of `releases.yml` describes.

    Raises
    ------
    DataError
        If the archive is damaged.
    """
    try:
        with zipfile.ZipFile(root / path) as archive:
            return layout.find_member(spec["member"], archive.namelist()) is not None
    except IsADirectoryError:
        raise DataError("is a folder; the release is one file", file=path) from None
    except (OSError, *DAMAGED) as error:
        raise DataError(f"damaged or cut short ({error}); fetch it again", file=path) from None


def read_csv(
    root: Path, path: str, member: str | list[str] | None = None, **options
) -> pd.DataFrame:
    """Read a CSV file as text, every cell a string; `options` go to :func:`pandas.read_csv`.

    The index plus 2 is the row as a spreadsheet numbers it; rows of empty cells are left out. The
    frame's ``attrs["file"]`` is the name that errors give the file.

    Raises
    ------
    DataError
        If the file cannot be read, is not UTF-8, has no rows, has a row with more or fewer cells
        than the first, or ends in the middle of a line.
    """
    content, where = read_bytes(root, path, member)
    frame = disk.text_table(content, where, closed=True, **options)
    if frame.empty and options.get("nrows") != 0:
        raise DataError("holds a heading and no rows; fetch it again", file=where)
    return frame


def read_sheet(content: bytes, where: str, name: str | int = 0) -> pd.DataFrame:
    """Read one sheet of a workbook as text, every cell a string, empty where there is none.

    The index plus 2 is the row as a spreadsheet numbers it. The frame's ``attrs["file"]`` is
    `where`.

    Raises
    ------
    DataError
        If the workbook is damaged, has no such sheet, or the sheet is empty.
    """
    from python_calamine import CalamineError

    try:
        sheet = pd.read_excel(
            io.BytesIO(content),
            engine="calamine",
            sheet_name=name,
            header=None,
            dtype=str,
            keep_default_na=False,  # a cell that says "N/A" is not an empty one
        )
    except (CalamineError, *DAMAGED, ValueError, LookupError, OSError) as error:
        raise DataError(
            f"cannot be read ({error}); fetch it again, or see whether its layout is new",
            file=where,
        ) from None
    if sheet.empty:
        raise DataError("the sheet is empty; fetch the workbook again", file=where)
    sheet.index = sheet.index - 1
    sheet = sheet.fillna("").apply(lambda column: column.str.strip())
    sheet.attrs["file"] = where
    return sheet


def first_years(
    text: pd.Series, *, file: str, between: str | None = None, latest: int | None = None
) -> pd.Series:
    """Read years as printed, and refuse what is not one or cannot be.

    Parameters
    ----------
    text : Series of str
        Cells as printed; the index plus 2 is the row that an error names.
    file : str
        Name of the file for errors.
    between : str, optional
        What stands between the first year and the two digits of the next: ``"/"`` in 2024/25,
        nothing in 202425. Not given for calendar years.
    latest : int, optional
        The last year that the file can hold (the second of the two, where there are two).

    Returns
    -------
    Series of int64
        The year, or the first of the two.

    Raises
    ------
    DataError
        If a cell is no year, its two years do not follow each other, or it is later than `latest`.
    """
    # A file repeats few years in many rows: each is read once.
    places, values = pd.factorize(text)
    cells = pd.Series(values, dtype="str").str.strip()
    mark = None if between is None else re.escape(between)
    pattern = r"(?P<first>(?:19|20)\d{2})" + ("" if mark is None else rf"{mark}(?P<next>\d{{2}})")
    found = cells.str.extract(f"^{pattern}$")
    wrong = found.isna().any(axis=1)
    first = pd.to_numeric(found["first"].where(~wrong, "0")).astype("int64")
    if between is not None:
        following = pd.to_numeric(found["next"].where(~wrong, "0")).astype("int64")
        wrong |= (first + 1) % 100 != following
    example = "a year such as 2024" if between is None else f"two years such as 2024{between}25"
    refuse(wrong.to_numpy()[places], text, f"is not {example}; {COMPARE}", file=file)
    if latest is not None:
        last = first + (between is not None)
        problem = f"is later than the release, which ends with {latest}; {COMPARE}"
        refuse((last > latest).to_numpy()[places], text, problem, file=file)
    return pd.Series(first.to_numpy()[places], index=text.index, name=text.name)


def dates(text: pd.Series, *, file: str, forms: dict[str, str]) -> pd.Series:
    """Read dates as printed; an empty cell is no date.

    Parameters
    ----------
    text : Series of str
        Cells as printed; the index plus 2 is the row that an error names.
    file : str
        Name of the file for errors.
    forms : dict
        Pattern of each form that the file may print, and how :mod:`datetime` writes it.

    Raises
    ------
    DataError
        If a cell has none of the forms, or names a day that there is not.
    """
    out = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    for pattern, form in forms.items():
        fits = text.str.fullmatch(pattern)
        out = out.mask(fits, pd.to_datetime(text.where(fits), format=form, errors="coerce"))
    refuse(
        out.isna() & (text.str.strip() != ""), text, f"is not a date such as 18/11/2024; {COMPARE}",
        file=file,
    )  # fmt: skip
    return out


class Numbers(NamedTuple):
    """Numbers (Float64), missing where a cell holds a code, and the reason why; else empty."""

    values: pd.Series
    reasons: pd.Series


def numbers(
    text: pd.Series,
    *,
    file: str,
    codes: dict[str, str],
    negative: bool = False,
    whole: bool = False,
    columns: pd.Series | None = None,
) -> Numbers:
    """Split printed cells into numbers and reasons why there is none.

    Parameters
    ----------
    text : Series of str
        Cells as printed; the index plus 2 is the row that an error names.
    file : str
        Name of the file for errors.
    codes : dict
        The publisher's codes for a missing value and our reasons.
    negative : bool, default False
        Whether the release is known to print counts below zero (they become findings later).
    whole : bool, default False
        Whether the cells count something: a fraction, or a spreadsheet's 2.8E+03, is refused.
    columns : Series of str, optional
        Column of each cell, where `text` holds several; its name if not given.

    Returns
    -------
    Numbers

    Raises
    ------
    DataError
        If a cell is neither a number nor a known code, or is a number that cannot be.
    """
    stripped = text.str.strip()
    reasons = stripped.map(codes).astype("str").fillna("")
    printed = reasons == ""
    values = pd.to_numeric(stripped.where(printed), errors="coerce")
    known = ", ".join(map(repr, codes)) or "there is none"
    problems = {
        f"is neither a number nor a code for a missing value ({known})": values.isna(),
        "is beyond any number of people or pounds": values.abs() > LARGEST,
        "is below 0": (values < 0) & (not negative),
        "is not a whole number": ~stripped.str.fullmatch(r"-?[0-9]+(\.0*)?") & whole,
    }
    for problem, wrong in problems.items():
        wrong = (wrong & printed).to_numpy(dtype=bool)
        if wrong.any():
            at = int(wrong.argmax())
            name = text.name if columns is None else columns.iat[at]
            refuse(wrong, text.rename(name), f"{problem}; {COMPARE}", file=file)
    return Numbers(values.astype("Float64"), reasons)


def whole_numbers(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Read columns in which every cell is a whole number, 0 or more.

    Raises
    ------
    DataError
        If a cell is anything else.
    """
    cells = frame[columns].melt(var_name="column", value_name="text", ignore_index=False)
    value, _ = numbers(
        cells["text"], file=frame.attrs["file"], codes={}, whole=True, columns=cells["column"]
    )
    read = value.to_numpy(dtype=float).reshape(len(columns), -1).T
    return pd.DataFrame(read, index=frame.index, columns=columns)


def years(frame: pd.DataFrame, period: str, *, latest: int | None = None) -> pd.Series:
    """Calendar year of each row: the year of the January for a stock, as printed for a flow.

    `period` and `latest` are the period and the reporting year in `releases.yml`.
    """
    academic = period == "academic_year"
    year = first_years(
        frame["time_period"],
        file=frame.attrs["file"],
        between="" if academic else None,
        latest=latest,
    )
    return (year + academic).rename("year")


def fits(text: pd.Series, pattern: str) -> np.ndarray:
    """Say which cells match a pattern whole; a value that many rows repeat is matched once."""
    places, values = pd.factorize(text)
    return pd.Series(values, dtype="str").str.fullmatch(pattern).to_numpy(dtype=bool)[places]


def area_codes(frame: pd.DataFrame) -> pd.Series:
    """ONS code of each row of a Department for Education file: the newest, whatever the year.

    Raises
    ------
    DataError
        If a level is not one of :data:`LEVELS`, or the codes of a row are not of its level.
    """
    file, level = frame.attrs["file"], frame["geographic_level"]
    strange = ~level.isin(LEVELS)
    near = nearest(level[strange].iloc[0], LEVELS, 1) if strange.any() else []
    hint = f"; nearest: {near[0]!r}" if near else ""
    refuse(strange, level, f"is not a level of area ({', '.join(LEVELS)}){hint}", file=file)
    own = {
        "National": ("country_code", ENGLAND, "England's code"),
        "Regional": ("region_code", REGION, "the code of a region"),
        "Local authority": ("new_la_code", LOCAL, "the code of an authority"),
    }
    code = frame["new_la_code"]
    for name, (column, pattern, what) in own.items():
        rows = level == name
        wrong = rows & ~fits(frame[column], pattern)
        refuse(wrong, frame[column], f"is not {what}, and the row's level is {name!r}", file=file)
        code = code.mask(rows, frame[column])
    above = level != "Local authority"
    for column, pattern in (("new_la_code", LOCAL), ("old_la_code", r"\d{3}")):
        refuse(
            above & fits(frame[column], pattern),
            frame[column],
            "is an authority's code, and the row's level is 'National' or 'Regional'",
            file=file,
        )
    refuse(
        ~above & ~fits(frame["old_la_code"], r"\d{3}"),
        frame["old_la_code"],
        "is not an authority's code of three digits",
        file=file,
    )
    refuse(
        ~above & ~fits(frame["region_code"], REGION),
        frame["region_code"],
        "is not the code of a region",
        file=file,
    )
    return code.replace(RECODED).rename("area_code")


def placed(frame: pd.DataFrame, entry: dict, spec: dict) -> pd.DataFrame:
    """Add ``area_code`` and ``year`` to a file of a release that `releases.yml` describes."""
    latest = entry.get("year")
    return frame.assign(
        area_code=area_codes(frame), year=years(frame, spec["period"], latest=latest)
    )


def tidy(
    root: Path,
    name: str,
    file: str,
    *,
    topics: dict[str, str] | None = None,
    labels: dict[str, dict[str, str]] | None = None,
) -> pd.DataFrame:
    """Read one file of a release as a long table.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    name, file : str
        Release and file, as `releases.yml` calls them.
    topics : dict, optional
        Breakdown topics to keep and what to call them; all rows if not given.
    labels : dict, optional
        By key column, the publisher's labels and ours, as :func:`check_known` takes them.

    Returns
    -------
    DataFrame
        ``area_code, year``, the release's own key columns, ``category``, ``value`` (Float64),
        ``missing`` (reason, else empty).

    Raises
    ------
    DataError
        If a column or a topic is missing under every name that `releases.yml` knows; the message
        has the nearest ones.
    """
    entry = release(name)
    spec = entry["files"][file]
    frame = read_csv(root, entry["path"], spec.get("member"))
    where = frame.attrs["file"]
    made_of = {column: layout.parts(column, frame.columns) for column in spec["values"]}
    columns = [part for parts in made_of.values() for part in parts]
    require_columns(frame, ["time_period", *PLACE_COLUMNS, *spec["key"], *columns])
    frame = placed(frame, entry, spec)
    require_unique(frame, ["area_code", "year", *spec["key"]])
    if topics is not None:
        there = frame["breakdown_topic"]
        there = there.replace(layout.topic_words(topics, there.unique()))
        for topic in topics:
            if not (there == topic).any():
                raise LayoutError(
                    f"no row has {topic!r}; nearest: {nearest(topic, there.unique())}. If the "
                    "publisher renamed it, say so among the synonyms of releases.yml",
                    file=where,
                    column="breakdown_topic",
                )
        frame = frame.assign(breakdown_topic=there.map(topics))[there.isin(topics)]
    for column, known in (labels or {}).items():
        frame = frame.assign(**{column: check_known(frame[column], known, file=where)})
    key = ["area_code", "year", *spec["key"]]
    cells = frame[columns].melt(var_name="column", value_name="text", ignore_index=False)
    value, missing = numbers(
        cells["text"],
        file=where,
        codes=entry["missing"],
        negative=spec.get("negative", False),
        whole=True,
        columns=cells["column"],
    )
    height = len(frame)
    blocks = {
        part: (value.iloc[at : at + height], missing.iloc[at : at + height])
        for part, at in zip(columns, range(0, len(cells), height), strict=True)
    }
    year, national = frame["year"], frame["geographic_level"] == "National"
    sums = [
        _together(_told_apart([blocks[part] for part in parts], year, national))
        for parts in made_of.values()
    ]
    long = frame[key].iloc[np.tile(np.arange(height), len(made_of))].reset_index(drop=True)
    categories = [spec["values"][column] for column in made_of]
    long.insert(0, "category", pd.Series(np.repeat(categories, height), dtype="str"))
    return long.assign(
        value=pd.concat([value for value, _ in sums], ignore_index=True),
        missing=pd.concat([missing for _, missing in sums], ignore_index=True),
    )


def _told_apart(
    parts: list[tuple[pd.Series, pd.Series]], year: pd.Series, national: pd.Series
) -> list[tuple[pd.Series, pd.Series]]:
    """Say of the years in which a part was not counted that it does not apply.

    The publisher counts such a part within another one and prints no figure of it for England
    (special free schools to January 2023, with the academies).
    """
    if len(parts) == 1:
        return parts
    counted = [set(year[national & (missing == "")]) for _, missing in parts]
    some = set().union(*counted)
    return [
        (value, missing.mask(year.isin(some - own) & (missing == "unavailable"), "not_applicable"))
        for (value, missing), own in zip(parts, counted, strict=True)
    ]


def _together(parts: list[tuple[pd.Series, pd.Series]]) -> tuple[pd.Series, pd.Series]:
    """Add the columns that a release splits one column into.

    A part that does not apply counts nothing; any other missing part leaves the sum unknown.
    """
    value, missing = parts[0]
    for more, reason in parts[1:]:
        unknown = missing.where(~missing.isin(["", "not_applicable"]), "")
        unknown = unknown.mask(~reason.isin(["", "not_applicable"]) & (unknown == ""), reason)
        neither = (missing == "not_applicable") & (reason == "not_applicable")
        missing = unknown.mask(neither, "not_applicable")
        value = (value.fillna(0) + more.fillna(0)).mask(missing != "")
    return value, missing


def check_known(labels: pd.Series, known: dict[str, str], *, file: str) -> pd.Series:
    """Translate the publisher's labels; capitals do not matter.

    Parameters
    ----------
    labels : Series of str
        As printed; the index plus 2 is the row that an error names.
    known : dict
        The publisher's labels and ours.
    file : str
        Name of the file for errors.

    Raises
    ------
    LayoutError
        If a label is not among those known; the message has the nearest.
    """
    out = labels.map(known)
    folded = {label.casefold(): ours for label, ours in known.items()}
    out = out.fillna(labels[out.isna()].str.casefold().map(folded))
    if out.isna().any():
        near = nearest(labels[out.isna()].iloc[0], known)
        problem = f"is not known here; nearest: {', '.join(map(repr, near)) or 'none'}"
        refuse(out.isna(), labels, problem, file=file, error=LayoutError)
    return out


def split_category(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Replace ``category`` by the dimensions that `releases.yml` joins with a slash.

    Parameters
    ----------
    frame : DataFrame
        As :func:`tidy` returns it.
    names : list of str
        Columns of the dimensions, in their order.

    Returns
    -------
    DataFrame
        `frame` with the columns `names` in place of ``category``.
    """
    categories = frame["category"].drop_duplicates()
    parts = categories.str.split("/", expand=True).set_axis(names, axis=1)
    return frame.merge(parts.assign(category=categories), on="category", how="left").drop(
        columns="category"
    )
