"""Accuracy and time of the forecasts against the automatic methods of statsforecast, in one run.

Run with the extra ``benchmark`` installed: ``python -m benchmarks.forecasting``. Every method
forecasts 150 units from the Januaries of 2016 to 2024, up to five years ahead, with its own
intervals; scores are over origins from 2019, Newham apart.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoARIMA, AutoETS, DynamicOptimizedTheta, RandomWalkWithDrift

from send_analysis.forecasting import panel as panels
from send_analysis.forecasting import scoring
from send_analysis.forecasting.methods import METHODS
from send_analysis.forecasting.panel import Panel

LEVELS = [50, 80, 95]  # central intervals: with the median, the seven quantiles of the forecasts
COLUMNS = ["lo-95", "lo-80", "lo-50", "", "hi-50", "hi-80", "hi-95"]


def automatic(model: object, *, log: bool) -> scoring.Method:
    """Wrap a model of statsforecast, fitted to each unit's series from 2010 to the origin."""

    def one(panel: Panel, origin: int, horizon: int) -> np.ndarray:
        known = panels.known_at(panel, origin)
        plans = np.log(np.maximum(known.plans, 1)) if log else known.plans
        series = pd.DataFrame(
            {
                "unique_id": np.repeat(np.arange(len(known.units)), len(known.years)),
                "ds": np.tile(known.years, len(known.units)),
                "y": plans.ravel(),
            }
        )
        fitted = StatsForecast(
            models=[model],
            freq=1,
            n_jobs=2,
            fallback_model=RandomWalkWithDrift(),  # ETS refuses the seven years known in 2016
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # short series: models warn and fall back
            ahead = fitted.forecast(df=series, h=horizon, level=LEVELS)
        name = str(model)
        columns = [f"{name}-{column}" if column else name for column in COLUMNS]
        out = ahead.sort_values(["unique_id", "ds"])[columns].to_numpy()
        out = out.reshape(len(known.units), horizon, len(columns))
        return np.exp(out) if log else out

    return lambda panel, origins, horizon: [one(panel, origin, horizon) for origin in origins]


AUTOMATIC = {
    "AutoETS, damped, log": automatic(AutoETS(season_length=1, model="ZAN", damped=True), log=True),
    "AutoARIMA": automatic(AutoARIMA(season_length=1), log=False),
    "Theta (dynamic, optimised), log": automatic(DynamicOptimizedTheta(season_length=1), log=True),
}


def main() -> None:
    """Time and score every method, and print one table."""
    panel = panels.build()
    parts, seconds = [], {}
    for name, method in (METHODS | AUTOMATIC).items():
        start = time.perf_counter()
        parts.append(scoring.rolling_origin({name: method}, panel=panel))
        seconds[name] = time.perf_counter() - start
    found = scoring.accuracy(pd.concat(parts, ignore_index=True))
    wide = found[found["horizon"].isin([1, 3, 5])].pivot(
        index="method", columns="horizon", values=["mape", "wis", "within_80", "within_95"]
    )
    best = wide["wis"].drop(index=scoring.OURS).min()
    for horizon in (1, 3, 5):
        wide["ratio", horizon] = wide["wis", horizon] / best[horizon]
    wide = wide.drop(columns="wis", level=0).sort_values(("mape", 3))
    wide.columns = [f"{measure} h={horizon}" for measure, horizon in wide.columns]
    wide.insert(0, "seconds", pd.Series(seconds))
    wide.round(2).to_csv(sys.stdout) if "--csv" in sys.argv else print(wide.round(2).to_string())


if __name__ == "__main__":
    main()
