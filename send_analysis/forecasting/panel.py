"""The official tables as one block of arrays: units × Januaries, and what was known when.

Forecasts need every area's history on unbroken boundaries and must never see a figure that was
published later. Both are settled here, once: :func:`build` puts the tables on footprints, and
:func:`known_at` hides all that came after a January.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.errors import MissingDataError


@dataclass(frozen=True)
class Panel:
    """What is known about every unit each January.

    Every array is units × years, in plans unless it says otherwise, NaN where nothing is
    published. Flows and shares of an earlier date stand in the column of the January by which
    they are known: requests of calendar year 2024 in 2025.

    Attributes
    ----------
    units : ndarray of str
        Codes of the units with unbroken series; member codes joined by ``+``.
    years : ndarray of int
        Januaries.
    plans : ndarray
        EHC plans and statements that January.
    requests, refused, new_plans : ndarray
        Requests for assessment, requests refused, and new plans, in the calendar year before.
    open_cases : ndarray
        Assessments still open at the end of the calendar year before (published to 2021).
    prevalence : ndarray
        Pupils with a plan per 100 pupils in the area's schools, the January before.
    secondary : ndarray
        Share of the plans held at ages 11 to 15 (0 to 1), the last one known that January.
    """

    units: np.ndarray
    years: np.ndarray
    plans: np.ndarray
    requests: np.ndarray
    refused: np.ndarray
    new_plans: np.ndarray
    open_cases: np.ndarray
    prevalence: np.ndarray
    secondary: np.ndarray


@tables.remembered
def build() -> Panel:
    """Put the official tables on unbroken footprints.

    Returns
    -------
    Panel
        One row a unit, one column a January from the first to the last year with plans.
    """
    plans = areas.on_footprints(tables.load("ehc_plans"), ["plans"], ("year", "age_band"))
    total = plans[plans["age_band"] == "all"]
    units = np.sort(total["area_code"].unique())
    years = np.arange(total["year"].min(), total["year"].max() + 1)

    def grid(frame: pd.DataFrame, value: str, lag: int) -> np.ndarray:
        """Lay out one value: units × years, `lag` years after the year it is about."""
        wide = frame.pivot(index="area_code", columns="year", values=value).astype("float64")
        wide.columns += lag
        return wide.reindex(index=units, columns=years).to_numpy()

    requests = tables.load("requests")
    counted = requests["requests"].where(caveats.sound(requests, "requests"))
    requests = requests.assign(requests=counted)
    requests = areas.on_footprints(requests, ["requests"], ("year", "outcome"))
    cases = areas.on_footprints(tables.load("assessments"), ["assessments"], ("year", "outcome"))
    cases = cases[cases["outcome"] == "open at the end of the year"]
    new = areas.on_footprints(tables.load("new_plans"), ["plans"], ("year", "age_band"))
    bands = plans[plans["age_band"] != "all"]
    of_age = grid(bands[bands["age_band"] == "11-15"], "plans", 0)
    all_ages = grid(bands.groupby(["area_code", "year"], as_index=False)["plans"].sum(), "plans", 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = pd.DataFrame(of_age / all_ages).ffill(axis=1).to_numpy()  # the last one known
    return Panel(
        units=units,
        years=years,
        plans=grid(total, "plans", 0),
        requests=grid(requests[requests["outcome"] == "all"], "requests", 1),
        refused=grid(requests[requests["outcome"] == "not assessed"], "requests", 1),
        new_plans=grid(new[new["age_band"] == "all"], "plans", 1),
        open_cases=grid(cases, "assessments", 1),
        prevalence=grid(_prevalence(tables.load("pupils")), "percent", 1),
        secondary=share,
    )


def _prevalence(pupils: pd.DataFrame) -> pd.DataFrame:
    """Pupils with a plan, per cent; of a merged footprint the plain mean of its authorities."""
    rows = pupils[pupils["support"] == "EHC plan or statement"]
    known = tables.load("areas")
    unit = known[known["level"] == "local authority"].set_index("area_code")["footprint"]
    rows = rows[rows["area_code"].isin(unit.index)]
    rows = rows.assign(area_code=rows["area_code"].map(unit))
    return rows.groupby(["area_code", "year"], as_index=False)["percent"].mean()


def known_at(panel: Panel, january: int) -> Panel:
    """Keep what was published by the release of a January, and nothing later.

    Parameters
    ----------
    panel : Panel
        Any panel.
    january : int
        Year of the last January kept.

    Returns
    -------
    Panel
        The same units; columns after `january` are gone.

    Raises
    ------
    MissingDataError
        The panel has no such January.
    """
    if january not in panel.years:
        first, last = panel.years[[0, -1]]
        raise MissingDataError(
            f"No plans are published for January {january}: the tables hold {first} to {last}."
        )
    kept = panel.years <= january
    cut = {
        f.name: getattr(panel, f.name)[:, kept]
        for f in fields(panel)
        if f.name not in ("units", "years")
    }
    return replace(panel, years=panel.years[kept], **cut)
