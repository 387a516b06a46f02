"""Yearly rates of every local authority from the official tables, shrunk to its region and England.

The release has stocks by age and setting and flows by age, but nobody's path. What is estimated
from them, and how, is written out in docs/cohorts.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from send_analysis.cohort_data import AGES, FLOW_AGES, Snapshot

# Ages before the birthday that share a table of moves. Entry to school (3, 4), to secondary school
# (10) and the ends of year 11, 12, 13 and 14 (15 to 18) are jumps and stand alone.
MOVE_GROUPS = ([2], [3], [4], [5, 6, 7, 8, 9], [10], [11, 12, 13, 14], [15], [16], [17], [18],
               [19, 20, 21, 22, 23, 24, 25])  # fmt: skip
LEAVE_BANDS = ([*range(2, 11)], [*range(11, 16)], [16, 17], [18, 19], [*range(20, 26)])
ENTRY_PHASES = ([2, 3], [4], [*range(5, 11)], [*range(11, 16)], [*range(16, 26)])

# Tables of flows give the age at the end of the calendar year, stocks the age at 31 August: of
# those a year older by the end of December, four months' births in twelve.
LATER_BIRTHDAY = 1 / 3
# Where stocks of two Januaries show who left, ceased plans by age are used only below this age.
CLOSED_FROM = 16
STAY_PRIOR = 0.9  # prior share of movers' rows that stay; weight below, in plans: next to nothing
PRIOR_PLANS = 20.0
ENTRY_PRIOR = 0.1  # weight of the new-plans table, as a share of new plans, against the stocks
# How far an authority's own one year of moves speaks for its next. Changes of authorities' setting
# shares in 2023-24 and in 2024-25 correlate from -0.3 (resourced provision, where schools are
# relabelled) to 0.13 (state special schools): benchmarks/cohorts.py.
PERSISTENCE = 0.1
ITERATIONS = 200  # of the EM algorithm; England's log-likelihood moves less than 1e-6 after 150


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
    join : ndarray (n, A, 2)
        Beta parameters of new plans per head, by age after the birthday.
    entry : ndarray (n, A, S)
        Dirichlet parameters of the setting of a new plan.
    """

    leave: np.ndarray
    leave_shape: np.ndarray
    moves: np.ndarray
    tilt_sd: np.ndarray
    join: np.ndarray
    entry: np.ndarray


def estimate(known: Snapshot) -> Rates:
    """Estimate every authority's rates from one January's tables.

    Parameters
    ----------
    known : Snapshot
        From `cohort_data.snapshot`. With a January before, moves and leaving come from the same
        cohorts a year apart; without one, from neighbouring ages in the same January.

    Returns
    -------
    Rates
    """
    source, target, complete = _transitions(known)
    new = np.nan_to_num(known.new)
    recorded_new = to_cohorts(new[-1].sum(axis=-1), _earlier_share(new[-1][complete].sum(0)))
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
    factor = _ratio(closed_new, recorded_new[complete].sum(axis=0))
    join, joined = _join(known, new, factor)
    leave_area, shape = _leave(known, source, target, joined, ceased, leave, complete)
    moves, entry = _moves(known, source, target, leave_area, joined, entry, complete)
    tilt = _tilt_sd(source * (1 - leave_area), moves, known.mix_sd)
    return Rates(leave_area, shape, moves, tilt, join, _entry(known, new, entry))


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


def shrink(
    events: np.ndarray, expected: np.ndarray, *, axis: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Shrink ratios of events to expected events towards 1, as far as the data say they vary.

    Parameters
    ----------
    events, expected : ndarray
        Counts and their expectation under the common rate.
    axis : int
        Axis of the units that share a distribution.

    Returns
    -------
    ratio : ndarray
        Posterior mean of each unit's ratio.
    shape : ndarray
        Gamma shape of that posterior.

    Notes
    -----
    Events are Poisson with mean expected × ratio, ratios gamma with mean 1 and variance estimated
    by moments: Σ((events − expected)² − events) ÷ Σ expected² (Marshall 1991, "Mapping disease and
    mortality rates using empirical Bayes estimators", Applied Statistics 40).
    """
    spread = ((events - expected) ** 2 - events).sum(axis=axis, keepdims=True)
    variance = spread / np.maximum((expected**2).sum(axis=axis, keepdims=True), 1e-9)
    prior = 1.0 / np.clip(variance, 1e-4, 4.0)  # a spread of 1 % at least and 200 % at most
    ratio = (events + prior) / (expected + prior)
    return ratio, events + prior


def shrink_shares(counts: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, float]:
    """Shrink shares of categories towards expected shares by an estimated concentration.

    Parameters
    ----------
    counts : ndarray (n, categories)
    expected : ndarray (n, categories)
        Shares, adding to 1 in each row.

    Returns
    -------
    shares : ndarray (n, categories)
        Posterior means.
    concentration : float
        Prior weight, in counts.
    """
    total = counts.sum(axis=1, keepdims=True)
    weight = concentration(counts, expected * total)
    return (weight * expected + counts) / (weight + total), weight


def concentration(counts: np.ndarray, mean: np.ndarray) -> float:
    """Estimate how alike units are: the weight of a Dirichlet prior, in counts.

    Notes
    -----
    Moments of the Dirichlet-multinomial: with Pearson's statistic D per degree of freedom and N
    counts a unit, D = (N + κ) ÷ (1 + κ), solved for κ. Units with under 30 counts are left out.
    """
    total = mean.sum(axis=-1)
    used = total >= 30
    if used.sum() < 3:
        return 100.0
    spread = (counts - mean)[used] ** 2 / np.maximum(mean[used], 0.5)
    freedom = (mean[used] > 0.5).sum(axis=-1) - 1
    dispersion = spread.sum() / max(freedom.sum(), 1)
    size = total[used].mean()
    if dispersion <= 1.0:
        return 10_000.0
    return float(np.clip((size - dispersion) / (dispersion - 1.0), 5.0, 10_000.0))


def _transitions(known: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plans by age and where the same cohort was a year later; which authorities gave both.

    `target` is aligned with `source`: its age a holds the plans aged a + 1 a year later.
    """
    same_cohorts = known.before is not None
    source = known.before if same_cohorts else known.stock
    target = np.zeros_like(known.stock)
    target[:, :-1] = known.stock[:, 1:]
    settings = slice(
        None, -1
    )  # an authority that records next to no setting tells nothing of moves
    recorded = [frame[..., settings].sum(axis=(1, 2)) / frame.sum(axis=(1, 2))
                for frame in (source, known.stock)]  # fmt: skip
    complete = np.isfinite(source).all(axis=(1, 2)) & np.isfinite(known.stock).all(axis=(1, 2))
    complete &= (recorded[0] > 0.7) & (recorded[1] > 0.7)
    complete &= np.isfinite(known.new[-1]).all(axis=(1, 2))
    complete &= np.isfinite(known.ceased[-1]).all(axis=1)
    return np.nan_to_num(source), np.nan_to_num(target), complete


def _earlier_share(new: np.ndarray) -> np.ndarray:
    """Share of new plans at each end-of-year age that belongs to the younger cohort (F)."""
    cohorts = unmix(new.sum(axis=-1))[: len(FLOW_AGES)]
    younger = LATER_BIRTHDAY * np.concatenate([[0.0], cohorts[:-1]])
    return _ratio(younger, younger + (1 - LATER_BIRTHDAY) * cohorts, otherwise=0.0)


def _england_entry(new: np.ndarray) -> np.ndarray:
    """England's settings of new plans by age at 31 August (A, S)."""
    cohorts = unmix(new)
    cohorts[len(FLOW_AGES) :] = cohorts[len(FLOW_AGES) - 1]  # ages the release does not part
    return _ratio(cohorts, cohorts.sum(axis=-1, keepdims=True), otherwise=0.0)


def _ceased_by_start_age(ceased: np.ndarray) -> np.ndarray:
    """Ceased plans by the age at the 31 August before the year they ceased in (…, A).

    A third of those of each end-of-year age began the year two years younger than it, the others
    one. Ages 20 and over stand together at 19.
    """
    start = np.zeros((*ceased.shape[:-1], len(AGES)))
    count = len(FLOW_AGES)
    start[..., : count - 1] += (1 - LATER_BIRTHDAY) * ceased[..., 1:]
    start[..., : count - 2] += LATER_BIRTHDAY * ceased[..., 2:]
    start[..., 0] += ceased[..., 0]
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
        share = _ratio(left, held, otherwise=0.0)[old].clip(0.0, 0.999)
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
    leavers = held * _ratio(left, held.sum(axis=1), otherwise=0.0)[:, None]
    wanted = by_setting * left.sum() / by_setting.sum()
    for _ in range(100):
        leavers = np.minimum(leavers * _ratio(wanted, leavers.sum(axis=0)), 0.98 * held)
        leavers = np.minimum(leavers * _ratio(left, leavers.sum(axis=1))[:, None], held)
    share = _ratio(leavers, held, otherwise=0.0)
    share[-1] = 1.0  # a plan cannot outlast the 26th birthday
    return share


def _join(known: Snapshot, new: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """New plans per head as Beta parameters (n, A, 2), and expected new plans in the last year.

    The year before is brought to the last year's level by England's growth at each age, and both
    years count alike.
    """
    totals = new.sum(axis=-1)
    earlier = _earlier_share(new[-1].sum(axis=0))
    given = np.isfinite(known.new).all(axis=(2, 3))
    both = given.all(axis=0)
    growth = _ratio(totals[1][both].sum(axis=0), totals[0][both].sum(axis=0))
    totals = np.stack([totals[0] * growth, totals[1]])
    events = (to_cohorts(totals, earlier) * factor * given[..., None]).sum(axis=0)
    people = (known.people * given.T[..., None]).sum(axis=1)
    common = _ratio(events.sum(axis=0), people.sum(axis=0), otherwise=0.0)
    expected = people * common

    regions = np.eye(known.region.max() + 1)[known.region]
    ratio, _ = shrink(regions.T @ events, regions.T @ expected)
    rate = common * ratio[known.region]
    expected = people * rate
    level, _ = shrink(events.sum(axis=1), expected.sum(axis=1))
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
        scale = _ratio(expected[complete].sum(), counts[:, complete].sum(axis=1), otherwise=0.0)
        recorded = (counts * scale[:, None] * given).sum(axis=0)
        recorded = _ratio(recorded, given.sum(axis=0), otherwise=np.nan)
        if known.before is not None and band[0] >= CLOSED_FROM:
            closed = np.maximum(closing[:, ages].sum(axis=1), 0.0)
            recorded = np.where(complete, (recorded + closed) / 2, recorded)
        events = np.where(np.isnan(recorded), expected, recorded)
        ratio, _ = shrink(regions.T @ events, regions.T @ expected)
        level = ratio[known.region]
        ratio, shape = shrink(events, expected * level)
        share[:, ages] *= (level * ratio)[:, None, None]
        shapes[:, number] = shape
    share = np.minimum(share, 0.99)
    share[:, -1] = 1.0
    return share, shapes


def _moves(
    known: Snapshot,
    source: np.ndarray,
    target: np.ndarray,
    leave: np.ndarray,
    joined: np.ndarray,
    entry: np.ndarray,
    complete: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Dirichlet parameters of the next setting (n, groups, S, S), and England's corrected entry."""
    settings = source.shape[-1]
    stay = np.full((settings, settings), (1 - STAY_PRIOR) / (settings - 1))
    np.fill_diagonal(stay, STAY_PRIOR)
    kept = source * (1 - leave)
    corrected = entry.copy()
    moves = np.empty((len(known.areas), len(MOVE_GROUPS), settings, settings))
    for number, group in enumerate(MOVE_GROUPS):
        ages = np.array([age for age in group if age < AGES[-1]]) - AGES[0]
        arriving = joined[:, ages + 1, None] * entry[ages + 1]
        rows = kept[:, ages]
        seen = target[:, ages]
        seen = seen * _ratio((rows + arriving).sum(-1), seen.sum(-1))[..., None]
        if known.before is None:
            # neighbouring ages differ in size; only the mix of settings is taken from them
            seen[~complete] = 0.0
        # one row more for new plans: their settings bend too where the stocks insist
        start = np.concatenate([rows, joined[:, ages + 1, None]], axis=-1)
        mean_entry = arriving[complete].sum(axis=(0, 1))
        mean_entry = mean_entry / mean_entry.sum()
        prior = np.vstack([stay, mean_entry])
        weight = np.full(settings + 1, PRIOR_PLANS)
        weight[-1] = ENTRY_PRIOR * joined[complete][:, ages + 1].sum()
        fitted = _em(
            start[complete].reshape(1, -1, settings + 1),
            seen[complete].reshape(1, -1, settings),
            prior[None],
            weight,
        )[0]
        corrected[ages + 1] *= _ratio(fitted[-1], mean_entry)
        arriving = joined[:, ages + 1, None] * _shares(corrected[ages + 1])
        weight = concentration(
            seen[complete].reshape(-1, settings),
            (rows[complete] @ fitted[:-1] + arriving[complete]).reshape(-1, settings),
        )
        pull = np.full(settings + 1, weight)
        level = np.repeat(fitted[None], len(known.areas), axis=0)
        for region in np.unique(known.region[complete]):
            member = (known.region == region) & complete
            level[known.region == region] = _em(
                PERSISTENCE * start[member].reshape(1, -1, settings + 1),
                PERSISTENCE * seen[member].reshape(1, -1, settings),
                fitted[None],
                pull,
            )
        expected = rows @ level[:, :-1] + arriving
        level[:, :-1] = _as_mixed(level[:, :-1], seen, expected, complete)
        level[complete] = _em(
            PERSISTENCE * start[complete], PERSISTENCE * seen[complete], level[complete], pull
        )
        moves[:, number] = weight * level[:, :-1]
    return np.maximum(moves, 1e-6), _shares(corrected)


def _as_mixed(
    moves: np.ndarray, seen: np.ndarray, expected: np.ndarray, complete: np.ndarray
) -> np.ndarray:
    """Bend a region's moves to each authority's own mix of settings.

    An authority that has few special schools sends few there. With r the ratio of a setting's
    share to the one expected from the region's moves, shrunk, each move to it is multiplied by the
    square root of r and rows are made to add to 1 again: two settings that exchange plans then
    settle at their own ratio, since one flow rises by the root as the other falls by it.
    """
    counts = seen.sum(axis=1)
    mean = expected.sum(axis=1)
    share, _ = shrink_shares(counts, _shares(mean))
    pull = np.where(complete[:, None], _ratio(share, _shares(mean)), 1.0) ** 0.5
    return _shares(moves * pull[:, None, :])


def _tilt_sd(kept: np.ndarray, moves: np.ndarray, mix_sd: np.ndarray) -> np.ndarray:
    """Spread of the yearly pull of a setting that makes its share vary as it has varied.

    A pull η multiplies the share moving to, or staying in, a setting by exp η; the share of all
    plans in it then changes by Σ plans · P (1 − P) ÷ plans for each unit of η.
    """
    share = _shares(moves)
    moved = np.zeros(kept.shape[-1])
    for number, group in enumerate(MOVE_GROUPS):
        rows = kept[:, np.array(group) - AGES[0]].sum(axis=1)
        moved += np.einsum("ns,nst->t", rows, share[:, number] * (1 - share[:, number]))
    return np.minimum(mix_sd * kept.sum() / moved, 3.0)


def _em(start: np.ndarray, seen: np.ndarray, prior: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Most probable moves behind stocks before and after (aggregate Markov chain, EM algorithm).

    Parameters
    ----------
    start : ndarray (units, observations, rows)
        Plans in each setting, and new plans, before.
    seen : ndarray (units, observations, S)
        Plans in each setting after.
    prior : ndarray (units, rows, S)
        Prior shares, each row adding to 1.
    weight : ndarray (rows,)
        Prior weight of each row, in plans.

    Returns
    -------
    ndarray (units, rows, S)
    """
    pull = weight[:, None] * prior
    share = prior.copy()
    for _ in range(ITERATIONS):
        expected = start @ share
        ratio = np.divide(seen, expected, out=np.zeros_like(expected), where=expected > 1e-9)
        moved = share * (start.transpose(0, 2, 1) @ ratio) + pull
        share = moved / moved.sum(axis=-1, keepdims=True)
    return share


def _entry(known: Snapshot, new: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """Dirichlet parameters of a new plan's setting (n, A, S): own mix by phase, shrunk."""
    counts = to_cohorts(np.moveaxis(new.sum(axis=0), -1, 0), _earlier_share(new[-1].sum(axis=0)))
    counts = np.moveaxis(counts, 0, -1)  # n, A, S
    regions = np.eye(known.region.max() + 1)[known.region]
    parameters = np.empty((len(known.areas), len(AGES), entry.shape[1]))
    for phase in ENTRY_PHASES:
        ages = np.array(phase) - AGES[0]
        own = counts[:, ages].sum(axis=1)
        mix = counts[:, ages].sum(axis=2)
        expected = _shares(np.einsum("na,as->ns", mix + 1e-6, entry[ages]))
        common = _shares(np.einsum("ra,as->rs", regions.T @ mix, entry[ages]))
        regional, _ = shrink_shares(regions.T @ own, common)
        prior = _shares(expected * _ratio(regional, common)[known.region])
        share, weight = shrink_shares(own, prior)
        parameters[:, ages] = weight * _shares(entry[ages] * _ratio(share, expected)[:, None])
    return parameters


def _shares(counts: np.ndarray) -> np.ndarray:
    """Divide by the sum along the last axis; where that is 0 all shares are 0."""
    return _ratio(counts, counts.sum(axis=-1, keepdims=True), otherwise=0.0)


def _ratio(top: np.ndarray, bottom: np.ndarray, otherwise: float = 1.0) -> np.ndarray:
    """Divide, with a stand-in where the divisor is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=float), bottom)
    out = np.full(top.shape, otherwise)
    return np.divide(top, bottom, out=out, where=bottom > 0)
