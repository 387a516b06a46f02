"""One sheet of an NHS waiting-list workbook to cells, whichever layout the month has.

What a sheet may look like is written in ``nhs_waits.yml``. The first months have no headings over
the organisations: their level stands once, in a merged cell down the side. Later months print
level and name, then level, code and name. Anything else is refused, with the place where it
differs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from send_analysis.cleaning import layout, reading
from send_analysis.errors import DataError

Sheet = tuple[list[list[Any]], list[tuple[tuple[int, int], tuple[int, int]]]]
"""Rows of a sheet, and its merged cells as (first cell, last cell), counted from 0."""
_SERVICE_LABEL = re.compile(r"\((A|CYP)\) (.+)", re.DOTALL)


def rules() -> dict[str, Any]:
    """Return `nhs_waits.yml`."""
    return layout.rules("nhs_waits.yml")


def read_sheets(root: Path, path: str) -> dict[str, Sheet]:
    """Open a workbook as plain rows and merged cells.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    path : str
        Workbook below `root`; one whose drawing part is missing opens as well.

    Returns
    -------
    dict
        Sheet name to (rows, merged cells).

    Raises
    ------
    DataError
        If the file is absent or is no workbook.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    content, where = reading.read_bytes(root, path)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {name: workbook.get_sheet_by_name(name) for name in workbook.sheet_names}
        return {
            name: (sheet.to_python(skip_empty_area=False), list(sheet.merged_cell_ranges or []))
            for name, sheet in sheets.items()
        }
    except CalamineError as error:
        raise DataError(f"not a workbook ({error}); fetch it again", file=where) from None


def bands(sheets: Iterable[str]) -> dict[str, dict[str, str]]:
    """Sheets of bands that a workbook of these sheets has: the last band may be split in two.

    Parameters
    ----------
    sheets : iterable of str
        Names.

    Returns
    -------
    dict
        Sheet name to ``band`` and words of its ``title``, as in nhs_waits.yml.
    """
    split = rules()["bands_split"]
    return rules()["bands"] | (split if set(split) <= set(sheets) else {})


def title(rows: list[list[Any]]) -> str:
    """Return the first text of a sheet."""
    return next((str(x).strip() for row in rows[:3] for x in row if str(x).strip()), "")


def read_band(sheet: Sheet, *, name: str, expected: str, source: str) -> pd.DataFrame:
    """Read the cells of one sheet.

    Parameters
    ----------
    sheet : tuple
        Rows and merged cells.
    name : str
        Sheet name.
    expected : str
        What the title must hold, in small letters and without ">".
    source : str
        File, for errors.

    Returns
    -------
    DataFrame
        ``level, organisation_code`` (empty where none is printed), ``organisation, age_group,
        service, waiting`` (Int64), ``missing``.

    Raises
    ------
    DataError
        If title, labels, service lines or a cell are not as nhs_waits.yml says.
    """
    rows, merged = sheet
    where = f"{source}, sheet {name!r}"
    if expected not in title(rows).casefold().replace(">", ""):
        raise DataError(
            f"the title is {title(rows)!r}, expected {expected!r} in it. If the bands were moved "
            "to other sheets, say so in nhs_waits.yml",
            file=where,
        )
    head, first = _find_header(rows, where)
    services = _services(rows[head][first:], where, head, first)
    names = _organisations(rows, merged, head, first, where)
    names = names[names["organisation"] != ""]
    block = [rows[i][first : first + len(services)] for i in names.index]
    waiting, missing = _counts(block, names.index.to_numpy(), first, where)
    lines = pd.DataFrame(services, columns=["age_group", "service"])
    tall = names.loc[names.index.repeat(len(lines))].reset_index(drop=True)
    wide = lines.loc[np.tile(lines.index, len(names))].reset_index(drop=True)
    return pd.concat([tall, wide], axis=1).assign(
        waiting=pd.array(waiting.ravel(), dtype="Float64").astype("Int64"),
        missing=missing.ravel(),
    )


def _find_header(rows: list[list[Any]], where: str) -> tuple[int, int]:
    """Find the row with the service lines, and the column of the first."""
    for i, row in enumerate(rows):
        columns = [j for j, x in enumerate(row) if _SERVICE_LABEL.match(str(x))]
        if len(columns) > 1:
            return i, columns[0]
    raise DataError(
        "no row with service lines such as '(CYP) Audiology'; the first rows are "
        f"{[title([row]) for row in rows[:6]]}",
        file=where,
    )


def service_line(label: Any) -> tuple[str, str] | None:
    """Return age group and service of a label such as "(CYP) Audiology", None if unknown."""
    match = _SERVICE_LABEL.match(str(label).strip())
    if not match:
        return None
    group = rules()["age_groups"][match[1]]
    return _known_services().get((group, " ".join(match[2].split()).casefold()))


@cache
def _known_services() -> dict[tuple[str, str], tuple[str, str]]:
    """Known service lines by age group and name in small letters."""
    return {
        (group, service.casefold()): (group, service)
        for group, services in rules()["services"].items()
        for service in services
    }


def _services(labels: list[Any], where: str, head: int, first: int) -> list[tuple[str, str]]:
    """Read the service lines; each known one must be there once and no other."""
    found: list[tuple[str, str]] = []
    for offset, label in enumerate(labels):
        line = service_line(label)
        if line is None or line in found:
            problem = "is not a known service line" if line is None else "stands there twice"
            raise DataError(
                f"{label!r} {problem}. If the publisher changed its service lines, say so in "
                "nhs_waits.yml",
                file=where,
                column=_letters(first + offset),
                row=head + 1,
            )
        found.append(line)
    absent = [
        f"({group}) {name}"
        for group, name in _known_services().values()
        if (group, name) not in found
    ]
    if absent:
        raise DataError(f"no column for {', '.join(absent)}", file=where, row=head + 1)
    return found


def _organisations(
    rows: list[list[Any]], merged: list, head: int, first: int, where: str
) -> pd.DataFrame:
    """Read level, code and name of each row below the header; the index is the row, from 0."""
    labels = [str(x).strip() for x in rows[head][:first]]
    layouts = rules()["layouts"].values()
    layout = next((known for known in layouts if labels in known["labels"]), None)
    if layout is None:
        seen = " or ".join(str(option) for known in layouts for option in known["labels"])
        raise DataError(
            f"the label columns are {labels}, a layout not seen before; known are {seen}. "
            "Describe it in nhs_waits.yml",
            file=where,
            row=head + 1,
        )
    body = list(range(head + 1, len(rows)))

    def column(key: str) -> list[str]:
        return [" ".join(str(rows[i][layout[key]]).split()) if key in layout else "" for i in body]

    frame = pd.DataFrame(
        {
            "level": column("level"),
            "organisation_code": column("code"),
            "organisation": column("name"),
        },
        index=body,
    )
    if layout.get("merged"):
        # The level is written once, in the top cell of a merged block; England has none.
        for (top, left), (bottom, _) in merged:
            if left == layout["level"] and top > head:
                frame.loc[top:bottom, "level"] = str(rows[top][left]).strip()
        frame.loc[(frame["level"] == "") & (frame["organisation"] == "England"), "level"] = (
            "National"
        )
    known = frame["level"].map(rules()["levels"])
    # Below the last organisation there may be notes: text in the label columns, nothing beside.
    end = known.last_valid_index()
    silent = pd.Series([not any(str(x).strip() for x in rows[i][first:]) for i in body], index=body)
    note = silent & known.isna() & (frame.index > (end if end is not None else -1))
    named = (frame["organisation"] != "") & ~note
    wrong = named & known.isna()
    if wrong.any():
        at = wrong.idxmax()
        raise DataError(
            f"{frame.at[at, 'organisation']!r} has level {frame.at[at, 'level']!r}; known are "
            f"{', '.join(rules()['levels'])}",
            file=where,
            row=at + 1,
        )
    return frame.assign(level=known)[named]


def _counts(
    block: list[list[Any]], at: np.ndarray, first: int, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Split cells into numbers (NaN where there is none) and reasons for the missing ones."""
    raw = np.array(block, dtype=object)
    text = np.array([[_text(x) for x in row] for row in block])
    is_number = text == "#"
    waiting = np.where(is_number, raw, np.nan).astype(float)
    wrong = {
        "is negative": waiting < 0,
        "is not a whole number": is_number & (waiting % 1 != 0),
        "is neither a count, a star nor a blank": ~is_number & ~np.isin(text, ["", "*"]),
    }
    for problem, mask in wrong.items():
        if mask.any():
            i, j = np.argwhere(mask)[0]
            raise DataError(
                f"{raw[i, j]!r} {problem}; a number waiting is a whole number, 0 or more. Compare "
                "with the published workbook",
                file=where,
                column=_letters(first + int(j)),
                row=int(at[i]) + 1,
            )
    return waiting, np.select([is_number, text == "*"], ["", "suppressed"], "not_returned")


def _text(cell: Any) -> str:
    """Text of a cell; ``#`` where it holds a number."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return "#"
    return str(cell).strip()


def _letters(column: int) -> str:
    """Name a column as a spreadsheet does, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
