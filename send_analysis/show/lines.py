"""Line charts of an area beside England, its region and its neighbours: every chapter has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis.show.style import (
    BREAK,
    ROLES,
    RULE,
    broken_line,
    label_ends,
    mark_breaks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = ("neighbours", "region", "england", "area")


def draw(ax: Axes, frame: pd.DataFrame, value: str, *, mark: bool = True) -> None:
    """Draw one line an area by the part it plays, named at its end; neighbours share one name.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    frame : DataFrame
        ``area, role, year, caveat`` and the column `value`.
    value : str
    mark : bool, default True
        Mark where every line breaks.
    """
    for role in ORDER:
        for name, one in frame[frame["role"] == role].groupby("area", sort=False):
            values = one[value].astype(float)
            broken_line(ax, one["year"], values, one["caveat"], label=name, **ROLES[role])
    if mark:
        mark_breaks(ax, frame)
    years = np.arange(frame["year"].min(), frame["year"].max() + 1)
    ax.set_xticks(years[:: -(-len(years) // 8)])
    ax.set_xlim(years[0], years[-1])


def drawing(
    frame: pd.DataFrame, value: str, *, y: str, x: str = "January", bottom: float | None = 0
) -> Callable[[Axes], None]:
    """Return what draws a whole chart of such lines: :func:`draw`, axes with units, names.

    Parameters
    ----------
    frame, value
        As in :func:`draw`.
    y, x : str
        What the axes count.
    bottom : float, optional
        Where the axis begins; above nought by itself if None.
    """

    def lines(ax: Axes) -> None:
        draw(ax, frame, value)
        ax.set_ylim(bottom=bottom)
        ax.set_ylabel(y)
        ax.set_xlabel(x)
        name(ax)

    return lines


def name(ax: Axes) -> None:
    """Name the lines at their ends, all neighbours once, at the end of the middle one."""
    from matplotlib.lines import Line2D

    lines = [it for it in ax.get_lines() if isinstance(it, Line2D) and it.get_gid() != BREAK]
    grey = [line for line in lines if line.get_color() == RULE]
    if grey:
        middle = sorted(grey, key=lambda line: line.get_ydata()[-1])[len(grey) // 2]
        for line in grey:
            line.set_label("neighbours" if line is middle else "_")
    label_ends(ax, lines=lines)


def neighbours(frame: pd.DataFrame) -> str:
    """Say which areas the neighbours are, whose lines share one name.

    Parameters
    ----------
    frame : DataFrame
        As `draw` takes it.

    Returns
    -------
    str
        A sentence for the note of the chart; empty where none is drawn.
    """
    last = frame[frame["role"] == "neighbours"].groupby("area")["year"].max()
    if last.empty:
        return ""
    early = [f"{name} in {year}" for name, year in last.items() if year < frame["year"].max()]
    why = "after which its series breaks, or its figure is flagged or missing"
    apart = "; " if last.index.str.contains(", | and ").any() else ", "
    ends = f"; {', '.join(early)}, {why}" if early else ""
    return f"Grey: the statistical neighbours {apart.join(last.index)}{ends}."


def at(frame: pd.DataFrame, role: str, column: str, year: int) -> float:
    """Value of the area that plays a role, in one year; not a number where there is none."""
    rows = frame[(frame["role"] == role) & (frame["year"] == year)]
    values = rows[column].to_numpy(dtype=float, na_value=np.nan)
    return float(values[0]) if len(values) else float("nan")


def last(frame: pd.DataFrame) -> int:
    """Last year that the area itself has a figure for; that of all if it has none."""
    own = frame.loc[frame["role"] == "area", "year"]
    return int((own if len(own) else frame["year"]).max())


def told(frame: pd.DataFrame, column: str, form: str, what: str) -> str:
    """Alternative text of the chart: where each line begins and ends.

    Parameters
    ----------
    frame : DataFrame
        As `draw` takes it.
    column, form : str
        What is drawn, and the format of its values.
    what : str
        Measure and unit.
    """
    words = "".join(_span(frame, role, column, form) for role in ("area", "england", "region"))
    others = frame[frame["role"] == "neighbours"].dropna(subset=column)
    if len(others):
        end, count = others["year"].max(), others["area"].nunique()
        ends = others.loc[others["year"] == end, column].astype(float)
        words += (
            ("The " if len(ends) == count else f"{len(ends)} of the ")
            + f"{count} statistical neighbours end in {end} between {ends.min():{form}} and "
            f"{ends.max():{form}}."
        )
    dots = " Dotted steps cross a break in the series." if (frame["caveat"] != "").any() else ""
    return f"Line chart of {what}. {words}".strip() + dots


def _span(frame: pd.DataFrame, role: str, column: str, form: str) -> str:
    """Say where one area's line begins and ends; empty if it is not drawn."""
    rows = frame[frame["role"] == role].dropna(subset=column)
    if rows.empty:
        return ""
    start, end = rows.iloc[0], rows.iloc[-1]
    if len(rows) == 1:
        return f"{end['area']} has {end[column]:{form}} in {end['year']} alone. "
    return (
        f"{start['area']} goes from {start[column]:{form}} in {start['year']} to "
        f"{end[column]:{form}} in {end['year']}. "
    )
