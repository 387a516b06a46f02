"""The cohort model held against a January that it did not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS, origins, snapshot
from send_analysis.forecasting.cohorts.simulation import BANDS, estimated, project


@reads.found
def backtest(
    areas: Sequence[Area] | None = None,
    *,
    as_of: int | None = None,
    simulations: int = 1000,
    seed: int = 50,
) -> pd.DataFrame:
    """Project the January after `as_of` and set it against what was published.

    Parameters
    ----------
    areas : sequence of Area or str, optional
        Authorities; all with plans by age in both Januaries if not given.
    as_of : int, optional
        A January whose following one is published by age and setting; the last if not given.
    simulations, seed
        As in `project`.

    Returns
    -------
    DataFrame
        One row an authority, dimension (``all``, ``age band``, ``setting``) and category:
        ``area_code, area, dimension, category, observed, persistence, cohort, low, high``.
        ``cohort`` is the median, ``low`` to ``high`` hold 80 %.
        Authorities without settings in either January are left out.
    """
    origin = origins()[-2] if as_of is None else as_of
    known = estimated(origin)[0]
    later = snapshot(origin + 1, years=1)
    given = np.isfinite(known.stock).all(axis=(1, 2))
    there = known.areas[given & known.areas.isin(later.areas)]
    there = there if areas is None else there[there.isin(areas)]
    frames = []
    for area in map(Area, there):
        observed = later.stock[later.areas.get_loc(area)]
        before = known.stock[known.areas.get_loc(area)]
        if _recorded(observed) < 0.7 or _recorded(before) < 0.7:
            continue
        projection = project(area, as_of=origin, years=1, simulations=simulations, seed=seed)
        simulated = _categories(projection.stock[1])
        quantiles = {
            name: np.quantile(values, (0.1, 0.5, 0.9)) for name, values in simulated.items()
        }
        rows = pd.DataFrame(quantiles, index=["low", "cohort", "high"]).T
        rows["observed"] = {name: float(value) for name, value in _categories(observed).items()}
        rows["persistence"] = {name: float(value) for name, value in _categories(before).items()}
        frames.append(rows.assign(area_code=area, area=area.name))
    out = pd.concat(frames).rename_axis(["dimension", "category"]).reset_index()
    first = ["area_code", "area", "dimension", "category", "observed", "persistence"]
    return out[[*first, *[name for name in out if name not in first]]]


def _recorded(stock: np.ndarray) -> float:
    """Share of plans (A, S) whose setting is recorded."""
    return float(stock[:, :-1].sum() / max(stock.sum(), 1.0))


def _categories(stock: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Plans (…, A, S) in all, by age band and by setting."""
    by_age = stock.sum(axis=-1)
    parts = {("all", "all"): by_age.sum(axis=-1)}
    for band, ages in BANDS.items():
        parts["age band", band] = by_age[..., np.array(ages) - AGES[0]].sum(axis=-1)
    for place, setting in enumerate(SETTINGS):
        parts["setting", setting] = stock[..., place].sum(axis=-1)
    return parts
