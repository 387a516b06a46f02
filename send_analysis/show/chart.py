"""A chart as a value: what it says, what it draws and how; drawn only when it is shown."""

from __future__ import annotations

import base64
import io
import pickle
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from send_analysis import reads
from send_analysis.errors import ParameterError
from send_analysis.show import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

LARGEST_SVG = 400_000  # bytes: above it (thousands of marks) a figure is a PNG at 200 dpi
MOST_PICTURES = 500  # kept of those that pages share: about 40 MB
SHORTEST_ALT = 40  # characters: less cannot say the chart's kind, its trend and a number


class Picture(NamedTuple):
    """A drawn chart: data URI, and size in CSS pixels."""

    uri: str
    width: int
    height: int


_kept: dict[bytes, Picture] = {}  # drawn before, by what is drawn


@dataclass(frozen=True, eq=False)
class Chart:
    """What a chart shows, in words and numbers, and how it is drawn.

    Parameters
    ----------
    title : str
        The finding, a sentence without a full stop.
    alt : str
        Alternative text, at least 40 characters: the kind of chart, what it shows, its main
        numbers. Not the title again.
    data : DataFrame
        The numbers that are drawn, as a result function returned them: it carries its sources.
    draw : callable
        Takes the axes (of several panels, an array of them) and draws; it computes nothing.
    subtitle : str
        Measure, unit, place and period.
    note : str
        How to read it, what is missing.
    source : str
        Where what is in no table is from, in words: a file that people may change, say.
    width, height : float
        Inches.
    panels : mapping
        Options of ``matplotlib.pyplot.subplots`` where there are several, e.g. ``{"ncols": 2}``.

    Raises
    ------
    ParameterError
        Without a title, or with alternative text that says too little.

    Examples
    --------
    >>> chart = charts.indexed(series.indexed("Bury"))
    >>> chart.data  # the frame
    >>> ax = chart.axes()  # drawn, yours to change
    """

    title: str
    alt: str
    data: pd.DataFrame
    draw: Callable[[Any], object]
    subtitle: str = ""
    note: str = ""
    source: str = ""
    width: float = style.WIDTH
    height: float = style.HEIGHT
    panels: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ParameterError("A chart needs a title that says what it shows.")
        if len(self.alt.strip()) < SHORTEST_ALT or self.alt.strip() == self.title:
            raise ParameterError(
                f"Alternative text {self.alt!r} of the chart {self.title!r} says too little: name "
                "the kind of chart, what it shows and its main numbers in "
                f"{SHORTEST_ALT} characters or more."
            )

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that the numbers are from."""
        return reads.of(self.data)

    @style.house
    def axes(self, ax: Axes | np.ndarray | None = None) -> Axes | np.ndarray:
        """Draw the chart with its title, on axes of its own or yours.

        Parameters
        ----------
        ax : Axes or array of Axes, optional
            As many as the chart has panels.

        Returns
        -------
        Axes or array of Axes
        """
        ax = _new(*self._size)[1] if ax is None else ax
        self.draw(ax)
        first = np.ravel(ax)[0]
        if self.panels:
            title = textwrap.fill(self.title, 50)
            first.figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        else:
            style.title(first, self.title, subtitle=self.subtitle)
        return ax

    def picture(self) -> Picture:
        """Draw the chart without its title, which a page sets as text.

        Two charts that draw the same are drawn once: many areas' pages share some.
        """
        try:
            content = pickle.dumps((self._size, _parts(self.draw)))
        except (pickle.PicklingError, AttributeError, TypeError):
            return self._drawn()
        _kept[content] = picture = _kept.pop(content, None) or self._drawn()  # the latest last
        if len(_kept) > MOST_PICTURES:
            del _kept[next(iter(_kept))]
        return picture

    def _ipython_display_(self) -> None:
        from send_analysis.show.page import show

        show(self)

    @property
    def _size(self) -> tuple:
        return self.width, self.height, tuple(sorted(self.panels.items()))

    @style.house
    def _drawn(self) -> Picture:
        from send_analysis.show.svg import svg

        figure, ax = pickle.loads(_empty(*self._size))
        self.draw(ax)
        width, height = (figure.get_size_inches() * 96).round().astype(int)
        content, kind = svg(figure), "svg+xml"
        if len(content) > LARGEST_SVG:
            file, kind = io.BytesIO(), "png"
            figure.savefig(file, format=kind, metadata={"Software": None})
            content = file.getvalue()
        uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        return Picture(uri, width, height)


def _new(width: float, height: float, panels: Iterable[tuple[str, Any]]) -> tuple[Drawing, Any]:
    """Make a figure with its axes."""
    import matplotlib.pyplot as plt

    from send_analysis.show.layout import HouseAxes

    size, kind = (width, height), {"axes_class": HouseAxes}
    return plt.subplots(figsize=size, layout=style.layout(), subplot_kw=kind, **dict(panels))


@cache
def _empty(*size: Any) -> bytes:
    """Return a new figure with its axes, pickled: to make one anew takes more than twice as long.

    Its canvas draws nothing: seaborn has each heat map drawn only to measure its labels.
    """
    import matplotlib.pyplot as plt

    made = _new(*size)
    plt.close(made[0])
    return pickle.dumps(made)


def _parts(draw: Callable[[Any], object]) -> tuple:
    """What a drawing depends on: its code, and the values that it holds."""
    held = [cell.cell_contents for cell in draw.__closure__ or ()]
    held = [_parts(one) if hasattr(one, "__closure__") else one for one in held]
    return draw.__module__, draw.__qualname__, draw.__defaults__, held


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
