"""How the numbers of the forecast were chosen: by outcomes to January 2022, and nothing later.

The score is that of the bar the forecast has to clear: its weighted interval score over that of
five-year compound growth with its own intervals, the mean over one to five years ahead. Forecasts
from January 2017 (the first with a year to learn from) with an outcome by January 2022 count. A
number is changed at a time (the two of England's growth together), the best kept, round after
round until none changes. Figures after January 2022 are cut off before anything is computed;
`scoring.backtest` tests on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from send_analysis.forecasting import panel as panels
from send_analysis.forecasting import scoring
from send_analysis.forecasting.demand import CHOSEN, SIGNALS, Specification
from send_analysis.forecasting.methods import COMPOUND, METHODS, Method, ours
from send_analysis.forecasting.panel import Panel

# What each number was chosen from. The rest of a `Specification` says which figures are of use.
DAMPING = (0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 1.0)
GRID: list[list[dict[str, Any]]] = [
    [{"damping": d, "growth_years": n} for d in DAMPING for n in (1, 2, 3)],
    [{"ridge": value} for value in (10.0, 20.0, 50.0, 100.0, 200.0)],
    [{"spread": value} for value in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)],
    [{"small_area": value} for value in (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)],
]
PERSISTENCE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # of each signal
START = Specification(  # far from what is chosen: no slowing, no signal that lasts
    signals=tuple((name, 0.0) for name in SIGNALS),
    damping=1.0, growth_years=3, ridge=200.0, spread=1.0, small_area=0.0,
)  # fmt: skip


def _persisting(specification: Specification, name: str, share: float | None) -> Specification:
    """Change how long a signal's effect lasts, or leave the signal out."""
    kept = dict(specification.signals) | {name: share}
    return replace(specification, signals=tuple((n, s) for n, s in kept.items() if s is not None))


def score(panel: Panel) -> Callable[[Specification], float]:
    """Make the function that scores a specification by outcomes to January 2022.

    Parameters
    ----------
    panel : Panel
        Figures of any years; those after January 2022 are not looked at.

    Returns
    -------
    callable
        Specification → score; lower is better, 1 is as good as compound growth.
    """
    known = panels.known_at(panel, scoring.CHOSEN_TO)
    origins = np.arange(scoring.CHOSEN_FROM, scoring.CHOSEN_TO)
    steps = np.arange(1, scoring.HORIZON + 1)
    column = origins - known.years[0]
    usable = (known.plans[:, column] > scoring.SMALLEST) & (known.units != scoring.APART)[:, None]
    outcome = column[:, None] + steps
    there = outcome < len(known.years)
    observed = known.plans[:, np.where(there, outcome, 0)]
    counted = np.where(usable[..., None] & there, 1.0, 0.0)

    def mean_wis(method: Method) -> np.ndarray:
        """Mean score of the forecasts that count, by years ahead."""
        quantiles = np.stack(method(known, list(origins), scoring.HORIZON), axis=1)
        wis = np.where(counted > 0, scoring.weighted_interval_score(quantiles, observed), 0)
        return wis.sum((0, 1)) / counted.sum((0, 1))

    compound = mean_wis(METHODS[COMPOUND])
    return lambda specification: float((mean_wis(ours(specification)) / compound).mean())


def choose(panel: Panel) -> Specification:
    """Choose the numbers of the method, from :data:`START` on.

    Parameters
    ----------
    panel : Panel
        Figures of any years; those after January 2022 are not looked at.

    Returns
    -------
    Specification
        One that no change of a single number betters.
    """
    of = score(panel)
    best = START
    while True:
        before = best
        for changes in GRID:
            best = min([replace(best, **change) for change in changes], key=of)
        for name in SIGNALS:
            best = min([_persisting(best, name, share) for share in PERSISTENCE], key=of)
        if best == before:
            return best


def alternatives() -> dict[str, Specification]:
    """Give the specifications that the chosen one is set beside."""
    out = {"chosen": CHOSEN, "England's growth for all": replace(CHOSEN, signals=())}
    out |= {f"without {name}": _persisting(CHOSEN, name, None) for name in SIGNALS}
    out |= {f"damping {value}": replace(CHOSEN, damping=value) for value in (0.92, 0.94, 0.96, 1.0)}
    out["England's growth of 2 years"] = replace(CHOSEN, growth_years=2)
    return out


def selection(panel: Panel | None = None) -> pd.DataFrame:
    """Set the chosen specification beside others, on the outcomes that chose it and on later ones.

    Returns
    -------
    DataFrame
        ``specification, outcomes`` (the Januaries forecast, as :func:`scoring.periods` names
        them), ``horizon, mape`` (per cent).
    """
    panel = panels.build() if panel is None else panel
    methods = {name: ours(each) for name, each in alternatives().items()}
    last = int(panel.years[-1])
    forecasts = scoring.rolling_origin(methods, range(scoring.CHOSEN_FROM, last), panel=panel)
    parts = [
        scoring.accuracy(forecasts, **options).assign(outcomes=name)
        for name, options in list(scoring.periods(last).items())[1:]
    ]
    out = pd.concat(parts, ignore_index=True).rename(columns={"method": "specification"})
    return out[["specification", "outcomes", "horizon", "mape"]]
