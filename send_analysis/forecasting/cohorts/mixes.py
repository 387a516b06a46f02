"""Mixes of settings: how fast authorities come closer to their region, and how sure a mix is.

Rates estimated for a region and bent to an authority bring its mix nearer the region's than any
authority has come in the past; and the spread of simulated mixes is not that of the errors that
were made. Both are put right here, in the settings that plans move to and begin in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from send_analysis import tables
from send_analysis.forecasting.cohorts.flows import GROUPS, LONGEST, pulled
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS
from send_analysis.forecasting.cohorts.shrinkage import as_shares, divide
from send_analysis.forecasting.cohorts.trend import damped
from send_analysis.forecasting.cohorts.units import Drawn, estimated, unit

# Ages at 31 August whose mix is held together: below school, primary, secondary, after year 11.
BLOCKS = ((2, 3), (4, 10), (11, 15), (16, 25))
# Share of an authority's difference from its region (of logarithms of a setting's share) that goes
# each year, and what of it is the latest January's alone: 9 % in the first year, 23 % in five.
# To January 2022 state special schools lost 8 % in the first year and 28 % in five, independent
# schools 9 and 34 %, units 13 and 36 %, alternative provision 19 and 50 % (benchmarks/chance.py).
DRIFT, PASSING = 0.04, 0.05
# Plans with which an authority's own mix in a block of ages is drawn to its region's, as few plans
# say little. Illustrative: from 40 to 160 the tests of docs/capacity.md change by .02.
WEIGHT = 100.0
# Factor on the simulated deviation of a setting's share from its mean. Chosen so that "80 % sure"
# suffices four times in five, within 0.75 to 2, on every other authority, and tested on the rest
# (benchmarks/chance.py): places in use by age are published for two Januaries only.
SPREAD = {
    "state special school": 0.75,
    "resourced provision or SEN unit": 1.5,
    "independent or non-maintained special school": 1.6,
    "alternative provision": 1.9,
    "further education": 0.75,
}
SOME = 0.1  # plans added to each setting of a region, so that none is empty
ROUNDS = 8  # of proportional fitting in a year, from the factors of the year before


class Pull(NamedTuple):
    """Factors on the shares that go to each setting, by year ahead."""

    moves: np.ndarray  # (years, groups, S), of those who keep their plan
    entry: np.ndarray  # (years, A, S), of new plans


def spread(drawn: Drawn) -> Drawn:
    """Let settings vary between simulations as much as :data:`SPREAD` says.

    Parameters
    ----------
    drawn : Drawn

    Returns
    -------
    Drawn
        Moves and settings of new plans with each share at mean + SPREAD · (share − mean) over
        simulations, not below 0, its row brought back to 1.
    """
    factor = np.array([SPREAD.get(setting, 1.0) for setting in SETTINGS])

    def scaled(share: np.ndarray) -> np.ndarray:
        mean = share.mean(axis=0)
        return as_shares(np.maximum(mean + factor * (share - mean), 0.0))

    return drawn._replace(moves=scaled(drawn.moves), entry=scaled(drawn.entry))


def pulls(code: str, origin: int, years: int, drawn: Drawn) -> Pull:
    """Find what makes an authority's mix drift towards its region's as slowly as in the past.

    Parameters
    ----------
    code : str
        Code of an authority, or codes joined by ``+``; a region or England is pulled nowhere.
    origin : int
        January simulated from.
    years : int
    drawn : Drawn
        Rates of each simulation; factors are found for their mean.

    Returns
    -------
    Pull

    Notes
    -----
    With s the share of a setting in a block of ages, d = ln s − ln s(region) in the January of the
    origin. A year's factors are such that at mean rates ln s − ln s(region) becomes
    d · (1 − PASSING) · (1 − DRIFT)ᵗ after t years, with the region's own path at mean rates.
    """
    known, path = expected(origin)
    out = Pull(
        np.ones((years, len(GROUPS), len(SETTINGS))), np.ones((years, len(AGES), len(SETTINGS)))
    )
    member = known.areas.isin(code.split("+"))
    if not member.any():
        return out
    near = path[:, np.isin(known.region, known.region[member])].sum(axis=1)
    start = unit(code, origin)
    moves, entry, join, leave = (
        rate.mean(axis=0) for rate in (drawn.moves, drawn.entry, drawn.join, drawn.leave)
    )
    grown = np.exp(estimated(origin)[2].growth * damped(years))
    stock = start.stock
    blocks = [slice(first - AGES[0], last - AGES[0] + 1) for first, last in BLOCKS]
    apart = [_apart(stock[ages].sum(axis=0), near[0, ages].sum(axis=0)) for ages in blocks]
    factor = np.ones((len(AGES), len(SETTINGS)))  # by age after the birthday
    for step in range(years):
        kept = stock * (1 - leave)
        new = (np.minimum(join * grown[step], 1.0) * start.people[step])[:, None] * entry
        lasting = (1 - PASSING) * (1 - DRIFT) ** (step + 1)
        region = [as_shares(near[step + 1, ages].sum(axis=0) + SOME) for ages in blocks]
        wanted = [
            as_shares(share * np.exp(before * lasting))
            for share, before in zip(region, apart, strict=True)
        ]
        for _ in range(ROUNDS):
            following = _arrived(kept, moves, new, factor)
            for ages, share in zip(blocks, wanted, strict=True):
                here = as_shares(following[ages].sum(axis=0))
                factor[ages] *= np.clip(divide(share, here), 0.2, 5.0)
        for ages in blocks:
            factor[ages] = np.clip(factor[ages] / factor[ages].mean(), 1e-3, 1e3)
        stock = _arrived(kept, moves, new, factor)
        out.entry[step] = factor
        out.moves[step] = [factor[ages[0] + 1] for ages in GROUPS]
    return out


def _apart(own: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Logarithms of shares less the region's, as far as the plans tell (S)."""
    region = as_shares(near + SOME)
    return np.log(as_shares(own + WEIGHT * region) / region)


def _arrived(
    kept: np.ndarray, moves: np.ndarray, new: np.ndarray, factor: np.ndarray
) -> np.ndarray:
    """Plans a year later (A, S), from those kept, moves (groups, S, S) and new plans."""
    following = pulled(new, factor)
    for number, ages in enumerate(GROUPS):
        following[ages + 1] += kept[ages] @ pulled(moves[number], factor[ages[0] + 1])
    return following


@tables.remembered
def expected(origin: int) -> tuple:
    """Carry every authority's plans forward at the mean of its rates.

    Parameters
    ----------
    origin : int
        January to start from.

    Returns
    -------
    Snapshot
        With the codes and regions of the authorities.
    ndarray (years + 1, n, A, S)
        Expected plans for as many years as can be simulated; 0 where an authority gave none.
    """
    known, rates, trend = estimated(origin)
    moves, entry = as_shares(rates.moves), as_shares(rates.entry)
    join = divide(rates.join[..., 0], rates.join.sum(axis=-1), 0.0)
    grown = np.exp(trend.growth * damped(LONGEST))
    path = [np.nan_to_num(known.stock)]
    for year in range(LONGEST):
        kept = path[-1] * (1 - rates.leave)
        new = np.minimum(join * grown[year], 1.0) * known.people_ahead[:, year]
        following = new[..., None] * entry
        for number, ages in enumerate(GROUPS):
            following[:, ages + 1] += kept[:, ages] @ moves[:, number]
        path.append(following)
    return known, np.stack(path)
