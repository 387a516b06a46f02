"""How good the forecasts are: rolling origins, interval scores, coverage, simple baselines.

Every origin is forecast with what was known then; the outcome is what was published since.
Scores are over areas above 100 plans at the origin, Newham apart (its return for 2025 is
broken), and over origins from 2019 unless asked otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from send_analysis import tables
from send_analysis.models.forecast import panel as panels
from send_analysis.models.forecast.demand import CHOSEN, LEVELS, Specification, predict
from send_analysis.models.forecast.panel import Panel
from send_analysis.models.forecast.reconciliation import NORMAL, spread_of_sum

ORIGINS = range(2016, 2025)
SCORED_FROM = 2019  # earlier errors are the reform's: plans above age 19 began in 2015
SELECTED_BEFORE = 2022  # origins before it chose the specification
HORIZONS = 5
APART = "E09000025"  # Newham: 2,705 plans in January 2024, 1,199 in January 2025
SMALLEST = 100  # plans at the origin


def interval_score(
    lower: np.ndarray, upper: np.ndarray, observed: np.ndarray, alpha: float
) -> np.ndarray:
    """Interval score: width, plus 2/alpha times the distance by which the outcome is missed.

    Parameters
    ----------
    lower, upper, observed : ndarray
        Central interval and outcome, in the same unit as the score.
    alpha : float
        1 less the interval's level: .2 for an 80 % interval.

    Returns
    -------
    ndarray
        Lower is better.

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation,
    Journal of the American Statistical Association 102, section 6.2.
    """
    import scoringrules

    return np.asarray(scoringrules.interval_score(observed, lower, upper, alpha, backend="numpy"))


def weighted_interval_score(quantiles: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Weighted interval score of forecasts at `LEVELS`: the median and three central intervals.

    Parameters
    ----------
    quantiles : ndarray, … × levels
        Quantiles at `demand.LEVELS`.
    observed : ndarray, …
        Outcomes.

    Returns
    -------
    ndarray
        In the unit of the outcome; lower is better. Equals the absolute error for a forecast
        without spread.

    References
    ----------
    Bracher, Ray, Gneiting and Reich (2021), Evaluating epidemic forecasts in an interval format,
    PLOS Computational Biology 17(2).
    """
    pairs = len(LEVELS) // 2
    # scoringrules 0.10 has this score too, but without numba it adds the median, not its error.
    total = np.abs(observed - quantiles[..., pairs]) / 2
    for k, alpha in enumerate(2 * LEVELS[:pairs]):
        lower, upper = quantiles[..., k], quantiles[..., -1 - k]
        total = total + alpha / 2 * interval_score(lower, upper, observed, alpha)
    return total / (pairs + 0.5)


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


def _ours(panel: Panel, origin: int, horizon: int, specification: Specification) -> np.ndarray:
    """Quantiles of this package's method."""
    return predict(panel, origin, horizon, specification).quantiles()


Method = Callable[[Panel, int, int], np.ndarray]
OURS = "this package"
METHODS: dict[str, Method] = {
    OURS: lambda panel, origin, horizon: _ours(panel, origin, horizon, CHOSEN),
    "five-year compound growth": lambda p, o, h: baseline(p, o, h, years=5, log=True),
    "drift, last 3 years": lambda p, o, h: baseline(p, o, h, years=3, log=False),
    "drift, last 5 years": lambda p, o, h: baseline(p, o, h, years=5, log=False),
    "drift, all years": lambda p, o, h: baseline(p, o, h, years=None, log=False),
    "last value": lambda p, o, h: baseline(p, o, h, years=None, log=False, drift=False),
}


def rolling_origin(
    methods: Mapping[str, Method] | None = None,
    origins: Sequence[int] = ORIGINS,
    horizon: int = HORIZONS,
    panel: Panel | None = None,
) -> pd.DataFrame:
    """Forecast from every origin and set the outcome beside it.

    Parameters
    ----------
    methods : mapping, optional
        Name and function (panel, origin, horizon) → units × horizons × levels; this package's
        method and the simple ones if not given.
    origins : sequence of int
        Januaries forecast from.
    horizon : int
        Years ahead.
    panel : Panel, optional
        Figures; the installed tables if not given.

    Returns
    -------
    DataFrame
        ``method, area_code, origin, horizon, year, base, observed`` and a column a quantile
        level; only rows with an outcome, units above 100 plans at the origin. ``base`` is the
        number of plans at the origin.
    """
    methods = METHODS if methods is None else methods
    panel = panels.build(tables.load) if panel is None else panel
    last = int(panel.years[-1])
    parts = []
    for origin in origins:
        ahead = min(horizon, last - origin)
        start = origin - panel.years[0]
        base, observed = panel.plans[:, start], panel.plans[:, start + 1 : start + 1 + ahead]
        used = np.flatnonzero(base > SMALLEST)
        index = pd.MultiIndex.from_product(
            [panel.units[used], range(1, ahead + 1)], names=["area_code", "horizon"]
        )
        for name, method in methods.items():
            quantiles = method(panel, origin, ahead)[used]
            rows = pd.DataFrame(quantiles.reshape(-1, len(LEVELS)), index=index, columns=LEVELS)
            rows = rows.reset_index().assign(
                method=name,
                origin=origin,
                base=np.repeat(base[used], ahead),
                observed=observed[used].ravel(),
            )
            parts.append(rows)
    out = pd.concat(parts, ignore_index=True)
    out["year"] = out["origin"] + out["horizon"]
    head = ["method", "area_code", "origin", "horizon", "year", "base", "observed"]
    return out[[*head, *LEVELS]]


def scored(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Add scores to forecasts with outcomes.

    Returns
    -------
    DataFrame
        The rows of :func:`rolling_origin` with ``error`` (median over outcome, less 1),
        ``wis`` (weighted interval score, plans), ``within_80`` and ``within_95`` (bool).
    """
    quantiles = forecasts[list(LEVELS)].to_numpy()
    observed = forecasts["observed"].to_numpy(dtype=float)
    return forecasts.assign(
        error=quantiles[:, 3] / observed - 1,
        wis=weighted_interval_score(quantiles, observed),
        within_80=(quantiles[:, 1] <= observed) & (observed <= quantiles[:, 5]),
        within_95=(quantiles[:, 0] <= observed) & (observed <= quantiles[:, 6]),
    )


def accuracy(
    forecasts: pd.DataFrame, first: int = SCORED_FROM, last: int | None = None
) -> pd.DataFrame:
    """Summarise scores by method and horizon.

    Parameters
    ----------
    forecasts : DataFrame
        As :func:`rolling_origin`.
    first, last : int
        Origins to count, both included.

    Returns
    -------
    DataFrame
        ``method, horizon, forecasts`` (their number), ``mape`` (mean absolute error of the median,
        per cent), ``bias`` (median error, per cent), ``wis`` (mean, plans), ``wis_ratio`` (over the
        best other method's at that horizon), ``within_80, within_95`` (share of outcomes).
        Newham is left out.
    """
    last = forecasts["origin"].max() if last is None else last
    rows = forecasts[forecasts["origin"].between(first, last) & (forecasts["area_code"] != APART)]
    rows = scored(rows)
    rows["mape"] = 100 * rows["error"].abs()
    groups = rows.groupby(["method", "horizon"], sort=False)
    out = groups[["mape", "wis", "within_80", "within_95"]].mean()
    out.insert(0, "forecasts", groups.size())
    out.insert(2, "bias", 100 * groups["error"].median())
    out = out.reset_index()
    wide = out.pivot(index="horizon", columns="method", values="wis")
    best = pd.DataFrame({name: wide.drop(columns=name).min(axis=1) for name in wide})
    key = pd.MultiIndex.from_frame(out[["horizon", "method"]])
    out.insert(6, "wis_ratio", out["wis"].to_numpy() / best.stack().reindex(key).to_numpy())
    return out


def reliability(
    forecasts: pd.DataFrame, method: str = OURS, first: int = SCORED_FROM
) -> pd.DataFrame:
    """Set the share of outcomes below each quantile beside the quantile's level.

    Returns
    -------
    DataFrame
        ``horizon, level, share, forecasts``: calibrated forecasts have ``share`` near ``level``.
    """
    rows = forecasts[
        (forecasts["method"] == method)
        & (forecasts["origin"] >= first)
        & (forecasts["area_code"] != APART)
    ]
    below = rows[list(LEVELS)].ge(rows["observed"], axis=0).groupby(rows["horizon"])
    out = below.mean().stack().rename("share").rename_axis(["horizon", "level"]).reset_index()
    return out.assign(forecasts=out["horizon"].map(below.size()))


def worst(
    forecasts: pd.DataFrame, count: int = 10, method: str = OURS, first: int = SCORED_FROM
) -> pd.DataFrame:
    """List the forecasts that missed by most, each area once.

    Returns
    -------
    DataFrame
        ``area_code, origin, horizon, base, observed, median, low, high`` (95 % interval), ``error``
        (per cent), worst first.
    """
    rows = scored(forecasts[(forecasts["method"] == method) & (forecasts["origin"] >= first)])
    rows = rows.assign(size=np.abs(np.log(rows[0.5] / rows["observed"])) / np.sqrt(rows["horizon"]))
    rows = rows.sort_values("size", ascending=False).drop_duplicates("area_code").head(count)
    rows = rows.assign(error=100 * rows["error"]).rename(
        columns={0.5: "median", 0.025: "low", 0.975: "high"}
    )
    columns = [
        "area_code",
        "origin",
        "horizon",
        "base",
        "observed",
        "median",
        "low",
        "high",
        "error",
    ]
    return rows[columns].reset_index(drop=True)


def alternatives() -> dict[str, Specification]:
    """Give the specifications that the chosen one was compared with."""
    signals = CHOSEN.signals
    out = {"chosen": CHOSEN}
    out |= {
        f"without {name}": replace(CHOSEN, signals=tuple(s for s in signals if s[0] != name))
        for name, _ in signals
    }
    out["England's growth for all"] = replace(CHOSEN, signals=())
    out |= {f"damping {value}": replace(CHOSEN, damping=value) for value in (0.92, 0.94, 0.98, 1.0)}
    out |= {f"England's growth of {n} years": replace(CHOSEN, growth_years=n) for n in (2, 3)}
    out |= {f"ridge {value:g}": replace(CHOSEN, ridge=value) for value in (10.0, 200.0)}
    return out


def selection(panel: Panel | None = None) -> pd.DataFrame:
    """Compare the chosen specification with others, on the origins that chose it and on later ones.

    Returns
    -------
    DataFrame
        ``specification, origins`` (``2017–2021`` chose, ``2022–2024`` did not), ``horizon, mape``
        (per cent).
    """
    panel = panels.build(tables.load) if panel is None else panel
    methods = {name: _method(chosen) for name, chosen in alternatives().items()}
    forecasts = rolling_origin(methods, range(2017, 2025), panel=panel)
    last = int(forecasts["origin"].max())
    parts = []
    for first, until in ((2017, SELECTED_BEFORE - 1), (SELECTED_BEFORE, last)):
        part = accuracy(forecasts, first, until)[["method", "horizon", "mape"]]
        parts.append(part.assign(origins=f"{first}–{until}"))
    out = pd.concat(parts, ignore_index=True).rename(columns={"method": "specification"})
    return out[["specification", "origins", "horizon", "mape"]]


def _method(specification: Specification) -> Method:
    """Wrap a specification as a method."""
    return lambda panel, origin, horizon: _ours(panel, origin, horizon, specification)


def england(panel: Panel | None = None, first: int = SCORED_FROM) -> pd.DataFrame:
    """Forecast England from every origin, the sum of all units, and set the outcome beside it.

    Returns
    -------
    DataFrame
        ``origin, horizon, year, observed, median, low, high`` (95 % interval), ``error`` (%).
    """
    panel = panels.build(tables.load) if panel is None else panel
    parts = []
    for origin in range(first, int(panel.years[-1])):
        ahead = min(HORIZONS, int(panel.years[-1]) - origin)
        units = predict(panel, origin, ahead)
        total, spread = units.point.sum(0), spread_of_sum(units.point, units.own, units.common)
        columns = {
            "origin": origin,
            "horizon": np.arange(1, ahead + 1),
            "observed": panel.plans[:, origin - panel.years[0] + 1 :][:, :ahead].sum(0),
            "median": total,
            "low": total * np.exp(NORMAL[0] * spread),
            "high": total * np.exp(NORMAL[-1] * spread),
        }
        parts.append(pd.DataFrame(columns))
    out = pd.concat(parts, ignore_index=True)
    out.insert(2, "year", out["origin"] + out["horizon"])
    return out.assign(error=100 * (out["median"] / out["observed"] - 1))


def backtest(panel: Panel | None = None) -> pd.DataFrame:
    """Rerun every forecast from 2016 on and score it: this package's method and simple ones.

    Returns
    -------
    DataFrame
        As :func:`accuracy`, with ``origins`` in front: all from 2019, those that chose the
        specification (to 2021), and later ones.
    """
    panel = panels.build(tables.load) if panel is None else panel
    forecasts = rolling_origin(panel=panel)
    last = int(forecasts["origin"].max())
    parts = [
        accuracy(forecasts, first, until).assign(origins=f"{first}–{until}")
        for first, until in (
            (SCORED_FROM, last),
            (SCORED_FROM, SELECTED_BEFORE - 1),
            (SELECTED_BEFORE, last),
        )
    ]
    out = pd.concat(parts, ignore_index=True)
    return out[["origins", *(column for column in out if column != "origins")]]
