"""Statistical process control: XmR charts over time, funnel plots across organisations.

An XmR chart asks of one series whether a month differs from its predecessors by more than they
differ among themselves. A funnel plot asks the same of one organisation among many.

The usual limits take months as independent. Waiting lists are not: who waits in one month mostly
waits in the next, neighbours differ little, and limits drawn from their differences are too narrow.
:func:`carry_over` measures it, :func:`xmr` allows for it, :func:`false_alarms` says what is left.

References
----------
Wheeler, D. J. (1993), *Understanding Variation*: individuals chart, limits at 2.66 mean moving
ranges. Nelson, L. S. (1982), *Journal of Quality Technology* 14(3): leaving out moving ranges
beyond their own limit. NHS England, *Making Data Count*: the four signals below. Spiegelhalter,
D. J. (2005), *Statistics in Medicine* 24, 1185-1202: funnel plots and overdispersion. Marriott,
F. H. C. and Pope, J. A. (1954), *Biometrika* 41, 390-402: bias of autocorrelations of short series.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from send_analysis.errors import ParameterError

LIMIT = 2.66  # 3 / 1.128, the expected range of two standard normal values (Wheeler 1993)
RANGE_LIMIT = 3.267  # D4 for ranges of two (Nelson 1982)
RUN = 7  # points in a shift or a trend (NHS England, Making Data Count)
MOST_CARRIED = 0.95  # autocorrelation above which ten months cannot tell a list from a random walk
LEAST_POINTS = 9  # of a series whose autocorrelation is measured
ENOUGH = 12  # points before limits stop being trial limits (NHS England, Making Data Count)


def xmr(
    values: pd.Series,
    *,
    rebase: Sequence[object] = (),
    screen: bool = True,
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    autocorrelation: float = 0.0,
) -> pd.DataFrame:
    """Compute the XmR chart of one series.

    Parameters
    ----------
    values : Series
        Numbers in order of time; the index (months, dates, or numbers) is kept. Missing values
        stay in the result and take no part in limits; no moving range and no run crosses them,
        nor a month that an index of dates leaves out.
    rebase : sequence
        Index values at which a new step begins: mean and limits are computed afresh from there.
        A step is a decision about the process (a service re-tendered, a pathway changed); take
        it from outside the data, or the chart will confirm whatever one looks for.
    screen : bool, default True
        Leave moving ranges above 3.267 mean moving ranges out of the mean moving range.
    lower_bound, upper_bound : float, optional
        Smallest and largest value the measure can take; no limit is drawn beyond them.
    autocorrelation : float, default 0
        Correlation of neighbouring months of a steady list, from 0 to below 1; see
        :func:`carry_over`. The limits are as much wider.

    Returns
    -------
    DataFrame
        Indexed as ``values``: value, stretch (0, 1, ...), moving_range, mean, lower, upper, trial
        (limits rest on fewer than 12 points), signal (empty, or the first of ``beyond limits``,
        ``two of three near a limit``, ``shift``, ``trend`` that holds), side (``above`` or
        ``below`` the mean where there is a signal).

    Raises
    ------
    ParameterError
        What is no number, fewer than two numbers in a step or no two of them in neighbouring
        months, a re-basing point that is not in the index, an index out of order, or an
        autocorrelation that is none.

    Notes
    -----
    Limits are mean +/- 2.66 mean moving range / sqrt(1 - r), with r the autocorrelation: two
    neighbours of a series of standard deviation s differ by 1.128 s sqrt(1 - r) on average.
    Signals: one point beyond a limit; two of three successive points between a limit and two
    thirds of the way to it, all three on that side of the mean; seven successive points on one
    side of the mean; seven successive points each higher (or each lower) than the one before.
    """
    values = _numbers(values, "The series")
    if values.empty:
        raise ParameterError("The series is empty; limits need two numbers at least.")
    time = _times(values.index)
    if not time.is_monotonic_increasing or time.has_duplicates:
        raise ParameterError("The series is not in order of time, or holds a time twice; sort it.")
    if not isinstance(autocorrelation, int | float) or not 0 <= autocorrelation < 1:
        raise ParameterError(f"autocorrelation is {autocorrelation}; it is from 0 to below 1.")
    unknown = [point for point in rebase if point not in values.index]
    if unknown:
        raise ParameterError(f"Cannot re-base at {unknown[0]}: the series has no such point.")
    starts = np.zeros(len(values), dtype=int)
    for point in rebase:  # a date may be given as text
        starts[values.index.get_loc(point)] = 1
    widened = 1 / np.sqrt(1 - autocorrelation)
    chart = pd.DataFrame({"value": values, "stretch": np.cumsum(starts)}, index=values.index)
    parts = [
        _step(part, screen=screen, bounds=(lower_bound, upper_bound), widened=widened)
        for _, part in chart.groupby("stretch", sort=False)
    ]
    return pd.concat(parts)


def _step(
    part: pd.DataFrame,
    *,
    screen: bool,
    bounds: tuple[float | None, float | None],
    widened: float,
) -> pd.DataFrame:
    """Compute limits and signals of one step."""
    value = part.value
    points = int(value.notna().sum())
    if points < 2:
        raise ParameterError(
            f"The step from {part.index[0]} has {points} number(s); limits need two at least."
        )
    found = _judged(value, screen=screen, widened=widened)
    if np.isnan(found.moving).all():
        raise ParameterError(
            f"The step from {part.index[0]} has no two numbers in neighbouring months, so nothing "
            "says how much months differ: fill the gaps or leave the chart."
        )
    limits = pd.Series([found.mean - found.reach, found.mean + found.reach]).clip(*bounds)
    return part.assign(
        moving_range=found.moving,
        mean=found.mean,
        lower=limits[0],
        upper=limits[1],
        trial=points < ENOUGH,
        signal=found.signal,
        side=found.side,
    )


class Judged(NamedTuple):
    """What a chart says of one step."""

    moving: np.ndarray  # ranges
    mean: float
    reach: float  # of the limits, about the mean
    signal: np.ndarray
    side: np.ndarray  # of the mean that a signal is on


def _judged(values: pd.Series, *, screen: bool, widened: float) -> Judged:
    """Judge one step by the rules."""
    value, together = values.to_numpy(), _neighbours(values.index)
    moving = np.where(together, np.abs(np.diff(value, prepend=np.nan)), np.nan)
    mean, mean_range = _mean(value), _mean(moving)
    if screen:
        mean_range = _mean(moving[moving < RANGE_LIMIT * mean_range]) if mean_range > 0 else 0.0
    reach = LIMIT * mean_range * widened
    # A month without a figure ends a run: what is in a row on paper was not in time.
    broken = np.flatnonzero((np.isnan(value) | ~together)[1:]) + 1
    signals = [_signals(one, mean, reach) for one in np.split(value, broken)]
    signal, side = map(np.concatenate, zip(*signals, strict=True))
    return Judged(moving, mean, reach, signal, side)


def _mean(values: np.ndarray) -> float:
    """Mean of what is there; NaN of nothing."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else np.nan


def has_signal(values: pd.Series, *, autocorrelation: float = 0.0) -> bool:
    """Whether :func:`xmr`, without steps, finds a signal in a series of floats in order of time.

    Parameters
    ----------
    values, autocorrelation
        As for :func:`xmr`.
    """
    widened = 1 / np.sqrt(1 - autocorrelation)
    return bool((_judged(values, screen=True, widened=widened).signal != "").any())


def _numbers(values: object, what: str) -> pd.Series:
    """Numbers, some of them missing; refuse anything else."""
    try:
        numbers = pd.Series(values).astype(float)
    except (ValueError, TypeError):
        raise ParameterError(f"{what} holds what is no number.") from None
    if np.isinf(numbers).any():
        raise ParameterError(f"{what} holds a number that is not finite.")
    return numbers


def _times(index: pd.Index) -> pd.Index:
    """Index of a series as dates where it holds dates in other words, else as it is."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex) or pd.api.types.is_numeric_dtype(index):
        return index
    dates = pd.to_datetime(pd.Series(index), errors="coerce", format="ISO8601")
    return index if dates.isna().any() else pd.DatetimeIndex(dates)


def _neighbours(index: pd.Index) -> np.ndarray:
    """Whether each point of a series follows its predecessor without a month between them."""
    index = _times(index)
    if not isinstance(index, pd.DatetimeIndex):
        return np.ones(len(index), dtype=bool)
    months = 12 * index.year + index.month
    return np.diff(months, prepend=months[0]) <= 1


def carry_over(series: Iterable[pd.Series]) -> float:
    """Measure how much of one month carries over to the next, in several short series together.

    Parameters
    ----------
    series : iterable of Series
        Of one kind, in order of time; those with fewer than nine numbers are left out.

    Returns
    -------
    float
        Mean lag-1 autocorrelation, each corrected for its shortness, from 0 to 0.95; 0 if no
        series is long enough.

    Notes
    -----
    With n points r falls short of its value by (1 + 4 r) / n (Marriott and Pope 1954), so each is
    taken as (n r + 1) / (n - 4).
    """
    found = []
    for one in series:
        value = _numbers(one, "A series").to_numpy()
        points = int((~np.isnan(value)).sum())
        apart = value - np.nanmean(value) if points else value
        if points < LEAST_POINTS or np.nansum(apart**2) == 0:
            continue
        pairs = (apart[1:] * apart[:-1])[_neighbours(one.index)[1:]]
        r = np.nansum(pairs) / np.nansum(apart**2)
        found.append((points * r + 1) / (points - 4))
    return float(np.clip(np.mean(found), 0, MOST_CARRIED)) if found else 0.0


@cache
def false_alarms(
    points: int, autocorrelation: float, *, allowed: float = 0.0, draws: int = 2000, seed: int = 50
) -> float:
    """Say how often the chart of a steady series shows a signal.

    Parameters
    ----------
    points : int
        Length of the series.
    autocorrelation : float
        Of the series: x(t) - m = r (x(t-1) - m) + noise.
    allowed : float, default 0
        Autocorrelation that the limits allow for.
    draws, seed : int
        Simulated series.

    Returns
    -------
    float
        Share of the series, between 0 and 1, with one signal or more.
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, points))
    values = noise.copy()
    for month in range(1, points):
        step = np.sqrt(1 - autocorrelation**2) * noise[:, month]
        values[:, month] = autocorrelation * values[:, month - 1] + step
    widened = 1 / np.sqrt(1 - allowed)
    moving = np.abs(np.diff(values))
    kept = moving < RANGE_LIMIT * moving.mean(axis=1, keepdims=True)
    reach = LIMIT * moving.mean(axis=1, keepdims=True, where=kept) * widened
    _, broken = _rules(values, values.mean(axis=1, keepdims=True), reach)
    return float(np.any(broken, axis=(0, 2)).mean())


def _signals(value: np.ndarray, mean: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the first rule that each point breaks, and its side of the mean."""
    known = ~np.isnan(value)
    side, broken = _rules(value[known], mean, reach)
    names = ["beyond limits", "two of three near a limit", "shift", "trend"]
    signal = np.full(len(value), "", dtype=object)
    where = np.full(len(value), "", dtype=object)
    signal[known] = np.select(broken, names, "")
    where[known] = np.where(signal[known] == "", "", np.where(side > 0, "above", "below"))
    return signal, where


def _rules(
    y: np.ndarray, mean: float | np.ndarray, reach: float | np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Side of the mean, and the points that break each of the four rules, along the last axis."""
    side = np.sign(y - mean).astype(int)
    away = np.abs(y - mean)
    beyond = away > reach
    near = (away > reach * 2 / 3) & ~beyond
    step = np.sign(np.diff(y))
    shift = sum(_in_run(side == way, RUN) for way in (1, -1)) > 0
    # The point before the first step of a trend belongs to it.
    trend = np.zeros_like(beyond)
    for way in (1, -1):
        steps = _in_run(step == way, RUN - 1)
        trend[..., 1:] |= steps
        trend[..., :-1] |= steps
    two = np.zeros_like(beyond)
    if y.shape[-1] > 2:
        window = partial(sliding_window_view, window_shape=3, axis=-1)
        found = (window(near).sum(axis=-1) >= 2) & (np.abs(window(side).sum(axis=-1)) == 3)
        two = _widened(found, 3)
    return side, [beyond, two & near, shift, trend]


def _in_run(holds: np.ndarray, length: int) -> np.ndarray:
    """Mark points in `length` successive ones, along the last axis, that all hold."""
    if holds.shape[-1] < length:
        return np.zeros_like(holds)
    return _widened(sliding_window_view(holds, length, axis=-1).all(axis=-1), length)


def _widened(starts: np.ndarray, length: int) -> np.ndarray:
    """Mark the `length` points from each start on."""
    count = starts.shape[-1]
    part = np.zeros((*starts.shape[:-1], count + length - 1), dtype=bool)
    for offset in range(length):
        part[..., offset : offset + count] |= starts
    return part


def funnel(
    numerator: pd.Series, denominator: pd.Series, *, overdispersion: bool = True
) -> pd.DataFrame:
    """Set shares of many organisations against the limits expected of their size.

    Parameters
    ----------
    numerator, denominator : Series
        Counts with one index of organisations, for example children waiting over 18 weeks and
        all children waiting.
    overdispersion : bool, default True
        Widen the limits by the spread that organisations show beyond chance. Waiting lists are
        no draws from an urn: without it nearly every large list lies outside.

    Returns
    -------
    DataFrame
        Indexed by organisation: share, size, target (pooled share), lower_95, upper_95,
        lower_99_8, upper_99_8 (all per cent), z (in standard errors, overdispersion
        included), dispersion (factor on the variance, 1 where none is applied), position
        (``high``, ``low`` or ``inside`` the 99.8 % limits).

    Raises
    ------
    ParameterError
        A count below 0 or that is no number, an organisation twice, a numerator above its
        denominator, fewer than three organisations with both numbers, or
        shares that are all 0 or all 1.

    Notes
    -----
    z = (share - target) / sqrt(target (1 - target) / size). The factor is the mean of the
    squared z after the lowest and highest tenth are pulled in to the tenth and ninetieth
    percentile, applied where it exceeds 1 (Spiegelhalter 2005, multiplicative).
    """
    count, size = _numbers(numerator, "The numerator"), _numbers(denominator, "The denominator")
    for part in (count, size):
        if part.index.has_duplicates:
            raise ParameterError(f"{part.index[part.index.duplicated()][0]} is there twice.")
        if (part < 0).any():
            raise ParameterError(f"{part.index[part < 0][0]}: a count is below 0.")
    frame = pd.DataFrame({"count": count, "size": size})
    too_many = frame[frame["count"] > frame["size"]]
    if len(too_many):
        raise ParameterError(f"{too_many.index[0]}: more counted than there are on the list.")
    frame = frame[(frame["size"] > 0) & frame["count"].notna()]
    if len(frame) < 3:
        raise ParameterError(
            f"A funnel needs three organisations at least, there are {len(frame)}."
        )
    target = frame["count"].sum() / frame["size"].sum()
    share = frame["count"] / frame["size"]
    if target in {0, 1}:
        raise ParameterError(f"Every share is {target:.0%}: there is nothing to set limits by.")
    error = np.sqrt(target * (1 - target) / frame["size"])
    raw = (share - target) / error
    pulled = raw.clip(raw.quantile(0.1), raw.quantile(0.9))
    factor = max(float((pulled**2).mean()), 1.0) if overdispersion else 1.0
    error = error * np.sqrt(factor)
    out = pd.DataFrame(
        {
            "share": 100 * share,
            "size": frame["size"],
            "target": 100 * target,
            "dispersion": factor,
        }
    )
    for label, z in (("95", 1.96), ("99_8", 3.09)):  # normal quantiles .975 and .999
        out[f"lower_{label}"] = 100 * (target - z * error).clip(0, 1)
        out[f"upper_{label}"] = 100 * (target + z * error).clip(0, 1)
    out["z"] = (share - target) / error
    out["position"] = np.select([out.z > 3.09, out.z < -3.09], ["high", "low"], "inside")
    return out
