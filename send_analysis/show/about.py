"""What lies behind a chart or table: its data as a file, how it was made, how to cite it.

Nothing here is typed for one exhibit: sources and licences are those of the tables that the result
was made from, the method is the documented one of the function that made it, columns are told by
`terms`.
"""

from __future__ import annotations

import base64
import csv
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import __version__, reads, tables, terms
from send_analysis.areas import slug
from send_analysis.show.origin import origin

if TYPE_CHECKING:
    from send_analysis.show.chart import Chart
    from send_analysis.show.table import Table

LONGEST_NAME = 60  # characters of a file's name without its ending
MOST_SAID = 5  # values that the reading of a row has
LONGEST_SAID = 80  # characters of a name in it
NOTES = re.compile(r"\nNotes\n-+\n(.*?)(?=\n\n[A-Z][^\n]*\n-+\n|\Z)", re.DOTALL)
MARKUP = re.compile(r":\w+:`[.!~]*([^`]*)`|``?([^`]*)``?")
# A number as it may be written: 4,508; £1.20; 52 or more; 12 → 9 %.
_NUMBER = r"(?:[%£<>≤≥+−-]? ?\d[\d,]*(?:\.\d+)?(?: ?%)?(?: or more)?|n/a)"
WRITTEN = re.compile(rf"{_NUMBER}(?: → {_NUMBER})?")
AGAINST = "against"  # who an area is compared with: a name that says nothing without its heading
# What tells rows apart and says nothing by itself.
UNREAD = re.compile(r"(^|_)code$|^(role|caveat|same_as|compare)$")


def area() -> str:
    """Name of the area that the notebook is about, its parameter; empty outside a notebook."""
    if "IPython" not in sys.modules:
        return ""
    from IPython import get_ipython

    shell = get_ipython()
    given = shell.user_ns.get("area", "") if shell is not None else ""
    return str(getattr(given, "name", given))


def file_name(title: str) -> str:
    """Name of the file that holds an exhibit's data: area and title, cut at a word."""
    name = slug(f"{area()} {title}")
    if len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME + 1].rpartition("-")[0]
    return f"{name}.csv"


def data(thing: Chart | Table, title: str) -> bytes:
    """Write the data of an exhibit as CSV that begins with what it is.

    Parameters
    ----------
    thing : Chart or Table
    title : str
        Of the exhibit.

    Returns
    -------
    bytes
        UTF-8. Lines that begin with ``#`` have title, area, sources, licences and what each column
        holds: ``pandas.read_csv(file, comment="#")`` leaves them out. Numbers have one decimal
        more than where they are printed.
    """
    frame = _frame(thing)
    return commented(rounded(frame), _head(thing, title, frame))


def commented(frame: pd.DataFrame, said: Iterable[str], *, form: str = "%.12g") -> bytes:
    """Write a frame as CSV below lines that begin with ``#``; `form` is that of its numbers."""
    text = frame.to_csv(index=False, lineterminator="\n", float_format=form)
    if "#" in text:  # in quotes it begins no comment
        text = frame.to_csv(
            index=False, lineterminator="\n", float_format=form, quoting=csv.QUOTE_NONNUMERIC
        )
    text = "".join(f"# {' '.join(line.split())}\n" for line in said) + text
    # Excel reads anything but ASCII wrongly unless the file starts with a byte-order mark.
    return text.encode("ascii" if text.isascii() else "utf-8-sig")


def link(data: bytes) -> str:
    """Address that holds a CSV file."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}"


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round numbers to one decimal more than they are printed with."""
    frame = frame.copy(deep=False)
    for place, (name, column) in enumerate(frame.items()):
        if pd.api.types.is_float_dtype(column.dtype):
            found = re.search(r"\.(\d+)f", terms.form(column, str(name)))
            if found:
                frame.isetitem(place, column.round(int(found[1]) + 1))
    return frame


def _frame(thing: Chart | Table) -> pd.DataFrame:
    """Return the data of an exhibit with its rows' names as columns."""
    from send_analysis.show.table import has_named_index

    frame = thing.frame if hasattr(thing, "frame") else thing.data
    return frame.reset_index() if has_named_index(frame) else frame


def _head(thing: Chart | Table, title: str, frame: pd.DataFrame) -> Iterator[str]:
    """Lines that say what the data is."""
    yield title
    if area():
        yield f"area: {area()}"
    if getattr(thing, "subtitle", ""):
        yield f"shown: {thing.subtitle}"
    if thing.note:
        yield f"note: {thing.note}"
    yield f"source: {source(thing)}"
    yield from (f"licence: {name}, {path}" for name, path in licences(thing.tables))
    yield "made by: " + ", ".join([f"send_analysis {__version__}", *reads.makers(frame)])
    yield from (f"column {name}: {words}" for name, words in columns(thing))


def columns(thing: Chart | Table) -> Iterator[tuple[str, str]]:
    """Say what each column of an exhibit's data holds.

    Yields
    ------
    tuple of str
        Its name, and its heading with what it holds and the unit.
    """
    described = {
        field["name"]: field["description"]
        for table in reversed(thing.tables)
        for field in tables.resource(table)["schema"]["fields"]
    }
    for name in map(str, _frame(thing).columns):
        words = terms.meaning(name, described)
        yield name, terms.heading(name) + (f" ({words})" if words else "")


def licences(named: Sequence[str]) -> list[tuple[str, str]]:
    """Names and addresses of the licences of tables' sources."""
    return [(it["title"], it["path"]) for it in _licensed(named)]


def _licensed(named: Sequence[str]) -> list[dict[str, str]]:
    """Licences of tables' sources, as the descriptor has them."""
    used = tables.licences(it for name in named for it in tables.resource(name)["sources"])
    return [it for it in tables.descriptor()["licenses"] if it["name"] in used]


def source(thing: Chart | Table) -> str:
    """Say where an exhibit is from; empty where it is made from no table and names no source."""
    return "; ".join(filter(None, [origin(thing.tables), thing.source]))


def citation(thing: Chart | Table, title: str) -> str:
    """Sentence that cites an exhibit."""
    of = f" ({area()})" if area() else ""
    said = f"“{title}”{of}. send_analysis {__version__}. From: {source(thing)}."
    under = [f"Contains {it['covers']} licensed under the {it['title']}."
             for it in _licensed(thing.tables)]  # fmt: skip
    return " ".join([said, *under])


def method(thing: Chart | Table) -> list[str]:
    """Say how an exhibit was computed, a sentence or paragraph each.

    The functions that made the result, the last first, each with the first paragraph of its
    documentation and the notes there, and the tables that were read.
    """
    told = []
    for made in reads.makers(_frame(thing)):
        module, _, name = made.rpartition(".")
        by = getattr(sys.modules.get(module), name, None)  # a notebook's own is in none
        words = (inspect.getdoc(by) if by is not None else "") or ""
        first = " ".join(words.partition("\n\n")[0].split())
        told.append(f"{made}: {_plain(first)}")
        found = NOTES.search(words)
        told += [_plain(part) for part in found[1].split("\n\n")] if found else []
    if thing.tables:
        rows = ", ".join(
            f"{name} ({tables.resource(name)['rows']:,} rows)" for name in thing.tables
        )
        told.append(f"Read from the tables {rows}.")
    return told


def reading(thing: Chart | Table) -> str:
    """Read one row out: the last of the area itself where rows are told apart, else the first."""
    frame = _frame(thing)
    if frame.empty:
        return ""
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1)
    own = np.flatnonzero(frame["role"] == "area") if "role" in frame else []
    at = own[-1] if len(own) else 0
    row = frame.iloc[[at]]
    figures = {name for name, column in frame.items() if _is_figure(column, name)}
    names = _telling(frame, at, figures)

    def said(name: str) -> str:
        """Return a value of the row as it is printed."""
        return terms.texts(row[name], name)[0]

    named = [
        _under_heading(name, said(name)) if name == AGAINST or name in figures else said(name)
        for name in names
    ]
    others = (
        name
        for name in frame
        if name in figures and name not in names and not UNREAD.search(name)
        and not row[name].hasnans
    )  # fmt: skip
    values = [f"{terms.heading(name)}: {said(name)}" for name in islice(others, MOST_SAID)]
    return f"{', '.join(named) or 'the first row'}: {'; '.join(values)}." if values else ""


def _under_heading(name: str, text: str) -> str:
    """Name a row by a number: Years ahead 1, Quantile 2.5 %."""
    heading = terms.heading(name)
    of = heading.removesuffix(", %")
    return f"{of} {text}" + " %" * (of != heading)


def _is_figure(column: pd.Series, name: str) -> bool:
    """Whether a column holds numbers, also such as are written as text, that are no years."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        known = column[column.notna()]
        if known.empty or not WRITTEN.fullmatch(str(known.iloc[0])):
            return False
        known = known.astype(str)
        if not known.str.fullmatch(WRITTEN).all() or not known.str.contains(r"\d").any():
            return False
        column = pd.to_numeric(known, errors="coerce")
    named = re.search(terms.YEARS, name, re.IGNORECASE)
    return not (named and column.dropna().between(1900, 2100).all())


def _telling(frame: pd.DataFrame, at: int, figures: set[str]) -> list[str]:
    """Columns that name a row: those it begins with where rows differ, and what tells it apart.

    `figures` are the columns that hold numbers. A kind that a row begins with is named also where
    all are of one. Names and years come before whole numbers, and these before others.
    """
    rank, begins = {}, True
    names, alike = [], np.ones(len(frame), dtype=bool)

    def same(name: str) -> np.ndarray:
        """Whether each row has the value of this one."""
        return frame[name].eq(frame[name].iloc[at]).fillna(False).to_numpy(dtype=bool)

    for name, column in frame.items():
        if UNREAD.search(name):
            continue
        begins &= name not in figures
        if pd.isna(value := column.iloc[at]) or len(str(value)) >= LONGEST_SAID:
            continue
        if begins and (name != "kind" or not names):
            found = same(name)
            if not ({*names} - {"kind"} and found.all()):
                names.append(name)
                alike &= found
                continue
        whole = name in figures and pd.api.types.is_integer_dtype(column.dtype)
        rank[name] = 0 if name not in figures else 1 if whole else 2
    for name in sorted(rank, key=rank.get):
        if alike.sum() == 1:
            break
        nearer = alike & same(name)
        if nearer.sum() < alike.sum():
            names.append(name)
            alike = nearer
    always = [AGAINST, "year", "start", "end"]  # what a figure is of, also where all rows are alike
    names += [name for name in always if name in frame and pd.notna(frame[name].iloc[at])]
    return [name for name in frame if name in names]


def _plain(text: str) -> str:
    """Take the markup out of a docstring."""
    return " ".join(MARKUP.sub(lambda found: found[1] or found[2], text).split())
