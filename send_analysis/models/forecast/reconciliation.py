"""Forecasts that add up: units into authorities, authorities into England, totals into parts.

The point forecast (the median) adds up exactly: ages add to the area, placement groups add to the
area, authorities to their region and to England. Other quantiles do not add, and must not: bad
luck in one authority is offset in another, so England's interval is narrower than the sum of
its authorities' intervals. The spread of a sum is computed from the spreads of its parts:
own errors independent of each other, the shared error the same in all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import pandas as pd

from send_analysis.models.forecast.demand import (
    LEVELS,
    UnitForecast,
    size_factor,
    total_persistence,
)

NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])

# England's last yearly change in the make-up of plans goes on at this share each year: the best
# of .6, .8 and 1 in age bands from origins 2017–2021, and better than no change a year ahead.
SHARE_DAMPING = 0.6
RECENT = 8  # years of changes of make-up that the error of a share is taken from
NOT_RECORDED = "not recorded"  # a fault of recording, not a placement: it has no trend
SMALLEST_PART = 20  # plans; the shares of smaller parts move by chance alone
FLOOR = 0.0005  # share; keeps a part that is empty today above zero


@dataclass(frozen=True)
class Split:
    """How an area's plans divide into categories, year by year ahead.

    Attributes
    ----------
    categories : list of str
    now : ndarray, areas × categories
        Shares last published.
    share : ndarray, areas × horizons × categories
        Shares ahead; add to 1 over the categories.
    own, common : ndarray, horizons × categories
        Standard deviations of the error of a share, on the scale of its log odds: a very large
        part's own, and the one that all areas have in common.
    """

    categories: list[str]
    now: np.ndarray
    share: np.ndarray
    own: np.ndarray
    common: np.ndarray

    def rows(self, chosen: np.ndarray) -> Split:
        """Keep some of the areas."""
        return replace(self, now=self.now[chosen], share=self.share[chosen])


def to_areas(
    forecast: UnitForecast,
    unit: np.ndarray,
    plans: np.ndarray,
    unit_plans: np.ndarray,
    small_area: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Give authorities that share a footprint its growth, from their own number of plans.

    Parameters
    ----------
    forecast : UnitForecast
        Of every unit.
    unit : ndarray of int
        Row of each authority's unit.
    plans : ndarray
        Plans of each authority at the origin.
    unit_plans : ndarray
        Plans of each unit at the origin.
    small_area : float
        As in :class:`demand.Specification`.

    Returns
    -------
    point, own : ndarray, authorities × horizons
        Median number of plans; standard deviation of the own error, log points. Authorities
        that are a unit of their own keep its forecast.
    """
    point = forecast.point[unit] * (plans / unit_plans[unit])[:, None]
    relative = size_factor(plans, small_area) / size_factor(unit_plans[unit], small_area)
    return point, forecast.own[unit] * relative[:, None]


def split(
    counts: np.ndarray,
    years: np.ndarray,
    categories: list[str],
    at_origin: np.ndarray,
    parent: np.ndarray,
    origin: int,
    horizon: int,
    small_area: float,
    breaks: tuple[int, ...] = (),
) -> Split:
    """Project how plans divide into categories.

    Parameters
    ----------
    counts : ndarray, areas × years × categories
        Plans; NaN where not published. The first area is England.
    years : ndarray of int
        Januaries with figures, none after the origin.
    categories : list of str
        Names of the last axis of `counts`.
    at_origin : ndarray of int
        Rows of `counts` to project.
    parent : ndarray of int
        For each of them, the row to use where it has no figures of its own.
    origin, horizon : int
        January to forecast from; years ahead.
    small_area : float
        As in :class:`demand.Specification`.
    breaks : tuple of int
        First Januaries of a new basis: changes across them are not changes of plans.

    Returns
    -------
    Split
        Only categories in use at the last published January.

    Notes
    -----
    A share is the area's last one plus England's last yearly change, damped. Its error grows with
    the square root of the horizon; its size is that of yearly changes against England's (own) and
    of England's own less what the year before let expect (common) in the last eight years: the
    size that four in five stay below. Plans whose placement is not recorded have no trend; the
    other groups' trend is that of recorded plans.
    """
    basis = np.searchsorted(np.array(breaks), years, side="right")
    used = counts[0, -1] > 0
    counts = counts[:, :, used]
    total = counts.sum(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = counts / total[..., None]
        odds = np.where((share > 0) & (share < 1), share / (1 - share), np.nan)
    gap = np.diff(years)
    same = (np.diff(basis) == 0) & (years[:-1] >= origin - RECENT)

    last = _last_known(share, basis == basis[-1])
    missing = np.isnan(last[at_origin]).any(1)
    now = np.where(missing[:, None], last[parent], last[at_origin])
    now = np.where(np.isnan(now), last[0], now)
    kept = [c for c, u in zip(categories, used, strict=True) if u]
    recorded = np.array([category != NOT_RECORDED for category in kept])
    yearly = np.zeros(len(kept))
    if len(gap) and same[-1]:
        of_recorded = share[0, -2:] * recorded
        of_recorded /= of_recorded.sum(1, keepdims=True)
        yearly = np.diff(of_recorded, axis=0)[0] / gap[-1]
    steps = np.arange(1, horizon + 1) + origin - years[-1]
    moved = SHARE_DAMPING * total_persistence(SHARE_DAMPING, steps)
    ahead = np.maximum(now[:, None, :] + moved[None, :, None] * yearly, FLOOR)
    ahead /= ahead.sum(2, keepdims=True)

    change = np.diff(np.log(odds), axis=1)[:, same] / np.sqrt(gap[same])[None, :, None]
    large = np.minimum(counts[:, 1:], counts[:, :-1])[:, same] >= SMALLEST_PART
    change = np.where(large, change, np.nan)
    scaled = (change[1:] - change[:1]) / size_factor(counts[1:, :-1][:, same], small_area)
    own = np.array([_robust(scaled[..., k]) for k in range(len(kept))])
    follows = np.r_[False, same[1:] & same[:-1]][same]  # the year before is on the same basis
    before = np.r_[np.zeros((1, len(kept))), change[0, :-1]][: same.sum()]
    surprise = change[0] - np.where(follows[:, None], SHARE_DAMPING * np.nan_to_num(before), 0)
    common = np.array([_robust(surprise[:, k]) for k in range(len(kept))])
    own = np.where(np.isnan(own), np.nanmax(own, initial=0), own)
    common = np.where(np.isnan(common), np.nanmax(common, initial=0), common)
    root = np.sqrt(steps)[:, None]
    return Split(kept, now, ahead, root * own, root * common)


def _last_known(share: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Each area's last shares that are complete, NaN where there are none."""
    known = ~np.isnan(share).any(2) & allowed
    index = np.where(known.any(1), share.shape[1] - 1 - known[:, ::-1].argmax(1), 0)
    last = share[np.arange(len(share)), index]
    return np.where(known.any(1)[:, None], last, np.nan)


def _robust(values: np.ndarray) -> float:
    """Standard deviation from the size that four in five stay below; NaN if there are none."""
    values = values[np.isfinite(values)]
    return float(np.quantile(np.abs(values), 0.8)) / NORMAL[5] if values.size else np.nan


def areas_frame(
    codes: np.ndarray,
    point: np.ndarray,
    own: np.ndarray,
    common: np.ndarray,
    shape: np.ndarray,
    small_area: float,
    splits: dict[str, Split],
) -> pd.DataFrame:
    """Quantiles of authorities, in all and by category.

    Returns
    -------
    DataFrame
        ``area_code, step, category, quantile, value``; `step` counts years ahead from 1.
    """
    deviation = np.hypot(own, common)
    parts = [_long(codes, ["all"], point[..., None], deviation[..., None], shape)]
    for part in splits.values():
        counts = point[..., None] * part.share
        share_error = np.hypot(part.own * size_factor(counts, small_area), part.common)
        parts.append(
            _long(
                codes, part.categories, counts, deviation[..., None], shape, share_error, part.share
            )
        )
    return pd.concat(parts, ignore_index=True)


def spread_of_sum(point: np.ndarray, own: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Standard deviation (log points) of a sum over the first axis.

    Own errors are independent: their variances add, weighted by the squared share of the sum.
    """
    weight = point / point.sum(0)
    return np.hypot(np.sqrt((weight**2 * own**2).sum(0)), common)


def sum_frame(
    code: str,
    member: np.ndarray,
    point: np.ndarray,
    own: np.ndarray,
    common: np.ndarray,
    small_area: float,
    splits: dict[str, Split],
) -> pd.DataFrame:
    """Quantiles of a sum of authorities (`member` marks them), in all and by category.

    Returns
    -------
    DataFrame
        As :func:`areas_frame`.

    Notes
    -----
    A sum of many errors is close to normal, so its quantiles are the normal distribution's.
    """
    part_point, part_own = point[member], own[member]
    total = part_point.sum(0)
    deviation = spread_of_sum(part_point, part_own, common)
    here = np.array([code])
    parts = [_long(here, ["all"], total[None, :, None], deviation[None, :, None], NORMAL)]
    for part in splits.values():
        counts = part_point[..., None] * part.share[member]
        whole = counts.sum(0)
        share_own = part.own * size_factor(counts, small_area)
        spread = spread_of_sum(counts, np.hypot(part_own[..., None], share_own), common[:, None])
        parts.append(
            _long(
                here,
                part.categories,
                whole[None],
                spread[None],
                NORMAL,
                part.common[None],
                (whole / total[:, None])[None],
            )
        )
    return pd.concat(parts, ignore_index=True)


def _long(
    codes: np.ndarray,
    categories: list[str],
    point: np.ndarray,
    spread: np.ndarray,
    shape: np.ndarray,
    share_error: np.ndarray | None = None,
    share: np.ndarray | None = None,
) -> pd.DataFrame:
    """Lay out areas × horizons × categories, and their quantiles, one below the other.

    The error of a share is on the scale of its log odds, so that no part exceeds the whole.
    """
    log = spread[..., None] * shape
    if share is not None:
        moved = 1 / (
            share[..., None] + (1 - share[..., None]) * np.exp(-share_error[..., None] * shape)
        )
        log = np.sign(shape) * np.hypot(log, np.log(moved))
    value = point[..., None] * np.exp(log)
    index = pd.MultiIndex.from_product(
        [codes, range(1, point.shape[1] + 1), categories, LEVELS],
        names=["area_code", "step", "category", "quantile"],
    )
    return pd.DataFrame({"value": value.ravel()}, index=index).reset_index()
