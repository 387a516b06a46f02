"""Forecasts that add up: units into authorities, authorities into England.

The point forecast (the median) adds up exactly: authorities to their region and to England. Other
quantiles do not add, and must not: bad luck in one authority is offset in another, so England's
interval is narrower than the sum of its authorities' intervals. The spread of a sum is computed
from the spreads of its parts: own errors independent of each other, the shared error the same in
all.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from send_analysis.forecasting.demand import LEVELS, UnitForecast, size_factor

NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


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


def areas_frame(
    codes: np.ndarray, point: np.ndarray, own: np.ndarray, common: np.ndarray, shape: np.ndarray
) -> pd.DataFrame:
    """Quantiles of every authority.

    Parameters
    ----------
    codes : ndarray of str
    point, own : ndarray, authorities × horizons
        As :func:`to_areas` returns them.
    common : ndarray
        Standard deviation of the shared error of each horizon, log points.
    shape : ndarray
        Quantiles of a standard error.

    Returns
    -------
    DataFrame
        ``area_code, step, quantile, value``.
    """
    return _long(codes, point, np.hypot(own, common), shape)


def spread_of_sum(point: np.ndarray, own: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Standard deviation (log points) of a sum over the first axis.

    Own errors are independent: their variances add, weighted by the squared share of the sum.
    """
    weight = point / point.sum(0)
    return np.hypot(np.sqrt((weight**2 * own**2).sum(0)), common)


def sum_frame(
    code: str, member: np.ndarray, point: np.ndarray, own: np.ndarray, common: np.ndarray
) -> pd.DataFrame:
    """Quantiles of a sum of authorities (`member` marks them).

    Returns
    -------
    DataFrame
        As :func:`areas_frame`.

    Notes
    -----
    A sum of many errors is close to normal, so its quantiles are the normal distribution's.
    """
    spread = spread_of_sum(point[member], own[member], common)
    return _long(np.array([code]), point[member].sum(0)[None], spread[None], NORMAL)


def _long(
    codes: np.ndarray, point: np.ndarray, spread: np.ndarray, shape: np.ndarray
) -> pd.DataFrame:
    """Lay out areas × horizons, and their quantiles, one below the other."""
    value = point[..., None] * np.exp(spread[..., None] * shape)
    area, step, _ = np.indices(value.shape).reshape(3, -1)
    quantile = np.tile(LEVELS, value[..., 0].size)
    return pd.DataFrame(
        {"area_code": codes[area], "step": step + 1, "quantile": quantile, "value": value.ravel()}
    )
