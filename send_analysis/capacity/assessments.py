"""The assessment pipeline as a queue: from request to plan, with the cases that are open.

The annual tables say how many requests were made and how many refused, how many assessments were
completed, and what share of plans took 20 weeks or less. A case takes the weeks that it takes with
nobody before it, and a delay that varies from case to case. From the share within 20 weeks follows
the mean time; from the mean time and the number completed, the cases that are open (Little's law).
Equations, fit and limits are in docs/capacity.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.scenarios import assumptions, interval, sample

YEAR = 365.25 / 7  # weeks in a year
LIMIT = 20.0  # weeks from request to plan: SEND Regulations 2014, regulation 13
TARGETS = (0.6, 0.9)
# A share of 0 or 1 would mean an endless or an impossible delay: half a case is put between.
HALF_CASE = 0.5
HINDCAST_FROM = 2019  # first flows of the newest release
LEAST_PLANS, LEAST_LATE = 100, 3  # for an authority's year to tell how much times vary
LEAST_DELAY = 0.25  # weeks; an account can leave no queue at all


@reads.found
@tables.remembered(most=3)
def accounts(area: Area | None = None) -> pd.DataFrame:
    """Set out what became of requests and assessments each year.

    Parameters
    ----------
    area : Area or str, optional
        All areas if not given.

    Returns
    -------
    DataFrame
        ``area_code, year`` (calendar), ``requests, refused, not_refused`` (requests less refused
        and withdrawn: those without a decision are among them), ``completed`` (plan issued or
        decided against), ``issued``, ``counted`` (plans whose time is counted, exceptions left
        out), ``timely`` (per cent of them within 20 weeks), ``decided`` (per cent of decisions on
        requests made within 6 weeks), ``undecided`` (requests at the end of the year),
        ``published_open`` (assessments without an outcome at the end of the year, to 2021). A
        figure that is not published is missing.

    Raises
    ------
    MissingDataError
        If there is nothing for the area.
    """
    if area is not None:
        every = accounts()
        own = every[every["area_code"] == area].reset_index(drop=True)
        if own.empty:
            raise MissingDataError(f"There are no requests for {area.name}; choose another area.")
        return own

    def wide(name: str, value: str, columns: str) -> pd.DataFrame:
        rows = tables.load(name)
        if name == "timeliness":
            rows = rows[rows["exceptions"] == "excluded"]
        out = rows.pivot(index=["area_code", "year"], columns=columns, values=value)
        return out.astype("Float64")

    asked = wide("requests", "requests", "outcome")
    assessed = wide("assessments", "assessments", "outcome")
    timed = wide("timeliness", "plans", "issued_within")
    withdrawn = asked["withdrawn"].fillna(0)
    there = asked["all"].notna()
    # Assessments without a request in the year are a return left out (West Berkshire, 2022).
    asked = asked.mask((asked["all"] == 0) & (assessed["plan issued"] > 0).reindex(asked.index))
    out = pd.DataFrame(
        {
            "requests": asked["all"],
            "refused": asked["not assessed"],
            "not_refused": asked["all"] - asked["not assessed"] - withdrawn,
            "completed": assessed["plan issued"] + assessed["plan not issued"],
            "issued": assessed["plan issued"],
            "counted": timed["any time"],
            "timely": 100 * timed["20 weeks or less"] / timed["any time"].replace(0, pd.NA),
            "decided": 100
            * asked["decided within 6 weeks"]
            / (asked["decided within 6 weeks"] + asked["decided after 6 weeks"]).replace(0, pd.NA),
            "undecided": asked["no decision yet"],
            "published_open": assessed["open at the end of the year"],
        }
    )
    return out[there.reindex(out.index, fill_value=False)].astype("Float64").reset_index()


def variation(weeks_without_queue: np.ndarray | float) -> np.ndarray:
    """Measure how much delays vary from case to case, in authorities that show it.

    Parameters
    ----------
    weeks_without_queue : float or ndarray (n,)
        Weeks that a case takes with nobody before it.

    Returns
    -------
    ndarray (authority-years,) or (n, authority-years)
        Standard deviation of the logarithm of the delay: the two published points (20 weeks and a
        year) fix a lognormal distribution. Authority-years with at least 100 plans, at least 3 of
        them after more than a year, and between 2 and 98 % within 20 weeks.
    """
    base = np.asarray(weeks_without_queue)[..., None]
    spread = np.log((YEAR - base) / (LIMIT - base)) / _points_apart()
    return spread.reshape(*np.shape(weeks_without_queue), -1)


@tables.remembered
def _points_apart() -> np.ndarray:
    """Distance of the two points that `variation` is told from, in standard deviations."""
    from scipy.special import ndtri

    rows = tables.load("timeliness")
    rows = rows[(rows["exceptions"] == "excluded") & rows["area_code"].isin(areas.current())]
    wide = rows.pivot(index=["area_code", "year"], columns="issued_within", values="plans")
    wide = wide.astype("Float64").dropna().astype("float64")
    within = wide["20 weeks or less"] / wide["any time"]
    later = wide["more than a year"] / wide["any time"]
    chosen = (wide["any time"] >= LEAST_PLANS) & (wide["more than a year"] >= LEAST_LATE)
    chosen &= within.between(0.02, 0.98)
    return (ndtri(1 - later) - ndtri(within))[chosen].to_numpy()


def mean_weeks(
    timely: np.ndarray | float, spread: np.ndarray | float, base: np.ndarray | float
) -> np.ndarray:
    """Mean weeks from request to plan, from the share within 20 weeks.

    Parameters
    ----------
    timely : ndarray or float
        Share within 20 weeks, above 0 and below 1.
    spread, base : ndarray or float
        Standard deviation of the logarithm of the delay; weeks without a queue.

    Returns
    -------
    ndarray
        base + (20 − base) · exp(spread² / 2 − spread · z), z the normal quantile of `timely`.
    """
    from scipy.special import ndtri

    spread = np.asarray(spread)
    return base + (LIMIT - np.asarray(base)) * np.exp(spread**2 / 2 - spread * ndtri(timely))


def timeliness(
    weeks: np.ndarray | float, spread: np.ndarray | float, base: np.ndarray | float
) -> np.ndarray:
    """Share within 20 weeks, from the mean weeks: the inverse of :func:`mean_weeks`."""
    from scipy.special import ndtr

    spread, base = np.asarray(spread), np.asarray(base)
    delay = np.maximum(np.asarray(weeks) - base, LEAST_DELAY)
    return ndtr((spread**2 / 2 - np.log(delay / (LIMIT - base))) / spread)


def completions_needed(
    open_cases: np.ndarray | float, arrivals: np.ndarray | float, weeks: np.ndarray | float
) -> np.ndarray:
    """Cases to complete in a year so that the year's mean time is `weeks`.

    Parameters
    ----------
    open_cases : ndarray or float
        Cases open as the year begins.
    arrivals : ndarray or float
        Cases that come in the year.
    weeks : ndarray or float
        Mean time wanted.

    Returns
    -------
    ndarray
        (open + arrivals / 2) / (weeks / 52.18 + 1/2): with it, cases open in the middle of the
        year over cases completed is the mean time.
    """
    return (open_cases + np.asarray(arrivals) / 2) / (np.asarray(weeks) / YEAR + 0.5)


@reads.found
def queue(
    area: Area,
    *,
    targets: Sequence[float] = TARGETS,
    arrivals: float | None = None,
    simulations: int = 2000,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Estimate an area's queue year by year, and the capacity that would meet targets.

    Parameters
    ----------
    area : Area or str
    targets : sequence of float
        Shares of plans within 20 weeks.
    arrivals : float, optional
        Requests not refused in the year after the last, unless published; as many as in the last if
        not given.
    simulations, seed : int
        Draws of what is not known: how times vary, weeks without a queue, cases that lapse.
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    DataFrame
        A row a year, from the first that can be estimated to the last, the columns of
        :func:`accounts` and: ``weeks`` (mean from request to plan),
        ``open_cases`` (on average in the year), ``backlog`` (open cases above those that would be
        open at nine in ten plans in time), ``at_end`` (open cases at its end), and for each
        target, e.g. 0.6, ``next_year_60``: cases to complete in the *following* year so that its
        timeliness is the target. Each is a median; ``_low_80`` and ``_high_80`` hold 80 %; what
        rests on a figure that is not published is missing.
        ``effective_capacity`` is the number completed, and ``at_capacity`` whether that was all
        that could be: fewer than nine in ten in time. Otherwise capacity was at least that.

    Raises
    ------
    MissingDataError
        If the area has no year with requests, completions and timeliness.
    ParameterError
        If a target is not between 0 and 1.
    """
    if any(not 0 < target < 1 for target in targets):
        raise ParameterError(f"A target is a share between 0 and 1, not {list(targets)}.")
    frame = accounts(area).set_index("year")
    known = frame[["not_refused", "completed", "timely"]].notna().all(axis=1) & (
        frame["completed"] > 0
    )
    if not known.any():
        raise MissingDataError(
            f"{area.name} has no year with requests, completed assessments and timeliness."
        )
    years = frame.index[known]
    every = pd.RangeIndex(years.min(), years.max() + 1, name="year")
    known = known.reindex(every, fill_value=False)
    following = frame["not_refused"].reindex(every + 1).to_numpy(dtype=float, na_value=np.nan)
    frame = frame.reindex(every).assign(area_code=area)
    given = assumptions("capacity", changes)
    rng = np.random.default_rng([seed, 4])
    base = sample(given.loc["weeks_without_queue"], simulations, rng)
    lapse = sample(given.loc["cases_lapsing"], simulations, rng)[:, None]
    spreads = variation(base)
    spread = spreads[np.arange(simulations), rng.integers(spreads.shape[1], size=simulations)]
    base, spread = base[:, None], spread[:, None]

    counted, came, completed, share = (
        frame[name].where(known).to_numpy(dtype=float, na_value=np.nan)
        for name in ("counted", "not_refused", "completed", "timely")
    )
    share = share / 100
    share = np.clip(share, HALF_CASE / counted, 1 - HALF_CASE / counted)
    weeks = mean_weeks(share[None], spread, base)
    cases = completed * weeks / YEAR
    on_time = completed * mean_weeks(max(TARGETS), spread, base) / YEAR
    at_end = np.maximum(cases + (came * (1 - lapse) - completed) / 2, 0)
    if np.isnan(following[-1]):
        following[-1] = came[-1] if arrivals is None else arrivals
    results = {
        "weeks": weeks,
        "open_cases": cases,
        "backlog": np.maximum(cases - on_time, 0),
        "at_end": at_end,
    }
    for target in targets:
        needed = completions_needed(
            at_end, following * (1 - lapse), mean_weeks(target, spread, base)
        )
        results[f"next_year_{target * 100:g}"] = needed
    frame["effective_capacity"] = frame["completed"]
    frame["at_capacity"] = frame["timely"] < 100 * max(TARGETS)
    for name, values in results.items():
        frame = frame.assign(**interval(name, values, axis=0))
    frame = frame.reset_index()
    return frame[["area_code", *frame.columns.drop("area_code")]]


@tables.remembered
def hindcast() -> pd.DataFrame:
    """Predict each authority's timeliness from volumes and the year before, and compare.

    Returns
    -------
    DataFrame
        ``area_code, year, timely`` (as published), ``persistence`` (the year before's), ``volumes``
        (what the queue says from cases open a year before, come and completed), ``predicted``
        (both, weighted on the logarithm of the mean time), all four per cent. Authorities and
        years with at least 100 completed.

    Notes
    -----
    This says how much of a change in timeliness volumes explain. It is no forecast: the volumes of
    the year predicted are known.
    """
    given = assumptions("capacity")["value"]
    base, lapse = given["weeks_without_queue"], given["cases_lapsing"]
    spread = float(np.median(variation(base)))
    every = accounts()
    every = every[every["area_code"].isin(areas.current())].set_index(["year", "area_code"])
    came, completed, timely = (
        every[name].astype("float64").unstack("year")
        for name in ("not_refused", "completed", "timely")
    )
    weeks = mean_weeks((timely / 100).clip(0.005, 0.995), spread, base)
    weeks = pd.DataFrame(weeks, index=timely.index, columns=timely.columns)
    cases = completed * weeks / YEAR
    net = came * (1 - lapse) - completed
    expected = cases.shift(axis=1) + (net.shift(axis=1) + net) / 2
    from_volumes = np.maximum(YEAR * expected / completed, base + LEAST_DELAY)
    weight = given["weight_of_volumes"]
    mixed = np.exp((1 - weight) * np.log(weeks.shift(axis=1)) + weight * np.log(from_volumes))

    def share(mean: pd.DataFrame) -> pd.Series:
        values = 100 * timeliness(mean.to_numpy(), spread, base)
        return pd.DataFrame(values, index=mean.index, columns=mean.columns).stack()

    out = pd.DataFrame(
        {
            "timely": timely.stack(),
            "persistence": timely.shift(axis=1).stack(),
            "volumes": share(from_volumes),
            "predicted": share(mixed),
        }
    )
    out = out.dropna()[completed.stack().reindex(out.dropna().index) >= LEAST_PLANS]
    out = out.reset_index()
    return out[out["year"] >= HINDCAST_FROM].sort_values(["area_code", "year"], ignore_index=True)
