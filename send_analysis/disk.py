"""Files in and folders out: text tables whose shape is checked, places that can be written to."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from pathlib import Path

import pandas as pd

from send_analysis.errors import DataError, MissingDataError, ParameterError

_OTHER_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_bytes(path: str | Path, kind: str = "file") -> bytes:
    """Return the content of a file that a user names.

    Parameters
    ----------
    path : str or Path
    kind : str, default "file"
        What the file should be, for the message if there is none.

    Raises
    ------
    MissingDataError
        If there is no such file.
    DataError
        If it is a folder or may not be read.
    """
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingDataError(f"{path}: there is no such {kind}.") from None
    except IsADirectoryError:
        raise DataError("is a folder; name a file", file=str(path)) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=str(path)) from None


def text_table(content: bytes, where: str, *, closed: bool = False, **options) -> pd.DataFrame:
    """Read a CSV table as text, every cell a string, after a look at the shape of its rows.

    Parameters
    ----------
    content : bytes
        The file, UTF-8 with or without a byte order mark.
    where : str
        Name that errors give the file.
    closed : bool, default False
        Whether the last row must end as a line does: one that does not may be torn in its last
        cell.
    **options
        For :func:`pandas.read_csv`.

    Returns
    -------
    DataFrame
        Without rows whose cells are all empty. Its index plus 2 is the row as a spreadsheet
        numbers it, with a heading or (``header=None``) without. ``attrs["file"]`` is `where`,
        ``attrs["twice"]`` has the headings over several columns that are not the same.

    Raises
    ------
    DataError
        If the file is not UTF-8, has no rows, or has a row with more or fewer cells than the
        first; the message names the row.
    """
    text = _decoded(content, where)
    first, whole = _check_shape(text, where)
    if closed and not text.endswith(("\n", "\r")):
        raise DataError(
            "the last row has no line end, so it may be cut short; fetch the file again, or end "
            "the line if it is whole",
            file=where,
        )
    frame = pd.read_csv(
        io.StringIO(text),
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
        index_col=False,
        **options,
    )
    if options.get("header", 0) is None:
        frame.index = frame.index - 1
    if not whole:
        frame = frame.fillna("")
        frame = frame[(frame != "").any(axis=1)]
    frame.attrs["file"] = where
    frame.attrs["twice"] = [] if options.get("header", 0) is None else _ambiguous(frame, first)
    return frame


def _ambiguous(frame: pd.DataFrame, headings: list[str]) -> list[str]:
    """Headings that stand over two columns which are not the same."""
    names = pd.Series(headings).str.strip().str.casefold()
    out = []
    for name in names[names.duplicated()].unique():
        places = names.index[names == name]
        cells = frame.iloc[:, places]
        if not cells.eq(cells.iloc[:, 0], axis=0).all(axis=None):
            out += [headings[place] for place in places]
    return out


def _decoded(content: bytes, where: str) -> str:
    """Text of a file, or the row in which it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte {content[error.start]:#04x}); save it as UTF-8, as published",
            file=where,
            row=content.count(b"\n", 0, error.start) + 1,
        ) from None
    if "\x00" in text:
        row = text.count("\n", 0, text.index("\x00")) + 1
        raise DataError("not a table: it holds a null character", file=where, row=row)
    return text


def _check_shape(text: str, where: str) -> tuple[list[str], bool]:
    """Refuse rows with more or fewer cells than the first.

    Return the first, and whether all are known to be as long, none of them empty.
    """
    if (heading := _even(text)) is not None:
        return heading, True
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    first: list[str] = []
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if number == 1:
                first = row
            elif len(row) != len(first):
                _refuse_row(row, number, len(first), where)
    except csv.Error as error:
        raise DataError(
            f"cannot be split into cells ({error}): look for a quotation mark that is not closed",
            file=where,
            row=number + 1,
        ) from None
    if not any(cell.strip() for cell in first):
        raise DataError("not a table: its first row is empty", file=where)
    if len(first) == 1 and number > 1:
        for mark, word in _OTHER_MARKS.items():
            if mark in first[0]:
                raise DataError(
                    f"its cells are parted by {word}; save it as CSV parted by commas", file=where
                )
    return first, False


def _even(text: str) -> list[str] | None:
    """First row, if every row has as many cells, more than one, and none is empty.

    Rows without quotation marks, nearly all, need not be split into cells to be counted.
    """
    text = text.replace("\r\n", "\n")
    lines = text.removesuffix("\n").split("\n")
    quoted = [line for line in lines if '"' in line]
    if "\r" in text or any(line.count('"') % 2 for line in quoted):
        return None  # a cell over several lines, or ends of lines of another kind
    try:
        first = next(csv.reader(lines[:1], strict=True), [])
        odd = any(len(row) != len(first) or not any(row) for row in csv.reader(quoted, strict=True))
    except csv.Error:
        return None
    commas = {line.count(",") for line in lines if '"' not in line}
    odd |= commas - {len(first) - 1} != set() or "," * (len(first) - 1) in lines
    return first if len(first) > 1 and any(map(str.strip, first)) and not odd else None


def _refuse_row(row: list[str], number: int, width: int, where: str) -> None:
    """Raise for a row of the wrong width, unless it is short and empty."""
    if len(row) < width and not any(cell.strip() for cell in row):
        return
    more = row[width:]
    if len(row) < width:
        hint = "is it cut short, or does a comma lack"
    elif any(cell.strip() for cell in more):
        hint = f"what is {next(cell for cell in more if cell.strip())!r} for"
    else:
        hint = "are there commas at its end"
    raise DataError(
        f"has {_count(len(row))}, the first row has {width:,}: {hint}? Compare with the file as "
        "it was supplied",
        file=where,
        row=number,
    )


def _count(cells: int) -> str:
    """A number of cells in words."""
    return f"{cells:,} cell{'' if cells == 1 else 's'}"


def writable_folder(folder: str | Path) -> Path:
    """Make sure that files can be put into a folder, or into one made there, before the work.

    Nothing is left behind: the folder is there afterwards if it was there before.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        If it cannot be made or written to; the message says why.
    """
    folder = Path(folder)
    try:
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for path in new:
            path.rmdir()
    except (FileExistsError, NotADirectoryError):
        raise ParameterError(
            f"{folder}: a file stands where the folder should be; name another folder."
        ) from None
    except OSError as error:
        raise ParameterError(
            f"{folder}: cannot be written to ({error.strerror}); name another folder."
        ) from None
    return folder


def write_text(path: str | Path, text: str) -> None:
    """Write a file of text as UTF-8, line ends as they are, as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file: the whole of it, or none.

    Raises
    ------
    ParameterError
        If it cannot be written; the message says why.
    """
    path = Path(path)
    whole = not path.exists() or path.is_file()  # neither a folder nor /dev/stdout
    fresh = path.with_name(f".{path.name}.new") if whole else path
    try:
        fresh.write_bytes(content)
        if whole:
            fresh.replace(path)
    except IsADirectoryError:
        raise ParameterError(f"{path}: is a folder; name a file.") from None
    except OSError as error:
        raise ParameterError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        if whole:
            with contextlib.suppress(OSError):
                fresh.unlink()
