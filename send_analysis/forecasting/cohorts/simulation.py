"""Cohort model: plans by age and setting, carried forward a year at a time from official tables.

Each year every plan ages, ends, moves or stays; new plans enter by age. See docs/cohorts.md for
the equations and what is left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forecasting import totals as forecasting
from send_analysis.forecasting.cohorts import flows, mixes
from send_analysis.forecasting.cohorts.flows import LONGEST, Projection, advance
from send_analysis.forecasting.cohorts.inputs import AGES, BANDS, SETTINGS, origins
from send_analysis.forecasting.cohorts.rates import CLOSED_FROM
from send_analysis.forecasting.cohorts.trend import Trend, damped
from send_analysis.forecasting.cohorts.units import Unit, draw, unit

USUAL = 10  # years ahead
MOST_SIMULATIONS = 20_000  # all are held at once: some gigabytes
PROBABILITIES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
COLUMNS = [
    "area_code", "area", "origin", "year", "horizon", "measure", "age", "setting", "quantile",
    "value",
]  # fmt: skip


@reads.found
def project(
    area: Area,
    *,
    as_of: int | None = None,
    years: int = 10,
    simulations: int = 1000,
    seed: int = 50,
) -> Projection:
    """Simulate an area's plans and flows, held to the forecast of its total.

    Parameters
    ----------
    area : Area or str
        A local authority, a region, England, or authorities taken together.
    as_of : int, optional
        January to project from, one of `inputs.origins`; the latest if not given.
    years : int
        Years ahead, 1 to 15; a year's figures do not depend on how many follow.
    simulations : int
    seed : int
        Same seed, same result, whichever other areas are simulated.

    Returns
    -------
    Projection
        Kept for the areas last asked for: to be left as it is.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError

    Notes
    -----
    The simulated totals of a year, in order, take the quantiles of `forecasting.forecast`. What
    that adds or takes is new plans and plans that end, each as far as it is uncertain:
    see `_agree`. Ages and settings follow from the flows.
    """
    origin = origins()[-1] if as_of is None else as_of
    _check(origin, years, simulations, seed)
    # Pages ask for several horizons: one simulation serves them, as far as most go.
    made = _projected(area, origin, max(years, USUAL) if years > 1 else 1, simulations, seed)
    return made.until(years)


@tables.remembered(most=3)
def _projected(area: Area, origin: int, years: int, simulations: int, seed: int) -> Projection:
    """Simulate one area; see `project`."""
    start = unit(area, origin)
    trend = start.trend
    totals = _totals(area, origin, years)
    # the code seeds too, so that an area's draws are its own in any run
    rng = np.random.default_rng([seed, int(area[1:9])])
    drawn = draw(start, simulations, rng)
    pull = mixes.pulls(area, origin, years, drawn)
    shape = (years + 1, simulations, *start.stock.shape)
    stock, joined, leave = np.empty(shape), np.empty(shape), np.empty((years, *shape[1:]))
    stock[0], joined[0] = start.stock, start.new
    deals, made = [], {}
    walk, grown = np.zeros(simulations), trend.growth * damped(years)
    for step in range(years):
        plans = stock[step]
        walk += rng.normal(0.0, trend.walk_sd, simulations)
        level = np.exp(grown[step] + walk + rng.normal(0.0, trend.year_sd, simulations))
        people = start.people[step] * np.minimum(drawn.join * level[:, None], 1.0)
        entry = flows.pulled(drawn.entry, pull.entry[step])
        new = rng.standard_gamma(people[..., None] * entry)
        ends = drawn.leave * rng.lognormal(0.0, trend.leave_sd, simulations)[:, None, None]
        joining, leaving = _by_age(start, rng.normal(0.0, 1.0, (simulations, len(BANDS))))
        new, ends = new * joining, ends * leaving
        ends[:, -1] = 1.0
        ends = _by_chance(plans, np.minimum(ends, 1.0), rng)
        new, ends = _agree(plans, new, ends, totals[step], trend)
        deal = rng.permutation(simulations)
        made[step] = flows.pulled(drawn.moves[deal], pull.moves[step][:, None])
        stock[step + 1] = advance(plans, ends, made[step], new)
        joined[step + 1], leave[step] = new, ends
        deals.append(deal)
    deals = np.stack(deals)
    return Projection(area, origin, stock, joined, leave, drawn.moves, deals, pull.moves, made=made)


def _by_age(start: Unit, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factors on new plans and on leaving that make age bands' shares vary as they have varied.

    Below 16 new plans vary, from 16 on leaving; by how much, `Unit.age_sd` says.
    """
    factor = np.exp(drawn * start.age_sd)
    by_age = np.repeat(factor, [len(ages) for ages in BANDS.values()], axis=1)[..., None]
    young = (np.array(AGES) < CLOSED_FROM)[:, None]
    return np.where(young, by_age, 1.0), np.where(young, 1.0, by_age)


def _by_chance(stock: np.ndarray, share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the share that ends at each age: as many plans end as chance has it (Beta)."""
    held = stock.sum(axis=-1)
    mean = np.divide((stock * share).sum(axis=-1), held, out=np.zeros_like(held), where=held > 0)
    some = (mean > 0) & (mean < 1)
    factor = np.ones_like(mean)
    chance = mean[some]
    factor[some] = rng.beta(held[some] * chance, held[some] * (1 - chance)) / chance
    return np.minimum(share * factor[..., None], 1.0)


def _agree(
    stock: np.ndarray, new: np.ndarray, leave: np.ndarray, total: pd.Series, trend: Trend
) -> tuple[np.ndarray, np.ndarray]:
    """Bend new plans and leaving so that totals, in order, take a forecast's quantiles.

    With E new plans and C plans that end before the last age, both drawn, G the growth wanted
    and the plans of the last age: x E − C (1 − ε + ε ÷ x) = G, solved for x > 0. New plans are
    multiplied by x, leaving by 1 − ε + ε ÷ x. ε splits what is missing as the variances of E and C
    would (the conditional mean of two independent errors, given their sum), to first order.
    """
    ended = stock * leave
    inflow = np.maximum(new.sum(axis=(1, 2)), 1e-9)
    last = ended[:, -1].sum(axis=-1)
    outflow = ended.sum(axis=(1, 2)) - last
    held = stock.sum(axis=(1, 2))
    free = held + inflow - outflow - last
    order = (np.argsort(np.argsort(free, kind="stable"), kind="stable") + 0.5) / len(free)
    wanted = _quantile(total, order)
    joining = trend.year_sd**2 + trend.walk_sd**2
    split = np.minimum(trend.leave_sd**2 * outflow / (joining * inflow), 1.0)
    growth = wanted - held + last + (1 - split) * outflow
    x = (growth + np.sqrt(growth**2 + 4 * split * inflow * outflow)) / (2 * inflow)
    ending = 1 - split + split / np.maximum(x, 1e-9)
    bent = np.minimum(leave * ending[:, None, None], 1.0)
    bent[:, -1] = leave[:, -1]
    staying = held - (stock * bent).sum(axis=(1, 2))
    return new * (np.maximum(wanted - staying, 0.0) / inflow)[:, None, None], bent


def _totals(area: Area, origin: int, years: int) -> list[pd.Series]:
    """Quantiles of the forecast of all plans, a year each."""
    ahead = forecasting.forecast([Area(member) for member in area.members], years, origin)
    ahead = ahead[ahead["category"] == "all"]
    # authorities taken together: quantiles of a sum are at most the sum of quantiles
    wide = ahead.groupby(["year", "quantile"])["value"].sum().unstack()
    return [wide.loc[year] for year in range(origin + 1, origin + 1 + years)]


def summarise(projection: Projection) -> pd.DataFrame:
    """Take the quantiles of a projection by age and setting.

    Returns
    -------
    DataFrame
        ``area_code, area, origin, year, horizon, measure, age, setting, quantile, value``.
        ``measure`` is ``plans`` (in the January of ``year``) or ``new plans`` (in the calendar
        year ``year``). ``age`` is ``all``, an age band, or a single year of age at 31 August;
        ``setting`` is ``all`` or a setting. Settings are given for all ages and by age band.
    """
    plans = projection.stock[1:]
    bands = {"all": AGES, **BANDS}
    of_band = {name: np.array(ages) - AGES[0] for name, ages in bands.items()}
    parts: dict[tuple[str, str, str], np.ndarray] = {}
    for name, ages in of_band.items():
        by_setting = plans[:, :, ages].sum(axis=2)
        parts["plans", name, "all"] = by_setting.sum(axis=-1)
        for place, setting in enumerate(SETTINGS):
            parts["plans", name, setting] = by_setting[..., place]
    for place, age in enumerate(AGES):
        parts["plans", str(age) if age > AGES[0] else "0-2", "all"] = plans[:, :, place].sum(-1)
    new = projection.new[1:]
    for name, ages in of_band.items():
        parts["new plans", name, "all"] = new[:, :, ages].sum(axis=-1)
    values = np.stack(list(parts.values()))  # parts × years × simulations
    quantiles = np.quantile(np.sort(values, axis=-1), PROBABILITIES, axis=-1)  # sorted: faster
    years = range(projection.origin + 1, projection.origin + 1 + len(plans))
    index = pd.MultiIndex.from_product([PROBABILITIES, range(len(parts)), years])
    frame = pd.DataFrame({"value": quantiles.ravel()}, index=index).reset_index()
    frame.columns = ["quantile", "part", "year", "value"]
    keys = pd.DataFrame(list(parts), columns=["measure", "age", "setting"])
    frame = frame.join(keys, on="part")
    # new plans that are counted by a January were made in the calendar year before it
    frame["year"] -= (frame["measure"] == "new plans").astype(int)
    frame = frame.assign(
        area_code=projection.area_code,
        area=projection.area_code.name,
        origin=projection.origin,
        horizon=frame["year"] - projection.origin + (frame["measure"] == "new plans"),
    )
    return frame.sort_values(["part", "year", "quantile"])[COLUMNS].reset_index(drop=True)


def _quantile(known: pd.Series, order: np.ndarray) -> np.ndarray:
    """Quantiles at any probability, straight lines between known ones on a normal scale."""
    from scipy.special import ndtri

    given = known.dropna().sort_index()
    x, y = ndtri(given.index.to_numpy(dtype=float)), given.to_numpy()
    at = ndtri(order)
    inside = np.interp(at, x, y)
    low = y[0] + (at - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
    high = y[-1] + (at - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.maximum(np.where(at < x[0], low, np.where(at > x[-1], high, inside)), 0.0)


def _check(origin: int, years: int, simulations: int, seed: int) -> None:
    """Refuse arguments that cannot be."""
    if origin not in origins():
        raise MissingDataError(
            f"as_of is {origin}; plans by single year of age are published for the Januaries "
            f"{' and '.join(map(str, origins()))}."
        )
    if not 1 <= years <= LONGEST:
        raise ParameterError(f"years is {years}; give 1 to {LONGEST}.")
    if not 2 <= simulations <= MOST_SIMULATIONS:
        raise ParameterError(
            f"simulations is {simulations}; give at least 2 and at most {MOST_SIMULATIONS:,}."
        )
    if seed < 0:
        raise ParameterError(f"seed is {seed}; give 0 or a positive whole number.")
