"""Specialist places: how many are in use, how many will be needed, how sure one can be.

A *kind* of place is a setting of the EHC plan tables. Demand is a simulation of plans by age and
setting; capacity comes from :mod:`.planned`. Equations are in
docs/capacity.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.scenarios import interval

# Kinds of specialist place. The first four are those of the school capacity survey; young people
# in further education have places in colleges and specialist post-16 institutions.
SPECIAL, UNIT = "state special school", "resourced provision or SEN unit"
INDEPENDENT = "independent or non-maintained special school"
ALTERNATIVE, COLLEGE, MAINSTREAM = "alternative provision", "further education", "mainstream"
KINDS = (SPECIAL, UNIT, INDEPENDENT, ALTERNATIVE, COLLEGE)
SURVEY_KINDS = KINDS[:4]
# Sums of kinds that a planner decides about together.
GROUPS = {"state-funded specialist": (SPECIAL, UNIT), "all specialist": SURVEY_KINDS}
# Ages at 31 August before the January, so that 4 is reception, 11 is year 7 and 15 is year 11,
# whose pupils turn 16: the phase that schools call 11 to 16.
PHASES = {"primary": (4, 10), "secondary": (11, 15), "post-16": (16, 25)}
YOUNGEST = 2  # the publisher groups ages 2 and under; they stand first on the axis of ages
SURENESS = (0.8, 0.95)


class Simulation(Protocol):
    """What a model of plans must give; `cohorts.project` does.

    Attributes
    ----------
    area_code : str
    origin : int
        January simulated from.
    stock : ndarray (years + 1, simulations, ages, settings)
        Plans in each January, the origin's first; the first age is 2 and under.
    new : ndarray (years + 1, simulations, ages)
        New plans in the calendar year before each January; none in the origin's.
    """

    area_code: str
    origin: int
    stock: np.ndarray
    new: np.ndarray


@reads.found
@tables.remembered(most=4)
def in_use(area: Area, *, year: int | None = None) -> pd.DataFrame:
    """Count places in use by residents with EHC plans, wherever the school is.

    Parameters
    ----------
    area : Area or str
    year : int, optional
        Year of the January; the latest that has plans by age if not given.

    Returns
    -------
    DataFrame
        ``area_code, year, kind, phase, places``: the kinds of :data:`KINDS`, the phases of
        :data:`PHASES`.

    Raises
    ------
    MissingDataError
        If the area has no plans by age and setting in the year.
    """
    known = tables.load("ehc_plans_by_age")
    rows = known[(known["area_code"] == area) & known["setting"].isin(KINDS)]
    rows = rows[rows["plans"].notna()]
    year = int(rows["year"].max()) if year is None and len(rows) else year
    rows = rows[rows["year"] == year]
    if rows.empty:
        raise MissingDataError(
            f"{area.name} has no plans by age and setting"
            f"{'' if year is None else f' in January {year}'}; they are published from "
            f"{known['year'].min()}. Choose another area or year."
        )
    rows = rows.assign(phase=_phase(rows["age"]), kind=rows["setting"])
    index = pd.MultiIndex.from_product([KINDS, PHASES], names=["kind", "phase"])
    places = rows.groupby(["kind", "phase"])["plans"].sum().reindex(index, fill_value=0)
    out = places.astype("int64").rename("places").reset_index()
    return out.assign(area_code=area, year=year)[["area_code", "year", "kind", "phase", "places"]]


def _phase(age: pd.Series) -> pd.Series:
    """Phase of each age; missing below school age and where the age is not known."""
    number = pd.to_numeric(age, errors="coerce")
    out = pd.Series(pd.NA, index=age.index, dtype="object")
    for phase, (low, high) in PHASES.items():
        out = out.mask(number.between(low, high), phase)
    return out


def demand(simulation: Simulation, settings: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """Add simulated plans up to kinds of place and phases.

    Parameters
    ----------
    simulation : Simulation
    settings : sequence of str
        Names of the settings on the last axis of ``simulation.stock``.

    Returns
    -------
    dict of ndarray (years + 1, simulations)
        By kind and phase, with the groups of :data:`GROUPS` and the phase ``all``.
    """
    place = {name: number for number, name in enumerate(settings)}
    absent = [kind for kind in KINDS if kind not in place]
    if absent:
        raise ParameterError(f"The simulation has no setting {absent[0]!r}.")
    out = {}
    for phase, (low, high) in PHASES.items():
        plans = simulation.stock[:, :, low - YOUNGEST : high - YOUNGEST + 1].sum(axis=2)
        out |= {(kind, phase): plans[..., place[kind]] for kind in KINDS}
    return _with_sums(out)


def _with_sums(cells: Mapping[tuple[str, str], np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Add the groups of kinds, and all phases together, to arrays by kind and phase."""
    out = dict(cells)
    for phase in PHASES:
        for group, kinds in GROUPS.items():
            out[group, phase] = sum(out[kind, phase] for kind in kinds)
    for kind in (*KINDS, *GROUPS):
        out[kind, "all"] = sum(out[kind, phase] for phase in PHASES)
    return out


def balance(
    simulation: Simulation,
    capacity: pd.DataFrame,
    settings: Sequence[str],
    *,
    late: Mapping[tuple[str, str], np.ndarray] | None = None,
    sureness: Sequence[float] = SURENESS,
) -> pd.DataFrame:
    """Set simulated demand against capacity.

    Parameters
    ----------
    simulation : Simulation
    capacity : DataFrame
        ``kind, phase, year, in_use, planned, capacity, basis``, as
        :func:`.planned.capacity` gives it; a kind, phase and year of the simulation each.
    settings : sequence of str
        Names of the settings of the simulation.
    late : mapping of (kind, phase) to ndarray (years, simulations), optional
        Places missing because openings are late, as :func:`.planned.late` draws them; none
        if not given.
    sureness : sequence of float
        How sure one wants to be that places suffice.

    Returns
    -------
    DataFrame
        ``area_code, origin, year, horizon, kind, phase, in_use, planned, capacity,
        demand, demand_low_80, demand_high_80`` (places; ``planned`` and ``capacity`` are means over
        simulations, ``demand`` is the median), ``shortfall`` (median demand less capacity; below
        zero places are spare), ``probability`` (per cent; that demand exceeds capacity), and for
        each sureness, e.g. 0.8, ``places_80`` (the fewest places that suffice in 80 % of
        simulations) and ``extra_80`` (the fewest to add to those planned, for that). ``basis``
        says where capacity comes from.

    Notes
    -----
    A group of kinds, and all phases together, are added up within each simulation: their
    quantiles are not sums of quantiles.
    """
    wanted = demand(simulation, settings)
    plans = np.stack(list(wanted.values()))[:, 1:]  # kinds and phases × years × simulations
    years = range(simulation.origin + 1, simulation.origin + 1 + plans.shape[1])
    keys = ["kind", "phase", "year"]
    index = [(*cell, year) for cell in wanted for year in years]
    known = capacity.set_index(keys).reindex(pd.MultiIndex.from_tuples(index, names=keys))
    cells = {  # by year; nothing yet where kinds or phases are added up
        name: dict(zip(wanted, known[name].to_numpy().reshape(-1, len(years)), strict=True))
        for name in ("in_use", "planned", "capacity", "basis")
    }
    summed = _with_sums(
        {it: held[:, None] - (late or {}).get(it, 0.0) for it, held in cells["capacity"].items()}
    )
    there = np.stack([np.broadcast_to(summed[cell], plans.shape[1:]) for cell in wanted])
    mean = there.mean(axis=-1).ravel()
    in_use, more, usual = (
        np.concatenate([*_with_sums(cells[name]).values()])
        for name in ("in_use", "planned", "capacity")
    )
    out = known[["in_use", "planned", "capacity"]].assign(
        in_use=in_use.astype(capacity["in_use"].dtype),
        planned=more + mean - usual,
        capacity=mean,
        **{name: values.ravel() for name, values in interval("demand", plans, axis=-1).items()},
    )
    out["shortfall"] = out["demand"] - mean
    out["probability"] = 100 * (plans > there).mean(axis=-1).ravel()
    for share in sureness:
        name = f"{share * 100:g}".replace(".", "_")
        out[f"places_{name}"] = enough(plans, share).ravel()
        out[f"extra_{name}"] = np.maximum(enough(plans - there, share).ravel(), 0)
    out = out.assign(basis=_bases(cells["basis"])).reset_index()
    out = out.assign(
        area_code=simulation.area_code,
        origin=simulation.origin,
        horizon=out["year"] - simulation.origin,
    )
    first = ["area_code", "origin", "year", "horizon", "kind", "phase"]
    return out[[*first, *(column for column in out.columns if column not in first)]]


def enough(plans: np.ndarray, share: float) -> np.ndarray:
    """Count the fewest places that are enough in a share of simulations.

    Parameters
    ----------
    plans : ndarray (…, simulations)
    share : float
        0 to 1.

    Returns
    -------
    ndarray of int (…)
    """
    plans = np.sort(plans, axis=-1)  # faster than to part them at the share
    return np.ceil(np.quantile(plans, share, axis=-1, method="inverted_cdf")).astype("int64")


def _bases(cells: Mapping[tuple[str, str], np.ndarray]) -> list[str]:
    """Say where capacity comes from, of kinds, phases and their sums, a text a year each."""
    out = []
    for kind, phase in cells:
        parts = [
            cells[one, at]
            for one in GROUPS.get(kind, (kind,))
            for at in (PHASES if phase == "all" else (phase,))
        ]
        out += ["; ".join(dict.fromkeys(texts)) for texts in zip(*parts, strict=True)]
    return out


@reads.found
def published(area: Area) -> pd.DataFrame:
    """List what official tables say of places in an area's schools, to set beside capacity.

    Returns
    -------
    DataFrame
        ``area_code, what, year, places, basis``: places that the high needs block funds at
        academies, free schools and colleges from the autumn of the latest year; pupils in special
        schools of the area; places and pupils in its mainstream schools. They count schools in
        the area, whoever's residents attend; none is the capacity of its special schools.
    """
    funded = tables.load("high_needs_places")
    funded = funded[(funded["area_code"] == area) & (funded["start"] == "autumn")]
    funded = funded[funded["year"] == funded["year"].max()]
    parts = [
        funded.groupby(["year", "provision"], as_index=False)["places"]
        .sum()
        .assign(basis="funded from the high needs block")
        .rename(columns={"provision": "what"})
    ]
    grant = tables.load("high_needs_funding")
    grant = grant[grant["area_code"] == area].sort_values("year").tail(1)
    parts.append(
        pd.DataFrame(
            {
                "what": "special schools",
                "year": grant["year"],
                "places": grant["special_pupils"],
                "basis": "pupils, as the high needs block counts them",
            }
        )
    )
    schools = tables.load("mainstream_places")
    schools = schools[(schools["area_code"] == area) & schools["number"].notna()]
    schools = schools[schools["year"] == schools["year"].max()]
    parts.append(
        pd.DataFrame(
            {
                "what": "mainstream " + schools["phase"],
                "year": schools["year"],
                "places": schools["number"],
                "basis": schools["measure"],
            }
        )
    )
    out = pd.concat(parts, ignore_index=True)
    out = out[out["places"] > 0].assign(area_code=area)
    return out[["area_code", "what", "year", "places", "basis"]].reset_index(drop=True)
