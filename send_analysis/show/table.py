"""A table as a value: a frame with its caption; headings and formats come from `terms`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import pandas as pd

from send_analysis import reads, terms
from send_analysis.errors import ParameterError

PHONE = 36  # characters of a line there
LONGEST = 14  # characters at which a cell's words are broken there
BETWEEN = 2  # between columns
TIGHT = 5  # that words broken sooner save, where rows could not be told apart else
MANY = 1000  # after every key


@dataclass(frozen=True, eq=False)
class Table:
    """A result set as a table.

    Parameters
    ----------
    frame : DataFrame
        What is shown, in its order, as a result function returned it: it carries its sources. A
        named index gives the rows their headings; else the first column does.
    caption : str
        What the table holds, with place and period.
    note : str
        How to read it, what is missing.
    source : str
        Where what is in no table is from, in words: a file that people may change, say.

    Raises
    ------
    ParameterError
        Without a caption.
    """

    frame: pd.DataFrame
    caption: str
    note: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.caption.strip():
            raise ParameterError("A table needs a caption.")

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that the numbers are from."""
        return reads.of(self.frame)

    def _ipython_display_(self) -> None:
        from send_analysis.show.page import show

        show(self)


def has_named_index(frame: pd.DataFrame) -> bool:
    """Whether the index is data, not a counter."""
    return any(name is not None for name in frame.index.names)


def html_table(frame: pd.DataFrame, caption: str, below: str = "") -> str:
    """Write a frame as an accessible table, in a box that scrolls sideways by keyboard too.

    Parameters
    ----------
    frame, caption
        As of `Table`.
    below : str
        HTML that stands under the table in its box, with something that takes the keyboard; else
        the box itself does.

    Returns
    -------
    str
        HTML. Of a table that is wider than a phone, ``report.css`` shows the key columns there, and
        all of them, its rows set as cards, when what lies `below` is unfolded, or from the start
        where rows would read the same without the others.
    """
    headings = max(1, frame.index.nlevels) if has_named_index(frame) else 1
    frame = _named_first(frame.reset_index() if has_named_index(frame) else frame)
    names = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    numeric = [
        i >= headings
        and pd.api.types.is_numeric_dtype(kind)
        and not pd.api.types.is_bool_dtype(kind)
        for i, kind in enumerate(frame.dtypes)
    ]
    titles = [terms.heading(name) for name in names]
    head = "".join(
        f'<th scope="col"{_number_class(is_number)}>{escape(title)}</th>'
        for title, is_number in zip(titles, numeric, strict=True)
    )
    cells = [terms.texts(it, name) for name, (_, it) in zip(names, frame.items(), strict=True)]
    columns = []
    for i, texts in enumerate(cells):
        tag, kind = ("th", ' scope="row"') if i < headings else ("td", _number_class(numeric[i]))
        columns.append([f"<{tag}{kind}>{_breakable(text)}</{tag}>" for text in texts])
    rows = "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*columns, strict=True))
    keyboard = "" if below else ' tabindex="0"'
    hidden = _beyond_a_phone(names, titles, cells, headings) if below else []
    kept = [i for i in range(len(names)) if i not in hidden]
    apart = len(_distinct(cells, kept)) < len(_distinct(cells, range(len(names))))
    below = f'<div class="below">{below}</div>' if below else ""
    return (
        f'<div class="scroll" role="group"{keyboard} aria-label="{escape("Table: " + caption)}">'
        f"<table{_cards(titles, hidden, apart=apart)}>"
        f"<caption><strong>{escape(caption)}</strong></caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>{below}</div>"
    )


def _named_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Put codes of areas and organisations last: a row is headed by its name."""
    codes = [name for name in frame.columns if str(name).endswith("_code")]
    return frame[[*frame.columns.difference(codes, sort=False), *codes]] if codes else frame


def _beyond_a_phone(
    names: list[str], titles: list[str], cells: list[list[str]], headings: int
) -> list[int]:
    """Columns that have no room on a phone: not those that tell rows apart, nor the key ones."""
    widths = [
        BETWEEN + max(max(map(len, title.split())), min(LONGEST, max(map(len, texts), default=0)))
        for title, texts in zip(titles, cells, strict=True)
    ]
    shown, rest = list(range(headings)), list(range(headings, len(names)))
    room = PHONE - sum(widths[:headings])
    keys = [(terms.TERMS[name].key if name in terms.TERMS else 0) or MANY for name in names]
    while len(rest) > 1 and len(_distinct(cells, shown)) < len(cells[0]):
        first = min(rest[1:], key=lambda i: keys[i])
        if room + TIGHT < widths[rest[0]] + widths[first]:
            break
        room -= widths[rest[0]]
        shown.append(rest.pop(0))
    rest.sort(key=lambda i: keys[i])
    hidden = []
    for place, i in enumerate(rest):
        room -= widths[i]
        if room < 0 and place:  # one is shown in any case
            hidden.append(i)
    return sorted(hidden)


def _distinct(cells: list[list[str]], columns: Iterable[int]) -> set[tuple[str, ...]]:
    """What the rows of a table say in some columns."""
    return set(zip(*(cells[i] for i in columns), strict=True))


def _cards(titles: list[str], hidden: list[int], *, apart: bool) -> str:
    """Classes of columns that a phone leaves out, and headings for when rows are set as cards."""
    if not hidden:
        return ""
    texts = [title.replace("\\", "").replace("'", "’") for title in titles]
    named = ";".join(f"--c{i}:'{text}'" for i, text in enumerate(texts, 1))
    kinds = "apart" if apart else " ".join(["cards", *(f"h{i + 1}" for i in hidden)])
    return f' class="{kinds}" style="{escape(named)}"'


def _breakable(text: str) -> str:
    """Escape a cell's text; an address may be broken after its slashes."""
    text = escape(text)
    return text.replace("/", "/<wbr>") if "://" in text else text


def _number_class(is_number: bool) -> str:
    """Attribute of a cell that holds a number."""
    return ' class="number"' if is_number else ""
