"""Alternative texts of the charts in `figures_capacity`, from the same results."""

from __future__ import annotations

import pandas as pd

from send_analysis.capacity.views import HORIZON


def places(frame: pd.DataFrame) -> str:
    """Describe the chart of demand for places against capacity."""
    first, then, last = frame.iloc[0], ahead(frame), frame.iloc[-1]
    phase = "" if first["phase"] == "all" else f"{first['phase']} "
    beyond = (
        f" By {last['year']} the middle of demand is {last['demand']:,.0f}, and untested."
        if last["year"] > then["year"]
        else ""
    )
    return (
        f"Line chart of {phase}places, {first['kind']}, in {first['area']}: "
        f"{first['capacity']:,.0f} in use in {first['year']}. Capacity goes to "
        f"{then['capacity']:,.0f} in {then['year']}, the middle of demand to "
        f"{then['demand']:,.0f}, with an 80 % interval of {then['low_80']:,.0f} to "
        f"{then['high_80']:,.0f}.{beyond}"
    )


def ahead(frame: pd.DataFrame) -> pd.Series:
    """Take the year of the headline out of a forecast that begins with its origin."""
    return frame[frame["year"] <= frame["year"].iloc[0] + HORIZON].iloc[-1]


def came_true(frame: pd.DataFrame) -> str:
    """Say how often the highest tenth of chances came true, of all ages where that is drawn."""
    phase = frame["phase"].iloc[-1]  # all ages stand last
    top = frame[frame["phase"] == phase].iloc[-1]
    ages = "of all ages" if phase == "all" else phase
    return (
        f"Where the chance was put at {top['low']:.0f} to {top['high']:.0f} %, more places {ages} "
        f"were needed in {top['short']:.0f} % of {top['cases']:.0f} areas"
    )


def reliability(frame: pd.DataFrame) -> str:
    """Describe the chart of chances and how often they came true."""
    said = [
        f"{row.phase}: said {row.probability:.0f} %, came true in {row.short:.0f} % of {row.cases}"
        for row in frame.itertuples()
    ]
    return (
        "Line chart of the chance that more specialist places are needed, as given a year before, "
        f"against the share of areas where it came true, by tenths. {'; '.join(said)}."
    )


def open_cases(frame: pd.DataFrame, area: str) -> str:
    """Describe the chart of open assessments."""
    first, last = frame.iloc[0], frame.iloc[-1]
    top = frame.loc[frame["open_cases"].idxmax()]
    return (
        f"Bar chart of assessments open in {area} by year, estimated: about "
        f"{first['open_cases']:,.0f} in {first['year']}, {top['open_cases']:,.0f} in "
        f"{top['year']} at the peak, of which "
        f"{top['backlog']:,.0f} backlog, and {last['open_cases']:,.0f} in {last['year']}, of which "
        f"{last['backlog']:,.0f} backlog."
    )


def rule(frame: pd.DataFrame) -> str:
    """Say what volumes ask of the coming year, and how far such figures have been off."""
    coming = frame.iloc[-1]
    said = (
        f"By volumes, {coming['needed_90']:,.0f} assessments would have to be completed in "
        f"{coming['year']:.0f} for nine plans in ten in time"
    )
    missed = (frame["volumes"] - frame["timely"]).abs().dropna()
    if missed.empty:
        return f"{said}; no year of the area tests that"
    years = "the one year" if len(missed) == 1 else f"{len(missed)} years"
    return f"{said}; such figures missed the share by {missed.mean():.0f} points in {years}" + (
        " that can be tested" if len(missed) == 1 else " on average"
    )


def completions(frame: pd.DataFrame, area: str) -> str:
    """Describe the chart of assessments completed and needed."""
    done = frame.dropna(subset="completed")
    first, last, coming = done.iloc[0], done.iloc[-1], frame.iloc[-1]
    return (
        f"Line chart of assessments completed in {area}: {first['completed']:,.0f} in "
        f"{first['year']:.0f} and {last['completed']:,.0f} in {last['year']:.0f}, against those "
        f"that volumes would ask for with 60 and 90 % of plans within 20 weeks; in "
        f"{coming['year']:.0f} these are {coming['needed_60']:,.0f} and "
        f"{coming['needed_90']:,.0f}."
    )


def millions(value: float) -> str:
    """Write millions, with decimals below one."""
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:,.2f}"


def cost(frame: pd.DataFrame) -> str:
    """Describe the chart of the cost of placements."""
    whole = frame[frame["setting"] == "all"]
    first, last = whole.iloc[0], ahead(whole)
    most = frame[(frame["year"] == last["year"]) & (frame["setting"] != "all")]
    most = most.loc[most["cost"].idxmax()]
    return (
        f"Line chart of the yearly cost of placements of residents of {first['area']}, at prices "
        "of 2021-22: "
        f"{millions(first['cost'])} million pounds in {first['year']}, {millions(last['cost'])} "
        f"million in {last['year']}, with an 80 % interval of {millions(last['low_80'])} to "
        f"{millions(last['high_80'])} million. The largest part is "
        f"{most['setting']} with {millions(most['cost'])} million."
    )
