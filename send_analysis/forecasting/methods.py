"""What is scored: this package's forecast, and simple methods with their own intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from send_analysis.forecasting import panel as panels
from send_analysis.forecasting.demand import CHOSEN, Specification, replay
from send_analysis.forecasting.panel import Panel
from send_analysis.forecasting.reconciliation import NORMAL


def _walk(values: np.ndarray, steps: np.ndarray, drift: bool) -> tuple[np.ndarray, np.ndarray]:
    """Random walk: centre and standard deviation, units × horizons, of the values' own scale."""
    change = np.diff(values, axis=1)
    count = change.shape[1]
    mean = change.mean(1) if drift else np.zeros(len(values))
    freedom = count - 1 if drift else count
    noise = np.sqrt(((change - mean[:, None]) ** 2).sum(1) / freedom)
    spread = steps * (1 + steps / count) if drift else steps
    return (values[:, -1:] + mean[:, None] * steps), noise[:, None] * np.sqrt(spread)


def baseline(
    panel: Panel, origin: int, horizon: int, *, years: int | None, log: bool, drift: bool = True
) -> np.ndarray:
    """Forecast as simple methods do, with their own normal intervals.

    Parameters
    ----------
    panel : Panel
        Figures of any years; those after `origin` are not looked at.
    origin, horizon : int
        January to forecast from; years ahead.
    years : int or None
        Last yearly changes that are used; all if None.
    log : bool
        Work on logarithms: compound growth instead of a yearly number of plans.
    drift : bool, default True
        False is the last value.

    Returns
    -------
    ndarray, units × horizons × levels

    References
    ----------
    Hyndman and Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., section 5.5.
    """
    plans = panels.known_at(panel, origin).plans
    plans = plans if years is None else plans[:, -years - 1 :]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(plans) if log else plans
        centre, spread = _walk(values, np.arange(1, horizon + 1), drift)
        out = centre[..., None] + spread[..., None] * NORMAL
    return np.exp(out) if log else out


def baselines(**options: Any) -> Method:
    """Make a method of :func:`baseline`."""
    return lambda panel, origins, horizon: [
        baseline(panel, origin, horizon, **options) for origin in origins
    ]


def ours(specification: Specification = CHOSEN) -> Method:
    """Make a method of this package's forecast."""
    return lambda panel, origins, horizon: [
        units.quantiles() for units in replay(panel, origins, horizon, specification)
    ]


Method = Callable[[Panel, Sequence[int], int], list[np.ndarray]]
OURS = "this package"
COMPOUND = "five-year compound growth"
METHODS: dict[str, Method] = {
    OURS: ours(),
    COMPOUND: baselines(years=5, log=True),
    "drift, last 3 years": baselines(years=3, log=False),
    "drift, last 5 years": baselines(years=5, log=False),
    "drift, all years": baselines(years=None, log=False),
    "last value": baselines(years=None, log=False, drift=False),
}
