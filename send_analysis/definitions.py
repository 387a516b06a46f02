"""What a figure counts, in the words of the descriptor: nobody words a figure by hand.

A table says what its figures count, and a category what each of its values means (``counts``,
``definitions`` and ``wording`` in ``cleaning/schemas.yml``). :func:`words` puts them together for
any selection of rows, and for the share of another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from send_analysis import tables

# Columns that say where and when, which who cites the figure adds.
PLACE = ("area", "area_code", "organisation_code", "nhs_level", "level")
TIME = ("year", "month")


def words(table: str, where: Mapping[str, Any] | None = None) -> str:
    """Say what the figures of some rows of a table count.

    Parameters
    ----------
    table : str
        A table that :func:`send_analysis.tables.catalogue` lists.
    where : mapping, optional
        Column to the value, or the values, that the rows have; where and when are passed over.

    Returns
    -------
    str
        E.g. ``EHC plans and statements in January, in special schools, independent``.

    Examples
    --------
    >>> words("requests", {"outcome": "all"})
    'requests for an assessment in the calendar year'
    """
    noun, rest = _parts(table, where or {})
    return ", ".join([noun, *rest.values()])


def share(
    table: str,
    where: Mapping[str, Any],
    of_table: str,
    of_where: Mapping[str, Any],
    *,
    per: float = 100,
    years_before: int = 0,
) -> str:
    """Say what a share is, and of what.

    Parameters
    ----------
    table, where
        Rows that are counted, as for :func:`words`.
    of_table, of_where
        Rows that they are a share of.
    per : float, default 100
        Of how many the share is: 100 for per cent.
    years_before : int, default 0
        By how many years the second is earlier.

    Returns
    -------
    str
        E.g. ``EHC plans issued in the calendar year, plans with a statutory exception left out:
        within 20 weeks of the request, per cent``.
    """
    noun, rest = _parts(table, where)
    unit = "per cent" if per == 100 else f"per {per:,.0f}"
    counted, whole = where.get("measure"), of_where.get("measure")
    if isinstance(whole, list) and counted in whole and len(whole) > 1:
        others = _parts(of_table, {**of_where, "measure": [m for m in whole if m != counted]})[0]
        return f"{noun}, {unit} of these and of {others}"
    of_noun, of_rest = _parts(of_table, of_where)
    if noun == of_noun and not years_before:
        own = [text for column, text in rest.items() if of_rest.get(column) != text]
        if own:
            return f"{', '.join([noun, *of_rest.values()])}: {', '.join(own)}, {unit}"
    before = f", {_years(years_before)} before" if years_before else ""
    whole = ", ".join([of_noun, *of_rest.values()])
    return f"{', '.join([noun, *rest.values()])}, {unit} of {whole}{before}"


def _years(number: int) -> str:
    """Write a number of years."""
    return "the year" if number == 1 else f"{number} years"


def _parts(table: str, where: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What the rows count, and what each of their categories adds to it."""
    key = json.dumps([table, dict(where)], default=str, sort_keys=True)
    noun, rest = _remembered(key)
    return noun, dict(rest)


@tables.remembered
def _remembered(key: str) -> tuple[str, dict[str, str]]:
    """Words of :func:`_parts`, by its arguments as JSON."""
    table, where = json.loads(key)
    entry = tables.resource(table)
    noun, rest = entry.get("counts", entry["title"]), {}
    for field in entry["schema"]["fields"]:
        column = field["name"]
        if column not in where or column in PLACE or column in TIME:
            continue
        said = _said(table, field, where[column])
        if column == "measure":
            noun = said
        elif said:
            rest[column] = said
    return noun, rest


def _said(table: str, field: dict[str, Any], wanted: Any) -> str:
    """What the wanted values of one column mean."""
    chosen = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    known = field.get("definitions", {})
    if len(chosen) > 1 and "parts" in known:
        whole = {name for name, text in known.items() if not text}
        if set(chosen) == set(field["constraints"]["enum"]) - whole - set(field.get("within", {})):
            return known["parts"]
    form = field.get("wording", field["name"].replace("_", " ") + " {}")
    if field["type"] == "integer" and len(chosen) > 1:
        numbers = pd.Series(chosen).astype(int).sort_values()
        if (numbers.diff().dropna() == 1).all():
            return form.format(f"{numbers.iloc[0]} to {numbers.iloc[-1]}")
    plain = [one for one in chosen if one not in known]
    said = [text for one in chosen if (text := known.get(one))]
    return _either([*said, *([form.format(_either(plain))] if plain else [])])


def _either(texts: list[str]) -> str:
    """Join texts by commas and "or"; what they begin with alike is said once."""
    if len(texts) < 2:
        return "".join(texts)
    first = texts[0].split(" ")[0]
    if all(text.startswith(f"{first} ") for text in texts):
        texts = [texts[0], *(text.removeprefix(f"{first} ") for text in texts[1:])]
    return f"{', '.join(texts[:-1])} or {texts[-1]}"
