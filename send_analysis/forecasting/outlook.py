"""Forecasts set beside what happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import longrange, scoring
from send_analysis.forecasting.cohorts import flows, levers, simulation
from send_analysis.forecasting.methods import COMPOUND, METHODS
from send_analysis.forecasting.totals import forecast
from send_analysis.forms import Form, Text, checked, read_yaml
from send_analysis.growth import series

BASE_YEARS = 5  # of the compound growth that councils continue
RANGES = {"median": 0.5, "low_80": 0.1, "high_80": 0.9, "low_95": 0.025, "high_95": 0.975}

STABLE = "this package, new plans grow no more"


class Point(Form):
    """A forecast of plans in England that others published."""

    forecast: Text
    year: int = Field(ge=2000, le=2100)
    plans: int = Field(gt=0, le=60_000_000)
    source: Text


class Published(Form):
    """What the file of published forecasts holds."""

    forecasts: list[Point] = Field(min_length=1)


@reads.found
@tables.remembered
def fan(area: Area, horizon: int = 5, as_of: int | None = None) -> pd.DataFrame:
    """Set published plans and their forecast in one table.

    Parameters
    ----------
    area : Area or str
    horizon : int, default 5
        Years ahead.
    as_of : int, optional
        January to forecast from; the latest if not given. Later published plans are kept, so
        that the forecast can be compared with them.

    Returns
    -------
    DataFrame
        ``area, year, origin, published, median, low_80, high_80, low_95, high_95``, plans each
        January; at the origin the forecast equals what was published.
    """
    ahead = forecast(area, horizon=horizon, as_of=as_of)
    origin = int(ahead["origin"].iloc[0])
    wide = ahead[ahead["category"] == "all"].pivot(index="year", columns="quantile", values="value")
    wide = wide.rename(columns={share: name for name, share in RANGES.items()})[list(RANGES)]
    published = series.totals([area]).set_index("year")["plans"].astype(float).rename("published")
    for name in RANGES:
        wide.loc[origin, name] = published[origin]
    out = pd.concat([published, wide.sort_index()], axis=1).sort_index().rename_axis("year")
    out = out.reset_index().assign(area=area.name, origin=origin)
    return out[["area", "year", "origin", "published", *RANGES]]


@reads.found
@tables.remembered
def then_and_now(area: Area, as_of: int = series.COMPARABLE, horizon: int = 5) -> pd.DataFrame:
    """Forecast from an earlier January, beside what happened and compound growth.

    Parameters
    ----------
    area : Area or str
    as_of : int, default 2019
        January to forecast from.
    horizon : int, default 5
        Years ahead.

    Returns
    -------
    DataFrame
        ``area, year, published, median, low_80, high_80, low_95, high_95, compound``: plans;
        ``compound`` continues the growth rate of the five years before the origin.

    Raises
    ------
    MissingDataError
        The area has no figures of its own that far back.
    """
    published = series.totals([area]).set_index("year")["plans"].astype(float)
    if not {as_of, as_of - BASE_YEARS} <= set(published.index):
        raise MissingDataError(
            f"{area.name} has no plans published for January {as_of - BASE_YEARS} and "
            f"{as_of}; its boundaries changed since. Choose another area."
        )
    out = fan(area, horizon, as_of).drop(columns="origin")
    rate = (published[as_of] / published[as_of - BASE_YEARS]) ** (1 / BASE_YEARS)
    steps = out["year"] - as_of
    out["compound"] = np.where(steps >= 0, published[as_of] * rate ** steps.clip(lower=0), np.nan)
    out.loc[steps > horizon, "compound"] = np.nan
    return out


def _others() -> pd.DataFrame:
    """Forecasts that others published: ``forecast, year, plans, source``."""
    file = tables.parameters("published_forecasts.yml")
    read = checked(Published, read_yaml(file), file)
    return pd.DataFrame([point.model_dump() for point in read.forecasts])


@tables.remembered
def published(horizon: int = 15) -> pd.DataFrame:
    """Set this package's forecast of England beside forecasts that others published.

    Returns
    -------
    DataFrame
        ``forecast, year, plans, low_80, high_80, low_95, high_95, tested, source``: published
        plans, this package's forecast, what its simulation says if new plans stay at their number
        of the last year published (:data:`STABLE`; median), and the points in
        ``data/published_forecasts.yml``; ``tested`` says whether forecasts so far ahead have been
        scored, ``source`` where those of others are from.
    """
    points = _others()
    ours = fan(areas.ENGLAND, horizon)
    past = ours[["year", "published"]].dropna().rename(columns={"published": "plans"})
    ahead = ours.dropna(subset="median").rename(columns={"median": "plans"})
    ahead = ahead.assign(tested=ahead["year"] <= ahead["origin"] + longrange.TESTED)
    parts = [
        past.assign(forecast="published figures"),
        ahead.assign(forecast="this package"),
        _stable(horizon).assign(forecast=STABLE),
        points,
    ]
    out = pd.concat(parts, ignore_index=True)
    columns = ["forecast", "year", "plans", "low_80", "high_80", "low_95", "high_95", "tested"]
    return out[[*columns, "source"]].fillna({"source": ""})


def _stable(horizon: int) -> pd.DataFrame:
    """Plans of England, ``year, plans`` (median), if new plans grow no more."""
    made = simulation.project(areas.ENGLAND, years=horizon)
    made = flows.apply(made, levers.read("demand-requests-stabilise"))
    plans = np.median(made.stock.sum(axis=(2, 3)), axis=1)
    return pd.DataFrame({"year": made.origin + np.arange(horizon + 1), "plans": plans})


@tables.remembered
def misses(count: int = 8) -> pd.DataFrame:
    """List the worst misses since 2019, with what else the tables say of them.

    Returns
    -------
    DataFrame
        ``area, origin, year, published`` (at the origin), ``happened, median, low_95, high_95,
        error`` (per cent), ``requests_change`` (in requests a year from the year before the
        origin to the year before the outcome, per cent), ``flagged`` (whether the change is among
        the jumps of the table `series_breaks`).
    """
    found = scoring.worst(scoring.rolling_origin({scoring.OURS: METHODS[scoring.OURS]}), count)
    requests = tables.load("requests").query("outcome == 'all'")
    requests = areas.on_footprints(requests, ["requests"]).set_index(["area_code", "year"])[
        "requests"
    ]
    jumps = caveats.breaks("ehc_plans").query("kind == 'jump'")
    end = found["origin"] + found["horizon"]

    def at(year: pd.Series) -> np.ndarray:
        """Requests of a calendar year."""
        index = pd.MultiIndex.from_arrays([found["area_code"], year])
        return requests.reindex(index).to_numpy(dtype=float, na_value=np.nan)

    flagged = [
        bool(((jumps["area_code"] == code) & jumps["year"].between(start + 1, last)).any())
        for code, start, last in zip(found["area_code"], found["origin"], end, strict=True)
    ]
    out = found.assign(
        area=found["area_code"].map(areas.name), year=end, flagged=flagged,
        requests_change=100 * (at(end - 1) / at(found["origin"] - 1) - 1),
    )  # fmt: skip
    out = out.rename(
        columns={"base": "published", "observed": "happened", "low": "low_95", "high": "high_95"}
    )
    columns = ["area", "origin", "year", "published", "happened", "median", "low_95", "high_95",
               "error", "requests_change", "flagged"]  # fmt: skip
    return out[columns]


@tables.remembered
def reliability() -> pd.DataFrame:
    """Say how often outcomes fell under each quantile of this package's forecasts.

    Returns
    -------
    DataFrame
        As :func:`scoring.reliability` returns it, but ``level`` and ``below`` per cent.
    """
    found = scoring.reliability(scoring.rolling_origin())
    return found.assign(**{name: (100 * found[name]).round(6) for name in ("level", "below")})


@tables.remembered
def bar() -> pd.DataFrame:
    """Accuracy of this package's forecasts against compound growth, and of their intervals.

    Returns
    -------
    DataFrame
        ``outcomes`` (all from 2019, those that chose the method, later ones: see
        :func:`scoring.periods`), ``horizon, forecasts`` (their number), ``mape, compound_mape``
        (mean absolute error, per cent), ``within_10, compound_within_10`` (per cent of forecasts
        less than 10 per cent off), ``wis_ratio`` (weighted interval score over compound growth's),
        ``within_80, within_95`` (per cent of outcomes inside the interval).
    """
    found = scoring.backtest().set_index(["outcomes", "horizon", "method"])
    ours = found.xs(scoring.OURS, level="method")
    other = found.xs(COMPOUND, level="method")
    out = ours[["forecasts", "mape"]].assign(
        compound_mape=other["mape"],
        within_10=ours["within_10"],
        compound_within_10=other["within_10"],
        wis_ratio=ours["wis"] / other["wis"],
        within_80=ours["within_80"],
        within_95=ours["within_95"],
    )
    return out.reset_index()
