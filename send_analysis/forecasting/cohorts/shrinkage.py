"""Empirical Bayes: draw what one unit shows towards its group, as far as units are alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from send_analysis.quality import SD_OF_MAD


class Shrunk(NamedTuple):
    """Posterior of each unit's ratio: its mean, and the shape of its gamma distribution."""

    ratio: np.ndarray
    shape: np.ndarray


def shrink(events: np.ndarray, expected: np.ndarray, *, axis: int = 0) -> Shrunk:
    """Shrink ratios of events to expected events towards 1, as far as the data say they vary.

    Parameters
    ----------
    events, expected : ndarray
        Counts and their expectation under the common rate.
    axis : int
        Axis of the units that share a distribution.

    Returns
    -------
    Shrunk

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
    return Shrunk(ratio, events + prior)


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


def as_shares(counts: np.ndarray) -> np.ndarray:
    """Divide by the sum along the last axis; where that is 0 all shares are 0."""
    return divide(counts, counts.sum(axis=-1, keepdims=True), otherwise=0.0)


def divide(top: np.ndarray, bottom: np.ndarray, otherwise: float = 1.0) -> np.ndarray:
    """Divide, with a stand-in where the divisor is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=float), bottom)
    out = np.full(top.shape, otherwise)
    return np.divide(top, bottom, out=out, where=bottom > 0)


def robust_sd(values: np.ndarray) -> float:
    """Standard deviation of the normal distribution with the values' median absolute deviation.

    Parameters
    ----------
    values : ndarray
        Values that are not finite are left out.
    """
    values = values[np.isfinite(values)]
    return float(SD_OF_MAD * np.median(np.abs(values - np.median(values))))


def range_sd(values: np.ndarray) -> float:
    """Standard deviation of the normal distribution with these tenth and ninetieth percentiles.

    Intervals that hold four in five are told; tails are heavier than the middle says.

    Parameters
    ----------
    values : ndarray
        Values that are not finite are left out.
    """
    low, high = np.quantile(values[np.isfinite(values)], (0.1, 0.9))
    return float((high - low) / 2.563)
