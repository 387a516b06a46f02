"""How good the forecasts are: rolling origins, interval scores, coverage.

Every origin is forecast with what was known then; the outcome is what was published since.
Scores are over areas above 100 plans at the origin, Newham apart (its return for 2025 is
broken), and over origins from 2019 unless asked otherwise. The numbers of the method were chosen
by outcomes to January 2022 (:mod:`choosing`), so that only later outcomes test it: they are
reported apart. Errors and shares of outcomes are in per cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from send_analysis.forecasting import panel as panels
from send_analysis.forecasting.demand import FIRST_ORIGIN, LEVELS, replay
from send_analysis.forecasting.methods import METHODS, OURS, Method
from send_analysis.forecasting.panel import Panel
from send_analysis.forecasting.reconciliation import NORMAL, spread_of_sum

SCORED_FROM = 2019  # earlier errors are the reform's: plans above age 19 began in 2015
CHOSEN_FROM = 2017  # first origin that chose the method: the first with a year to learn from
CHOSEN_TO = 2022  # last January whose outcome chose the method
HORIZON = 5  # years ahead: the furthest at which forecasts are tested
NEAR = 10  # per cent: an error below which a forecast is of use to a planner
USEFUL = 80  # per cent of areas whose error must be that small
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
    missed = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    return upper - lower + 2 / alpha * missed


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
    total = np.abs(observed - quantiles[..., pairs]) / 2
    for k, alpha in enumerate(2 * LEVELS[:pairs]):
        lower, upper = quantiles[..., k], quantiles[..., -1 - k]
        total = total + alpha / 2 * interval_score(lower, upper, observed, alpha)
    return total / (pairs + 0.5)


def rolling_origin(
    methods: Mapping[str, Method] | None = None,
    origins: Sequence[int] | None = None,
    panel: Panel | None = None,
) -> pd.DataFrame:
    """Forecast five years from every origin and set the outcomes beside it.

    Parameters
    ----------
    methods : mapping, optional
        Name and function (panel, origins, horizon) → for each origin, units × horizons × levels;
        this package's method and the simple ones if not given.
    origins : sequence of int, optional
        Januaries forecast from; all from 2016 that have an outcome if not given.
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
    panel = panels.build() if panel is None else panel
    last = int(panel.years[-1])
    origins = range(FIRST_ORIGIN, last) if origins is None else origins
    made = {name: method(panel, origins, HORIZON) for name, method in methods.items()}
    parts = []
    for which, origin in enumerate(origins):
        ahead = min(HORIZON, last - origin)
        start = origin - panel.years[0]
        base, observed = panel.plans[:, start], panel.plans[:, start + 1 : start + 1 + ahead]
        used = np.flatnonzero(base > SMALLEST)
        index = pd.MultiIndex.from_product(
            [panel.units[used], range(1, ahead + 1)], names=["area_code", "horizon"]
        )
        for name in methods:
            quantiles = made[name][which][used, :ahead]
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
        The rows of :func:`rolling_origin` with ``error`` (of the median, per cent of the outcome),
        ``wis`` (weighted interval score, plans), ``within_80`` and ``within_95`` (per cent of
        the outcomes of a row that the interval holds: 0 or 100).
    """
    quantiles = forecasts[list(LEVELS)].to_numpy()
    observed = forecasts["observed"].to_numpy(dtype=float)
    return forecasts.assign(
        error=100 * (quantiles[:, 3] / observed - 1),
        wis=weighted_interval_score(quantiles, observed),
        within_80=100.0 * ((quantiles[:, 1] <= observed) & (observed <= quantiles[:, 5])),
        within_95=100.0 * ((quantiles[:, 0] <= observed) & (observed <= quantiles[:, 6])),
    )


def accuracy(
    forecasts: pd.DataFrame,
    first: int = SCORED_FROM,
    *,
    start: int | None = None,
    end: int | None = None,
) -> pd.DataFrame:
    """Summarise scores by method and horizon.

    Parameters
    ----------
    forecasts : DataFrame
        As :func:`rolling_origin`.
    first : int
        First January forecast from that counts.
    start, end : int, optional
        First and last January whose outcome counts, both included; all if not given.

    Returns
    -------
    DataFrame
        ``method, horizon, forecasts`` (their number), ``mape`` (mean absolute error of the median,
        per cent), ``bias`` (median error, per cent), ``wis`` (mean, plans), ``wis_ratio`` (over the
        best other method's at that horizon), ``within_10`` (per cent of medians less than 10 per
        cent off), ``within_80, within_95`` (per cent of outcomes inside the interval).
        Newham is left out.
    """
    counted = forecasts["origin"].ge(first) & forecasts["area_code"].ne(APART)
    if start is not None:
        counted &= forecasts["year"] >= start
    if end is not None:
        counted &= forecasts["year"] <= end
    rows = scored(forecasts[counted])
    rows["mape"] = rows["error"].abs()
    rows["within_10"] = 100.0 * (rows["mape"] <= NEAR)
    groups = rows.groupby(["method", "horizon"])
    out = groups[["mape", "wis", "within_10", "within_80", "within_95"]].mean()
    out.insert(0, "forecasts", groups.size())
    out.insert(2, "bias", groups["error"].median())
    out = out.loc[list(rows["method"].unique())].reset_index()
    wide = out.pivot(index="horizon", columns="method", values="wis")
    best = pd.DataFrame({name: wide.drop(columns=name).min(axis=1) for name in wide})
    key = pd.MultiIndex.from_frame(out[["horizon", "method"]])
    out.insert(6, "wis_ratio", out["wis"].to_numpy() / best.stack().reindex(key).to_numpy())
    return out


def shelf_life(within: pd.Series) -> int:
    """Say how many years ahead a forecast is of use.

    Parameters
    ----------
    within : Series
        Per cent of medians less than 10 per cent off, by years ahead: `within_10` of
        :func:`accuracy`.

    Returns
    -------
    int
        The last year up to which four in five were; 0 if not even the first.
    """
    return int(within.sort_index().ge(USEFUL).cummin().sum())


def reliability(
    forecasts: pd.DataFrame, method: str = OURS, start: int = CHOSEN_TO + 1
) -> pd.DataFrame:
    """Set the share of outcomes below each quantile beside the quantile's level.

    Parameters
    ----------
    forecasts : DataFrame
        As :func:`rolling_origin`.
    method : str
        Whose forecasts.
    start : int
        First January whose outcome counts: the first that did not choose the method.

    Returns
    -------
    DataFrame
        ``horizon, level, below, forecasts``: calibrated forecasts have ``below`` near ``level``,
        both from 0 to 1. Newham is left out.
    """
    rows = forecasts[
        (forecasts["method"] == method)
        & (forecasts["origin"] >= CHOSEN_FROM)
        & (forecasts["year"] >= start)
        & (forecasts["area_code"] != APART)
    ]
    below = rows[list(LEVELS)].ge(rows["observed"], axis=0).groupby(rows["horizon"])
    out = below.mean().stack().rename("below").rename_axis(["horizon", "level"]).reset_index()
    return out.assign(forecasts=out["horizon"].map(below.size()))


def worst(forecasts: pd.DataFrame, count: int = 10) -> pd.DataFrame:
    """List this package's forecasts since 2019 that missed by most, each area once.

    Returns
    -------
    DataFrame
        ``area_code, origin, horizon, base, observed, median, low, high`` (95 % interval), ``error``
        (per cent), worst first.
    """
    rows = scored(forecasts[(forecasts["method"] == OURS) & (forecasts["origin"] >= SCORED_FROM)])
    rows = rows.assign(size=np.abs(np.log(rows[0.5] / rows["observed"])) / np.sqrt(rows["horizon"]))
    rows = rows.sort_values("size", ascending=False).drop_duplicates("area_code").head(count)
    rows = rows.rename(columns={0.5: "median", 0.025: "low", 0.975: "high"})
    columns = ["area_code", "origin", "horizon", "base", "observed", "median", "low", "high"]
    return rows[[*columns, "error"]].reset_index(drop=True)


def england(panel: Panel | None = None, first: int = SCORED_FROM) -> pd.DataFrame:
    """Forecast England from every origin, the sum of all units, and set the outcome beside it.

    Returns
    -------
    DataFrame
        ``origin, horizon, year, observed, median, low_80, high_80, low_95, high_95``, plans;
        ``error`` (of the median, per cent of the outcome).
    """
    panel = panels.build() if panel is None else panel
    last, parts = int(panel.years[-1]), []
    for units in replay(panel, range(first, last), HORIZON):
        origin, ahead = units.origin, min(HORIZON, last - units.origin)
        total, spread = units.point.sum(0), spread_of_sum(units.point, units.own, units.common)
        made = total[:, None] * np.exp(spread[:, None] * NORMAL)
        rows = pd.DataFrame(made[:ahead], columns=LEVELS)[[0.5, 0.1, 0.9, 0.025, 0.975]]
        rows.columns = ["median", "low_80", "high_80", "low_95", "high_95"]
        rows.insert(0, "origin", origin)
        rows.insert(1, "horizon", np.arange(1, ahead + 1))
        start = origin - panel.years[0] + 1
        rows.insert(2, "observed", panel.plans[:, start : start + ahead].sum(0))
        parts.append(rows)
    out = pd.concat(parts, ignore_index=True)
    out.insert(2, "year", out["origin"] + out["horizon"])
    return out.assign(error=100 * (out["median"] / out["observed"] - 1))


def periods(last: int) -> dict[str, dict[str, int | None]]:
    """Name the sets of forecasts that are scored apart, as :func:`accuracy` takes them.

    Parameters
    ----------
    last : int
        Last January with an outcome.

    Returns
    -------
    dict
        All forecasts made from 2019 on; those whose outcomes chose the method; those with later
        outcomes, which are the test.
    """
    name = f"{SCORED_FROM + 1}–{last}, made from {SCORED_FROM} on"
    out: dict[str, dict[str, int | None]] = {name: {"first": SCORED_FROM}}
    if last > CHOSEN_TO:
        chose, later = f"{CHOSEN_FROM + 1}–{CHOSEN_TO}", f"{CHOSEN_TO + 1}–{last}"
        out[f"{chose}, for choosing"] = {"first": CHOSEN_FROM, "end": CHOSEN_TO}
        out[f"{later}, for the test"] = {"first": CHOSEN_FROM, "start": CHOSEN_TO + 1}
    return out


def backtest() -> pd.DataFrame:
    """Rerun every forecast from 2016 on and score it: this package's method and simple ones.

    Returns
    -------
    DataFrame
        As :func:`accuracy`, with ``outcomes`` in front: the Januaries forecast, as
        :func:`periods` names them.
    """
    panel = panels.build()
    forecasts = rolling_origin(panel=panel)
    parts = [
        accuracy(forecasts, **options).assign(outcomes=name)
        for name, options in periods(int(panel.years[-1])).items()
    ]
    out = pd.concat(parts, ignore_index=True)
    return out[["outcomes", *(column for column in out if column != "outcomes")]]
