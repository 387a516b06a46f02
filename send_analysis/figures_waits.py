"""Figures of the waiting-list chapter: each draws a result table and computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY, DARK = "#12436D", "#A35200", "#6E6E6E", "#3D3D3D"
"""Dark blue and a dark orange of the Government Analysis Function's palette and two greys:
each has a contrast of 4.5 or more against white, and the blue and orange differ for every form
of colour blindness."""


def control_chart(chart: pd.DataFrame, *, title: str, unit: str, ax: Axes | None = None) -> Axes:
    """Draw an XmR chart.

    Parameters
    ----------
    chart : DataFrame
        As :func:`send_analysis.control_charts.xmr` returns it, indexed by month.
    title : str
        The finding.
    unit : str
        Of the values, for the axis.
    ax : Axes, optional
        Where to draw; a new one by default.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    for _, step in chart.groupby("step"):
        ax.plot(step.index, step["mean"], color=DARK, linewidth=1.2)
        for limit in ("lower", "upper"):
            ax.plot(step.index, step[limit], color=GREY, linewidth=1.2, linestyle=(0, (5, 3)))
        last = step.iloc[-1]
        for name, level in (
            ("upper limit", last["upper"]),
            ("mean", last["mean"]),
            ("lower limit", last["lower"]),
        ):
            ax.annotate(
                f" {name}",
                (step.index[-1], level),
                color=DARK,
                fontsize=8,
                va="center",
                annotation_clip=False,
            )
    ax.plot(chart.index, chart["value"], color=BLUE, linewidth=1.4, marker="o", markersize=4)
    signals = chart[chart["signal"] != ""]
    ax.plot(
        signals.index,
        signals["value"],
        linestyle="none",
        marker="D",
        markersize=8,
        markerfacecolor="none",
        markeredgecolor=ORANGE,
        markeredgewidth=1.8,
    )
    for month, point in signals.drop_duplicates("signal").iterrows():
        ax.annotate(
            point["signal"],
            (month, point["value"]),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            color=ORANGE,
            fontsize=8,
        )
    return _finish(ax, title=title, xlabel="Month", ylabel=unit)


def control_chart_alt(chart: pd.DataFrame, *, title: str, unit: str) -> str:
    """Describe an XmR chart in words.

    Parameters
    ----------
    chart, title, unit
        As for :func:`control_chart`.

    Returns
    -------
    str
    """
    last = chart.iloc[-1]
    signals = chart[chart["signal"] != ""]
    kinds = ", ".join(dict.fromkeys(signals["signal"])) or "none"
    return (
        f"Control chart, {unit}, {_month(chart.index[0])} to {_month(chart.index[-1])}. {title}. "
        f"First value {_number(chart['value'].iloc[0])}, last {_number(last['value'])}; mean "
        f"{_number(last['mean'])}, limits {_number(last['lower'])} to {_number(last['upper'])}. "
        f"Months with a signal: {len(signals)} ({kinds})."
    )


def funnel_plot(
    funnel: pd.DataFrame, *, title: str, highlight: dict[str, str], ax: Axes | None = None
) -> Axes:
    """Draw organisations' shares against the size of their lists, with limits.

    Parameters
    ----------
    funnel : DataFrame
        As :func:`send_analysis.control_charts.funnel` returns it.
    title : str
        The finding.
    highlight : dict
        Organisation code and the name to write beside its point.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    by_size = funnel.sort_values("size")
    for level, style in (("99_8", "-"), ("95", (0, (5, 3)))):
        for side in ("lower", "upper"):
            ax.plot(
                by_size["size"],
                100 * by_size[f"{side}_{level}"],
                color=GREY,
                linewidth=1.1,
                linestyle=style,
            )
    end = by_size.iloc[-1]
    ax.axhline(100 * end["target"], color=DARK, linewidth=1.2)
    for text, level in (
        (" England", end["target"]),
        (" 95 %", end["upper_95"]),
        (" 99.8 %", end["upper_99_8"]),
    ):
        ax.annotate(
            text,
            (end["size"], 100 * level),
            color=DARK,
            fontsize=8,
            va="center",
            annotation_clip=False,
        )
    ax.plot(
        funnel["size"],
        100 * funnel["share"],
        linestyle="none",
        marker="o",
        markersize=5,
        markerfacecolor="none",
        markeredgecolor=BLUE,
    )
    for code, name in highlight.items():
        if code in funnel.index:
            point = funnel.loc[code]
            ax.plot(point["size"], 100 * point["share"], marker="D", markersize=8, color=ORANGE)
            ax.annotate(
                name,
                (point["size"], 100 * point["share"]),
                xytext=(8, -12),
                textcoords="offset points",
                color=ORANGE,
                fontsize=9,
            )
    return _finish(
        ax,
        title=title,
        xlabel="Children on the list with a known wait",
        ylabel="Waiting over 18 weeks, per cent",
    )


def funnel_plot_alt(funnel: pd.DataFrame, *, title: str, highlight: dict[str, str]) -> str:
    """Describe a funnel plot in words.

    Parameters
    ----------
    funnel, title, highlight
        As for :func:`funnel_plot`.

    Returns
    -------
    str
    """
    counts = funnel["position"].value_counts()
    named = "; ".join(
        f"{name}: {100 * funnel.at[code, 'share']:.0f} per cent of {funnel.at[code, 'size']:,.0f}, "
        f"{_POSITIONS[funnel.at[code, 'position']]}"
        for code, name in highlight.items()
        if code in funnel.index
    )
    return (
        f"Funnel plot of {len(funnel)} organisations: share waiting over 18 weeks by size of list. "
        f"{title}. England {100 * funnel['target'].iloc[0]:.0f} per cent; "
        f"{counts.get('high', 0)} above and {counts.get('low', 0)} below the 99.8 per cent "
        f"limits. {named}."
    )


_POSITIONS = {"high": "above the limits", "low": "below the limits", "inside": "within the limits"}


def change_strip(
    changes: pd.DataFrame, *, claimed: float, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the change on every definition, a row a measure, beside the claimed change.

    Parameters
    ----------
    changes : DataFrame
        ``measure, change`` (per cent), as :func:`send_analysis.waits.changes` returns them.
    claimed : float
        Per cent.
    title : str
        The finding.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    rows = [m for m in MEASURE_NAMES if m in set(changes["measure"])]
    for y, measure in enumerate(rows):
        values = changes.loc[changes["measure"] == measure, "change"].dropna()
        ax.plot(
            values.clip(-100, 150),
            [y] * len(values),
            linestyle="none",
            marker="|",
            markersize=13,
            color=BLUE,
            alpha=0.55,
        )
    ax.axvline(0, color=GREY, linewidth=1)
    ax.axvline(claimed, color=ORANGE, linewidth=1.8)
    ax.annotate(
        f"claimed {claimed:+.0f} %",
        (claimed, len(rows) - 0.45),
        color=ORANGE,
        fontsize=9,
        ha="center",
        va="bottom",
        annotation_clip=False,
    )
    ax.set_yticks(range(len(rows)), [MEASURE_NAMES[m] for m in rows])
    ax.set_xlim(-105, 155)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    return _finish(
        ax, title=title, xlabel="Change, per cent (above 150 drawn at 150)", ylabel="", pad=18
    )


def change_strip_alt(changes: pd.DataFrame, *, claimed: float, title: str) -> str:
    """Describe the strip of changes in words.

    Parameters
    ----------
    changes, claimed, title
        As for :func:`change_strip`.

    Returns
    -------
    str
    """
    parts = [
        f"{MEASURE_NAMES[m]} from {group.min():+.0f} to {group.max():+.0f}, middle "
        f"{group.median():+.0f}"
        for m in MEASURE_NAMES
        if len(group := changes.loc[changes["measure"] == m, "change"].dropna())
    ]
    return (
        f"Change in per cent between two months on every definition, claimed {claimed:+.0f}. "
        f"{title}. {'; '.join(parts)}."
    )


MEASURE_NAMES = {
    "p92_wait": "92nd percentile wait",
    "median_wait": "Median wait",
    "over_52_weeks": "Waiting over 52 weeks",
    "share_over_18_weeks": "Share over 18 weeks",
    "waiting": "Children waiting",
}


def list_projection(
    projections: dict[str, pd.DataFrame], *, target: float, title: str, ax: Axes | None = None
) -> Axes:
    """Draw a list week by week under different capacities.

    Parameters
    ----------
    projections : dict
        Label to ``week, quantile, size`` as :func:`send_analysis.queues.simulate_list` returns
        it; the band is from the quantile 0.1 to 0.9.
    target : float
        Target size of the list, drawn as a line.
    title : str
        The finding.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    for (label, frame), colour in zip(projections.items(), (BLUE, ORANGE, DARK), strict=False):
        lines = frame.pivot_table(index="week", columns="quantile", values="size")
        ax.fill_between(lines.index, lines[0.1], lines[0.9], color=colour, alpha=0.2, linewidth=0)
        ax.plot(lines.index, lines[0.5], color=colour, linewidth=1.6)
        ax.annotate(
            f" {label}",
            (lines.index[-1], lines[0.5].iloc[-1]),
            color=colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
        )
    ax.axhline(target, color=GREY, linewidth=1.1, linestyle=(0, (5, 3)))
    ax.annotate(
        "target size",
        (0, target),
        xytext=(2, 4),
        textcoords="offset points",
        color=DARK,
        fontsize=8,
    )
    ax.set_ylim(bottom=0)
    return _finish(ax, title=title, xlabel="Weeks from October 2023", ylabel="Children waiting")


def list_projection_alt(projections: dict[str, pd.DataFrame], *, target: float, title: str) -> str:
    """Describe the projections in words.

    Parameters
    ----------
    projections, target, title
        As for :func:`list_projection`.

    Returns
    -------
    str
    """
    parts = []
    for label, frame in projections.items():
        end = frame[frame["week"] == frame["week"].max()].set_index("quantile")["size"]
        parts.append(
            f"{label}: {end[0.5]:,.0f} at week {frame['week'].max()} (four in five draws between "
            f"{end[0.1]:,.0f} and {end[0.9]:,.0f})"
        )
    return f"Children waiting by week. {title}. {'; '.join(parts)}. Target size {target:,.0f}."


def _axes(ax: Axes | None) -> Axes:
    """Take the axes given, or make some."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(8, 4.2), layout="constrained")[1]


def _finish(ax: Axes, *, title: str, xlabel: str, ylabel: str, pad: float = 8) -> Axes:
    """Titles, axis names and a quiet frame."""
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=pad)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _month(value: object) -> str:
    """Write an index value as a month if it is one."""
    return f"{value:%B %Y}" if hasattr(value, "year") else str(value)


def _number(value: float) -> str:
    """Write a number with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"
