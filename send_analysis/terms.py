"""What each column of a result is called where people read it, how it is written, what it holds.

One registry, ``terms.csv``, a line a column: a column has one heading, format and meaning wherever
it is shown. A column without a heading there is headed by its name, one without a format written
with as many decimals as its size needs. What a column means that stands in a published table under
the same name is told by the table's own description, and is not repeated.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

YEARS = r"year|january|origin|horizon|^(start|end|opens|from|to)$"  # columns that hold years
DECIMALS = ((1000, ",.0f"), (10, ",.1f"), (1, ",.2f"), (0, ",.3f"))  # from a value's size on


class Term(NamedTuple):
    """A column of results.

    Attributes
    ----------
    heading : str
        Empty where it is the column's name in words.
    form : str
        Format specification of its values.
    key : int
        Of what people come to a table for: its place among the columns that a phone shows before
        others, from 1; else 0.
    meaning : str
        What it holds, with its unit, in a line.
    """

    heading: str = ""
    form: str = ""
    key: int = 0
    meaning: str = ""


TERMS = {
    row["column"]: Term(row["heading"], row["format"], int(row["key"] or 0), row["meaning"])
    for row in csv.DictReader(
        Path(__file__).with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    )
}
MONTH = re.compile(r"^(?:to )?[A-Z][a-z]+ \d{4}$")
NOUGHT = re.compile(r"^[+-](?=0(?:\.0+)?$)")  # the sign of "-0.0"
YES_NO = {"True": "yes", "False": "no"}
# Ends of an interval of the column before them: ``ratio_low``, ``places_high_80``.
ENDS = re.compile(r"^(?:(?P<of>.+)_)?(?P<end>low|high)(?:_(?P<level>\d+))?$")


def heading(name: str) -> str:
    """Return the heading of a column.

    Parameters
    ----------
    name : str
        Of a column of a result.

    Returns
    -------
    str
        Of its term, or its name in words, with a capital.
    """
    known = TERMS.get(name, Term()).heading
    if known:
        return known
    words = re.sub(
        r"\b(ehc|nhs|sen|send)\b", lambda found: found[0].upper(), name.replace("_", " ").strip()
    )
    end = ENDS.match(name)
    if end:
        level = f"{end['level']} % range" if end["level"] else "range"
        words = (
            f"{heading(end['of'])}, {level}, {end['end']}"
            if end["of"]
            else f"{level}, {end['end']}"
        )
    return words[:1].upper() + words[1:]


def meaning(name: str, described: Mapping[str, str]) -> str:
    """Say what a column holds, beyond its heading.

    Parameters
    ----------
    name : str
        Of the column; the ends of an interval are told by what they are ends of.
    described : mapping of str to str
        Columns of the tables that the result was made from, as these describe them.

    Returns
    -------
    str
        Empty where nothing is known beyond the heading.
    """
    found = TERMS.get(name, Term()).meaning or described.get(name)
    if found:
        return found
    end = ENDS.match(name)
    if end:
        level = f"{end['level']} per cent range" if end["level"] else "range"
        of = "what is forecast or estimated"
        if end["of"]:
            of = meaning(end["of"], described) or f"“{heading(end['of'])}”"
        return f"{'lower' if end['end'] == 'low' else 'upper'} end of the {level} of {of}"
    if MONTH.match(name):
        return "figure of that month, or of the twelve months to it"
    return "as the return heads it" if name[:1].isupper() else ""


def form(column: pd.Series, name: str) -> str:
    """Return the format specification of a column: that of its term, or what its values need.

    Parameters
    ----------
    column : Series
        Values.
    name : str

    Returns
    -------
    str
        E.g. ``",.0f"``; an interval's ends are written as what they are ends of.
    """
    if column.dtype == object:
        column = column.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "%B %Y" if name == "month" else "%d %B %Y"
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return ""
    end = ENDS.match(name)
    for known in (name, end["of"] if end else None):
        if found := TERMS.get(known, Term()).form:
            return found
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = np.abs(values[~np.isnan(values)])
    whole = bool((values == values.round()).all())
    is_year = whole and len(values) > 0 and values.min() >= 1900 and values.max() <= 2100
    if is_year and re.search(YEARS, name, re.IGNORECASE):
        return ".0f"
    if whole:
        return ",.0f"
    # As many decimals as tell values of this size apart: .275 and .25 are not both "0.3".
    most = values.max()
    return next(form for above, form in DECIMALS if most >= above)


def texts(column: pd.Series, name: str) -> list[str]:
    """Write the values of a column as they are read; "n/a" where one is missing.

    What rounds to nought has no sign, and what is true or false is "yes" or "no".
    """
    spec = form(column, name)
    return [
        "n/a" if missing else NOUGHT.sub("", YES_NO.get(text := format(value, spec), text))
        for value, missing in zip(column, pd.isna(column.array), strict=True)
    ]
