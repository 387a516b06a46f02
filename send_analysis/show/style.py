"""The house style of figures: type, colours, titles that say the finding, labels at line ends.

A chart draws lines coloured by role from `ROLES`, names them with `label_ends` and sets rows of
named things with `across`; `Chart` draws it in this style, whatever the session's.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from cycler import cycler

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.layout_engine import LayoutEngine
    from matplotlib.lines import Line2D

P = ParamSpec("P")
R = TypeVar("R")

# Government Analysis Function, "Data visualisation: colours in charts", categorical palette in its
# order. Contrast with white, computed: 10.3, 3.2, 9.8, 3.0, 10.9, 3.1; so marks may have any of
# them, and text only what `ink` returns.
PALETTE = ("#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1")

TEXT = "#1D2329"
MUTED_TEXT = "#505A5F"  # 7:1 on white
RULE = "#8C8C8C"  # 3.4:1 on white: the palest grey for a mark that carries meaning
GRID = "#D9DDE1"  # only a guide for the eye, may be paler

BREAK = "break"  # gid of what marks a break in a series

# Inches. One drawing serves every screen: across the 360 px of a phone type of 10 points is 9 px
# high, and in the text column of a wide screen it is as high as the text.
WIDTH = 5.5
HEIGHT = 4.2

RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same picture everywhere
    "font.size": 10,
    "text.color": TEXT,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titlecolor": TEXT,
    "axes.labelsize": 10,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "xtick.labelcolor": TEXT,
    "xtick.labelsize": 10,
    "ytick.color": RULE,
    "ytick.labelcolor": TEXT,
    "ytick.labelsize": 10,
    "ytick.major.size": 0,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    "patch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.facecolor": "white",
    "figure.dpi": 96,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "send_analysis",
}

# A word that stands where lines run: they end at it, and do not strike it through.
CLEAR: dict[str, Any] = {
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1},
    "zorder": 7,
}

# How a line is drawn by the part it plays, never by colour alone: weight and dashes differ too.
ROLES: dict[str, dict[str, Any]] = {
    "area": {"color": PALETTE[0], "linewidth": 3, "zorder": 5},
    "england": {"color": PALETTE[3], "linewidth": 2.2, "zorder": 4},
    "region": {"color": PALETTE[2], "linewidth": 1.8, "linestyle": (0, (5, 2)), "zorder": 3},
    "neighbours": {"color": RULE, "linewidth": 1, "zorder": 2},
    "others": {"color": GRID, "linewidth": 0.7, "zorder": 1},
}


def use() -> None:
    """Set the house style as seaborn's theme, and matplotlib's, for charts of your own."""
    import seaborn as sns

    sns.set_theme(style="white", palette=list(PALETTE), rc=RC)


def house(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a figure function so that it draws in the house style, whatever the session's."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl

        with mpl.rc_context(RC):
            return draw(*args, **kwargs)

    return styled


def layout() -> LayoutEngine:
    """Return a layout for a new figure: one pass, and names at line ends placed in it.

    Returns
    -------
    matplotlib.layout_engine.LayoutEngine
        For ``plt.subplots(..., layout=layout())``.

    Notes
    -----
    Measuring ticks and texts takes longer than drawing them; matplotlib's own layouts do it twice
    and again for every call of `label_ends`.
    """
    from send_analysis.show.layout import HouseLayout

    return HouseLayout()


def title(ax: Axes, finding: str, *, subtitle: str | None = None, width: int = 50) -> None:
    """Put the finding above the axes, left aligned, and below it what is measured.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    finding : str
        A sentence that says what the figure shows, without a full stop.
    subtitle : str, optional
        Measure, unit, place and period.
    width : int
        Characters a line of the title may hold (50 fill the house width).

    Notes
    -----
    On a page both are set as text, and not drawn.
    """
    lines = len(textwrap.wrap(subtitle, width + 12)) if subtitle else 0
    text = ax.set_title(textwrap.fill(finding, width), loc="left", pad=10 + 14 * lines)
    text.set_gid("title")
    if subtitle:
        ax.annotate(
            textwrap.fill(subtitle, width + 12), (0, 1), xycoords="axes fraction", xytext=(0, 8),
            textcoords="offset points", ha="left", va="bottom", color=MUTED_TEXT, gid="subtitle",
        )  # fmt: skip


def across(ax: Axes, names: Iterable[str]) -> None:
    """Set axes whose rows are named things: a name a row, guides along what is measured.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : iterable of str
        From the lowest row, which is drawn at nought, to the highest.
    """
    from matplotlib.ticker import MaxNLocator

    names = list(names)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.set_major_locator(MaxNLocator(4))  # names leave half of the width
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:,.10g}".replace("-", "−"))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID)


def counts_by_year(ax: Axes, years: pd.Series) -> None:
    """Set axes of counts over years: from zero, written with commas, whole years marked.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    years : Series of int
        Those drawn.
    """
    from matplotlib.ticker import StrMethodFormatter

    span = np.arange(years.min(), years.max() + 1)
    ax.set_xticks(span[:: -(-len(span) // 7)])
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylim(bottom=0)


def from_here(ax: Axes, year: int, words: str) -> None:
    """Mark the year from which a forecast is something else than before it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    year : int
        The last one before it.
    words : str
        What it is from there.
    """
    ax.axvline(year, color=RULE, lw=0.8)
    ax.text(year, 0.02, f" {words} from here", transform=ax.get_xaxis_transform(), color=MUTED_TEXT)


def broken_line(ax: Axes, x: Any, y: Any, caveat: Any, **look: Any) -> None:
    """Draw a line that leaves out each step its values do not compare across; dots lead over it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : array of float
        Years and values.
    caveat : array of str
        Why a value does not compare with the one before it; empty where it does.
    **look
        As for `ax.plot`; the dots have its colour.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    steps = np.flatnonzero(np.asarray(caveat) != "")
    steps = steps[steps > 0]
    # A value that is no number parts the line; one that stands alone is drawn as a point.
    place = np.arange(len(x))
    alone = np.isin(place, [0, *steps]) & np.isin(place + 1, [*steps, len(x)])
    ax.plot(np.insert(x, steps, x[steps]), np.insert(y, steps, np.nan), **look)
    rest = {key: look[key] for key in ("color", "alpha", "zorder") if key in look}
    rest |= {"label": "_", "gid": BREAK}
    for step in steps:
        ax.plot(x[step - 1 : step + 1], y[step - 1 : step + 1], ls=":", lw=1.2, **rest)
    if alone.any():
        ax.plot(x[alone], y[alone], "o", ms=4, **rest)


def mark_breaks(ax: Axes, frame: pd.DataFrame) -> None:
    """Mark with a dotted rule where every line breaks.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    frame : DataFrame
        ``area, year, caveat``, as the results of :mod:`send_analysis.growth` have
        them: a break of one area's series is drawn in its line alone.
    """
    later = frame[frame["year"] > frame["year"].min()]
    broken = (later["caveat"] != "").groupby(later["year"]).agg(["all", "size"])
    for year in broken.index[broken["all"] & (broken["size"] > 1)]:
        ax.axvline(year - 0.5, color=RULE, lw=1, ls=":", zorder=0, gid=BREAK)


def contrast(colour: str, background: str = "#FFFFFF") -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it.

    Parameters
    ----------
    colour, background : str
        Any colour that matplotlib knows.

    References
    ----------
    W3C, Web Content Accessibility Guidelines 2.2, "relative luminance" and "contrast ratio".
    """
    from matplotlib.colors import to_rgb

    channels = np.array([to_rgb(colour), to_rgb(background)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    low, high = np.sort(linear @ (0.2126, 0.7152, 0.0722))
    return float((high + 0.05) / (low + 0.05))


def ink(colour: str, *, background: str = "#FFFFFF", ratio: float = 4.5) -> str:
    """Darken a colour until text in it can be read on the background.

    Parameters
    ----------
    colour, background : str
        Any colour that matplotlib knows.
    ratio : float
        Contrast to reach; 4.5 is WCAG 2.2's level AA for text.

    Returns
    -------
    str
        Hexadecimal colour: `colour` itself where it is dark enough.
    """
    from matplotlib.colors import to_hex, to_rgb

    shades = np.array(to_rgb(colour)) * np.linspace(1, 0, 51)[:, np.newaxis]
    return next(
        code
        for code in map(to_hex, shades)
        if contrast(code, background) >= ratio or code == "#000000"
    )


def label_ends(
    ax: Axes,
    *,
    lines: Iterable[Line2D] | None = None,
    labels: dict[str, str] | None = None,
    size: float = 10,
) -> None:
    """Name each line at its right-hand end; names that would overlap are moved apart.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes; where it is not in the house `layout`, with its limits and scale set.
    lines : iterable of Line2D, optional
        Lines to name; by default every line with a label (`ax.plot(..., label="Bury")`).
    labels : dict of str to str, optional
        Text to write in place of a line's label, e.g. ``{"Bury": "Bury 2,686"}``.
    size : float
        Size of type, in points.

    Notes
    -----
    The positions are those with the least sum of squared shifts that keep the names' order and
    distance: an isotonic regression of the ends less the room that the names below need. A name
    that had to move is tied to its line with a thin rule. Nothing is drawn for an empty line.
    """
    from send_analysis.show.layout import LABEL, HouseLayout, arrange

    named = [
        line
        for line in (ax.get_lines() if lines is None else lines)
        if not str(line.get_label()).startswith("_") and np.isfinite(line.get_ydata()).any()
    ]
    for line in named:
        name = ax.annotate(
            _broken((labels or {}).get(line.get_label(), line.get_label()), size),
            _last_point(line),
            xytext=(0, 0), textcoords="offset points", va="center", ha="left", fontsize=size,
            color=ink(line.get_color()), annotation_clip=False, gid=LABEL,
            fontweight="bold" if line.get_linewidth() >= 3 else "normal",
            # From beside the name, uncut: to find where it leaves the name costs more than to draw.
            arrowprops={"arrowstyle": "-", "color": line.get_color(), "linewidth": 0.8,
                        "shrinkA": 0, "shrinkB": 0, "patchA": None, "relpos": (-0.04, 0.5)},
        )  # fmt: skip
        name.tie = name.arrowprops, name.arrow_patch  # for a name that moves; hidden, it costs
    if not isinstance(ax.figure.get_layout_engine(), HouseLayout):
        ax.figure.draw_without_rendering()  # the shifts depend on the height
        arrange(ax)


def _broken(name: str, size: float) -> str:
    """Break a long name into lines, that it leaves room for what it names."""
    return name if "\n" in name else textwrap.fill(name, 18 if size > 8 else 13)


def _last_point(line: Line2D) -> tuple[float, float]:
    """Last point of a line that is not missing."""
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    last = np.flatnonzero(np.isfinite(y))[-1]
    return x[last], y[last]
