"""What a figure counts, in the words of the descriptor, and figures written with their units.

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
from send_analysis.errors import either

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
        said = _said(field, where[column])
        if column == "measure":
            noun = said
        elif said:
            rest[column] = said
    return noun, rest


def _said(field: dict[str, Any], wanted: Any) -> str:
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
    first = texts[0].split(" ")[0] if texts else ""
    if all(text.startswith(f"{first} ") for text in texts):
        texts = [*texts[:1], *(text.removeprefix(f"{first} ") for text in texts[1:])]
    return either(texts)


THRESHOLDS = {"above": "more than", "at least": "at least", "below": "less than"}


def number(value: float) -> str:
    """Write a number with separators, a whole one and one from 1,000 on without decimals."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}".removesuffix(".0")


def written(value: float, unit: str) -> str:
    """Write a figure with its unit as people do.

    Parameters
    ----------
    value : float
    unit : str
        ``per cent`` and what it is of, ``place`` and among which, ``grade``, or what is counted.

    Returns
    -------
    str
        "66.1 %", "place 4", "1,233 plans", "£1.4 million".
    """
    if unit.startswith("per cent"):
        return f"{bare(value, unit)} %{unit.removeprefix('per cent')}"
    if unit.startswith(("place", "grade")):
        return f"{unit[:5]} {value:.0f}"
    if unit == "year":
        return f"{value:.0f}"
    if unit.startswith("£"):
        return f"£{bare(value, unit)} {unit[1:].strip()}".strip()
    return f"{bare(value, unit)} {unit}".strip()


def claimed(value: float | None, compare: str, unit: str) -> str:
    """Write what was claimed: a figure, a threshold as the threshold that it is, a direction.

    Parameters
    ----------
    value : float or None
    compare, unit : str
        As the claim has them.

    Returns
    -------
    str
        "85 %", "more than 50 %", "a rise"; a dash where no figure was named.
    """
    if compare in {"rise", "fall"}:
        return f"a {compare}"
    if value is None or pd.isna(value):
        return "–"
    return f"{THRESHOLDS.get(compare, '')} {written(value, unit)}".strip()


def bare(value: float, unit: str) -> str:
    """Write a figure without its unit: a percentage that is not whole with one decimal."""
    broken = unit.startswith("per cent") and not float(value).is_integer()
    return (f"{value:,.1f}" if broken else number(value)).replace("-", "−")


def apart(difference: float, unit: str, *, sign: str = "+") -> str:
    """Write how far two figures are apart: points of a percentage, places, or numbers."""
    small = abs(difference) < 0.05
    shown = ("less than 0.1" if difference else "0") if small else f"{difference:{sign},.1f}"
    shown = shown.removesuffix(".0").replace("-", "−")
    if unit.startswith("per cent"):
        return f"{shown} {'point' if shown in {'1', '+1', '−1'} else 'points'}"
    return shown
