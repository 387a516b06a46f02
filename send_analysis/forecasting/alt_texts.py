"""Alternative texts of the charts in `figures_forecast`, from the same results."""

from __future__ import annotations

import pandas as pd

from send_analysis.forecasting.longrange import TESTED
from send_analysis.forecasting.outlook import STABLE

OWN = ("published figures", "this package", STABLE)  # the others published lower bounds


def fan(frame: pd.DataFrame) -> str:
    """Describe the chart of a forecast."""
    past, last = frame.dropna(subset="published"), frame.iloc[-1]
    first, now = past.iloc[0], past.iloc[-1]
    return (
        f"Line chart of EHC plans in {first['area']}: {first['published']:,.0f} in "
        f"{first['year']}, {now['published']:,.0f} in {now['year']}. The forecast fans out to a "
        f"median of {last['median']:,.0f} in {last['year']}, with an 80 % interval of "
        f"{last['low_80']:,.0f} to {last['high_80']:,.0f} and a 95 % interval of "
        f"{last['low_95']:,.0f} to {last['high_95']:,.0f}."
    )


def then_and_now(frame: pd.DataFrame) -> str:
    """Describe the chart of an earlier forecast and what happened."""
    ahead = frame.dropna(subset="compound")
    first, last = ahead.iloc[0], ahead.iloc[-1]
    inside = last["low_80"] <= last["published"] <= last["high_80"]
    return (
        f"Line chart of EHC plans in {first['area']} from January {first['year']}, when there were "
        f"{first['published']:,.0f}. For {last['year']} the forecast said {last['median']:,.0f}, "
        f"compound growth of five years {last['compound']:,.0f}; {last['published']:,.0f} were "
        f"published, {'within' if inside else 'outside'} the 80 % interval of "
        f"{last['low_80']:,.0f} to {last['high_80']:,.0f}."
    )


def reliability(frame: pd.DataFrame) -> str:
    """Describe the reliability diagram."""
    parts = []
    for horizon in (1, 3, 5):
        share = frame[frame["horizon"] == horizon].set_index("level")["below"]
        parts.append(
            f"{horizon} ahead, {share[10]:.0f} % lay below the 10 % quantile, {share[50]:.0f} % "
            f"below the median and {share[90]:.0f} % below the 90 % quantile"
        )
    return (
        "Reliability diagram, per cent of outcomes below each quantile by years ahead. "
        f"{'; '.join(parts)}."
    )


def scenarios(frame: pd.DataFrame, area: str) -> str:
    """Describe the chart of scenarios."""
    last = frame["year"].max()
    tested = frame["year"].min() + TESTED - 1
    ends = frame[frame["year"] == last]
    parts = [f"{row.scenario}: {row.plans:,.0f}" for row in ends.itertuples()]
    return (
        f"Line chart of the median forecast of plans in {area} to {last}, untested beyond "
        f"{tested}. {'; '.join(parts)}."
    )


def published(frame: pd.DataFrame) -> str:
    """Describe the chart of forecasts of England."""
    ends = frame.groupby("forecast", sort=False).last().reset_index()
    over = ends["forecast"].isin(OWN).map({True: "", False: "more than "})
    parts = [
        f"{row.forecast}: {more}{row.plans:,.0f} in {row.year}"
        for row, more in zip(ends.itertuples(), over, strict=True)
    ]
    tested = frame.loc[frame["tested"].eq(True), "year"].max()
    return (
        f"Line chart of EHC plans in England, untested beyond {tested}. {'; '.join(parts)}. "
        f"{_interval(frame)}"
    )


def far(frame: pd.DataFrame) -> str:
    """Describe the chart of a forecast beyond the tested years."""
    past, last = frame.dropna(subset="published").iloc[-1], frame.iloc[-1]
    return (
        f"Line chart of EHC plans in {past['area']}: {past['published']:,.0f} in {past['year']}. "
        f"Beyond {past['year'] + TESTED} an illustration goes on to a middle of "
        f"{last['median']:,.0f} in {last['year']}. {_interval(frame)}"
    )


def _interval(frame: pd.DataFrame) -> str:
    """Describe the intervals of the last year of a forecast."""
    last = frame.dropna(subset="low_80").iloc[-1]
    return (
        f"The 80 % interval of {last['year']} is {last['low_80']:,.0f} to {last['high_80']:,.0f}, "
        f"the 95 % interval {last['low_95']:,.0f} to {last['high_95']:,.0f}."
    )
