"""Demand against capacity in one authority: places, assessments, staff and cost.

The parts have modules of their own; this one simulates plans, applies a scenario and puts the
parts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from send_analysis import reads, scenarios
from send_analysis.areas import Area
from send_analysis.capacity import assessments, costs, places, planned, staffing
from send_analysis.errors import MissingDataError, unknown
from send_analysis.forecasting.cohorts import flows, levers
from send_analysis.forecasting.cohorts import simulation as cohorts
from send_analysis.forecasting.cohorts.inputs import SETTINGS
from send_analysis.forms import Form, Text, checked

YEARS = 8  # the school capacity survey of 2026 asks for academic years to 2032/33
SEED = 50
PREFIX = "capacity-"  # of this model's scenario files
PARTS = ("places", "assessments", "staff", "cost", "shifts", "budget", "published")


class Scenario(Form):
    """What a scenario of this model may change."""

    name: Text
    note: Text | None = None
    plans: dict[str, planned.Switch] | None = None
    levers: list[dict[str, Any]] | None = Field(None, min_length=1)
    assumptions: dict[str, float] | None = None


def read_scenario(scenario: str | Path | Mapping | None) -> dict:
    """Read a scenario of this model.

    Parameters
    ----------
    scenario : str, Path, mapping or None
        Name of a file in ``data/scenarios``, a path, what a file would hold, or none.

    Returns
    -------
    dict
        ``name``, and what the scenario changes: ``plans`` (planned changes to places),
        ``levers`` (of plans, as :func:`levers.validate` takes them), ``assumptions``.

    Raises
    ------
    MissingDataError, ParameterError
        As :func:`scenarios.read`; the message names the key.
    """
    if scenario is None:
        return {"name": "as planned"}
    if isinstance(scenario, Mapping):
        checked(Scenario, scenario, "scenario")
        content = dict(scenario)
    else:
        content = scenarios.read(scenario, Scenario, prefix=PREFIX)
    where = content.get("file", "scenario")
    scenarios.assumptions("capacity", content.get("assumptions"), where=where)
    if "levers" in content:
        given = content["levers"]
        content["levers"] = levers.validate(given, where=getattr(given, "file", where))
    return content


@reads.found
def simulate(
    area: Area,
    *,
    years: int = YEARS,
    simulations: int = 1000,
    seed: int = SEED,
    scenario: str | Path | Mapping | None = None,
) -> cohorts.Projection:
    """Simulate an authority's plans by age and setting, held to the forecast of its total.

    Parameters
    ----------
    area : Area or str
    years : int, default 8
        Years ahead, 1 to 15.
    simulations, seed : int
        Same seed, same result.
    scenario : str, Path or mapping, optional
        As :func:`read_scenario` takes it.

    Returns
    -------
    Projection
        As :func:`cohorts.project`.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError
        An unknown area, one without plans by age, an impossible number of years or scenario.
    """
    changed = read_scenario(scenario)
    if area.level != "local authority":
        raise MissingDataError(
            f"{area.name} is no single authority: the model of places follows those."
        )
    made = cohorts.project(area, years=years, simulations=simulations, seed=seed)
    return flows.apply(made, changed.get("levers", ()), seed=seed)


@reads.found
def forecast(
    area: Area,
    *,
    years: int = YEARS,
    scenario: str | Path | Mapping | None = None,
    capacity_file: str | Path | None = None,
    simulations: int = 1000,
    seed: int = SEED,
    simulation: cohorts.Projection | None = None,
) -> pd.DataFrame:
    """Forecast specialist places needed, against those there will be.

    Parameters
    ----------
    area, years, scenario, simulations, seed
        As in :func:`simulate`.
    capacity_file : str or Path, optional
        Places that the user knows, as :func:`.planned.read_capacity` reads
        them; places in use in the latest January and planned changes if not given.
    simulation : Projection, optional
        One already made with the same scenario, so as not to make it again.

    Returns
    -------
    DataFrame
        ``scenario, area`` and the columns of :func:`places.balance`.

    Raises
    ------
    UnknownNameError, MissingDataError, DataError, ParameterError
        As :func:`simulate`; a capacity file or a plan that is wrong.
    """
    changed = read_scenario(scenario)
    changes = planned.plans(area, changed.get("plans"))
    if simulation is None:
        simulation = simulate(
            area, years=years, simulations=simulations, seed=seed, scenario=scenario
        )
    ahead = range(simulation.origin + 1, simulation.origin + len(simulation.stock))
    there = planned.capacity(
        area, ahead, base=simulation.origin, changes=changes, file=capacity_file
    )
    late = planned.late(
        there,
        changes,
        base=simulation.origin,
        simulations=simulation.stock.shape[1],
        seed=seed,
        given=scenarios.assumptions("capacity", changed.get("assumptions")),
    )
    out = places.balance(simulation, there, SETTINGS, late=late)
    out.insert(0, "scenario", changed["name"])
    out.insert(2, "area", area.name)
    return out


@reads.found
def part(
    area: Area,
    name: str = "places",
    *,
    years: int = YEARS,
    scenario: str | Path | Mapping | None = None,
    capacity_file: str | Path | None = None,
    simulations: int = 1000,
    seed: int = SEED,
) -> pd.DataFrame:
    """Compute one part of the report.

    Parameters
    ----------
    area : Area or str
    name : str, default "places"
        ``places`` (:func:`forecast`), ``assessments`` (the queue), ``staff``, ``cost``,
        ``shifts`` (what a tenth of new placements elsewhere changes), ``budget`` (grant and
        deficit) or ``published`` (what official tables say of places).
    years, scenario, capacity_file, simulations, seed
        As in :func:`forecast`.

    Returns
    -------
    DataFrame
        As the function of that part.

    Raises
    ------
    UnknownNameError
        If there is no such part or area.
    """
    if name not in PARTS:
        raise unknown("part", name, PARTS, hint=f"Parts: {', '.join(PARTS)}.")
    options = {"years": years, "scenario": scenario, "simulations": simulations, "seed": seed}
    changes = read_scenario(scenario).get("assumptions")
    if name == "places":
        return forecast(area, **options, capacity_file=capacity_file)
    if name == "assessments":
        options["years"] = 1
        try:
            ahead = expected_assessments(simulate(area, **options), changes=changes)
        except MissingDataError:  # a region or England: as many as in the latest year
            ahead = None
        return assessments.queue(area, arrivals=ahead, seed=seed, changes=changes)
    if name == "budget":
        return costs.budget(area)
    if name == "published":
        return places.published(area)
    simulation = simulate(area, **options)
    if name == "staff":
        ratio = staffing.assessments_a_plan(area)
        return staffing.need(simulation, ratio=ratio, seed=seed, changes=changes)
    model = costs.forecast if name == "cost" else costs.shifts
    return model(simulation, seed=seed, changes=changes)


def expected_assessments(
    simulation: cohorts.Projection, *, changes: Mapping[str, float] | None = None
) -> float:
    """Requests not refused in the year after the last published, that the simulation implies.

    Parameters
    ----------
    simulation : Projection
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    float
        Median new plans of the first year, times assessments for each plan, more for the cases
        that lapse.
    """
    lapse = scenarios.assumptions("capacity", changes).at["cases_lapsing", "value"]
    ratio = staffing.assessments_a_plan(simulation.area_code)
    return float(np.median(simulation.new[1].sum(axis=1))) * ratio / (1 - lapse)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Shorten a forecast of places to what a reader of a terminal wants.

    Parameters
    ----------
    frame : DataFrame
        As :func:`forecast` returns it.

    Returns
    -------
    DataFrame
        ``year, kind, phase, capacity, demand, 80 % interval, probability, extra_80, extra_95``:
        all specialist places by phase, and each kind for all phases; whole places.
    """
    every = list(places.GROUPS)[-1]
    rows = frame[(frame["phase"] == "all") | (frame["kind"] == every)]
    whole = rows[["capacity", "demand", "demand_low_80", "demand_high_80"]].round().astype("int64")
    interval = whole["demand_low_80"].astype(str) + "–" + whole["demand_high_80"].astype(str)
    out = rows[["year", "kind", "phase"]].assign(
        capacity=whole["capacity"],
        demand=whole["demand"],
        interval=interval,
        probability=rows["probability"].map("{:.0f} %".format),
        extra_80=rows["extra_80"],
        extra_95=rows["extra_95"],
    )
    return out.sort_values(["year"], kind="stable").rename(columns={"interval": "80 % interval"})
