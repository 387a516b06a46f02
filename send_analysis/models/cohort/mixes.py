"""Mixes of settings: how fast authorities come closer to their region, and how sure a mix is.

Rates estimated for a region and bent to an authority bring its mix nearer the region's than any
authority has come in the past; and the spread of simulated mixes is not that of the errors that
were made. Both are put right here, on simulated plans: plans at each age stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from send_analysis import tables
from send_analysis.models.cohort.cohort_data import AGES, SETTINGS
from send_analysis.models.cohort.cohort_moves import MOVE_GROUPS
from send_analysis.models.cohort.cohort_trend import join_factor
from send_analysis.models.cohort.cohorts import LONGEST, Projection, estimated
from send_analysis.models.cohort.shrinkage import as_shares, divide

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
# suffices four times in five, within 0.6 to 1.5, on every other authority, and tested on the rest
# (benchmarks/chance.py): places in use by age are published for two Januaries only.
SPREAD = {
    "state special school": 0.6,
    "resourced provision or SEN unit": 1.0,
    "independent or non-maintained special school": 1.3,
    "alternative provision": 1.3,
    "further education": 0.6,
}


def settle(projection: Projection) -> Projection:
    """Let an authority's mix of settings drift as slowly, and vary as much, as mixes have.

    Parameters
    ----------
    projection : Projection
        Of one authority, or of codes joined by ``+``.

    Returns
    -------
    Projection
        In every simulation each age has as many plans in all settings as before; new plans and the
        January of the origin are unchanged.

    Notes
    -----
    With s the share of a setting in a block of ages, d = ln s − ln s(region) in the January of the
    origin and d′ what the rates make of it t years later: plans are multiplied by
    exp(d · (1 − PASSING) · (1 − DRIFT)ᵗ − d′), so that the region's own path is kept. Then each
    simulation's share becomes mean + SPREAD · (share − mean), not below 0. Both are brought back to
    the plans of the age.
    """
    stock = projection.stock.astype(float)
    plans = stock.sum(axis=-1, keepdims=True)
    factor = slower(projection.area_code, projection.origin, len(stock) - 1)
    stock = as_shares(stock * factor[:, None])
    mean = divide((stock * plans).sum(axis=1), plans.sum(axis=1), otherwise=0.0)[:, None]
    spread = np.array([SPREAD.get(setting, 1.0) for setting in SETTINGS])
    stock = as_shares(np.maximum(mean + spread * (stock - mean), 0.0)) * plans
    stock[0] = projection.stock[0]
    return replace(projection, stock=stock)


def slower(code: str, origin: int, years: int) -> np.ndarray:
    """Factors that make an authority's mix drift towards its region's as slowly as in the past.

    Parameters
    ----------
    code : str
        Code of an authority, or codes joined by ``+``.
    origin : int
        January simulated from.
    years : int

    Returns
    -------
    ndarray (years + 1, A, S)
    """
    known, path = expected(origin)
    member = known.areas.isin(code.split("+"))
    near = np.isin(known.region, known.region[member])
    out = np.ones((years + 1, len(AGES), len(SETTINGS)))
    lasting = (1 - PASSING) * (1 - DRIFT) ** np.arange(years + 1)[:, None]
    lasting[0] = 1.0
    for first, last in BLOCKS:
        ages = slice(first - AGES[0], last - AGES[0] + 1)
        plans = path[: years + 1, :, ages].sum(axis=2)
        region = as_shares(plans[:, near].sum(axis=1) + 0.1)
        own = plans[:, member].sum(axis=1)
        own = np.log(as_shares(own + WEIGHT * region) / region)
        out[:, ages] = np.exp(own[:1] * lasting - own)[:, None]
    return out


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
    steady = replace(trend, year_sd=0.0, walk_sd=0.0)
    growth = join_factor(steady, 1, LONGEST, np.random.default_rng(0))[0]
    group = np.empty(len(AGES), dtype=int)
    for number, ages in enumerate(MOVE_GROUPS):
        group[np.array(ages) - AGES[0]] = number
    moves = as_shares(rates.moves)[:, group]
    entry = as_shares(rates.entry)
    join = divide(rates.join[..., 0], rates.join.sum(axis=-1), otherwise=0.0)
    stock = np.nan_to_num(known.stock)
    path = [stock]
    for year in range(LONGEST):
        kept = np.einsum("nas,nast->nat", stock * (1 - rates.leave), moves)
        new = np.minimum(join * growth[year], 1.0) * known.people_ahead[:, year]
        stock = new[..., None] * entry
        stock[:, 1:] += kept[:, :-1]
        path.append(stock)
    return known, np.stack(path)
