"""Simulations summed up: a median and the interval that holds 80 % of them."""

from __future__ import annotations

import numpy as np

QUANTILES = (0.1, 0.5, 0.9)


def interval(name: str, values: np.ndarray, *, axis: int = 1) -> dict[str, np.ndarray]:
    """Sum up simulations in three columns.

    Parameters
    ----------
    name : str
        Of the column that holds the median.
    values : ndarray
        Simulated, the simulations along `axis`.
    axis : int, default 1

    Returns
    -------
    dict of ndarray
        ``name``, ``name_low_80`` and ``name_high_80``.
    """
    low, middle, high = np.quantile(values, QUANTILES, axis=axis)
    return {name: middle, f"{name}_low_80": low, f"{name}_high_80": high}
