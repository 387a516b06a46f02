"""The forecasting method: next year's growth of an area, from what is known of it in January.

An area grows as England grows, slowing a little each year, plus a departure of its own that
published signals foretell. Their weights are one ridge regression over all areas and years known
at the origin, in closed form. Intervals are the errors that this same method made before.
`docs/forecasting.md` has the equations, the sources and the accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from send_analysis.forecasting.panel import Panel, known_at
from send_analysis.quality import SD_OF_MAD

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])

# The signals, and the share of each one's effect that is left after another year.
SIGNALS = {
    "net_requests": 1.0,  # requests for assessment less refusals, per plan: many now, many later
    "open_cases": 0.6,  # assessments open at the end of the year, per plan: most become plans
    "new_plans": 0.0,  # new plans per plan: a busy year is followed by another one
    "prevalence": 1.0,  # pupils with a plan per 100, log: high areas grow more slowly, for years
    "secondary": 0.8,  # share of plans at 11–15: few leave for years, many younger ones join
}


@dataclass(frozen=True)
class Specification:
    """Numbers of the method.

    The defaults were chosen by outcomes to January 2022, and nothing later: :mod:`choosing` has
    the rule, what they were chosen from, and finds them again.

    Attributes
    ----------
    signals : tuple of (str, float)
        Signals, each with the share of its effect left after a further year.
    damping : float
        England's growth next year per growth this year.
    growth_years : int
        Years over which England's present growth is averaged.
    ridge : float
        Penalty on the squared weight of a signal, in area-years.
    first : int
        First January used to learn weights: the reform of 2014 had been absorbed by most areas.
    smallest : int
        Plans below which an area is neither learnt from nor scored.
    outlier : float
        A yearly change this far from the median area's (log points) is a fault of recording and
        not learnt from: Newham's in 2025.
    spread : float
        Power of the horizon by which an area's own error grows.
    small_area : float
        Plans at which an area's error variance is twice that of a large area's.
    """

    signals: tuple[tuple[str, float], ...] = tuple(SIGNALS.items())
    damping: float = 0.95
    growth_years: int = 1
    ridge: float = 50.0
    first: int = 2016
    smallest: int = 100
    outlier: float = 0.4
    spread: float = 0.6
    small_area: float = 2000.0


CHOSEN = Specification()
FIRST_ORIGIN = 2016  # two years of the method's own errors are needed for an interval
FIRST_ERRORS = 2014  # first origin whose errors count: before it the reform had not begun
ERROR_STEPS = 5  # years ahead of the errors that count, whatever the horizon asked for
CLIP = 3.0  # robust standard deviations at which a signal is held


@dataclass(frozen=True)
class UnitForecast:
    """Forecast of every unit from one January.

    Attributes
    ----------
    units : ndarray of str
    origin : int
    point : ndarray, units × horizons
        Median number of plans.
    own : ndarray, units × horizons
        Standard deviation of the unit's own error, log points.
    common : ndarray, horizons
        Standard deviation of the error that all units share, log points.
    shape : ndarray, levels
        Quantiles of past errors in standard deviations, at `LEVELS`.
    """

    units: np.ndarray
    origin: int
    point: np.ndarray
    own: np.ndarray
    common: np.ndarray
    shape: np.ndarray

    def quantiles(self) -> np.ndarray:
        """Quantiles at `LEVELS`: units × horizons × levels, in plans."""
        deviation = np.hypot(self.own, self.common)[..., None]
        return self.point[..., None] * np.exp(self.shape * deviation)


def size_factor(plans: np.ndarray, small_area: float) -> np.ndarray:
    """Standard deviation of an area's own error relative to a very large area's."""
    return np.sqrt(1 + small_area / np.maximum(plans, 1))


def total_persistence(share: float | np.ndarray, horizon: np.ndarray) -> np.ndarray:
    """Add up 1 + share + share² + … over `horizon` terms."""
    share = np.asarray(share, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share == 1, horizon, (1 - share**horizon) / (1 - share))


def _quantile(values: np.ndarray, level: float) -> np.ndarray:
    """Quantile over the first axis, NaN left out; NaN where there is nothing."""
    ordered = np.sort(values, axis=0)  # NaN last
    last = np.maximum(np.isfinite(ordered).sum(0) - 1, 0)
    position = level * last
    below = np.floor(position).astype(int)
    low, high = (
        np.take_along_axis(ordered, index[None], 0)[0]
        for index in (below, np.minimum(below + 1, last))
    )
    return low + (position - below) * (high - low)


def _standardised(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Centre and scale each year's values by the areas used, robustly; unknown is average."""
    known = np.isfinite(values)
    use = used & known
    usual = np.where(use, values, np.nan)
    low, middle, high = (_quantile(usual, level) for level in (0.25, 0.5, 0.75))
    with np.errstate(invalid="ignore", divide="ignore"):
        # of a normal distribution the middle half is 1.349 standard deviations wide
        scaled = np.clip((values - middle) * 1.349 / (high - low), -CLIP, CLIP)
        scaled = np.where(known, scaled, 0)
        centred = scaled - np.where(use, scaled, 0).sum(0) / use.sum(0)
    return np.where(known & (use.sum(0) >= 20), centred, 0)  # of fewer nobody knows what is usual


def signals(panel: Panel, specification: Specification = CHOSEN) -> np.ndarray:
    """Compute each unit's signals, compared with the other units of the same year.

    Parameters
    ----------
    panel : Panel
        Figures known at the origin.
    specification : Specification
        Names the signals.

    Returns
    -------
    ndarray, units × years × signals
        Robust standard deviations above the average unit; 0 where nothing is published.
    """
    used = panel.plans > specification.smallest
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = {
            "net_requests": (panel.requests - panel.refused) / panel.plans,
            "open_cases": panel.open_cases / panel.plans,
            "new_plans": panel.new_plans / panel.plans,
            "prevalence": np.log(panel.prevalence),
            "secondary": panel.secondary,
        }
    names = [name for name, _ in specification.signals]
    if not names:
        return np.zeros((*panel.plans.shape, 0))
    return _standardised(np.stack([raw[name] for name in names], axis=-1), used[..., None])


class Growth(NamedTuple):
    """Yearly log growth, units by years."""

    relative: np.ndarray  # of a unit, less that of the middle one
    england: np.ndarray  # by year
    usable: np.ndarray  # whether the model learns from it


def _growth(panel: Panel, specification: Specification) -> Growth:
    """Yearly log growth of units and of England, and which unit-years are usable."""
    with np.errstate(invalid="ignore", divide="ignore"):
        log = np.log(panel.plans)
    growth = np.diff(log, axis=1, prepend=np.nan)
    usable = np.isfinite(growth)
    usable[:, 1:] &= panel.plans[:, :-1] > specification.smallest
    middle = _quantile(np.where(usable, growth, np.nan), 0.5)
    with np.errstate(invalid="ignore"):
        usable &= np.abs(growth - middle) < specification.outlier
    now, before = panel.plans[:, 1:], panel.plans[:, :-1]
    england = np.full(len(panel.years), np.nan)
    both = usable[:, 1:]
    england[1:] = np.log(np.where(both, now, 0).sum(0) / np.where(both, before, 0).sum(0))
    return Growth(growth - middle, england, usable)


def _points(panel: Panel, horizon: int, specification: Specification) -> tuple[np.ndarray, ...]:
    """Log point forecasts from every origin (origins × units × horizons), and England's growth."""
    steps = np.arange(1, horizon + 1)
    known = signals(panel, specification)
    relative, england, usable = _growth(panel, specification)
    share = np.array([share for _, share in specification.signals])
    reach = total_persistence(share[:, None], steps[None, :])  # signals × horizons

    # Sums of squares and products of the regression, a year at a time and then up to each origin.
    x = np.where(usable[:, 1:, None], known[:, :-1], 0)
    y = np.where(usable[:, 1:], relative[:, 1:], 0)
    learnt = panel.years[:-1] >= specification.first
    square = np.einsum("ity,itz->tyz", x, x) * learnt[:, None, None]
    product = np.einsum("ity,it->ty", x, y) * learnt[:, None]
    penalty = specification.ridge * np.eye(len(share))
    first = FIRST_ERRORS - panel.years[0]
    with np.errstate(divide="ignore"):
        log = np.log(panel.plans)
    out = []
    for origin in range(first, len(panel.years)):
        published = (known[:, origin] != 0).any(0)  # a signal without figures gets no weight
        both = np.outer(published, published)
        weight = np.linalg.solve(
            penalty + square[:origin].sum(0) * both, product[:origin].sum(0) * published
        )
        now = np.mean(england[origin + 1 - specification.growth_years : origin + 1])
        common = now * specification.damping * total_persistence(specification.damping, steps)
        out.append(log[:, origin, None] + common + (known[:, origin] * weight) @ reach)
    return np.stack(out), england


def predict(
    panel: Panel, origin: int, horizon: int = 5, specification: Specification = CHOSEN
) -> UnitForecast:
    """Forecast every unit from one January, with what was known then and nothing else.

    Parameters
    ----------
    panel : Panel
        Figures of any years; those after `origin` are not looked at.
    origin : int
        Year of the January from which to forecast.
    horizon : int
        Years ahead.
    specification : Specification
        Numbers of the method.

    Returns
    -------
    UnitForecast
        In the order of ``panel.units``.

    Notes
    -----
    For unit i, origin t and horizon h::

        log ŷ(i, t+h) = log y(i, t) + g(t) (φ + φ² + … + φʰ) + Σₖ βₖ z(i, t, k) (1 + λₖ + … + λₖʰ⁻¹)

    g: England's last yearly growth over areas without a fault of recording; z: signals; β: ridge
    regression of an area's growth less the median area's on the signals of the January before,
    over all areas and years from `first` to the origin.
    The errors of the same formula from earlier origins, where the outcome is known at the origin,
    less each year's median error, divided by hᵖ √(1 + s/y) and made symmetric, give the shape and
    size of an area's own error. The shared error comes from changes in England's yearly growth,
    taken as a random walk: σ √(h(h+1)(2h+1)/6), σ their median size × 1.4826.
    """
    return replay(known_at(panel, origin), [origin], horizon, specification)[0]


def replay(
    panel: Panel,
    origins: Sequence[int],
    horizon: int = 5,
    specification: Specification = CHOSEN,
) -> list[UnitForecast]:
    """Forecast every unit from several Januaries, each with what was known then.

    Gives what :func:`predict` gives for each, in a tenth of its time: the signals and errors of a
    January are the same for all later ones.

    Parameters
    ----------
    panel, horizon, specification
        As :func:`predict` takes them.
    origins : sequence of int
        Januaries from which to forecast.

    Returns
    -------
    list of UnitForecast
        One an origin.
    """
    logs, england = _points(panel, max(horizon, ERROR_STEPS), specification)
    outcome, weight, error = _errors(panel, logs, specification)
    size = size_factor(panel.plans, specification.small_area)
    steps = np.arange(1, horizon + 1)
    out = []
    for origin in origins:
        now = origin - panel.years[0]
        known = outcome <= now
        pooled, weights = error[known], weight[known]
        deviation = np.sqrt(np.average(np.clip(pooled, *_fence(pooled)) ** 2, weights=weights))
        shape = weighted_quantile(np.r_[pooled, -pooled], np.r_[weights, weights], LEVELS)
        shape = (shape - shape[::-1]) / 2 / deviation  # symmetric: the median is the forecast
        changes = np.abs(np.diff(england[1 : now + 1]))
        walk = SD_OF_MAD * np.median(changes) * np.sqrt(steps * (steps + 1) * (2 * steps + 1) / 6)
        own = deviation * steps**specification.spread * size[:, now, None]
        point = np.exp(logs[now - (FIRST_ERRORS - panel.years[0])][:, :horizon])
        out.append(UnitForecast(panel.units, int(origin), point, own, walk, shape))
    return out


class Errors(NamedTuple):
    """Errors of units' own, one an outcome."""

    outcome: np.ndarray  # its column
    weight: np.ndarray  # overlapping years count once
    scaled: np.ndarray


def _errors(panel: Panel, logs: np.ndarray, specification: Specification) -> Errors:
    """Errors of a unit's own from all origins."""
    first, count = FIRST_ERRORS - panel.years[0], len(panel.years)
    start, step = (
        each.ravel() for each in np.mgrid[first : count - 1, 1 : ERROR_STEPS + 1].astype(int)
    )
    start, step = start[start + step < count], step[start + step < count]
    size = size_factor(panel.plans, specification.small_area)[:, start]
    used = (panel.plans > specification.smallest)[:, start] & (panel.plans[:, start + step] > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.log(panel.plans[:, start + step]) - logs[start - first, :, step - 1].T
    error = np.where(used, error, np.nan)
    error = (error - _quantile(error, 0.5)) / (step**specification.spread * size)
    outcome, weight = (np.broadcast_to(each, used.shape)[used] for each in (start + step, 1 / step))
    return Errors(outcome, weight, error[used])


def _fence(values: np.ndarray) -> tuple[float, float]:
    """Give the limits beyond which an error is a fault of recording rather than of the forecast."""
    width = 8 * np.median(np.abs(values))
    return -width, width


def weighted_quantile(values: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of weighted values, each value at the middle of its own weight."""
    order = np.argsort(values, kind="stable")
    weight = weights[order]
    position = (np.cumsum(weight) - weight / 2) / weight.sum()
    return np.interp(levels, position, values[order])
