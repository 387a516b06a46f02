"""Figures of waiting times: each draws a result table and computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from send_analysis.show import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARK = style.PALETTE[3]
LIMIT = {"color": style.RULE, "linewidth": 1.3, "linestyle": (0, (5, 3))}
MIDDLE = {"color": style.TEXT, "linewidth": 1.3}
MEASURES = {
    "p92_wait": "92nd percentile wait",
    "median_wait": "Median wait",
    "over_52_weeks": "Waiting over 52 weeks",
    "share_over_18_weeks": "Share over 18 weeks",
    "waiting": "Children waiting",
}
_POSITIONS = {"high": "above the limits", "low": "below the limits", "inside": "within the limits"}


@style.house
def control_chart(
    chart: pd.DataFrame, *, finding: str, subtitle: str, ax: Axes | None = None
) -> Axes:
    """Draw an XmR chart.

    Parameters
    ----------
    chart : DataFrame
        As :func:`control_charts.xmr` returns it, indexed by month.
    finding : str
        What it shows.
    subtitle : str
        Measure, unit, place and period.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    ax = style.axes(ax)
    chart = chart.set_axis(date2num(chart.index))  # names at line ends are placed by number
    for step, part in chart.groupby("step"):
        last = step == chart["step"].max()
        for name, label, look in (
            ("upper", "upper limit", LIMIT),
            ("mean", "mean", MIDDLE),
            ("lower", "lower limit", LIMIT),
        ):
            ax.plot(part.index, part[name], label=label if last else "_", **look)
    ax.plot(chart.index, chart["value"], "o-", label="_", **style.ROLES["area"])
    signals = chart[chart["signal"] != ""]
    ax.plot(
        signals.index, signals["value"], "D", label="_", markersize=10, markerfacecolor="none",
        markeredgecolor=MARK, markeredgewidth=2.2, zorder=6,
    )  # fmt: skip
    for month, point in signals.drop_duplicates("signal").iterrows():
        up = point["side"] == "above"
        ax.annotate(
            point["signal"], (month, point["value"]), xytext=(6, 8 if up else -16),
            textcoords="offset points", color=style.ink(MARK), fontsize=9,
        )  # fmt: skip
    locator = AutoDateLocator(maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    ax.margins(y=0.12)
    style.title(ax, finding, subtitle=subtitle)
    style.label_ends(ax, size=9)
    return ax


def control_chart_alt(chart: pd.DataFrame, *, subtitle: str) -> str:
    """Describe an XmR chart in words.

    Parameters
    ----------
    chart, subtitle
        As for :func:`control_chart`.

    Returns
    -------
    str
    """
    first, last = chart.iloc[0], chart.iloc[-1]
    signals = chart[chart["signal"] != ""]
    kinds = ", ".join(dict.fromkeys(signals["signal"])) or "none"
    return (
        f"Control chart of {subtitle}: {_number(first['value'])} in {chart.index[0]:%B %Y}, "
        f"{_number(last['value'])} in {chart.index[-1]:%B %Y}; mean {_number(last['mean'])}, "
        f"limits {_number(last['lower'])} to {_number(last['upper'])}. Months with a signal of "
        f"special cause: {len(signals)} ({kinds})."
    )


@style.house
def funnel_plot(
    funnel: pd.DataFrame,
    *,
    highlight: dict[str, str],
    finding: str,
    subtitle: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw organisations' shares against the size of their lists, with limits.

    Parameters
    ----------
    funnel : DataFrame
        As :func:`control_charts.funnel` returns it.
    highlight : dict
        Organisation code, and the name to write beside its point.
    finding, subtitle : str
        As for :func:`control_chart`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = style.axes(ax)
    by_size = funnel.sort_values("size")
    size = by_size["size"]
    for column, label, look in (
        ("upper_99_8", "99.8 % limit", {**LIMIT, "linestyle": "-"}),
        ("upper_95", "95 % limit", LIMIT),
        ("target", "all boards", MIDDLE),
        ("lower_95", "_", LIMIT),
        ("lower_99_8", "_", {**LIMIT, "linestyle": "-"}),
    ):
        ax.plot(size, by_size[column], label=label, **look)
    ax.plot(
        size, by_size["share"], "o", label="_", markersize=6, markerfacecolor="none",
        markeredgecolor=style.PALETTE[0], markeredgewidth=1.4,
    )  # fmt: skip
    for code, name in highlight.items():
        if code in funnel.index:
            point = (funnel.at[code, "size"], funnel.at[code, "share"])
            ax.plot(*point, "D", markersize=9, color=MARK, zorder=6)
            ax.annotate(
                name, point, xytext=(9, 9), textcoords="offset points", color=style.ink(MARK),
                fontweight="bold",
            )  # fmt: skip
    ax.set_ylim(-3, 103)
    ax.set_xlabel("Children on the list whose wait is known")
    ax.set_ylabel("Per cent")
    style.title(ax, finding, subtitle=subtitle)
    style.label_ends(ax, size=9)
    return ax


def funnel_plot_alt(funnel: pd.DataFrame, *, highlight: dict[str, str], subtitle: str) -> str:
    """Describe a funnel plot in words.

    Parameters
    ----------
    funnel, highlight, subtitle
        As for :func:`funnel_plot`.

    Returns
    -------
    str
    """
    counts = funnel["position"].value_counts()
    named = "; ".join(
        f" {name}: {funnel.at[code, 'share']:.0f} per cent of "
        f"{funnel.at[code, 'size']:,.0f}, {_POSITIONS[funnel.at[code, 'position']]}"
        for code, name in highlight.items()
        if code in funnel.index
    )
    return (
        f"Funnel plot of {subtitle}, {len(funnel)} boards by size of list. All boards together "
        f"{funnel['target'].iloc[0]:.0f} per cent; {counts.get('high', 0)} above and "
        f"{counts.get('low', 0)} below the 99.8 per cent limits.{named}{'.' if named else ''}"
    )


@style.house
def change_strip(
    changes: pd.DataFrame,
    *,
    claimed: float,
    finding: str,
    subtitle: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the change on every definition, a row a measure, beside the claimed change.

    Parameters
    ----------
    changes : DataFrame
        ``measure, change`` (per cent), as :func:`changes.changes` returns them.
    claimed : float
        Per cent.
    finding, subtitle : str
        As for :func:`control_chart`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = style.axes(ax, height=3.6)
    rows = [measure for measure in MEASURES if measure in set(changes["measure"])]
    for y, measure in enumerate(rows):
        values = changes.loc[changes["measure"] == measure, "change"].dropna().clip(-100, 150)
        ax.plot(
            values, [y] * len(values), "|", markersize=15, color=style.PALETTE[0], alpha=0.5,
            markeredgewidth=1.4, rasterized=True,  # a thousand marks
        )  # fmt: skip
    ax.axvline(0, **MIDDLE)
    ax.axvline(claimed, color=MARK, linewidth=2.4)
    ax.annotate(
        f"claimed {claimed:+.0f} %".replace("-", "−"), (claimed, len(rows) - 0.62),
        xytext=(5, 0), textcoords="offset points", color=style.ink(MARK), fontweight="bold",
    )  # fmt: skip
    ax.set_yticks(range(len(rows)), [MEASURES[measure] for measure in rows])
    ax.set_xlim(-104, 154)
    ax.set_ylim(-0.6, len(rows) - 0.3)
    ax.set_xlabel("Change, per cent (above 150 drawn at 150)")
    style.title(ax, finding, subtitle=subtitle)
    return ax


def change_strip_alt(changes: pd.DataFrame, *, claimed: float, subtitle: str) -> str:
    """Describe the strip of changes in words.

    Parameters
    ----------
    changes, claimed, subtitle
        As for :func:`change_strip`.

    Returns
    -------
    str
    """
    groups = {m: changes.loc[changes["measure"] == m, "change"].dropna() for m in MEASURES}
    parts = [
        f"{MEASURES[m].lower()} from {group.min():+.0f} to {group.max():+.0f}, half of them below "
        f"{group.median():+.0f}"
        for m, group in groups.items()
        if len(group)
    ]
    return f"Strip chart of {subtitle}, per cent; claimed {claimed:+.0f}. {'; '.join(parts)}."


@style.house
def list_projection(
    projections: dict[str, pd.DataFrame],
    *,
    target: float,
    finding: str,
    subtitle: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a list week by week under different capacities.

    Parameters
    ----------
    projections : dict
        Label, and ``week, quantile, size`` as :func:`queues.simulate_list` returns
        it; the band reaches from the quantile 0.1 to 0.9.
    target : float
        Target size of the list.
    finding, subtitle : str
        As for :func:`control_chart`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = style.axes(ax)
    looks = (style.ROLES["area"], style.ROLES["england"], style.ROLES["region"])
    for (label, frame), look in zip(projections.items(), looks, strict=False):
        lines = frame.pivot_table(index="week", columns="quantile", values="size")
        ax.fill_between(lines.index, lines[0.1], lines[0.9], color=look["color"], alpha=0.2, lw=0)
        ax.plot(lines.index, lines[0.5], label=label, **look)
    ax.plot([0, lines.index[-1]], [target, target], label="target size", **LIMIT)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("Weeks")
    ax.set_ylabel("Children waiting")
    style.title(ax, finding, subtitle=subtitle)
    style.label_ends(ax)
    return ax


def list_projection_alt(
    projections: dict[str, pd.DataFrame], *, target: float, subtitle: str
) -> str:
    """Describe the projections in words.

    Parameters
    ----------
    projections, target, subtitle
        As for :func:`list_projection`.

    Returns
    -------
    str
    """
    parts = []
    for label, frame in projections.items():
        last = frame["week"].max()
        end = frame[frame["week"] == last].set_index("quantile")["size"]
        parts.append(
            f"{label}: {end[0.5]:,.0f} children after {last} weeks (four draws in five between "
            f"{end[0.1]:,.0f} and {end[0.9]:,.0f})"
        )
    return f"Line chart of {subtitle}. {'; '.join(parts)}. Target size {target:,.0f}."


@style.house
def later_shares(
    shares: pd.DataFrame, *, measure: str, finding: str, subtitle: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of long waits of each organisation by month; months without one are gaps.

    Parameters
    ----------
    shares : DataFrame
        Rows of one service, as :func:`since.shares` returns them.
    measure : str
        Column that is drawn.
    finding, subtitle : str
        As for :func:`control_chart`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    ax = style.axes(ax)
    looks = {
        "provider": style.ROLES["area"], "icb": {"color": MARK, "linewidth": 1.6},
        "region": style.ROLES["region"], "england": style.ROLES["england"],
    }  # fmt: skip
    for name, rows in shares.groupby("organisation", sort=False):
        if rows[measure].notna().any():
            look = {**looks[rows["level"].iloc[0]], "marker": "o", "markersize": 4}
            ax.plot(date2num(rows["month"]), rows[measure], label=_short(name), **look)
    locator = AutoDateLocator(maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("Per cent")
    style.title(ax, finding, subtitle=subtitle)
    style.label_ends(ax, size=9)
    return ax


def later_shares_alt(shares: pd.DataFrame, *, measure: str, subtitle: str) -> str:
    """Describe the lines in words.

    Parameters
    ----------
    shares, measure, subtitle
        As for :func:`later_shares`.

    Returns
    -------
    str
    """
    parts = []
    for name, rows in shares.dropna(subset=measure).groupby("organisation", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        parts.append(
            f"{name}: {first[measure]:.1f} in {first['month']:%B %Y}, {last[measure]:.1f} in "
            f"{last['month']:%B %Y}"
        )
    return f"Line chart of {subtitle}, by month. {'; '.join(parts)}."


def _short(name: str) -> str:
    """Name of an organisation without what all of its kind are called."""
    for end in (" NHS Foundation Trust", " NHS Trust"):
        name = name.removesuffix(end)
    return name


OUTCOMES = {
    "second contact": style.PALETTE[0],
    "open, one contact": style.PALETTE[1],
    "open, no contact": style.PALETTE[3],
    "closed before treatment": style.PALETTE[2],
}


@style.house
def referral_outcomes(
    referred: pd.DataFrame, *, finding: str, subtitle: str, ax: Axes | None = None
) -> Axes:
    """Draw what became of the children referred, a bar a year and organisation.

    Parameters
    ----------
    referred : DataFrame
        As :func:`mental_health.referred` returns it.
    finding, subtitle : str
        As for :func:`control_chart`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = style.axes(ax)
    levels = {"england": "England", "region": "region", "group": "area"}  # from the bottom up
    rows = referred.sort_values("level", key=lambda level: level.map(list(levels).index))
    rows = rows.sort_values("year", ascending=False, kind="stable")
    names = rows["level"].map(levels)
    y, left = range(len(rows)), 0.0 * rows["referred"]
    for outcome, colour in OUTCOMES.items():
        ax.barh(y, rows[outcome], left=left, color=colour, height=0.72, label=outcome)
        for at, start, value in zip(y, left, rows[outcome], strict=True):
            ax.text(
                start + value / 2, at, f"{value:.0f}", ha="center", va="center", fontsize=9,
                color="white" if style.contrast(colour) >= 4.5 else style.TEXT,
            )  # fmt: skip
        left = left + rows[outcome]
    ax.set_yticks(y, rows["year"] + ", " + names)
    ax.set_xlim(0, 100)
    ax.grid(visible=False)
    ax.set_xlabel("Per cent of the children referred")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.16), ncols=4, frameon=False, fontsize=9)
    style.title(ax, finding, subtitle=subtitle)
    return ax


def referral_outcomes_alt(referred: pd.DataFrame, *, subtitle: str) -> str:
    """Describe the bars in words.

    Parameters
    ----------
    referred, subtitle
        As for :func:`referral_outcomes`.

    Returns
    -------
    str
    """
    bars = [
        f"{row['year']}, {row['organisation']}: "
        + ", ".join(f"{outcome} {row[outcome]:.0f}" for outcome in OUTCOMES)
        for _, row in referred.iterrows()
    ]
    return f"Stacked bars of {subtitle}. {'; '.join(bars)}."


def _number(value: float) -> str:
    """Write a number with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"
