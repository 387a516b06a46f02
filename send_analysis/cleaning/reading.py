"""Read the publishers' files as they are, and refuse what is not as `releases.yml` says."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis.cleaning import layout
from send_analysis.cleaning.layout import release
from send_analysis.errors import DataError, MissingFileError, SendAnalysisError, nearest

PLACE_COLUMNS = ["geographic_level", "country_code", "region_code", "new_la_code", "old_la_code"]

# Codes that some publishers still print after the authority was given a new one
# (ONS Code History Database; the footprint did not change).
RECODED = {
    "E08000020": "E08000037",  # Gateshead, 2013
    "E06000048": "E06000057",  # Northumberland, 2013
    "E10000002": "E06000060",  # Buckinghamshire, unitary from April 2020
    "E10000023": "E06000065",  # North Yorkshire, unitary from April 2023
    "E10000027": "E06000066",  # Somerset, unitary from April 2023
}


def read_bytes(root: Path, path: str, member: str | list[str] | None = None) -> tuple[bytes, str]:
    """Return a file's bytes, out of its archive where it has one, and the name errors give it.

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
            return (gzip.decompress(content) if file.suffix == ".gz" else content), where
        with zipfile.ZipFile(file) as archive:
            found = layout.find_member(member, archive.namelist())
            if found is None:
                near = nearest(wanted[0], archive.namelist())
                hint = f"; nearest files: {', '.join(near)}" if near else ""
                raise DataError(
                    f"the archive does not hold this file{hint}. Is it another release?",
                    file=where,
                )
            return archive.read(found), f"{path}!{found}"
    except FileNotFoundError:
        raise MissingFileError(
            f"no such file below {root}; see data/datapackage.json for the "
            "releases that the tables are made from",
            file=where,
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"damaged or cut short ({error}); fetch it again", file=where) from None


def holds(root: Path, path: str, spec: dict) -> bool:
    """Say whether an archive has the file that an entry of `releases.yml` describes."""
    try:
        with zipfile.ZipFile(root / path) as archive:
            return layout.find_member(spec["member"], archive.namelist()) is not None
    except (OSError, zipfile.BadZipFile):
        return False


def read_csv(
    root: Path, path: str, member: str | list[str] | None = None, **options
) -> pd.DataFrame:
    """Read a CSV file as text, every cell a string; `options` go to :func:`pandas.read_csv`.

    The frame's ``attrs["file"]`` is the name that errors give the file.

    Raises
    ------
    DataError
        If the file cannot be read, is not UTF-8, or has a row with too many cells.
    """
    content, where = read_bytes(root, path, member)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"not UTF-8 (byte {content[error.start]:#04x}); save it as UTF-8, as published",
            file=where,
            row=row,
        ) from None
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"not a table: {error}", file=where) from None
    frame.attrs["file"] = where
    return frame


def require_columns(frame: pd.DataFrame, columns: list[str]) -> None:
    """Refuse a frame that lacks one of `columns`, naming the columns it may have become."""
    for column in columns:
        if column not in frame.columns:
            near = nearest(column, [c for c in frame.columns if c not in columns])
            hint = f"; nearest columns: {', '.join(near)}" if near else ""
            raise DataError(
                f"missing{hint}. If the publisher renamed it, say so among the synonyms of "
                "releases.yml",
                file=frame.attrs["file"],
                column=column,
            )


def require_unique(frame: pd.DataFrame, key: list[str]) -> None:
    """Refuse a frame with two rows for the same key."""
    again = frame.duplicated(key)
    if again.any():
        row = int(again.to_numpy().argmax())
        values = ", ".join(f"{column} {frame[column].iat[row]!r}" for column in key)
        raise DataError(
            f"a second row for {values}; remove one of the two",
            file=frame.attrs["file"],
            row=row + 2,
        )


def numbers(
    text: pd.Series,
    *,
    file: str,
    codes: dict[str, str],
    negative: bool = False,
    columns: pd.Series | None = None,
) -> tuple[pd.Series, pd.Series]:
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
    columns : Series of str, optional
        Column of each cell, where `text` holds several; its name if not given.

    Returns
    -------
    values : Series of Float64
        Missing where the cell holds a code.
    reasons : Series of str
        Empty where there is a number.

    Raises
    ------
    DataError
        If a cell is neither a number nor a known code, or a count is negative.
    """
    stripped = text.str.strip()
    reasons = stripped.map(codes).astype("str").fillna("")
    values = pd.to_numeric(stripped.where(reasons == ""), errors="coerce")
    wrong = values.isna() & (reasons == "")
    if not negative:
        wrong |= values < 0
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{text.iat[place]!r} is neither a count nor a code for a missing value "
            f"({', '.join(map(repr, codes))})",
            file=file,
            column=str(text.name if columns is None else columns.iat[place]),
            row=int(text.index[place]) + 2,
        )
    return values.astype("Float64"), reasons


def whole_numbers(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Read columns in which every cell is a whole number, 0 or more.

    Raises
    ------
    DataError
        If a cell is anything else.
    """
    cells = frame[columns].apply(pd.to_numeric, errors="coerce").astype("float64")
    wrong = ~((cells >= 0) & (cells % 1 == 0))
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise DataError(
            f"{frame[columns].iat[row, column]!r} is not a whole number, 0 or more; correct the "
            "cell as published",
            file=frame.attrs["file"],
            column=columns[column],
            row=int(frame.index[row]) + 2,
        )
    return cells


def _years(frame: pd.DataFrame, period: str) -> pd.Series:
    """Calendar year of each row: the year of the January for a stock, as printed for a flow."""
    text = frame["time_period"]
    pattern = r"20\d{2}(\d{2})" if period == "academic_year" else r"(?:20)(\d{2})"
    year = text.str.extract(f"^{pattern}$", expand=False)
    if year.isna().any():
        row = int(year.isna().to_numpy().argmax())
        form = "202425" if period == "academic_year" else "2024"
        raise DataError(
            f"{text.iat[row]!r} is not a {period.replace('_', ' ')} such as {form}",
            file=frame.attrs["file"],
            column="time_period",
            row=row + 2,
        )
    return 2000 + year.astype("int64")


def area_codes(frame: pd.DataFrame) -> pd.Series:
    """ONS code of each row of a Department for Education file: the newest, whatever the year."""
    code = frame["new_la_code"].replace(RECODED)
    level = frame["geographic_level"]
    known = {"National": frame["country_code"], "Regional": frame["region_code"]}
    for name, column in known.items():
        code = code.where(level != name, column)
    wrong = ~code.str.fullmatch(r"[EKS]\d{8}")
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{code.iat[row]!r} is not an ONS code of nine characters",
            file=frame.attrs["file"],
            column="new_la_code",
            row=row + 2,
        )
    return code.rename("area_code")


def tidy(root: Path, name: str, file: str, *, topics: dict[str, str] | None = None) -> pd.DataFrame:
    """Read one file of a release as a long table.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    name, file : str
        Release and file, as `releases.yml` calls them.
    topics : dict, optional
        Breakdown topics to keep and what to call them; all rows if not given.

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
    require_unique(frame, ["time_period", *PLACE_COLUMNS, *spec["key"]])
    frame = frame.assign(area_code=area_codes(frame), year=_years(frame, spec["period"]))
    if topics is not None:
        labels = frame["breakdown_topic"]
        labels = labels.replace(layout.topic_words(topics, labels.unique()))
        for topic in topics:
            if not (labels == topic).any():
                raise DataError(
                    f"no row has {topic!r}; nearest: {nearest(topic, labels.unique())}. If the "
                    "publisher renamed it, say so among the synonyms of releases.yml",
                    file=where,
                    column="breakdown_topic",
                )
        frame = frame.assign(breakdown_topic=labels.map(topics))[labels.isin(topics)]
    key = ["area_code", "year", *spec["key"]]
    cells = frame[columns].melt(var_name="column", value_name="text", ignore_index=False)
    value, missing = numbers(
        cells["text"],
        file=where,
        codes=entry["missing"],
        negative=spec.get("negative", False),
        columns=cells["column"],
    )
    height = len(frame)
    blocks = {
        part: (value.iloc[at : at + height], missing.iloc[at : at + height])
        for part, at in zip(columns, range(0, len(cells), height), strict=True)
    }
    sums = [_together([blocks[part] for part in parts]) for parts in made_of.values()]
    long = frame[key].iloc[np.tile(np.arange(height), len(made_of))].reset_index(drop=True)
    categories = [spec["values"][column] for column in made_of]
    long.insert(0, "category", pd.Series(np.repeat(categories, height), dtype="str"))
    return long.assign(
        value=pd.concat([value for value, _ in sums], ignore_index=True),
        missing=pd.concat([missing for _, missing in sums], ignore_index=True),
    )


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
    """Translate the publisher's labels, refusing one that `releases.yml` does not list."""
    out = labels.map(known)
    if out.isna().any():
        label = labels[out.isna()].iloc[0]
        raise SendAnalysisError(
            f"{file}, column {labels.name!r}: label {label!r} is not in releases.yml; "
            f"nearest: {', '.join(nearest(label, known)) or 'none'}"
        )
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
