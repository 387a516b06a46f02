"""Tables of text, held to what their columns may hold: a fault names file, column, row, value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import disk
from send_analysis.errors import DataError, LayoutError, nearest

RENAMED = "If the publisher renamed it, say so among the synonyms of releases.yml"


class Number(NamedTuple):
    """A column of numbers within limits; `whole` if none may have a fraction."""

    low: float
    high: float
    whole: bool = False


class Words(NamedTuple):
    """A column of words: those that are known, or any; `empty` if a cell may hold none."""

    known: Collection[str] | None = None
    empty: bool = False


def refuse(
    wrong: pd.Series,
    cells: pd.Series,
    problem: str,
    *,
    file: str,
    error: type[DataError] = DataError,
) -> None:
    """Raise for the first cell that is wrong, and say how many are.

    Parameters
    ----------
    wrong : Series of bool
        As long as `cells`.
    cells : Series of str
        A column as printed: its name, and its index plus 2 as the row, are in the message.
    problem : str
        What the value is or is not, and what to do: it follows the value.
    file : str
        Name of the file for errors.
    error : type
        What is raised.

    Raises
    ------
    DataError
    """
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.any():
        place = int(wrong.argmax())
        more = f" ({wrong.sum():,} rows are like it)" if wrong.sum() > 1 else ""
        raise error(
            f"{cells.iat[place]!r} {problem}{more}",
            file=file,
            column=str(cells.name),
            row=int(cells.index[place]) + 2,
        )


def require_columns(frame: pd.DataFrame, columns: Sequence[str], hint: str = RENAMED) -> None:
    """Refuse a frame that lacks one of `columns`, naming the columns it may have become."""
    for column in columns:
        if column not in frame.columns:
            near = nearest(column, [c for c in frame.columns if c not in columns])
            hints = f"; nearest columns: {', '.join(near)}" if near else ""
            raise LayoutError(f"missing{hints}. {hint}", file=frame.attrs["file"], column=column)
        if column in frame.attrs.get("twice", []):
            raise DataError(
                "two columns have this heading; remove the one that is not meant",
                file=frame.attrs["file"],
                column=column,
            )


def require_unique(frame: pd.DataFrame, key: Sequence[str]) -> None:
    """Refuse a frame with two rows for the same key."""
    again = frame.duplicated(key)
    if again.any():
        row = int(again.to_numpy().argmax())
        values = ", ".join(f"{column} {str(frame[column].iat[row])!r}" for column in key)
        raise DataError(
            f"a second row for {values}; remove one of the two",
            file=frame.attrs["file"],
            row=int(frame.index[row]) + 2,
        )


def read_list(
    path: str | Path, kind: str, columns: Mapping[str, Number | Words], *, key: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a CSV table that a user gives.

    Parameters
    ----------
    path : str or Path
    kind : str
        What the file is, for errors: ``"capacity"``.
    columns : mapping of str to Number or Words
        What each column may hold. Columns that are not named are left out.
    key : sequence of str
        Columns that together name a row once.

    Returns
    -------
    DataFrame
        The columns; numbers are int64 or float64. Its index plus 2 is the row as a spreadsheet
        numbers it; ``attrs["file"]`` is the path.

    Raises
    ------
    MissingDataError
        If there is no such file.
    DataError
        Naming file, column, row and value, if the file is no table, lacks a column, has no rows, a
        cell is not what its column may hold, or two rows have one key.
    """
    frame = disk.text_table(disk.read_bytes(path, f"{kind} file"), str(path))
    frame.columns = frame.columns.str.strip()
    require_columns(frame, list(columns), f"A {kind} file needs {', '.join(columns)}")
    attrs, frame = frame.attrs, frame[list(columns)].apply(lambda cells: cells.str.strip())
    frame.attrs = attrs
    if frame.empty:
        raise DataError("has a heading and no rows", file=str(path))
    read = {name: _read(frame[name], form, str(path)) for name, form in columns.items()}
    frame = frame.assign(**read)
    if key:
        require_unique(frame, key)
    return frame


def _read(text: pd.Series, form: Number | Words, file: str) -> pd.Series:
    """Read one column, or name the first cell that is not what it may hold."""
    if isinstance(form, Words):
        refuse((text == "") & (not form.empty), text, "is empty; fill it in", file=file)
        if form.known is None:
            return text
        wrong = ~text.isin(form.known)
        near = nearest(text[wrong].iloc[0], form.known, 1) if wrong.any() else []
        hint = f". Did you mean {near[0]!r}?" if near else f": use {', '.join(form.known)}"
        refuse(wrong, text, f"is not known here{hint}", file=file)
        return text
    plain = text.str.replace(r",(?=\d{3}\b)", "", regex=True)
    values = pd.to_numeric(plain, errors="coerce").astype("float64")
    wrong = ~values.between(form.low, form.high)
    if form.whole:
        wrong |= ~plain.str.fullmatch(r"-?\d+(\.0*)?")
    kind = "a whole number" if form.whole else "a number"
    refuse(wrong, text, f"is not {kind} from {form.low:.12g} to {form.high:.12g}", file=file)
    return values.astype("int64") if form.whole else values
