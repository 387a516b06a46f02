"""Forecasts drawn: each function takes a result and returns a chart, and computes nothing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.forecasting.longrange import TESTED
from send_analysis.forecasting.outlook import STABLE
from send_analysis.forecasting.scoring import SMALLEST
from send_analysis.show.chart import Chart
from send_analysis.show.style import (
    MUTED_TEXT,
    PALETTE,
    ROLES,
    RULE,
    counts_by_year,
    from_here,
    label_ends,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORECAST = PALETTE[1]
BANDS = (("low_95", "high_95", 0.18), ("low_80", "high_80", 0.28))
OWN = ("published figures", "this package", STABLE)  # the others published lower bounds
SHADED = "EHC plans each January; shaded: 80 % and 95 % interval"


def _plans(ax: Axes, years: pd.Series) -> None:
    """Set axes of plans each January."""
    counts_by_year(ax, years)
    ax.set_ylabel("plans")
    ax.set_xlabel("January")
    ax.set_xlim(years.min(), years.max())


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
    from_here(ax, tested, "untested")


def _interval(frame: pd.DataFrame) -> str:
    """Describe the intervals of the last year of a forecast."""
    last = frame.dropna(subset="low_80").iloc[-1]
    return (
        f"The 80 % interval of {last['year']} is {last['low_80']:,.0f} to {last['high_80']:,.0f}, "
        f"the 95 % interval {last['low_95']:,.0f} to {last['high_95']:,.0f}."
    )


def _wrapped(label: str) -> str:
    """Break a long label into lines."""
    return "\n".join(textwrap.wrap(label, 24))


def fan(frame: pd.DataFrame) -> Chart:
    """A forecast; `frame` as :func:`.outlook.fan` returns it."""
    past, last = frame.dropna(subset="published"), frame.iloc[-1]
    first, now = past.iloc[0], past.iloc[-1]

    def draw(ax: Axes) -> None:
        _bands(ax, frame)
        ax.plot(frame["year"], frame["published"], label="_", **ROLES["area"])
        ax.plot(frame["year"], frame["median"], label=f"{last['median']:,.0f}", color=FORECAST,
                lw=2.2, ls="--")  # fmt: skip
        _plans(ax, frame["year"])
        label_ends(ax)

    return Chart(
        title=f"{last['low_80']:,.0f} to {last['high_80']:,.0f} plans in {first['area']} in "
        f"January {last['year']:.0f}, a range meant to hold four times in five",
        subtitle=SHADED,
        alt=f"Line chart of EHC plans in {first['area']}: {first['published']:,.0f} in "
        f"{first['year']}, {now['published']:,.0f} in {now['year']}. The forecast fans out to a "
        f"median of {last['median']:,.0f} in {last['year']}. {_interval(frame)}",
        data=frame,
        draw=draw,
    )


def far(frame: pd.DataFrame) -> Chart:
    """A forecast beyond the tested years; `frame` as :func:`.views.far` returns it."""
    past, last = frame.dropna(subset="published").iloc[-1], frame.iloc[-1]

    def draw(ax: Axes) -> None:
        ax.plot(frame["year"], frame["published"], label="_", **ROLES["area"])
        ahead = frame.dropna(subset="median").rename(columns={"median": "plans"})
        _far(ax, ahead, int(last["origin"]) + TESTED)
        _plans(ax, frame["year"])
        label_ends(ax)

    return Chart(
        title=f"If new plans a head level off, {past['area']} would have {last['median']:,.0f} "
        f"plans in January {last['year']:.0f}, {last['low_80']:,.0f} to {last['high_80']:,.0f} in "
        "an untested 80 % range",
        subtitle=f"{SHADED}, grey: an illustration",
        alt=f"Line chart of EHC plans in {past['area']}: {past['published']:,.0f} in "
        f"{past['year']}. Beyond {past['year'] + TESTED} an illustration goes on to a middle of "
        f"{last['median']:,.0f} in {last['year']}. {_interval(frame)}",
        data=frame,
        draw=draw,
        note=f"Beyond January {int(last['origin']) + TESTED} nothing has been tested.",
    )


def then_and_now(frame: pd.DataFrame) -> Chart:
    """An earlier forecast and what happened; `frame` as :func:`.outlook.then_and_now`."""
    ahead = frame.dropna(subset="compound")
    first, last = ahead.iloc[0], ahead.iloc[-1]
    origin, own = int(first["year"]), first["area"]
    past = frame[frame["year"] <= last["year"]]
    miss, other = (_off(last[name], last["published"]) for name in ("median", "compound"))
    inside = last["low_80"] <= last["published"] <= last["high_80"]

    def draw(ax: Axes) -> None:
        _bands(ax, frame)
        ax.plot(ahead["year"], ahead["compound"], color=PALETTE[2], ls=":",
                label=f"compound growth\nof 5 years {last['compound']:,.0f}")  # fmt: skip
        ax.plot(ahead["year"], ahead["median"], color=FORECAST, lw=2.2, ls="--",
                label=f"forecast {last['median']:,.0f}")  # fmt: skip
        ax.plot(past["year"], past["published"], label=f"published {last['published']:,.0f}",
                **ROLES["area"])  # fmt: skip
        ax.axvline(origin, color=RULE, lw=0.8)
        _plans(ax, past["year"])
        label_ends(ax, lines=ax.get_lines()[:3])

    return Chart(
        title=f"From January {origin} the forecast for {own} in January {last['year']:.0f} was "
        f"{miss}, compound growth {other}",
        subtitle=f"{SHADED} known in {origin}",
        alt=f"Line chart of EHC plans in {own} from January {origin}, when there were "
        f"{first['published']:,.0f}. For {last['year']} the forecast said {last['median']:,.0f}, "
        f"compound growth of five years {last['compound']:,.0f}; {last['published']:,.0f} were "
        f"published, {'within' if inside else 'outside'} the 80 % interval of "
        f"{last['low_80']:,.0f} to {last['high_80']:,.0f}.",
        data=frame,
        draw=draw,
    )


def _off(said: float, came: float) -> str:
    """Say how far a forecast was from what came: in per cent, of few plans as a number."""
    way = "too high" if said > came else "too low"
    if came < SMALLEST:
        off = abs(round(said) - round(came))
        return f"{off} plan{'s' * (off != 1)} {way}" if off else "less than one plan off"
    off = round(100 * abs(said / came - 1))
    return f"{off} % {way}" if off else "less than 1 % off"


def reliability(frame: pd.DataFrame) -> Chart:
    """How often outcomes fall below each quantile; `frame` as :func:`.outlook.reliability`."""
    marks = {1: "o", 3: "s", 5: "^"}  # years ahead
    below = frame.set_index(["horizon", "level"])["below"]
    told = "; ".join(
        f"{horizon} ahead, {below[horizon, 10]:.0f} % lay below the 10 % quantile, "
        f"{below[horizon, 50]:.0f} % below the median and {below[horizon, 90]:.0f} % below the "
        "90 % quantile"
        for horizon in marks
    )

    def draw(ax: Axes) -> None:
        import seaborn as sns

        ax.plot([0, 100], [0, 100], color=RULE, lw=1)
        rows = frame[frame["horizon"].isin(marks)]
        ahead = rows["horizon"].map("{:.0f} ahead".format)
        sns.lineplot(x=rows["level"], y=rows["below"], hue=ahead, style=ahead, ax=ax, dashes=False,
                     markers=list(marks.values()), palette=PALETTE[:3], lw=1.4, ms=7)  # fmt: skip
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
        ax.grid(axis="x")
        ax.set_xlabel("quantile that was forecast, %")
        ax.set_ylabel("outcomes below it, %")
        ax.annotate("on the line: as often as said", (60, 60), xytext=(52, 30), color=MUTED_TEXT,
                    arrowprops={"arrowstyle": "-", "color": RULE})  # fmt: skip
        ax.legend(loc="upper left", title="years")

    return Chart(
        title=f"A year ahead, {below[1, 90] - below[1, 10]:.0f} % of outcomes lay in the 80 % "
        "interval",
        subtitle="Share of outcomes below each quantile, Januaries that did not choose the method",
        alt="Reliability diagram, per cent of outcomes below each quantile by years ahead. "
        f"{told}.",
        data=frame,
        draw=draw,
        height=4.6,
        note="Where a line lies below the grey one, outcomes were higher than the forecast said; "
        "where it lies above, lower.",
    )


@reads.found
def scenarios(frame: pd.DataFrame, area: Area) -> Chart:
    """What levers would change; `frame` as :func:`.views.scenarios` returns it."""
    first, last = int(frame["year"].min()), int(frame["year"].max())
    tested = min(first + TESTED - 1, last)
    then, end = (frame[frame["year"] == year].set_index("scenario") for year in (tested, last))
    most = then["change_percent"].idxmin()
    plans = then["plans"].round()  # as printed: of few plans one more or fewer moves a share
    less = _fewer(plans[most], plans["as now"])
    title = f"No scenario lowers the forecast of plans in {area.name} for January {tested}"
    if less:
        title = (
            f"If {most[0].lower()}{most[1:]}, {area.name} would have {less} plans in January "
            f"{tested} than as now"
        )
    more = then.index[then["change_percent"] >= 0.5]
    raised = "".join(
        f" “{name}” lies above “as now”: the forecast expects fewer new plans here than this "
        "scenario has."
        for name in more
    )
    told = "; ".join(f"{name}: {plans:,.0f}" for name, plans in then["plans"].items())

    def draw(ax: Axes) -> None:
        from_here(ax, tested, "untested")
        far = end["change_percent"].abs() >= 5  # nearer ones would lie on the line of "as now"
        colours = iter((PALETTE[2], PALETTE[3], PALETTE[5], PALETTE[1]) * 3)
        for name, rows in frame.groupby("scenario", sort=False):
            label = f"{name[0].lower()}{name[1:]}"
            look = {"color": RULE, "lw": 1, "label": "_"}
            if name == "as now":
                look = ROLES["area"] | {"label": label}
            elif far[name]:
                look = {"color": next(colours), "lw": 1.8, "ls": "--", "label": _wrapped(label)}
            ax.plot(rows["year"], rows["plans"], **look)
        _plans(ax, frame["year"])
        ax.set_ylim(top=1.06 * frame["plans"].max())
        label_ends(ax)

    return Chart(
        title=title,
        subtitle="EHC plans each January, median forecast; grey: scenarios that change it by less "
        f"than 5 % in {last}",
        alt=f"Line chart of the median forecast of plans in {area.name} to {last}, untested beyond "
        f"{tested}. In January {tested}, {told}.",
        data=frame.drop(columns="note"),
        draw=draw,
        height=4.6,
        note=f"Beyond January {tested} nothing has been tested. "
        + " ".join(frame["note"].drop_duplicates())
        + raised,
    )


def _fewer(plans: float, usual: float) -> str:
    """Say how many fewer plans: in per cent, of fewer than 100 plans as a number."""
    if usual < SMALLEST:
        return f"{usual - plans:.0f} fewer" if plans < usual else ""
    share = round(100 * (1 - plans / usual))
    return f"{share} % fewer" if share > 0 else ""


def published(frame: pd.DataFrame) -> Chart:
    """Forecasts of England side by side; `frame` as :func:`.outlook.published` returns it."""
    past = frame[frame["forecast"] == OWN[0]]
    ours = frame[frame["forecast"] == OWN[1]]
    stable = frame[frame["forecast"] == STABLE]
    others = frame[~frame["forecast"].isin(OWN)]
    tested = int(ours.loc[ours["tested"].astype(bool), "year"].max())
    last = ours.iloc[-1]
    said = " and ".join(f"{plans / 1e6:.2f}" for plans in sorted(others["plans"].unique()))
    ends = frame.groupby("forecast", sort=False).last()
    told = "; ".join(
        f"{name}: {'' if name in OWN else 'more than '}{row['plans']:,.0f} in {row['year']}"
        for name, row in ends.iterrows()
    )

    def draw(ax: Axes) -> None:
        ax.plot(past["year"], past["plans"], label="_", **ROLES["area"])
        _far(ax, ours, tested)
        ax.get_lines()[-2].set_label(f"this package\n{last['plans']:,.0f}")
        label = f"new plans grow no more\n{stable['plans'].iloc[-1]:,.0f}"
        ax.plot(stable["year"], stable["plans"], ":", color=PALETTE[0], label=label)
        for name, rows in others.groupby("forecast"):
            label = f"{_wrapped(name)}\n{rows['plans'].iloc[-1]:,.0f}"
            ax.plot(rows["year"], rows["plans"], "D", color=PALETTE[2], ms=7, mec="white",
                    label=label, clip_on=False)  # fmt: skip
        _plans(ax, pd.concat([past["year"], ours["year"]]))
        ax.set_ylim(0, 1.05 * ours["high_95"].max())
        label_ends(ax)

    return Chart(
        title=f"If new plans a head level off, England would have {last['plans'] / 1e6:.2f} "
        f"million plans in January {last['year']}, {last['low_80'] / 1e6:.2f} to "
        f"{last['high_80'] / 1e6:.2f} in an untested 80 % range; others said more than {said}",
        subtitle=f"{SHADED}, grey: an illustration",
        alt=f"Line chart of EHC plans in England, untested beyond {tested}. {told}. "
        f"{_interval(ours)}",
        data=frame.drop(columns="source"),
        draw=draw,
        height=4.6,
        note="Beyond five years nothing has been tested.",
        source="; ".join(others["source"].unique()),
    )
