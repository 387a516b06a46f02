"""Mixes of settings: how fast authorities come closer to their region, and regions move.

Rates estimated for a region and bent to an authority bring its mix nearer the region's than any
authority has come in the past, and take what tells birth cohorts apart for what age does. Both are
put right here, in the settings that plans move to and begin in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.forecasting.cohorts.flows import GROUP_OF, GROUPS, LONGEST, pulled
from send_analysis.forecasting.cohorts.inputs import AGES, BLOCKS, SETTINGS
from send_analysis.forecasting.cohorts.shrinkage import as_shares, divide
from send_analysis.forecasting.cohorts.trend import damped, drift
from send_analysis.forecasting.cohorts.units import Drawn, estimated, members, unit

# Share of an authority's difference from its region (of logarithms of a setting's share) that goes
# each year, and what of it is the latest January's alone: 9 % in the first year, 23 % in five.
# To January 2022 state special schools lost 8 % in the first year and 28 % in five, independent
# schools 9 and 34 %, units 13 and 36 %, alternative provision 19 and 50 % (benchmarks/chance.py).
DRIFT, PASSING = 0.04, 0.05
# Plans with which an authority's own mix in a block of ages is drawn to its region's, as few plans
# say little. Illustrative: from 40 to 160 the tests of docs/capacity.md change by .02.
WEIGHT = 100.0
SOME = 0.1  # plans added to each setting of a region, so that none is empty
ROUNDS = 8  # of proportional fitting in a year, from the factors of the year before


_FIRST = [ages[0] + 1 for ages in GROUPS]  # of the ages that a group arrives at


class Pull(NamedTuple):
    """Factors on the shares that go to each setting, by year ahead."""

    moves: np.ndarray  # (years, groups, S), of those who keep their plan
    entry: np.ndarray  # (years, A, S), of new plans


@reads.found
def pulls(area: Area, origin: int, years: int, drawn: Drawn) -> Pull:
    """Find what makes an authority's mix drift towards its region's as slowly as in the past.

    Parameters
    ----------
    area : Area
        An authority, a region, England, or authorities taken together.
    origin : int
        January simulated from.
    years : int
    drawn : Drawn
        Rates of each simulation; factors are found for their mean.

    Notes
    -----
    A year's factors are such that at mean rates the mixes of `wanted` come out.
    """
    known, plans = estimated(origin).known, wanted(origin)
    mix = as_shares(plans[:years, members(known, area)].sum(axis=1))
    out = Pull(
        np.ones((years, len(GROUPS), len(SETTINGS))), np.ones((years, len(AGES), len(SETTINGS)))
    )
    start = unit(area, origin)
    moves, entry = drawn.moves.mean(axis=0), drawn.entry.mean(axis=0)
    join, leave = drawn.join.mean(axis=0), drawn.leave.mean(axis=0)
    grown = np.exp(estimated(origin).trend.growth * damped(years))
    stock = start.stock
    factor = np.ones((len(AGES), len(SETTINGS)))  # by age after the birthday
    for step in range(years):
        kept = stock * (1 - leave)
        new = (np.minimum(join * grown[step], 1.0) * start.people[step])[:, None] * entry
        for _ in range(ROUNDS):
            following = _arrived(kept, moves, new, factor)
            for ages, share in zip(BLOCKS, mix[step], strict=True):
                here = as_shares(following[ages].sum(axis=0))
                factor[ages] *= np.clip(divide(share, here), 0.2, 5.0)
        for ages in BLOCKS:
            factor[ages] = np.clip(factor[ages] / factor[ages].mean(), 1e-3, 1e3)
        stock = _arrived(kept, moves, new, factor)
        out.entry[step] = factor
        out.moves[step] = factor[_FIRST]
    return out


def _arrived(
    kept: np.ndarray, moves: np.ndarray, new: np.ndarray, factor: np.ndarray
) -> np.ndarray:
    """Plans a year later (A, S), from those kept, moves (groups, S, S) and new plans."""
    following = pulled(new, factor)
    rows = pulled(moves, factor[_FIRST, None])[GROUP_OF]
    following[1:] += (kept[:-1, None] @ rows)[:, 0]
    return following


@tables.remembered
def wanted(origin: int) -> np.ndarray:
    """Say which mix of settings every authority is expected to have in years to come.

    Parameters
    ----------
    origin : int
        January to start from.

    Returns
    -------
    ndarray (years, n, blocks, S)
        Plans expected of the authorities of `estimated`, for as many years as can be simulated; 0
        where an authority gave none.

    Notes
    -----
    With s the share of a setting in a block of ages, d = ln s − ln s(region) in the January of the
    origin. A region keeps its shares at each age but for England's `drift`: its s is in proportion
    to Σ over ages of plans · share at the origin, times exp(g · (φ + … + φᵗ)). An authority's is
    in proportion to that times exp(d · (1 − PASSING) · (1 − DRIFT)ᵗ), and to factors that are the
    same in the region and make its authorities add up to it.
    """
    known, rates, trend = estimated(origin)
    stock = np.nan_to_num(known.stock)
    regions = np.eye(known.region.max() + 1)[known.region]
    near = np.einsum("nr,nas->ras", regions, stock)
    mix = as_shares(near + SOME / len(AGES))
    join = divide(rates.join[..., 0], rates.join.sum(axis=-1), 0.0)
    grown, drifting = np.exp(trend.growth * damped(LONGEST)), drift(known).growth
    ending = 1 - divide((stock * (1 - rates.leave)).sum(axis=-1), stock.sum(axis=-1), 0.0)
    plans, out = stock.sum(axis=-1), []
    own = np.stack([stock[:, ages].sum(axis=1) for ages in BLOCKS], axis=1)
    region = as_shares(np.stack([near[:, ages].sum(axis=1) for ages in BLOCKS], axis=1) + SOME)
    apart = np.log(as_shares(own + WEIGHT * region[known.region]) / region[known.region])
    for year in range(LONGEST):
        kept = plans * (1 - ending)
        plans = np.minimum(join * grown[year], 1.0) * known.people_ahead[:, year]
        plans[:, 1:] += kept[:, :-1]
        by_age = regions.T @ plans
        region = [(by_age[:, ages, None] * mix[:, ages]).sum(axis=1) for ages in BLOCKS]
        region = as_shares(np.stack(region, axis=1) * np.exp(drifting * damped(year + 1)[-1]))
        there = np.stack([plans[:, ages].sum(axis=1) for ages in BLOCKS], axis=1)[..., None]
        sought = region * np.einsum("nr,nbs->rbs", regions, there)
        share = region[known.region] * np.exp(apart * (1 - PASSING) * (1 - DRIFT) ** (year + 1))
        for _ in range(ROUNDS):
            share = as_shares(share)
            share *= divide(sought, np.einsum("nr,nbs->rbs", regions, there * share))[known.region]
        out.append(there * as_shares(share))
    return np.stack(out)
