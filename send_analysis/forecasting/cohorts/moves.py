"""Moves between settings that account for the stocks of two Januaries, which nobody publishes."""

from __future__ import annotations

import numpy as np

from send_analysis.forecasting.cohorts.inputs import AGES, BLOCKS, Snapshot
from send_analysis.forecasting.cohorts.shrinkage import (
    as_shares,
    concentration,
    divide,
    shrink_shares,
)

# Ages before the birthday that share a table of moves. Entry to school (3, 4), to secondary school
# (10) and the ends of year 11, 12, 13 and 14 (15 to 18) are jumps and stand alone.
MOVE_GROUPS = ([2], [3], [4], [5, 6, 7, 8, 9], [10], [11, 12, 13, 14], [15], [16], [17], [18],
               [19, 20, 21, 22, 23, 24, 25])  # fmt: skip
GROUPS = [np.array([age for age in group if age < AGES[-1]]) - AGES[0] for group in MOVE_GROUPS]
STAY_PRIOR = 0.9  # prior share of movers' rows that stay; weight below, in plans: next to nothing
PRIOR_PLANS = 20.0
ENTRY_PRIOR = 0.1  # weight of the new-plans table, as a share of new plans, against the stocks
ITERATIONS = 600  # of the EM algorithm; shares are then within 0.002 of those after 2,400

# Block of ages, after the birthday, that each group arrives in.
BLOCK_OF = [
    next(n for n, ages in enumerate(BLOCKS) if ages.start <= group[0] + 1 - AGES[0] < ages.stop)
    for group in MOVE_GROUPS
]
DRAWS, ROUNDS = 500, 20  # to find the spread of pulls


def fit_moves(
    known: Snapshot,
    source: np.ndarray,
    target: np.ndarray,
    leave: np.ndarray,
    joined: np.ndarray,
    entry: np.ndarray,
    complete: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the next setting of those who keep their plan, for every authority.

    Parameters
    ----------
    known : Snapshot
    source, target : ndarray (n, A, S)
        Plans by age, and where the same cohort was a year later.
    leave : ndarray (n, A, S)
        Share that ends.
    joined : ndarray (n, A)
        New plans by age after the birthday.
    entry : ndarray (A, S)
        England's settings of new plans.
    complete : ndarray of bool (n,)
        Authorities whose stocks can be used.

    Returns
    -------
    moves : ndarray (n, groups, S, S)
        Dirichlet parameters.
    entry : ndarray (A, S)
        England's settings of new plans, bent to where the stocks insist.
    """
    settings = source.shape[-1]
    stay = np.full((settings, settings), (1 - STAY_PRIOR) / (settings - 1))
    np.fill_diagonal(stay, STAY_PRIOR)
    kept = source * (1 - leave)
    corrected = entry.copy()
    moves = np.empty((len(known.areas), len(MOVE_GROUPS), settings, settings))
    for number, ages in enumerate(GROUPS):
        arriving = joined[:, ages + 1, None] * entry[ages + 1]
        rows = kept[:, ages]
        seen = target[:, ages]
        # only the mix of settings is taken from the later stock, not its size
        seen = seen * divide((rows + arriving).sum(-1), seen.sum(-1))[..., None]
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
        corrected[ages + 1] *= divide(fitted[-1], mean_entry)
        arriving = joined[:, ages + 1, None] * as_shares(corrected[ages + 1])
        weight = concentration(
            seen[complete].reshape(-1, settings),
            (rows[complete] @ fitted[:-1] + arriving[complete]).reshape(-1, settings),
        )
        # authorities differ as much as this weight says, so each tells that much of its region
        size = start.sum(axis=(1, 2), keepdims=True) / len(ages)
        telling = weight / (weight + size)
        pull = np.full(settings + 1, weight)
        level = np.repeat(fitted[None], len(known.areas), axis=0)
        for region in np.unique(known.region[complete]):
            member = (known.region == region) & complete
            level[known.region == region] = _em(
                (telling * start)[member].reshape(1, -1, settings + 1),
                (telling * seen)[member].reshape(1, -1, settings),
                fitted[None],
                pull,
            )
        expected = rows @ level[:, :-1] + arriving
        level[:, :-1] = _as_mixed(level[:, :-1], seen, expected, complete)
        moves[:, number] = weight * level[:, :-1]
    return np.maximum(moves, 1e-6), as_shares(corrected)


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
    share, _ = shrink_shares(counts, as_shares(mean))
    pull = np.where(complete[:, None], divide(share, as_shares(mean)), 1.0) ** 0.5
    return as_shares(moves * pull[:, None, :])


def chance_sd(kept: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Spread of each setting's share of plans by the Dirichlet distributions of moves alone.

    Parameters
    ----------
    kept : ndarray (n, A, S)
        Plans that go on.
    moves : ndarray (n, groups, S, S)
        Dirichlet parameters.

    Returns
    -------
    ndarray (S,)
        Standard deviation, in the middle authority.
    """
    weight = moves.sum(axis=-1, keepdims=True)
    share = moves / weight
    rows = np.stack([kept[:, np.array(group) - AGES[0]].sum(axis=1) for group in MOVE_GROUPS], 1)
    variance = (rows[..., None] ** 2 * share * (1 - share) / (weight + 1)).sum(axis=(1, 2))
    total = rows.sum(axis=(1, 2))
    return np.sqrt(np.median(variance[total > 0] / total[total > 0, None] ** 2, axis=0))


def tilt_sd(
    kept: np.ndarray,
    moves: np.ndarray,
    joined: np.ndarray,
    entry: np.ndarray,
    sought: np.ndarray,
) -> np.ndarray:
    """Spread of the yearly pull of a setting that makes its share vary as it has varied.

    Parameters
    ----------
    kept : ndarray (n, A, S)
        Plans that go on.
    moves : ndarray (n, groups, S, S)
        Dirichlet parameters.
    joined : ndarray (n, A)
        New plans by age after the birthday.
    entry : ndarray (n, A, S)
        Dirichlet parameters.
    sought : ndarray (S,)
        Standard deviation of each setting's share of all plans.

    Returns
    -------
    ndarray (S,)

    Notes
    -----
    A pull η multiplies the share that goes to, stays or begins in a setting by exp η, and each of
    `BLOCKS` has its own; every setting's pull moves every share. The spreads are found on England's
    plans over the same draws.
    """
    rows, shares = [], []
    for number, ages in enumerate(GROUPS):
        going = kept[:, ages].sum(axis=1)
        share = as_shares(moves[:, number])
        begun = joined[:, ages + 1, None] * as_shares(entry[:, ages + 1])
        moved = np.einsum("ns,nst->st", going, share)
        rows.append(np.append(going.sum(axis=0), begun.sum()))
        shares.append(as_shares(np.vstack([moved, begun.sum(axis=(0, 1))])))
    rows, share = np.stack(rows)[..., None], np.stack(shares)
    drawn = np.random.default_rng(0).normal(size=(DRAWS, len(BLOCKS), len(sought)))[:, BLOCK_OF]
    sd = sought * rows.sum() / (rows * share * (1 - share)).sum(axis=(0, 1))
    for _ in range(ROUNDS):
        pulled = as_shares(share * np.exp(sd * drawn)[:, :, None])
        found = as_shares((rows * pulled).sum(axis=(1, 2))).std(axis=0)
        sd = np.minimum(sd * np.clip(sought / found, 0.5, 2.0), 3.0)
    return sd


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
