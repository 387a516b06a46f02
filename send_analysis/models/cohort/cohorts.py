"""Cohort model: plans by age and setting, carried forward a year at a time from official tables.

Each year every plan ages, ends, moves or stays; new plans enter by age. See docs/cohorts.md for
the equations and what is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import areas as places
from send_analysis import tables
from send_analysis.ages import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.models.cohort.cohort_data import (
    AGES,
    ORIGINS,
    SETTINGS,
    Snapshot,
    snapshot,
)
from send_analysis.models.cohort.cohort_moves import MOVE_GROUPS
from send_analysis.models.cohort.cohort_rates import LEAVE_BANDS, Rates, estimate
from send_analysis.models.cohort.cohort_trend import Trend, entry_trend, join_factor, leave_factor
from send_analysis.models.cohort.flow_scenarios import read_scenario, yearly_changes
from send_analysis.models.cohort.stock_flow import Draws, draw_beta, draw_dirichlet, trajectories
from send_analysis.models.cohort.transitions import States

PROBABILITIES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
LONGEST = 15  # years; population beyond is next to unborn
BANDS = {band: [age for age in ages if age in AGES] for band, ages in AGE_BANDS.items()}
STATES = States(  # what a scenario may name; the tables give no need by age
    ages=range(AGES[0], AGES[-1] + 1),
    needs=["all"],
    settings=SETTINGS,
    allowed=np.ones((len(AGES), 1, len(SETTINGS)), dtype=bool),
    reachable=~np.eye(len(SETTINGS), dtype=bool),
)
COLUMNS = [
    "area_code", "area", "origin", "year", "horizon", "measure", "age", "setting", "quantile",
    "value",
]  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """Simulated plans of one area.

    Parameters
    ----------
    area_code : str
    origin : int
        January projected from.
    stock : ndarray (years + 1, simulations, A, S)
        Plans each January, the origin first; ages are `cohort_data.AGES`, settings
        `cohort_data.SETTINGS`. Whole numbers unless reconciled.
    new : ndarray (years + 1, simulations, A)
        New plans in the calendar year before; none in the origin's.
    """

    area_code: str
    origin: int
    stock: np.ndarray
    new: np.ndarray


def simulate_area(
    area: str,
    *,
    origin: int = ORIGINS[-1],
    years: int = 10,
    simulations: int = 1000,
    seed: int = 50,
    totals: pd.DataFrame | None = None,
    scenario: str | Path | None = None,
    probabilities: Sequence[float] = PROBABILITIES,
) -> pd.DataFrame:
    """Project one authority's plans by age and setting.

    Parameters
    ----------
    area : str
        Name or code of a local authority; codes joined by ``+`` are taken together.
    origin : int
        January to project from: 2024 or 2025.
    years : int
        Years ahead, 1 to 15.
    simulations : int
    seed : int
        Same seed, same result, whichever other areas are simulated.
    totals : DataFrame, optional
        A forecast of all plans to agree with, from `forecasting.forecast`: see `reconcile`.
    scenario : path, optional
        A scenario file, as `flow_scenarios.read_scenario` takes it; `from` and `to_year` are
        Januaries, ages those at 31 August, and a cap or a closed setting has the names of
        `cohort_data.SETTINGS`.
    probabilities : sequence of float
        Quantiles wanted.

    Returns
    -------
    DataFrame
        ``area_code, area, origin, year, horizon, measure, age, setting, quantile, value``.
        ``measure`` is ``plans`` (in the January of ``year``) or ``new plans`` (in the calendar
        year ``year``). ``age`` is ``all``, an age band, or a single year of age at 31 August;
        ``setting`` is ``all`` or a setting. Settings are given for all ages and by age band.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError
    """
    projection = project(
        area, origin=origin, years=years, simulations=simulations, seed=seed, scenario=scenario
    )
    if totals is not None:
        projection = reconcile(projection, totals)
    return summarise(projection, probabilities)


def simulate_areas(
    areas: Iterable[str] | None = None,
    *,
    origin: int = ORIGINS[-1],
    years: int = 10,
    simulations: int = 1000,
    seed: int = 50,
    totals: pd.DataFrame | None = None,
    jobs: int = 2,
) -> pd.DataFrame:
    """Project many authorities; all with plans by age at the origin if none are named.

    Parameters
    ----------
    areas : iterable of str, optional
    jobs : int
        Processes to use; the result does not depend on it.
    origin, years, simulations, seed, totals
        As in `simulate_area`.

    Returns
    -------
    DataFrame
        As `simulate_area`, areas in order of their codes.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    if areas is None:
        known = estimated(origin)[0]
        codes = list(known.areas[np.isfinite(known.stock).all(axis=(1, 2))])
    else:
        codes = [places.resolve_unit(area) for area in areas]
    run = partial(
        simulate_area, origin=origin, years=years, simulations=simulations, seed=seed, totals=totals
    )
    _check(origin, years, simulations, seed)
    tasks = (delayed(run)(code) for code in sorted(set(codes)))
    results = Parallel(n_jobs=jobs, return_as="generator")(tasks)
    bar = tqdm(results, total=len(set(codes)), desc="Cohorts", disable=None, leave=False)
    return pd.concat(bar, ignore_index=True)


def project(
    area: str,
    *,
    origin: int = ORIGINS[-1],
    years: int = 10,
    simulations: int = 1000,
    seed: int = 50,
    scenario: str | Path | None = None,
) -> Projection:
    """Simulate one authority and keep every simulation, for models that count places.

    Parameters
    ----------
    area, origin, years, simulations, seed, scenario
        As in `simulate_area`.

    Returns
    -------
    Projection
    """
    _check(origin, years, simulations, seed)
    known, rates, trend = estimated(origin)
    code = places.resolve_unit(area)
    changes = None
    if scenario is not None:
        januaries = range(origin + 1, origin + 1 + years)
        changes = yearly_changes(read_scenario(scenario), STATES, januaries)
    stock = np.zeros((years + 1, simulations, len(AGES), len(SETTINGS)), dtype=np.int32)
    new = np.zeros((years + 1, simulations, len(AGES)), dtype=np.int32)
    for member in code.split("+"):
        if member not in known.areas:
            raise MissingDataError(
                f"{places.name(member)} ({member}) is no local authority of January {origin}; "
                "the cohort model projects single authorities."
            )
        number = known.areas.get_loc(member)
        start = known.stock[number]
        if not np.isfinite(start).all():
            raise MissingDataError(
                f"{places.name(member)} gave no plans by age in January {origin}; choose another "
                "origin."
            )
        # the code seeds too, so that an area's draws are its own in any run
        rng = np.random.default_rng([seed, int(member[1:])])
        paths = trajectories(
            _whole(start)[:, None, :],
            partial(_draw, rates, number, start),
            np.rint(known.people_ahead[number, :years]).astype(np.int64),
            simulations=simulations,
            rng=rng,
            leave_factor=leave_factor(trend, simulations, years, rng),
            join_factor=join_factor(trend, simulations, years, rng),
            changes=changes,
        )
        for part, year, plans, joined in paths:
            stock[year, part] += plans[:, :, 0]
            new[year, part] += joined
    return Projection(code, origin, stock, new)


def reconcile(projection: Projection, totals: pd.DataFrame) -> Projection:
    """Make the simulated totals those of another forecast, so that one report has one total.

    Parameters
    ----------
    projection : Projection
    totals : DataFrame
        ``area_code, year, quantile, value`` of all plans; rows of other measures or categories
        (columns ``measure``, ``category``, ``age``, ``setting``) are left out.

    Returns
    -------
    Projection
        Each simulation's plans and new plans of a year are scaled by one factor, so that the
        simulated totals in order take the quantiles of the other forecast.

    Raises
    ------
    MissingDataError
        If `totals` lacks a year that is projected.
    """
    rows = totals[totals["area_code"] == projection.area_code]
    for column, wanted in (("measure", "plans"), ("category", "all"), ("age", "all"),
                           ("setting", "all")):  # fmt: skip
        if column in rows:
            rows = rows[rows[column] == wanted]
    wide = rows.pivot_table(index="year", columns="quantile", values="value").astype(float)
    stock, new = projection.stock.astype(float), projection.new.astype(float)
    for step in range(1, len(stock)):
        year = projection.origin + step
        if year not in wide.index:
            raise MissingDataError(
                f"The totals have no row for {projection.area_code} in {year}; forecast as many "
                "years as are projected."
            )
        own = stock[step].sum(axis=(1, 2))
        order = (np.argsort(np.argsort(own, kind="stable"), kind="stable") + 0.5) / len(own)
        factor = _quantile(wide.loc[year], order) / np.maximum(own, 1.0)
        stock[step] *= factor[:, None, None]
        new[step] *= factor[:, None]
    return Projection(projection.area_code, projection.origin, stock, new)


def summarise(
    projection: Projection, probabilities: Sequence[float] = PROBABILITIES
) -> pd.DataFrame:
    """Quantiles of a projection, in the long form that `simulate_area` documents."""
    plans = projection.stock[1:]
    bands = {"all": AGES, **BANDS}
    of_band = {name: np.array(ages) - AGES[0] for name, ages in bands.items()}
    parts: dict[tuple[str, str, str], np.ndarray] = {}
    for name, ages in of_band.items():
        by_setting = plans[:, :, ages].sum(axis=2)
        parts["plans", name, "all"] = by_setting.sum(axis=-1)
        for place, setting in enumerate(SETTINGS):
            parts["plans", name, setting] = by_setting[..., place]
    for place, age in enumerate(AGES):
        parts["plans", str(age) if age > AGES[0] else "0-2", "all"] = plans[:, :, place].sum(-1)
    for name, ages in of_band.items():
        parts["new plans", name, "all"] = projection.new[1:, :, ages].sum(axis=-1)
    values = np.stack(list(parts.values()))  # parts × years × simulations
    quantiles = np.quantile(values, probabilities, axis=-1)
    years = range(projection.origin + 1, projection.origin + 1 + len(plans))
    index = pd.MultiIndex.from_product([probabilities, range(len(parts)), years])
    frame = pd.DataFrame({"value": quantiles.ravel()}, index=index).reset_index()
    frame.columns = ["quantile", "part", "year", "value"]
    keys = pd.DataFrame(list(parts), columns=["measure", "age", "setting"])
    frame = frame.join(keys, on="part")
    # new plans that are counted by a January were made in the calendar year before it
    frame["year"] -= (frame["measure"] == "new plans").astype(int)
    frame = frame.assign(
        area_code=projection.area_code,
        area=places.name(projection.area_code),
        origin=projection.origin,
        horizon=frame["year"] - projection.origin + (frame["measure"] == "new plans"),
    )
    return frame.sort_values(["part", "year", "quantile"])[COLUMNS].reset_index(drop=True)


@tables.remembered
def estimated(origin: int) -> tuple[Snapshot, Rates, Trend]:
    """Return the tables, every authority's rates and the trend of one January, gathered once.

    Parameters
    ----------
    origin : int

    Returns
    -------
    Snapshot
    Rates
    Trend
    """
    known = snapshot(origin, years=LONGEST)
    return known, estimate(known), entry_trend(origin)


def _draw(
    rates: Rates, number: int, start: np.ndarray, simulations: int, rng: np.random.Generator
) -> Draws:
    """Draw one authority's rates once for each simulation."""
    ages, settings = len(AGES), len(SETTINGS)
    leave = np.repeat(rates.leave[number][None], simulations, axis=0)
    for band, span in enumerate(LEAVE_BANDS):
        within = np.array([age for age in span if age < AGES[-1]]) - AGES[0]
        held = start[within]
        mean = (held * rates.leave[number, within]).sum() / max(held.sum(), 1.0)
        if not 0 < mean < 1:
            continue
        shape = rates.leave_shape[number, band]
        level = draw_beta(rng, np.full((simulations, 2), [shape, shape * (1 - mean) / mean]))
        leave[:, within] = np.minimum(leave[:, within] * (level / mean)[:, None, None], 1.0)
    group = np.empty(ages, dtype=int)
    for place, members in enumerate(MOVE_GROUPS):
        group[np.array(members) - AGES[0]] = place
    moves = rates.moves[number]
    next_setting = draw_dirichlet(rng, np.broadcast_to(moves, (simulations, *moves.shape)))
    # one pull a setting at all ages: their moves of a year are not independent
    pull = np.exp(rng.normal(0.0, rates.tilt_sd, (simulations, settings)))
    next_setting *= pull[:, None, None, :]
    next_setting /= next_setting.sum(axis=-1, keepdims=True)
    own = np.arange(settings)
    stay = next_setting[..., own, own].copy()
    next_setting[..., own, own] = 0.0
    away = next_setting.sum(axis=-1, keepdims=True)
    destination = np.divide(next_setting, away, out=next_setting, where=away > 0)
    entry = np.broadcast_to(rates.entry[number], (simulations, ages, settings))
    join = draw_beta(rng, np.broadcast_to(rates.join[number], (simulations, ages, 2)))
    join[:, rates.entry[number].sum(axis=-1) == 0] = 0.0
    return Draws(
        leave=leave[:, :, None, :],
        move=(1 - stay)[:, group][:, :, None, :],
        destination=destination[:, group][:, :, None],
        join=join,
        entry=draw_dirichlet(rng, entry)[:, :, None, :],
        allowed=STATES.allowed,
    )


def _quantile(known: pd.Series, order: np.ndarray) -> np.ndarray:
    """Quantiles at any probability, straight lines between known ones on a normal scale."""
    from scipy.stats import norm

    given = known.dropna().sort_index()
    x, y = norm.ppf(given.index.to_numpy(dtype=float)), given.to_numpy()
    at = norm.ppf(order)
    inside = np.interp(at, x, y)
    low = y[0] + (at - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
    high = y[-1] + (at - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.maximum(np.where(at < x[0], low, np.where(at > x[-1], high, inside)), 0.0)


def _whole(start: np.ndarray) -> np.ndarray:
    """Round shares that stand in for settings not given, so that each age keeps its plans."""
    total = np.rint(start.sum(axis=1))
    floor = np.floor(start)
    missing = (total - floor.sum(axis=1)).astype(int)
    rank = np.argsort(np.argsort(-(start - floor), axis=1, kind="stable"), axis=1)
    return (floor + (rank < missing[:, None])).astype(np.int32)


def _check(origin: int, years: int, simulations: int, seed: int) -> None:
    """Refuse arguments that cannot be."""
    if origin not in ORIGINS:
        raise MissingDataError(
            f"origin is {origin}; plans by single year of age are published for the Januaries "
            f"{' and '.join(map(str, ORIGINS))}."
        )
    if not 1 <= years <= LONGEST:
        raise ParameterError(f"years is {years}; give 1 to {LONGEST}.")
    if simulations < 2:
        raise ParameterError(f"simulations is {simulations}; give at least 2.")
    if seed < 0:
        raise ParameterError(f"seed is {seed}; give 0 or a positive whole number.")
