"""Figures, official and claimed, written out with their units."""

from __future__ import annotations

import pandas as pd

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
