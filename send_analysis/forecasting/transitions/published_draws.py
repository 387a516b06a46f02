"""Binomial counts as the published run of the peer model drew them.

The demo results that are published with witan.send 1.7.0 were drawn with a library whose binomial
sampler, for an expected count of 14 or more, tests a candidate against a wrong ratio of
probabilities. Its counts come out about 5 % high at an expected count of 15 and 1.5 % high at 50;
below 14 they are right. Later releases of that library mend it. To compare like with like, the
sampler is rebuilt here from its published algorithm (W. Hörmann, "The generation of binomial
random variates", Journal of Statistical Computation and Simulation 46, 1993) with that one flaw.
"""

from __future__ import annotations

import numpy as np

from send_analysis.forecasting.cohorts.stock_flow import Sampler

THRESHOLD = 14  # expected count from which the published run used the flawed branch


def published_binomial(
    rng: np.random.Generator, trials: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Draw binomial counts with the bias that the published demo results carry.

    Parameters
    ----------
    rng : numpy Generator
    trials : ndarray of int
    share : ndarray of float, 0–1

    Returns
    -------
    ndarray of int
    """
    trials, share = np.broadcast_arrays(np.asarray(trials, dtype=np.int64), share)
    count = rng.binomial(trials, share)
    large = (trials * share >= THRESHOLD) & (share < 1.0)
    if large.any():
        n, p = trials[large].astype(float), share[large]
        over_half = p > 0.5
        drawn = _transformed_rejection(rng, n, np.where(over_half, 1.0 - p, p))
        count[large] = np.where(over_half, n - drawn, drawn)
    return count


def published_multinomial(
    rng: np.random.Generator, trials: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """Draw multinomial counts from a chain of binomials, as the published run did.

    Parameters
    ----------
    rng : numpy Generator
    trials : ndarray of int (…)
    shares : ndarray of float (…, outcomes)
        Each row adds to 1.

    Returns
    -------
    ndarray of int (…, outcomes)
    """
    counts = np.zeros(shares.shape, dtype=np.int64)
    left = np.array(trials, dtype=np.int64)
    share_left = shares.sum(axis=-1)
    for outcome in range(shares.shape[-1]):
        open_rows = (left > 0) & (shares[..., outcome] > 0)
        if not open_rows.any():
            continue
        share = shares[..., outcome][open_rows]
        part = np.minimum(share / np.maximum(share_left[open_rows], share), 1.0)
        drawn = published_binomial(rng, left[open_rows], part)
        counts[..., outcome][open_rows] = drawn
        left[open_rows] -= drawn
        share_left[open_rows] -= share
    # rounding can leave someone after the last share: they take the likeliest outcome
    rest = left > 0
    if rest.any():
        likeliest = shares[rest].argmax(axis=-1)
        counts[(*np.nonzero(rest), likeliest)] += left[rest]
    return counts


PUBLISHED = Sampler(published_binomial, published_multinomial)


def _transformed_rejection(rng: np.random.Generator, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Propose and test until every count is drawn; `p` is at most one half."""
    odds = p / (1.0 - p)
    mode = np.floor((n + 1) * p)
    spread = np.sqrt(n * p * (1.0 - p))
    # constants of the hat function are Hörmann's
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = n * p + 0.5
    scale = (2.83 + 5.1 / b) * spread
    edge = 0.92 - 4.2 / b
    drawn = np.empty(len(n))
    waiting = np.arange(len(n))
    while len(waiting):
        w = waiting
        first, second = rng.random((2, len(w)))
        at_once = first <= 0.86 * edge[w]
        outside = first >= edge[w]
        folded = first / edge[w] - 0.93
        u = np.where(outside, second - 0.5, np.where(folded > 0, 0.5, -0.5) - folded)
        u = np.where(at_once, first / edge[w] - 0.43, u)
        height = np.where(outside, first, second * edge[w])
        rim = 0.5 - np.abs(u)
        candidate = np.floor((2 * a[w] / rim + b[w]) * u + centre[w])
        height = height * scale[w] / (a[w] / rim**2 + b[w])
        inside = (candidate >= 0) & (candidate <= n[w])
        ratio = _log_ratio(np.clip(candidate, 1, n[w]), mode[w], n[w], odds[w])
        with np.errstate(divide="ignore", invalid="ignore"):
            accepted = at_once | (inside & (np.log(height) <= ratio))
        drawn[w[accepted]] = candidate[accepted]
        waiting = w[~accepted]
    return drawn


def _log_ratio(k: np.ndarray, mode: np.ndarray, n: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Log of the probability of `k` over that of the mode, wrong within 15 of the mode."""
    from scipy.special import gammaln

    flawed = (k - mode) * np.log((n + 1) * odds) + gammaln(mode - odds) - gammaln(k - odds)
    right = (
        (k - mode) * np.log(odds)
        + gammaln(mode + 1)
        + gammaln(n - mode + 1)
        - gammaln(k + 1)
        - gammaln(n - k + 1)
    )
    return np.where(np.abs(k - mode) <= 15, flawed, right)  # 15: where the algorithm switches
