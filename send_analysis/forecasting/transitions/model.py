"""Project plans from an authority's own person-level transitions.

The method is that of the witan.send model (Mastodon C), described in docs/cohorts.md; the code is
our own. Every rate is drawn afresh for each cell, year and simulation.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from send_analysis.disk import writable_folder
from send_analysis.errors import ParameterError
from send_analysis.forecasting.cohorts.stock_flow import (
    CHUNK,
    EXACT,
    QUANTILES,
    Flows,
    trajectories,
)
from send_analysis.forecasting.transitions.files import FIRST_YEAR, NO_PLAN, Files, States
from send_analysis.forecasting.transitions.published_draws import PUBLISHED
from send_analysis.forecasting.transitions.scenarios import yearly_changes

MOST_SIMULATIONS = 1_000_000  # hours
NO_JOINERS = 0.001  # joiners that a year without any counts as (witan.send)
RESULTS = ("count", "academic_year", "setting", "need", "cost")
SAMPLERS = {"exact": EXACT, "published": PUBLISHED}


class Draws(NamedTuple):
    """How often, from which seed, and how counts are drawn: "exact", or as the published run did.

    See `published_draws` for what that was.
    """

    simulations: int = 1000
    seed: int = 50
    sampler: str = "exact"


def estimate_flows(given: Files) -> Flows:
    """Estimate the parameters of every rate from observed transitions, all years pooled.

    Parameters
    ----------
    given : Files

    Notes
    -----
    Priors weigh one observation in all, so they matter only where little was seen: the mean of the
    academic year for leaving and moving, the destinations seen in the academic year for the
    setting moved to, and equal shares of the states that exist for new plans.
    """
    transitions, population, states, _ = given
    counts = _counts(transitions, states)
    held, left, moved = counts["held"], counts["left"], counts["moved"].sum(axis=-1)
    leave = _with_year_mean(left, held, unseen=0.5)
    move = _with_year_mean(moved, held - left, unseen=1.0)
    destination = _destinations(counts["moved"], states)
    # someone may move only if another setting still takes them after the birthday
    other = (states.allowed[1:, :, None, :] & ~np.eye(len(states.settings), dtype=bool)).any(-1)
    able = np.zeros(states.allowed.shape, dtype=bool)
    able[:-1] = other & (destination[:-1].sum(axis=-1) > 0)
    move[~able] = [0.0, 1.0]

    seen = sorted(transitions["calendar_year"].unique())
    absent = [year for year in seen if year not in population]
    if absent:
        raise ParameterError(
            f"The population file has no rows for {absent[0]}, a year with transitions."
        )
    people = population[seen].to_numpy(dtype=float)
    joiners = counts["joined_by_year"]
    join = np.stack(
        [
            np.where(joiners > 0, joiners / len(seen), NO_JOINERS).sum(axis=1),
            ((people - joiners) / len(seen)).sum(axis=1),
        ],
        axis=-1,
    )
    if (join[:, 1] < 0).any():
        age = states.ages[int(np.argmax(join[:, 1] < 0))]
        raise ParameterError(
            f"More new plans than people in academic year {age}; check the population file."
        )
    joined = counts["joined"]
    open_states = states.allowed.sum(axis=(1, 2), keepdims=True)
    entry = joined + np.divide(
        states.allowed, open_states, out=np.zeros(joined.shape), where=open_states > 0
    )
    entry[joined.sum(axis=(1, 2)) == 0] = 0.0
    return Flows(leave, move, destination, join, entry, states.allowed)


def simulate_transitions(
    given: Files,
    *,
    seed_year: int,
    years: int | None = None,
    scenario: Sequence[Mapping[str, Any]] | None = None,
    draws: Draws,
) -> dict[str, pd.DataFrame]:
    """Project plans by academic year, setting and need, and their cost.

    Parameters
    ----------
    given : Files
    seed_year : int
        January to start from: the year after the last transitions to use.
    years : int, optional
        Years to project; by default as many as the population file holds after `seed_year`.
    scenario : list of dict, optional
        From `scenarios.read_scenario`.
    draws : Draws
        Same draws, same result.

    Returns
    -------
    dict of DataFrame
        `count`, `academic_year`, `setting`, `need` and, with costs, `cost`. Columns `year`, the
        dimension (none for count and cost), `mean`, `sd`, and the quantiles `p2_5` … `p97_5`.

    Raises
    ------
    ParameterError
        For a seed year without transitions, or more years than the population file holds.
    """
    transitions, population, states, costs = given
    simulations, seed, sampler = draws
    if sampler not in SAMPLERS:
        raise ParameterError(f"sampler must be {' or '.join(SAMPLERS)}, not {sampler!r}.")
    if not 2 <= simulations <= MOST_SIMULATIONS:
        raise ParameterError(
            f"simulations is {simulations}; give at least 2 and at most {MOST_SIMULATIONS:,}."
        )
    if seed < 0:
        raise ParameterError(f"seed is {seed}; give 0 or a positive whole number.")
    used = transitions[transitions["calendar_year"] < seed_year]
    if seed_year - 1 not in set(used["calendar_year"]):
        known = sorted(transitions["calendar_year"].unique() + 1)
        raise ParameterError(
            f"No transitions lead into January {seed_year}. Seed years there are: "
            f"{', '.join(map(str, known))}."
        )
    projected = _projected_years(population, seed_year, years)
    flows = estimate_flows(given._replace(transitions=used))
    paths = trajectories(
        _seed(used, seed_year, states),
        flows,
        population[projected].to_numpy().T,
        simulations=simulations,
        rng=np.random.default_rng(seed),
        changes=yearly_changes(scenario, states, projected) if scenario else None,
        sampler=SAMPLERS[sampler],
    )
    labels = {
        "count": [""],
        "academic_year": list(states.ages),
        "setting": states.settings,
        "need": states.needs,
    }
    if costs is not None:
        labels["cost"] = [""]
        costs = np.nan_to_num(costs)
    shape = (len(projected) + 1, simulations)
    values = {name: np.empty((*shape, len(names))) for name, names in labels.items()}
    steps = tqdm(
        paths, desc="Simulating", total=math.ceil(simulations / CHUNK) * shape[0],
        disable=None, leave=False,
    )  # fmt: skip
    for part, year, stock, _ in steps:
        by_need = stock.sum(axis=1)
        values["count"][year, part, 0] = by_need.sum(axis=(1, 2))
        values["academic_year"][year, part] = stock.sum(axis=(2, 3))
        values["setting"][year, part] = by_need.sum(axis=1)
        values["need"][year, part] = by_need.sum(axis=2)
        if costs is not None:
            values["cost"][year, part, 0] = np.tensordot(by_need, costs, axes=2)
    calendar = [seed_year, *projected]
    return {name: _summary(values[name], name, names, calendar) for name, names in labels.items()}


def write_results(results: Mapping[str, pd.DataFrame], out: str | Path) -> list[Path]:
    """Write one CSV a result, all or none.

    Parameters
    ----------
    results : dict of DataFrame
        From `simulate_transitions`.
    out : path
        Folder; made if it is not there. Files of the same names are replaced.

    Raises
    ------
    ParameterError
        If `out` cannot be made or written to.
    """
    out = writable_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    # within the target, so that moving is one step on one file system
    waiting = out / f".results-{os.getpid()}"
    waiting.mkdir()
    try:
        for name, table in results.items():
            table.drop(columns="sd").to_csv(
                waiting / f"{name}.csv", index=False, float_format="%.4f", lineterminator="\n"
            )
        for name in RESULTS:
            if name in results:
                (waiting / f"{name}.csv").replace(out / f"{name}.csv")
            else:  # a cost file of an earlier run would belie this one
                (out / f"{name}.csv").unlink(missing_ok=True)
    finally:
        shutil.rmtree(waiting)
    return [out / f"{name}.csv" for name in results]


def notes(given: Files, sampler: str) -> list[str]:
    """Say what a reader of the results must know about how they were made."""
    transitions, _, states, costs = given
    said = []
    ends = {"1": "joins: no new plans are projected", "2": "leaves: few are projected to"}
    for end, what in ends.items():
        if not (transitions[f"setting_{end}"] == NO_PLAN).any():
            said.append(f"Note: in the transitions nobody {what}. Is a part of the file missing?")
    if costs is not None:
        lacking = (np.isnan(costs) & states.allowed.any(axis=0)).sum()
        if lacking:
            said.append(f"Note: {lacking} pairs of need and setting have no cost and count as £0.")
    if sampler == "published":
        said.append(
            "Note: counts are drawn as in the published run of witan.send 1.7.0, whose new plans "
            "come out about 2 % high; without --draws there is no such bias (docs/cohorts.md)."
        )
    return said


def _counts(transitions: pd.DataFrame, states: States) -> dict[str, np.ndarray]:
    """Count observed plans, leavers, movers and joiners by cell."""
    settings, needs = pd.Index(states.settings), pd.Index(states.needs)
    source, target = (settings.get_indexer(transitions[f"setting_{end}"]) for end in "12")
    need_before, need_after = (needs.get_indexer(transitions[f"need_{end}"]) for end in "12")
    before = transitions["academic_year_1"].to_numpy() - FIRST_YEAR
    year = transitions["calendar_year"].to_numpy()
    years = np.unique(year)
    shape = states.allowed.shape
    held = source >= 0
    left = held & (target < 0)
    moved = held & (target >= 0) & (source != target)
    joined = ~held

    def count(rows: np.ndarray, size: tuple[int, ...], *axes: np.ndarray) -> np.ndarray:
        total = np.zeros(size)
        np.add.at(total, tuple(axis[rows] for axis in axes), 1)
        return total

    year_number = np.searchsorted(years, year)
    return {
        "held": count(held, shape, before, need_before, source),
        "left": count(left, shape, before, need_before, source),
        "moved": count(moved, (*shape, shape[-1]), before, need_before, source, target),
        "joined": count(joined, shape, before + 1, need_after, target),
        "joined_by_year": count(joined, (shape[0], len(years)), before + 1, year_number),
    }


def _with_year_mean(events: np.ndarray, at_risk: np.ndarray, *, unseen: float) -> np.ndarray:
    """Beta parameters with a prior of weight one: the mean of the academic year.

    An academic year in which nobody was seen gets Beta(unseen, unseen).
    """
    in_year = at_risk.sum(axis=(1, 2), keepdims=True)
    mean = (events.sum(axis=(1, 2), keepdims=True) + 0.5) / (in_year + 1)
    parameters = np.stack([events + mean, at_risk - events + 1 - mean], axis=-1)
    parameters[in_year[:, 0, 0] == 0] = unseen
    return parameters


def _destinations(moved: np.ndarray, states: States) -> np.ndarray:
    """Dirichlet parameters of the setting moved to: what was seen, and a prior of weight one."""
    seen = moved.sum(axis=(1, 2))
    for age in range(1, len(seen)):
        if not seen[age].any():  # nobody moved at this age: look at the age below
            seen[age] = seen[age - 1]
    open_to = states.allowed & states.reachable.any(axis=0)
    share = open_to / np.maximum(open_to.sum(axis=-1, keepdims=True), 1)
    weight = seen[:, None, None, :] + share[:, :, None, :] * states.reachable
    own = np.eye(len(states.settings), dtype=bool)
    weight = np.where(own, 0.0, weight)
    total = weight.sum(axis=-1, keepdims=True)
    prior = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return (moved + prior) * states.allowed[..., None]


def _seed(transitions: pd.DataFrame, seed_year: int, states: States) -> np.ndarray:
    """Count plans in the January of the seed year."""
    last = transitions[
        (transitions["calendar_year"] == seed_year - 1) & (transitions["setting_2"] != NO_PLAN)
    ]
    stock = np.zeros(states.allowed.shape, dtype=np.int32)
    cell = (
        last["academic_year_2"].to_numpy() - FIRST_YEAR,
        pd.Index(states.needs).get_indexer(last["need_2"]),
        pd.Index(states.settings).get_indexer(last["setting_2"]),
    )
    np.add.at(stock, cell, 1)
    return stock


def _projected_years(population: pd.DataFrame, seed_year: int, years: int | None) -> list[int]:
    """List the years to project and check that there is a population for each."""
    held = sorted(int(year) for year in population if year > seed_year)
    wanted = held if years is None else list(range(seed_year + 1, seed_year + 1 + years))
    absent = [year for year in wanted if year not in held]
    if not wanted or absent:
        raise ParameterError(
            f"The population file holds {', '.join(map(str, held)) or 'no year'} after "
            f"{seed_year}; {f'{absent[0]} is missing' if absent else 'nothing can be projected'}. "
            "Add rows, or ask for fewer years."
        )
    return wanted


def _summary(values: np.ndarray, name: str, labels: list, years: Sequence[int]) -> pd.DataFrame:
    """Summarise over simulations; `values` is years × simulations × labels."""
    index = pd.MultiIndex.from_product([years, labels], names=["year", name])
    columns = {"mean": values.mean(axis=1).ravel(), "sd": values.std(axis=1, ddof=1).ravel()}
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=1)
    columns |= {column: quantiles[place].ravel() for place, column in enumerate(QUANTILES)}
    table = pd.DataFrame(columns, index=index).reset_index()
    return table.drop(columns=name) if labels == [""] else table
