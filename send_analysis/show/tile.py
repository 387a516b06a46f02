"""What the first page of an area is made of: figures that say what they mean, small charts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from send_analysis.show.chart import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 3.7, 2.9  # inches
MOST_TICKS = 5  # years that a chart so narrow can name


class Figure(NamedTuple):
    """The number of a tile, for the index of all areas.

    Parameters
    ----------
    name : str
        What the index calls it.
    number : float, optional
        Missing where the tile says why there is none.
    tables : tuple of str
        Tables that it was made from.
    """

    name: str
    number: float | None = None
    tables: tuple[str, ...] = ()


class Tile(NamedTuple):
    """One figure that answers "so what" in a sentence.

    Parameters
    ----------
    label : str
        What the figure is, with its date.
    value : str
        The figure, as it is printed.
    words : str
        One sentence that it is read with: compared with what, out of how many, how sure.
    figure : Figure, optional
        Its number, where the index of all areas has it.
    """

    label: str
    value: str
    words: str
    figure: Figure | None = None


def small(chart: Chart, width: float = WIDTH, height: float = HEIGHT) -> Chart:
    """Return a chart at the size that stands among figures.

    Parameters
    ----------
    chart : Chart
    width, height : float
        Inches.
    """

    def draw(ax: Axes) -> None:
        chart.draw(ax)
        ticks = ax.get_xticks()
        if len(ticks) > MOST_TICKS:
            ax.set_xticks(ticks[::2])

    return replace(chart, draw=draw, width=width, height=height)
