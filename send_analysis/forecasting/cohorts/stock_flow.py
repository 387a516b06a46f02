"""Stock-flow engine: whole plans by age, need and setting, carried forward a year at a time.

`transition_model` feeds it an authority's own person-level transitions. Each year every plan ages
by one, ends, moves or stays, and new plans join. All simulations are advanced together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

QUANTILES = {  # column of a summary → probability
    "p2_5": 0.025,
    "p10": 0.1,
    "p25": 0.25,
    "median": 0.5,
    "p75": 0.75,
    "p90": 0.9,
    "p97_5": 0.975,
}
CHUNK = 500  # simulations advanced together: keeps memory flat however many are asked for

Count = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


class Sampler(NamedTuple):
    """How counts are drawn, each from (generator, trials, share or shares)."""

    binomial: Count = np.random.Generator.binomial
    multinomial: Count = np.random.Generator.multinomial


EXACT = Sampler()


@dataclass(frozen=True)
class Flows:
    """What is known about the yearly rates, as parameters of their distributions.

    Axes are age (A), need (K) and setting (S). `leave` and `move` belong to the age a plan has
    before its birthday, `join` and `entry` to the age it has after.

    Parameters
    ----------
    leave : ndarray (A, K, S, 2)
        Beta parameters of the share of plans that end in the year.
    move : ndarray (A, K, S, 2)
        Beta parameters of the share that change setting, among those that do not end.
    destination : ndarray (A, K, S, S)
        Dirichlet parameters of the setting moved to; 0 = impossible.
    join : ndarray (A, 2)
        Beta parameters of new plans per head of population.
    entry : ndarray (A, K, S)
        Dirichlet parameters of the need and setting of a new plan; 0 = impossible.
    allowed : ndarray of bool (A, K, S)
        States that exist. A plan left in a state that does not (its setting takes no one of its
        age) is counted that year and ends in the next.
    """

    leave: np.ndarray
    move: np.ndarray
    destination: np.ndarray
    join: np.ndarray
    entry: np.ndarray
    allowed: np.ndarray


@dataclass(frozen=True)
class Changes:
    """What a scenario changes in one year; the default changes nothing.

    Parameters
    ----------
    leave, move : ndarray (A, K, S), optional
        Factors on the share that ends or moves.
    join : ndarray (A,), optional
        Factors on new plans per head.
    closed : sequence of int
        Settings that take no new plans.
    redirect : sequence of (from setting, to setting, share)
        Share of new plans in one setting that goes to another instead.
    caps : sequence of (setting, most plans, overflow setting)
        Settings that take no more joiners or movers than fit; the others go to the overflow.
    """

    leave: np.ndarray | float = 1.0
    move: np.ndarray | float = 1.0
    join: np.ndarray | float = 1.0
    closed: Sequence[int] = field(default_factory=tuple)
    redirect: Sequence[tuple[int, int, float]] = field(default_factory=tuple)
    caps: Sequence[tuple[int, int, int]] = field(default_factory=tuple)


NO_CHANGE = Changes()


def draw_beta(rng: np.random.Generator, parameters: np.ndarray) -> np.ndarray:
    """Draw Beta(a, b) for parameters in the last axis; Beta(0, b) is 0 and Beta(a, 0) is 1."""
    a, b = parameters[..., 0], parameters[..., 1]
    share = (a > 0).astype(float)
    proper = (a > 0) & (b > 0)
    share[proper] = rng.beta(a[proper], b[proper])
    return share


def draw_dirichlet(rng: np.random.Generator, parameters: np.ndarray) -> np.ndarray:
    """Draw Dirichlet shares along the last axis; where all parameters are 0 all shares are 0."""
    gammas = rng.standard_gamma(parameters)
    total = gammas.sum(axis=-1, keepdims=True)
    weight = parameters.sum(axis=-1, keepdims=True)
    # very small parameters can all draw 0: the mean stands in for that draw
    gammas = np.where(total > 0, gammas, parameters)
    total = np.where(total > 0, total, weight)
    return np.divide(gammas, total, out=np.zeros_like(gammas), where=total > 0)


def advance(
    stock: np.ndarray,
    rates: Flows,
    population: np.ndarray,
    rng: np.random.Generator,
    *,
    changes: Changes = NO_CHANGE,
    sampler: Sampler = EXACT,
) -> tuple[np.ndarray, np.ndarray]:
    """Carry every simulation forward by one year.

    Parameters
    ----------
    stock : ndarray of int (simulations, A, K, S)
        Plans in January.
    rates : Flows
        Parameters, from which each rate is drawn afresh for each cell and simulation.
    population : ndarray of int (A,)
        People of each age in the year arrived at.
    rng : numpy Generator
    changes : Changes
        What a scenario changes this year.
    sampler : Sampler
        How counts are drawn.

    Returns
    -------
    stock : ndarray of int (simulations, A, K, S)
        Plans in the following January.
    joined : ndarray of int (simulations, A)
        New plans in the year.
    """
    ages = stock.shape[1]
    at = np.nonzero(stock)
    cell, held = at[1:], stock[at]
    share = draw_beta(rng, rates.leave[cell])
    share = np.minimum(share * _factor(changes.leave, cell), 1.0)
    share[~rates.allowed[cell]] = 1.0
    kept = held - sampler.binomial(rng, held, share)

    alive = (at[1] + 1 < ages) & (kept > 0)
    at, kept = tuple(axis[alive] for axis in at), kept[alive]
    cell = at[1:]
    share = draw_beta(rng, rates.move[cell])
    share = np.minimum(share * _factor(changes.move, cell), 1.0)
    moving = sampler.binomial(rng, kept, share)
    simulation, age, need, setting = at
    following = np.zeros_like(stock)
    following[simulation, age + 1, need, setting] = kept - moving

    some = moving > 0
    at, moving = tuple(axis[some] for axis in at), moving[some]
    simulation, age, need, setting = at
    chances = draw_dirichlet(rng, rates.destination[age, need, setting])
    arrived = sampler.multinomial(rng, moving, chances)
    row, to = np.nonzero(arrived)
    arrivals = np.zeros_like(stock)
    np.add.at(arrivals, (simulation[row], age[row] + 1, need[row], to), arrived[row, to])

    new = _joiners(stock.shape, rates, population, rng, changes, sampler)
    arrivals += new.astype(stock.dtype)
    for capped, most, overflow in changes.caps:
        _overflow(rng, following, arrivals, capped, most, overflow)
    return following + arrivals, new.sum(axis=(2, 3))


def trajectories(
    start: np.ndarray,
    rates: Flows,
    population: np.ndarray,
    *,
    simulations: int = 1000,
    rng: np.random.Generator,
    changes: Sequence[Changes] | None = None,
    sampler: Sampler = EXACT,
) -> Iterator[tuple[slice, int, np.ndarray, np.ndarray]]:
    """Simulate year by year in chunks of simulations, so that memory stays flat.

    Parameters
    ----------
    start : ndarray of int (A, K, S)
        Plans in the January of the seed year.
    rates : Flows
    population : ndarray of int (years, A)
        People of each age in each projected year.
    changes : sequence of Changes, one a year, optional

    Yields
    ------
    slice
        The simulations of this chunk.
    int
        Years since the seed year, from 0.
    ndarray of int (simulations of the chunk, A, K, S)
        Plans in that January.
    ndarray of int (simulations of the chunk, A)
        New plans in the year before it; none in the seed year.
    """
    years = len(population)
    starts = range(0, simulations, CHUNK)
    for first, child in zip(starts, rng.spawn(len(starts)), strict=True):
        part = slice(first, min(first + CHUNK, simulations))
        count = part.stop - part.start
        stock = np.repeat(start[np.newaxis].astype(np.int32), count, axis=0)
        yield part, 0, stock, np.zeros((count, len(start)), dtype=np.int32)
        for year in range(years):
            stock, new = advance(
                stock,
                rates,
                population[year],
                child,
                changes=NO_CHANGE if changes is None else changes[year],
                sampler=sampler,
            )
            yield part, year + 1, stock, new


def _factor(change: np.ndarray | float, cell: tuple[np.ndarray, ...]) -> np.ndarray | float:
    """Factor of a scenario for each occupied cell."""
    return change[cell] if isinstance(change, np.ndarray) else change


def _joiners(
    shape: tuple[int, ...],
    rates: Flows,
    population: np.ndarray,
    rng: np.random.Generator,
    changes: Changes,
    sampler: Sampler,
) -> np.ndarray:
    """Draw new plans by age, need and setting."""
    simulations, ages = shape[:2]
    entry = rates.entry
    if changes.closed:
        entry = entry.copy()
        entry[..., list(changes.closed)] = 0.0
    join = draw_beta(rng, np.broadcast_to(rates.join, (simulations, ages, 2)))
    flat = entry.reshape(ages, -1)
    where = draw_dirichlet(rng, np.broadcast_to(flat, (simulations, *flat.shape)))
    join = np.clip(join * np.asarray(changes.join), 0.0, 1.0)
    count = sampler.binomial(rng, np.broadcast_to(population, join.shape), join)
    # an age with no state left open takes no new plans; numpy would put them in the last cell
    count = np.where(where.sum(axis=-1) > 0, count, 0)
    new = sampler.multinomial(rng, count, where).reshape(shape)
    for source, target, part in changes.redirect:
        moved = rng.binomial(new[..., source], part * rates.allowed[..., target])
        new[..., source] -= moved
        new[..., target] += moved
    return new


def _overflow(
    rng: np.random.Generator,
    following: np.ndarray,
    arrivals: np.ndarray,
    capped: int,
    most: int,
    overflow: int,
) -> None:
    """Send arrivals that do not fit a capped setting to another, drawn at random among them."""
    here = arrivals[..., capped]
    room = np.maximum(most - following[..., capped].sum(axis=(1, 2)), 0)
    left = here.sum(axis=(1, 2))
    sent = np.maximum(left - room, 0)
    for age, need in np.ndindex(here.shape[1:]):
        mine = here[:, age, need].copy()
        if not mine.any():
            continue
        out = rng.hypergeometric(mine, left - mine, np.minimum(sent, left))
        left, sent = left - mine, sent - out
        arrivals[:, age, need, capped] -= out.astype(arrivals.dtype)
        arrivals[:, age, need, overflow] += out.astype(arrivals.dtype)
