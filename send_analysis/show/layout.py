"""Layout of the house figures, in one pass: margins as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Tick, XAxis, YAxis
from matplotlib.layout_engine import TightLayoutEngine
from scipy.optimize import isotonic_regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABEL = "label"  # mark of a name at the end of a line
PAD = 0.4  # between what is drawn and the edge of the figure, in sizes of the type
BETWEEN = 1.2  # between panels, in the same unit
GAP = 2  # least distance between two names, in points
NEAR, FAR = 7, 16  # from the end of a line to its name, in points: beside it, or tied to it


class HouseLayout(TightLayoutEngine):
    """Matplotlib's tight layout, measured once, with the names at line ends put in their places.

    Names and ticks stand where the height of the axes lets them, and margins are as wide as these:
    names are placed before the margins are measured and after, which is done again if that has
    moved names away from their lines or changed the ticks.
    """

    def __init__(self) -> None:
        # With a rectangle matplotlib measures everything a second time.
        super().__init__(pad=PAD, h_pad=BETWEEN, w_pad=BETWEEN, rect=None)

    def execute(self, fig: Figure) -> None:
        """Lay the figure out."""
        before = _widths(fig)
        super().execute(fig)
        if _widths(fig) != before:
            super().execute(fig)
            _widths(fig)


class HouseAxes(Axes):
    """Axes whose ticks are copies of the first: to make one anew takes twenty times as long.

    Ticks and their labels are found once while axes are measured or drawn: nothing moves then.
    """

    def _init_axis(self) -> None:
        super()._init_axis()
        self.xaxis.__class__, self.yaxis.__class__ = _XAxis, _YAxis

    def get_tightbbox(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        with self.xaxis.still(), self.yaxis.still():
            return super().get_tightbbox(*args, **kwargs)

    def draw(self, renderer: Any) -> None:  # noqa: D102
        with self.xaxis.still(), self.yaxis.still():
            super().draw(renderer)


class _Copying:
    """An axis that copies its first tick, in place of making another and giving it its looks."""

    _found: dict[str, Any] | None = None

    @contextmanager
    def still(self) -> Iterator[None]:
        """Find ticks and labels once within the block."""
        self._found = {}
        try:
            yield
        finally:
            self._found = None

    def _update_ticks(self) -> list[Tick]:
        return self._once("ticks", super()._update_ticks)

    def _get_ticklabel_bboxes(self, ticks: list[Tick], renderer: Any) -> tuple[list, list]:
        return self._once("boxes", super()._get_ticklabel_bboxes, ticks, renderer)

    def _once(self, what: str, find: Callable[..., Any], *args: Any) -> Any:
        if self._found is None:
            return find(*args)
        if what not in self._found:
            self._found[what] = find(*args)
        return self._found[what]

    def _get_tick(self, major: bool) -> Tick:
        ticks = vars(self).get("majorTicks" if major else "minorTicks")
        return _copied(ticks[0]) if ticks else super()._get_tick(major)

    def _copy_tick_props(self, src: Tick, dest: Tick) -> None:
        """Leave a copy as it is."""


class _XAxis(_Copying, XAxis):
    pass


class _YAxis(_Copying, YAxis):
    pass


def _copied(tick: Tick) -> Tick:
    """Copy a tick with its lines and labels, so that each can be moved and changed alone."""
    new = copy(tick)
    for part in ("tick1line", "tick2line", "gridline", "label1", "label2"):
        setattr(new, part, copy(getattr(tick, part)))
    for label in (new.label1, new.label2):
        label.set_fontproperties(label.get_fontproperties().copy())
    return new


def _widths(fig: Figure) -> list[tuple]:
    """Place the names; return what the widths of margins follow from: their indents, and ticks."""
    return [(arrange(ax), *ax.yaxis.get_majorticklocs()) for ax in fig.axes]


def arrange(ax: Axes) -> float:
    """Move the names at line ends up or down until none stands on another.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes whose names are from `style.label_ends`.

    Returns
    -------
    float
        Distance of the names from the ends of their lines, in points; 0 without names.
    """
    names = [text for text in ax.texts if text.get_gid() == LABEL]
    if not names:
        return 0
    ax.get_xlim(), ax.get_ylim()  # brings limits up to date with the data
    ends = np.array([name.xy for name in names], dtype=float)
    heights = ax.transData.transform(ends)[:, 1] * 72 / ax.figure.dpi
    order = np.argsort(heights, kind="stable")
    room = np.array(
        [1.2 * names[i].get_size() * (names[i].get_text().count("\n") + 1) + GAP for i in order]
    )
    below = np.concatenate([[0], np.cumsum((room[1:] + room[:-1]) / 2)])
    places = isotonic_regression(heights[order] - below).x
    top = ax.bbox.y1 * 72 / ax.figure.dpi
    # None above the axes, where a panel has its title.
    places = np.minimum(places, top - room[-1] / 2 - below[-1])
    shifts = places + below - heights[order]
    moved = [abs(shift) > names[i].get_size() / 2 for i, shift in zip(order, shifts, strict=True)]
    indent = FAR if any(moved) else NEAR
    for i, shift, is_moved in zip(order, shifts, moved, strict=True):
        names[i].xyann = (indent, shift)
        names[i].arrowprops, names[i].arrow_patch = names[i].tie if is_moved else (None, None)
    return indent
