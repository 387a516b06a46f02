"""A table as a value: a frame with its caption; headings and formats come from `terms`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from send_analysis import reads, terms
from send_analysis.errors import ParameterError


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


def html_table(frame: pd.DataFrame, caption: str) -> str:
    """Write a frame as an accessible table, in a box that scrolls sideways by keyboard too.

    Parameters
    ----------
    frame, caption
        As of `Table`.

    Returns
    -------
    str
        HTML.
    """
    headings = max(1, frame.index.nlevels) if has_named_index(frame) else 1
    frame = frame.reset_index() if has_named_index(frame) else frame
    names = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    numeric = [
        i >= headings
        and pd.api.types.is_numeric_dtype(kind)
        and not pd.api.types.is_bool_dtype(kind)
        for i, kind in enumerate(frame.dtypes)
    ]
    head = "".join(
        f'<th scope="col"{_number_class(is_number)}>{escape(terms.heading(name))}</th>'
        for name, is_number in zip(names, numeric, strict=True)
    )
    columns = []
    for i, name in enumerate(names):
        tag, kind = ("th", ' scope="row"') if i < headings else ("td", _number_class(numeric[i]))
        texts = terms.texts(frame.iloc[:, i], name)
        columns.append([f"<{tag}{kind}>{escape(text)}</{tag}>" for text in texts])
    rows = "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*columns, strict=True))
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape("Table: " + caption)}">'
        f"<table><caption><strong>{escape(caption)}</strong></caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _number_class(is_number: bool) -> str:
    """Attribute of a cell that holds a number."""
    return ' class="number"' if is_number else ""
