"""Alternative texts of why demand grew: each takes what its sister in `figures_why` takes."""

from __future__ import annotations

import pandas as pd

from send_analysis.growth.charts_why import PANELS
from send_analysis.growth.decomposition import EDGES


def decomposition(frame: pd.DataFrame, sensitivity: pd.DataFrame | None = None) -> str:
    """Describe the chart of what added to an area's plans."""
    whole = frame[frame["age_band"] == "all"].set_index("component")["plans"]
    words = "; ".join(
        f"{component} {plans:+,.0f}" for component, plans in whole.drop("all").items()
    )
    text = f"Bar chart of plans added, {whole['all']:+,.0f} in all: {words}."
    if sensitivity is not None and sensitivity["variant"].isin(EDGES).any():
        parts = sensitivity.pivot(index="component", columns="variant", values="plans")
        low, high = sorted(parts.loc["prevalence", list(EDGES)])
        text += f" Over the range of estimated residents prevalence is {low:+,.0f} to {high:+,.0f}."
    return text


def prevalence(frame: pd.DataFrame) -> str:
    """Describe the chart of plans per 1,000 by age."""
    start, end = frame["year"].min(), frame["year"].max()
    rates = frame.set_index(["area", "age_band", "year"])["rate"]
    words = "; ".join(
        f"{area} aged {band} {rates[area, band, start]:.0f} to {rates[area, band, end]:.0f}"
        for area in frame["area"].unique()
        for band in frame["age_band"].unique()
    )
    dots = " The series breaks in between." if (frame["caveat"] != "").any() else ""
    return (
        f"Dot chart of plans per 1,000 residents, January {start} to January {end}: {words}.{dots}"
    )


def account(frame: pd.DataFrame) -> str:
    """Describe the chart of the account of the stock."""
    stock, steps = frame[frame["kind"] == "stock"], frame[frame["kind"] != "stock"]
    words = "; ".join(f"{row.item} {row.plans:+,}" for row in steps.itertuples() if row.plans)
    return (
        f"Steps from {stock['plans'].iloc[0]:,} plans in January {frame['start'].iloc[0]} to "
        f"{stock['plans'].iloc[-1]:,} in January {frame['end'].iloc[0]}: {words}."
    )


def ratios(frame: pd.DataFrame) -> str:
    """Describe the charts of the ratios from request to plan."""
    end = frame["year"].max()
    last = frame[(frame["year"] == end) & frame["measure"].isin(PANELS)]
    words = []
    for measure, rows in last.groupby("measure", sort=False):
        values = "; ".join(f"{row.area} {row.value:.1f}" for row in rows.itertuples())
        words.append(f"{measure}: {values}")
    dots = " Dotted steps cross a break in the series." if (frame["caveat"] != "").any() else ""
    return f"Four line charts. In {end}, {'. '.join(words)}.{dots}"


def growth_ratios(frame: pd.DataFrame, area_code: str) -> str:
    """Describe the chart of every area's growth over others'."""
    rows = frame.sort_values("ratio")
    text = (
        f"Chart of the yearly growth ratio of {len(rows)} areas in order, each with a 95 % "
        f"interval, from {rows['ratio'].iloc[0]:.3f} in {rows['area'].iloc[0]} to "
        f"{rows['ratio'].iloc[-1]:.3f} in {rows['area'].iloc[-1]}."
    )
    for row in rows[rows["area_code"] == area_code].itertuples():
        text += f" {row.area} is marked: {row.ratio:.3f}, interval {row.low:.3f} to {row.high:.3f}."
    return text


def counterfactuals(frame: pd.DataFrame) -> str:
    """Describe the chart of plans with the growth of others."""
    words = "; ".join(
        f"with {row.basis} growing as in {row.area} {row.plans_if:,.0f}"
        for row in frame.itertuples()
    )
    first = frame.iloc[0]
    return f"Dot chart. Plans in January {first['end']} are {first['plans']:,.0f}; {words}."
