"""Forecasts drawn: each function takes a result of `outlook` or `scoring` and computes nothing.

The sisters in `alt_texts_forecast` write the alternative texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from send_analysis.forecasting.alt_texts import OWN
from send_analysis.forecasting.longrange import TESTED
from send_analysis.forecasting.outlook import STABLE
from send_analysis.show.style import (
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    axes,
    house,
    label_ends,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORECAST = PALETTE[1]
BANDS = (("low_95", "high_95", 0.18), ("low_80", "high_80", 0.28))


def _thousands(ax: Axes) -> None:
    """Write large numbers with a comma, from zero."""
    from matplotlib.ticker import StrMethodFormatter

    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("plans")
    ax.set_xlabel("January")


def _whole_years(ax: Axes, years: pd.Series) -> None:
    """Mark whole years only."""
    span = np.arange(years.min(), years.max() + 1)
    ax.set_xticks(span[:: -(-len(span) // 10)])
    ax.set_xlim(span[0], span[-1])


def _bands(ax: Axes, frame: pd.DataFrame, **options: Any) -> None:
    """Shade the 80 and the 95 per cent interval."""
    for low, high, shade in BANDS:
        ax.fill_between(
            frame["year"], frame[low].astype(float), frame[high].astype(float),
            **({"color": FORECAST, "alpha": shade, "linewidth": 0} | options),
        )  # fmt: skip


def _far(ax: Axes, frame: pd.DataFrame, tested: int) -> None:
    """Draw a forecast, and what goes on from it after the last year that has been tested."""
    near, far = frame[frame["year"] <= tested], frame[frame["year"] >= tested]
    _bands(ax, near)
    _bands(ax, far, color=MUTED_TEXT, alpha=0.13)
    ax.plot(near["year"], near["plans"], color=FORECAST, lw=2.2, ls="--", label="_")
    last = far.iloc[-1]
    ax.plot(far["year"], far["plans"], color=MUTED_TEXT, lw=1.8, ls=":",
            label=f"{last['plans']:,.0f}")  # fmt: skip
    _untested(ax, tested)


def _untested(ax: Axes, year: int) -> None:
    """Mark the last year that has been tested."""
    ax.axvline(year, color=RULE, lw=0.8)
    ax.text(year, 0.02, " untested from here", transform=ax.get_xaxis_transform(),
            color=MUTED_TEXT)  # fmt: skip


@house
def fan(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a forecast; `frame` as :func:`outlook.fan` returns it."""
    ax = axes(ax)
    _bands(ax, frame)
    own = frame["area"].iloc[0]
    ax.plot(frame["year"], frame["published"], label="published", **ROLES["area"])
    ax.plot(
        frame["year"], frame["median"], label="median forecast", color=FORECAST, lw=2.2, ls="--"
    )
    _thousands(ax)
    _whole_years(ax, frame["year"])
    last = frame.iloc[-1]
    title(
        ax,
        f"{last['low_80']:,.0f} to {last['high_80']:,.0f} plans in {own} in January "
        f"{last['year']:.0f}, a range meant to hold four times in five",
        subtitle="EHC plans each January; shaded: 80 % and 95 % interval",
    )
    label_ends(ax, lines=ax.get_lines()[1:], labels={"median forecast": f"{last['median']:,.0f}"})
    return ax


@house
def far(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a forecast beyond the tested years.

    `frame` as :func:`outlook.fan` returns it, more than five years ahead.
    """
    ax = axes(ax)
    own, last = frame["area"].iloc[0], frame.iloc[-1]
    ax.plot(frame["year"], frame["published"], label="_", **ROLES["area"])
    ahead = frame.dropna(subset="median").rename(columns={"median": "plans"})
    _far(ax, ahead, int(ahead["origin"].iloc[0]) + TESTED)
    _thousands(ax)
    _whole_years(ax, frame["year"])
    title(
        ax,
        f"If new plans a head level off, {own} would have {last['median']:,.0f} plans in January "
        f"{last['year']:.0f}, {last['low_80']:,.0f} to {last['high_80']:,.0f} in an untested 80 % "
        "range",
        subtitle="EHC plans each January; shaded: 80 % and 95 % interval, grey: an illustration",
    )
    label_ends(ax)
    return ax


@house
def then_and_now(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw an earlier forecast and what happened.

    `frame` as :func:`outlook.then_and_now` returns it.
    """
    ax = axes(ax)
    _bands(ax, frame)
    ahead = frame.dropna(subset="compound")
    origin, last, own = int(ahead["year"].iloc[0]), ahead.iloc[-1], frame["area"].iloc[0]
    past = frame[frame["year"] <= last["year"]]
    ax.plot(ahead["year"], ahead["compound"], label="compound growth", color=PALETTE[2], ls=":")
    ax.plot(ahead["year"], ahead["median"], label="forecast", color=FORECAST, lw=2.2, ls="--")
    ax.plot(past["year"], past["published"], label="published", **ROLES["area"])
    ax.axvline(origin, color=RULE, lw=0.8)
    _thousands(ax)
    _whole_years(ax, past["year"])
    miss, other = last["median"] / last["published"] - 1, last["compound"] / last["published"] - 1
    title(
        ax,
        f"From January {origin} the forecast for {own} in January {last['year']:.0f} was "
        f"{_off(miss)}, compound growth {_off(other)}",
        subtitle=f"EHC plans each January; shaded: 80 % and 95 % interval known in {origin}",
    )
    label_ends(
        ax,
        lines=ax.get_lines()[:3],
        labels={
            "published": f"published {last['published']:,.0f}",
            "forecast": f"forecast {last['median']:,.0f}",
            "compound growth": f"compound growth\nof 5 years {last['compound']:,.0f}",
        },
    )
    return ax


def _off(error: float) -> str:
    """Say how far a forecast was from what happened."""
    return f"{abs(error) * 100:.0f} % {'too high' if error > 0 else 'too low'}"


@house
def reliability(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how often outcomes fall below each quantile.

    `frame` as :func:`outlook.reliability` returns it.
    """
    ax = axes(ax, width=5.5, height=4.6)
    ax.plot([0, 100], [0, 100], color=RULE, lw=1, label="_", ls="-")
    marks = {1: ("o", PALETTE[0]), 3: ("s", PALETTE[1]), 5: ("^", PALETTE[2])}
    for horizon, (mark, colour) in marks.items():
        rows = frame[frame["horizon"] == horizon]
        name = f"{horizon} year{'s' if horizon > 1 else ''} ahead"
        ax.plot(rows["level"], rows["below"], marker=mark, ms=6, lw=1.4, color=colour, label=name)
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 100)
    ax.grid(axis="x")
    ax.set_xlabel("quantile that was forecast, %")
    ax.set_ylabel("outcomes below it, %")
    ax.annotate("on the line: as often as said", (60, 60), xytext=(52, 30), color=MUTED_TEXT,
                arrowprops={"arrowstyle": "-", "color": RULE})  # fmt: skip
    ax.legend(loc="upper left")
    one = frame[frame["horizon"] == 1].set_index("level")["below"]
    title(
        ax,
        f"A year ahead, {one[90] - one[10]:.0f} % of outcomes lay in the 80 % interval",
        subtitle="Share of outcomes below each quantile, Januaries that did not choose the method",
        width=44,
    )
    return ax


@house
def scenarios(frame: pd.DataFrame, area: str, ax: Axes | None = None) -> Axes:
    """Draw what levers would change.

    `frame` as :func:`send_analysis.forecasting.views.scenarios` returns it.
    """
    ax = axes(ax, height=4.6)
    last = int(frame["year"].max())
    end = frame[frame["year"] == last].set_index("scenario")
    far = end["change"].abs() >= 5  # nearer ones would lie on the line of "as now"
    _untested(ax, int(frame["year"].min()) + TESTED - 1)
    colours = iter((PALETTE[2], PALETTE[3], PALETTE[5], PALETTE[1]) * 3)
    for name in frame["scenario"].unique():
        rows = frame[frame["scenario"] == name]
        label = f"{name[0].lower()}{name[1:]} {end.loc[name, 'plans']:,.0f}"
        if name == "as now":
            ax.plot(rows["year"], rows["plans"], label=label, **ROLES["area"])
        elif far[name]:
            ax.plot(rows["year"], rows["plans"], color=next(colours), lw=1.8, ls="--",
                    label=_wrapped(label))  # fmt: skip
        else:
            ax.plot(rows["year"], rows["plans"], color=RULE, lw=1, label="_")
    _thousands(ax)
    _whole_years(ax, frame["year"])
    most = end["change"].idxmin()
    less = -end.loc[most, "change"]
    title(
        ax,
        f"If {most[0].lower()}{most[1:]}, {area} would have {less:.0f} % fewer plans in {last} "
        "than as now; nothing so far ahead has been tested"
        if less >= 0.5
        else f"No scenario lowers the forecast of plans in {area} for {last}",
        subtitle="EHC plans each January, median forecast; grey: scenarios that change it by less "
        "than 5 %",
    )
    label_ends(ax)
    return ax


def _wrapped(label: str) -> str:
    """Break a long label into lines."""
    import textwrap

    return label if label.startswith("_") else "\n".join(textwrap.wrap(label, 24))


@house
def published(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw forecasts of England side by side.

    `frame` as :func:`outlook.published` returns it.
    """
    ax = axes(ax, height=4.6)
    past = frame[frame["forecast"] == "published figures"]
    ours = frame[frame["forecast"] == "this package"]
    ax.plot(past["year"], past["plans"], label="_", **ROLES["area"])
    _far(ax, ours, int(ours.loc[ours["tested"].astype(bool), "year"].max()))
    ax.get_lines()[-2].set_label(f"this package\n{ours['plans'].iloc[-1]:,.0f}")
    stable = frame[frame["forecast"] == STABLE]
    ax.plot(stable["year"], stable["plans"], ":", color=PALETTE[0],
            label=f"new plans grow no more\n{stable['plans'].iloc[-1]:,.0f}")  # fmt: skip
    others = frame[~frame["forecast"].isin(OWN)]
    for name, rows in others.groupby("forecast"):
        label = f"{_wrapped(name)}\n{rows['plans'].iloc[-1]:,.0f}"
        ax.plot(rows["year"], rows["plans"], "D", color=PALETTE[2], ms=7, mec="white", label=label,
                clip_on=False)  # fmt: skip
    _thousands(ax)
    _whole_years(ax, pd.concat([past["year"], ours["year"]]))
    ax.set_ylim(0, 1.05 * ours["high_95"].max())
    last = ours.iloc[-1]
    said = " and ".join(f"{plans / 1e6:.2f}" for plans in sorted(others["plans"].unique()))
    title(
        ax,
        f"If new plans a head level off, England would have {last['plans'] / 1e6:.2f} million "
        f"plans in January {last['year']}, {last['low_80'] / 1e6:.2f} to "
        f"{last['high_80'] / 1e6:.2f} in an untested 80 % range; others said more than {said}",
        subtitle="EHC plans each January; shaded: 80 % and 95 % interval, grey: an illustration",
    )
    label_ends(ax)
    return ax
