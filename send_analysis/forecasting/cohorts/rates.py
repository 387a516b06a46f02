"""Yearly rates of every local authority from the official tables, shrunk to its region and England.

The release has stocks by age and setting and flows by age, but nobody's path. What is estimated
from them, and how, is written out in docs/cohorts.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from send_analysis.forecasting.cohorts.inputs import AGES, FLOW_AGES, Snapshot, recorded
from send_analysis.forecasting.cohorts.moves import chance_sd, fit_moves, tilt_sd
from send_analysis.forecasting.cohorts.shrinkage import as_shares, divide, shrink, shrink_shares
from send_analysis.forecasting.cohorts.trend import drift

LEAVE_BANDS = ([*range(2, 11)], [*range(11, 16)], [16, 17], [18, 19], [*range(20, 26)])
ENTRY_PHASES = ([2, 3], [4], [*range(5, 11)], [*range(11, 16)], [*range(16, 26)])

# Tables of flows give the age at the end of the calendar year, stocks the age at 31 August: of
# those a year older by the end of December, four months' births in twelve.
LATER_BIRTHDAY = 1 / 3
# Where stocks of two Januaries show who left, ceased plans by age are used only below this age.
CLOSED_FROM = 16


@dataclass(frozen=True)
class Rates:
    """Rates of every local authority; axes are authority (n), age (A) and setting (S).

    Parameters
    ----------
    leave : ndarray (n, A, S)
        Share of plans that end in a year, by age before the birthday.
    leave_shape : ndarray (n, bands)
        Gamma shape of an authority's level of leaving in each of `LEAVE_BANDS`.
    moves : ndarray (n, groups, S, S)
        Dirichlet parameters of the next setting of those who keep their plan.
    tilt_sd : ndarray (S,)
        Standard deviation of the logarithm of a year's pull of each setting at all ages at once
        (a unit opens, schools are relabelled).
    common_sd : ndarray (S,)
        The same of a pull that all authorities share.
    join : ndarray (n, A, 2)
        Beta parameters of new plans per head, by age after the birthday.
    entry : ndarray (n, A, S)
        Dirichlet parameters of the setting of a new plan.
    """

    leave: np.ndarray
    leave_shape: np.ndarray
    moves: np.ndarray
    tilt_sd: np.ndarray
    common_sd: np.ndarray
    join: np.ndarray
    entry: np.ndarray


def estimate(known: Snapshot) -> Rates:
    """Estimate every authority's rates from one January's tables.

    Parameters
    ----------
    known : Snapshot
        From `inputs.snapshot`. With a January before, moves and leaving come from the same
        cohorts a year apart; without one, from neighbouring ages in the same January.
    """
    source, target, complete = _transitions(known)
    new = np.nan_to_num(known.new)
    recorded_new = to_cohorts(new[-1].sum(axis=-1), earlier_share(new[-1][complete].sum(0)))
    entry = _england_entry(new[-1][complete].sum(axis=0))
    ceased = _ceased_by_start_age(np.nan_to_num(known.ceased))
    left, closed_new = _close(
        source[complete].sum(axis=(0, 2)),
        target[complete].sum(axis=(0, 2)),
        recorded_new[complete].sum(axis=0),
        ceased[-1][complete].sum(axis=0),
        same_cohorts=known.before is not None,
    )
    held = source[complete].sum(axis=0)
    leave = _by_setting(held, left, known.ceased_by_setting)
    factor = divide(closed_new, recorded_new[complete].sum(axis=0))
    join, joined = _join(known, new, factor)
    leave_area, shape = _leave(known, source, target, joined, ceased, leave, complete)
    moves, entry = fit_moves(known, source, target, leave_area, joined, entry, complete)
    entry = _entry(known, new, entry)
    flows = source * (1 - leave_area), moves, joined, entry
    share = as_shares(np.nansum(known.stock, axis=(0, 1)))
    common = tilt_sd(*flows, share * drift(known).sd)
    # shares vary by their moves' distributions too; half of the spread at least is a pull's
    own = np.sqrt(np.maximum(known.mix_sd**2 - chance_sd(*flows[:2]) ** 2, known.mix_sd**2 / 4))
    return Rates(leave_area, shape, moves, tilt_sd(*flows, own), common, join, entry)


def unmix(new: np.ndarray) -> np.ndarray:
    """Take new plans from the age at the end of the year to the age at 31 August.

    Parameters
    ----------
    new : ndarray (F, …)
        By age at the end of the calendar year.

    Returns
    -------
    ndarray (A, …)
        By age at the 31 August of that year. Of each age, a third was a year younger.
    """
    cohorts = np.zeros((len(AGES), *new.shape[1:]))
    for age in range(len(FLOW_AGES)):
        younger = cohorts[age - 1] if age else 0.0
        rest = new[age] - LATER_BIRTHDAY * younger
        cohorts[age] = np.maximum(rest, 0.0) / (1 - LATER_BIRTHDAY)
    return cohorts


def to_cohorts(new: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Share new plans of each authority among cohorts; the total stays.

    Parameters
    ----------
    new : ndarray (…, n, F)
        By age at the end of the calendar year.
    earlier : ndarray (F,)
        Share of each age that was a year younger at 31 August.

    Returns
    -------
    ndarray (…, n, A)
    """
    cohorts = np.zeros((*new.shape[:-1], len(AGES)))
    cohorts[..., : len(FLOW_AGES)] = new * (1 - earlier)
    cohorts[..., : len(FLOW_AGES) - 1] += (new * earlier)[..., 1:]
    return cohorts


def _transitions(known: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plans by age and where the same cohort was a year later; which authorities gave both.

    `target` is aligned with `source`: its age a holds the plans aged a + 1 a year later.
    """
    same_cohorts = known.before is not None
    source = known.before if same_cohorts else known.stock
    target = np.zeros_like(known.stock)
    target[:, :-1] = known.stock[:, 1:]
    complete = recorded(source) & recorded(known.stock)
    complete &= np.isfinite(known.new[-1]).all(axis=(1, 2))
    complete &= np.isfinite(known.ceased[-1]).all(axis=1)
    return np.nan_to_num(source), np.nan_to_num(target), complete


def earlier_share(new: np.ndarray) -> np.ndarray:
    """Share of new plans at each end-of-year age that belongs to the younger cohort (F)."""
    cohorts = unmix(new.sum(axis=-1))[: len(FLOW_AGES)]
    younger = LATER_BIRTHDAY * np.concatenate([[0.0], cohorts[:-1]])
    return divide(younger, younger + (1 - LATER_BIRTHDAY) * cohorts, otherwise=0.0)


def _england_entry(new: np.ndarray) -> np.ndarray:
    """England's settings of new plans by age at 31 August (A, S)."""
    cohorts = unmix(new)
    cohorts[len(FLOW_AGES) :] = cohorts[len(FLOW_AGES) - 1]  # ages the release does not part
    return divide(cohorts, cohorts.sum(axis=-1, keepdims=True), otherwise=0.0)


def _ceased_by_start_age(ceased: np.ndarray) -> np.ndarray:
    """Ceased plans by the age at the 31 August before the year they ceased in (…, A).

    A third of those of each end-of-year age began the year two years younger than it, the others
    one. Ages 20 and over stand together at 19.
    """
    start = np.zeros((*ceased.shape[:-1], len(AGES)))
    count = len(FLOW_AGES)
    start[..., : count - 1] += (1 - LATER_BIRTHDAY) * ceased[..., 1:]
    start[..., : count - 3] += LATER_BIRTHDAY * ceased[..., 2:-1]
    start[..., 0] += ceased[..., 0] + LATER_BIRTHDAY * ceased[..., 1]
    start[..., count - 2] += LATER_BIRTHDAY * ceased[..., -1]
    return start


def _close(
    held: np.ndarray,
    later: np.ndarray,
    new: np.ndarray,
    ceased: np.ndarray,
    *,
    same_cohorts: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Make England's flows account for its stocks: leavers (A) and new plans (A).

    Below 16 the recorded ceased plans stand and new plans make up the rest; from 16 on new plans
    are few and stand, and leavers make up the rest.
    """
    old = np.array(AGES) >= CLOSED_FROM
    joining = np.concatenate([new[1:], [0.0]])  # of the cohort that is aged a at the start
    rest = np.clip(held + joining - later, 0.0, held)
    rest[-1] = held[-1]
    left = np.where(old, rest, np.minimum(ceased, held))
    if not same_cohorts:
        # neighbouring ages of one January: right in shape, brought to what was recorded
        share = divide(left, held, otherwise=0.0)[old].clip(0.0, 0.999)
        power = _power(share, held[old], ceased[old].sum())
        left[old] = held[old] * (1 - (1 - share) ** power)
        left[-1] = held[-1]
        return left, new
    closed = new.copy()
    young = np.nonzero(~old)[0][1:]
    closed[young] = np.maximum(later + left - held, 0.0)[young - 1]
    return left, closed


def _power(share: np.ndarray, held: np.ndarray, wanted: float) -> float:
    """Find the power of staying at which so many leave in all (bisection: it is monotone)."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        enough = (held * (1 - (1 - share) ** middle)).sum() >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def _by_setting(held: np.ndarray, left: np.ndarray, by_setting: np.ndarray) -> np.ndarray:
    """England's share that leaves by age and setting, agreeing with leavers by age and by setting.

    Iterative proportional fitting from the same share in every setting of an age.
    """
    leavers = held * divide(left, held.sum(axis=1), otherwise=0.0)[:, None]
    wanted = by_setting * left.sum() / by_setting.sum()
    for _ in range(100):
        leavers = np.minimum(leavers * divide(wanted, leavers.sum(axis=0)), 0.98 * held)
        leavers = np.minimum(leavers * divide(left, leavers.sum(axis=1))[:, None], held)
    share = divide(leavers, held, otherwise=0.0)
    share[-1] = 1.0  # a plan cannot outlast the 26th birthday
    return share


def _join(known: Snapshot, new: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """New plans per head as Beta parameters (n, A, 2), and expected new plans in the last year.

    The year before is brought to the last year's level by England's growth at each age, and both
    years count alike.
    """
    totals = new.sum(axis=-1)
    earlier = earlier_share(new[-1].sum(axis=0))
    given = np.isfinite(known.new).all(axis=(2, 3))
    both = given.all(axis=0)
    growth = divide(totals[1][both].sum(axis=0), totals[0][both].sum(axis=0))
    totals = np.stack([totals[0] * growth, totals[1]])
    events = (to_cohorts(totals, earlier) * factor * given[..., None]).sum(axis=0)
    people = (known.people * given.T[..., None]).sum(axis=1)
    common = divide(events.sum(axis=0), people.sum(axis=0), otherwise=0.0)
    expected = people * common

    regions = np.eye(known.region.max() + 1)[known.region]
    ratio = shrink(regions.T @ events, regions.T @ expected).ratio
    rate = common * ratio[known.region]
    expected = people * rate
    level = shrink(events.sum(axis=1), expected.sum(axis=1)).ratio
    rate = rate * level[:, None]
    ratio, shape = shrink(events, people * rate)
    rate = np.clip(rate * ratio, 1e-9, 0.5)
    return np.stack([shape, shape * (1 - rate) / rate], axis=-1), known.people[:, -1] * rate


def _leave(
    known: Snapshot,
    source: np.ndarray,
    target: np.ndarray,
    joined: np.ndarray,
    ceased: np.ndarray,
    leave: np.ndarray,
    complete: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Each authority's leaving: England's shares by age and setting times its own level by band."""
    expected_cell = (source * leave).sum(axis=-1)
    share = np.repeat(leave[None], len(known.areas), axis=0)
    shapes = np.empty((len(known.areas), len(LEAVE_BANDS)))
    regions = np.eye(known.region.max() + 1)[known.region]
    given = np.isfinite(known.ceased).all(axis=2)
    joining = np.concatenate([joined[:, 1:], np.zeros((len(joined), 1))], axis=1)
    closing = source.sum(axis=-1) + joining - target.sum(axis=-1)
    for number, band in enumerate(LEAVE_BANDS):
        ages = np.array(band) - AGES[0]
        expected = expected_cell[:, ages].sum(axis=1)
        # recorded leavers at England's ratio of leavers to recorded ones; ages over 20 stand at 19
        reported = ages if band[-1] < AGES[-1] else np.array([19]) - AGES[0]
        counts = ceased[..., reported].sum(axis=-1)
        scale = divide(expected[complete].sum(), counts[:, complete].sum(axis=1), otherwise=0.0)
        recorded = (counts * scale[:, None] * given).sum(axis=0)
        recorded = divide(recorded, given.sum(axis=0), otherwise=np.nan)
        if known.before is not None and band[0] >= CLOSED_FROM:
            closed = np.maximum(closing[:, ages].sum(axis=1), 0.0)
            recorded = np.where(complete, (recorded + closed) / 2, recorded)
        events = np.where(np.isnan(recorded), expected, recorded)
        ratio = shrink(regions.T @ events, regions.T @ expected).ratio
        level = ratio[known.region]
        ratio, shape = shrink(events, expected * level)
        share[:, ages] *= (level * ratio)[:, None, None]
        shapes[:, number] = shape
    share = np.minimum(share, 0.99)
    share[:, -1] = 1.0
    return share, shapes


def _entry(known: Snapshot, new: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """Dirichlet parameters of a new plan's setting (n, A, S): own mix by phase, shrunk."""
    counts = to_cohorts(np.moveaxis(new.sum(axis=0), -1, 0), earlier_share(new[-1].sum(axis=0)))
    counts = np.moveaxis(counts, 0, -1)  # n, A, S
    regions = np.eye(known.region.max() + 1)[known.region]
    parameters = np.empty((len(known.areas), len(AGES), entry.shape[1]))
    for phase in ENTRY_PHASES:
        ages = np.array(phase) - AGES[0]
        own = counts[:, ages].sum(axis=1)
        mix = counts[:, ages].sum(axis=2)
        expected = as_shares(np.einsum("na,as->ns", mix + 1e-6, entry[ages]))
        common = as_shares(np.einsum("ra,as->rs", regions.T @ mix, entry[ages]))
        regional, _ = shrink_shares(regions.T @ own, common)
        prior = as_shares(expected * divide(regional, common)[known.region])
        share, weight = shrink_shares(own, prior)
        parameters[:, ages] = weight * as_shares(entry[ages] * divide(share, expected)[:, None])
    return parameters
