"""What one area is simulated from: an authority as it is, or authorities added up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from send_analysis import areas as places
from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.cohorts.flows import GROUPS, LONGEST
from send_analysis.forecasting.cohorts.inputs import (
    AGES,
    BANDS,
    BLOCKS,
    SETTINGS,
    Snapshot,
    snapshot,
)
from send_analysis.forecasting.cohorts.moves import BLOCK_OF
from send_analysis.forecasting.cohorts.rates import (
    CLOSED_FROM,
    LEAVE_BANDS,
    Rates,
    earlier_share,
    estimate,
    to_cohorts,
)
from send_analysis.forecasting.cohorts.shrinkage import as_shares, divide
from send_analysis.forecasting.cohorts.stock_flow import draw_beta, draw_dirichlet
from send_analysis.forecasting.cohorts.trend import Trend, entry_trend


@dataclass(frozen=True)
class Unit:
    """What one area starts from: plans, new plans of the year before, people ahead, and rates.

    `tilt_sd` and `age_sd` are standard deviations of the logarithm of a year's pull of each setting
    and of a year's flow (new plans below 16, leaving from 16) of each age band, so large that
    their shares of plans vary as they have varied.
    """

    stock: np.ndarray
    new: np.ndarray
    people: np.ndarray
    leave: np.ndarray
    leave_shape: np.ndarray
    moves: np.ndarray
    tilt_sd: np.ndarray
    join: np.ndarray
    entry: np.ndarray
    age_sd: np.ndarray
    trend: Trend


class Drawn(NamedTuple):
    """Rates of each simulation."""

    leave: np.ndarray
    moves: np.ndarray
    join: np.ndarray
    entry: np.ndarray


class Estimated(NamedTuple):
    """The tables of a January, every authority's rates, and the trend of new plans."""

    known: Snapshot
    rates: Rates
    trend: Trend


@tables.remembered
def estimated(origin: int) -> Estimated:
    """Gather once what simulations from one January begin with."""
    known = snapshot(origin, years=LONGEST)
    return Estimated(known, estimate(known), entry_trend(origin))


@reads.found
@tables.remembered(most=2)
def unit(area: Area, origin: int) -> Unit:
    """Gather an authority, or add authorities up: shares weighted by what they are shares of."""
    known, rates, trend = estimated(origin)
    at = members(known, area)
    held = known.stock[at]
    leave = _mean(rates.leave[at], held)
    kept = held * (1 - rates.leave[at])
    kept = np.stack([kept[:, ages].sum(axis=1) for ages in GROUPS], axis=1)[..., None]
    moves = rates.moves[at]
    weight = moves.sum(axis=-1, keepdims=True)
    moves = _mean(moves / weight, kept) * weight.sum(axis=0)
    joining = rates.join[at]
    shape = joining[..., 0].sum(axis=0)
    people = known.people_ahead[at]
    mean = joining[..., 0] / joining.sum(axis=-1)
    rate = _mean(mean, people[:, 0])
    entry, weight = as_shares(rates.entry[at]), rates.entry[at].sum(axis=-1, keepdims=True)
    entry = _mean(entry, (people[:, 0] * mean)[..., None]) * weight.sum(axis=0)
    root = np.sqrt(len(at))  # errors of authorities added up are smaller, as independent ones are
    young = np.array(AGES) < CLOSED_FROM
    changing = np.where(young, (people[:, 0] * mean).sum(0), (held * rates.leave[at]).sum((0, 2)))
    turnover = np.array(
        [
            max(changing[ages].sum(), 1e-9) / max(held.sum((0, 2))[ages].sum(), 1e-9)
            for ages in (np.array(band) - AGES[0] for band in BANDS.values())
        ]
    )
    return Unit(
        stock=held.sum(axis=0) * _published("ehc_plans", area, origin) / held.sum(),
        new=_last_new(known, at, area),
        people=people.sum(axis=0),
        leave=leave,
        leave_shape=rates.leave_shape[at].sum(axis=0),
        moves=moves,
        tilt_sd=np.hypot(rates.tilt_sd / root, rates.common_sd),
        join=np.stack([shape, shape * (1 - rate) / rate], axis=-1),
        entry=entry,
        age_sd=np.minimum(_shared(trend.age_sd, trend.age_common_sd, root) / turnover, 1.0),
        trend=replace(
            trend,
            year_sd=trend.year_sd / root,
            walk_sd=trend.walk_sd / root,
            leave_sd=trend.leave_sd / root,
        ),
    )


@reads.found
def members(known: Snapshot, area: Area) -> np.ndarray:
    """Number the authorities of an area that gave plans by age.

    Parameters
    ----------
    known : Snapshot
    area : Area
        An authority, a region, England, or authorities taken together.

    Returns
    -------
    ndarray of int

    Raises
    ------
    MissingDataError
        If an authority that was asked for was none, or gave none, in that January.
    """
    named = area.level == "local authority"
    wanted = area.members if named else [
        it for it in known.areas if area in (places.ENGLAND, Area(it).region)
    ]  # fmt: skip
    absent = [it for it in wanted if it not in known.areas]
    if absent:
        raise MissingDataError(
            f"{places.name(absent[0])} ({absent[0]}) is no local authority of January "
            f"{known.origin}."
        )
    at = known.areas.get_indexer(wanted)
    given = np.isfinite(known.stock[at]).all(axis=(1, 2))
    if named and not given.all():
        raise MissingDataError(
            f"{places.name(wanted[given.argmin()])} gave no plans by age in January "
            f"{known.origin}; choose another origin."
        )
    return at[given]


def _shared(sd: np.ndarray, common: np.ndarray, root: float) -> np.ndarray:
    """Spread of areas added up, `root` ** 2 of them, of which a part is common to all."""
    own = np.sqrt(np.maximum(sd**2 - common**2, 0.0))
    return np.hypot(own / root, common)


def _mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean over the first axis; the plain one where there is no weight."""
    total = weight.sum(axis=0)
    return np.where(
        total > 0, divide((values * weight).sum(axis=0), total, otherwise=0.0), values.mean(axis=0)
    )


def _published(table: str, area: Area, year: int) -> float:
    """Plans, or new plans, of all ages that were published for an area; NaN if none were."""
    rows = tables.load(table)
    rows = rows[(rows["age_band"] == "all") & (rows["year"] == year)]
    plans = rows[rows["area_code"].isin(area.members)]["plans"].astype("float64")
    return float(plans.sum(min_count=len(area.members)))


def _last_new(known: Snapshot, at: np.ndarray, area: Area) -> np.ndarray:
    """New plans of the year before the origin by age at 31 August and setting, NaN if not given."""
    new = np.moveaxis(known.new[-1][at], -1, 0)
    new = np.nansum(
        to_cohorts(new, earlier_share(np.nan_to_num(known.new[-1]).sum(axis=0))), axis=1
    )
    return new.T * divide(_published("new_plans", area, known.origin - 1), new.sum(), np.nan)


def draw(start: Unit, simulations: int, rng: np.random.Generator) -> Drawn:
    """Draw an area's rates once for each simulation."""
    leave = np.repeat(start.leave[None], simulations, axis=0)
    for band, span in enumerate(LEAVE_BANDS):
        within = np.array([age for age in span if age < AGES[-1]]) - AGES[0]
        held = start.stock[within]
        mean = (held * start.leave[within]).sum() / max(held.sum(), 1.0)
        if not 0 < mean < 1:
            continue
        shape = start.leave_shape[band]
        level = draw_beta(rng, np.full((simulations, 2), [shape, shape * (1 - mean) / mean]))
        leave[:, within] = np.minimum(leave[:, within] * (level / mean)[:, None, None], 1.0)
    moves = draw_dirichlet(rng, np.broadcast_to(start.moves, (simulations, *start.moves.shape)))
    pull = rng.normal(size=(simulations, len(BLOCKS), len(SETTINGS)))
    pull = np.exp(start.tilt_sd * pull)
    moves = as_shares(moves * pull[:, BLOCK_OF, None])
    join = draw_beta(rng, np.broadcast_to(start.join, (simulations, *start.join.shape)))
    entry = draw_dirichlet(rng, np.broadcast_to(start.entry, (simulations, *start.entry.shape)))
    block = np.repeat(np.arange(len(BLOCKS)), [ages.stop - ages.start for ages in BLOCKS])
    entry = as_shares(entry * pull[:, block])
    return Drawn(leave, moves, join, entry)
