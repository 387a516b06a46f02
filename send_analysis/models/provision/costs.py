"""Cost of placements by setting: official unit costs, forecasts, and what a shift would change.

Unit costs come from the section 251 outturn of 2020-21 and budget of 2021-22, by the plans of
January 2021; all amounts are in prices of 2020-21 unless a scenario sets a rise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from send_analysis import areas, tables
from send_analysis.models.provision import places
from send_analysis.models.provision.intervals import interval
from send_analysis.models.provision.places import (
    ALTERNATIVE,
    COLLEGE,
    INDEPENDENT,
    MAINSTREAM,
    SPECIAL,
    UNIT,
)
from send_analysis.models.scenarios import assumptions, sample

PRICES = 2020  # financial year of the outturn: 2020-21
JANUARY = 2021  # of the plans that the publisher sets its amounts against
TENTH = 0.1
# An authority's own figure is left out where it is this many times above or below the median
# authority's: money booked under another heading (one authority reports 540 pounds a plan in
# independent schools, another 522,000).
PLAUSIBLE = 4.0
# Shifts that the annual report of an authority asks about; the share is of new placements.
SHIFTS = {
    "independent to state special school": (INDEPENDENT, SPECIAL),
    "state special school to mainstream with support": (SPECIAL, MAINSTREAM),
}
# Money of the section 251 return, by setting: (what it is, what it is for).
LINES = {
    MAINSTREAM: [("top-up, state-funded", "primary"), ("top-up, state-funded", "secondary")],
    SPECIAL: [("top-up, state-funded", "special")],
    INDEPENDENT: [("top-up, independent", "special")],
    COLLEGE: [("top-up, state-funded", "post-16"), ("top-up, independent", "post-16")],
}
# Money that does not come from the authority's own accounts: academies' places are paid by the
# department, so a place counts at its national rate whoever pays it.
PLACE = {SPECIAL: "pounds_a_special_place", COLLEGE: "pounds_a_college_place"}


def _placements() -> pd.DataFrame:
    """Plans by setting in the January of the accounts, as the publisher groups them."""
    rows = tables.load("placements")
    rows = rows[(rows["year"] == JANUARY) & (rows["placement"] != "all")]
    plans = rows.pivot(
        index="area_code", columns=["placement_group", "placement"], values="plans"
    ).astype("float64")
    schools = plans["mainstream"]
    return pd.DataFrame(
        {
            MAINSTREAM: schools.drop(columns="independent").sum(axis=1),
            SPECIAL: plans["special"][["LA maintained", "academy or free school"]].sum(axis=1),
            INDEPENDENT: plans["special"][["independent", "non-maintained"]].sum(axis=1)
            + schools["independent"],
            COLLEGE: plans["further education"].sum(axis=1),
        }
    )


@tables.remembered
def top_ups() -> pd.DataFrame:
    """Top-up funding for each plan, by authority, account and setting.

    Returns
    -------
    DataFrame
        ``area_code, account, setting, pounds``; missing where there was no money or no plan.
    """
    spent = tables.load("high_needs_spending")
    spent = spent.set_index(["area_code", "account", "funding", "provision"])["pounds"]
    plans = _placements()
    frames = []
    for setting, lines in LINES.items():
        amount = sum(spent.xs(line, level=["funding", "provision"]) for line in lines)
        count = plans[setting].reindex(amount.index.get_level_values("area_code")).to_numpy()
        value = amount.where(amount > 0) / np.where(count > 0, count, np.nan)
        frames.append(value.rename("pounds").reset_index().assign(setting=setting))
    return pd.concat(frames, ignore_index=True)[["area_code", "account", "setting", "pounds"]]


def unit_costs(area: str, *, changes: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Cost of a placement for a year, by setting.

    Parameters
    ----------
    area : str
        ONS code of an authority.
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    DataFrame
        Indexed by ``setting``: ``low, value, high`` (pounds a year) and ``source``. The range is
        that of the two accounts; ``value`` is the outturn's. An authority without a plausible
        figure of its own has its region's median and quartiles. A place in a special school, unit
        or college counts at the national rate, beside the top-up.

    Notes
    -----
    Settings without an official cost (early years, educated elsewhere, not recorded) are left out.
    What a mainstream school pays from its own budget, and transport, are not in the high needs
    accounts.
    """
    given = assumptions("capacity", changes)
    known = top_ups()
    region = tables.load("areas").set_index("area_code")["region_code"]
    rows = {}
    for setting in LINES:
        every = known[known["setting"] == setting].set_index(["area_code", "account"])["pounds"]
        middle = every.median()
        own = every.reindex([(area, "outturn"), (area, "budget")]).dropna()
        own = own[own.between(middle / PLAUSIBLE, middle * PLAUSIBLE)]
        if len(own):
            low, value, high = own.min(), own.iloc[0], own.max()
            source = "section 251, " + " and ".join(own.index.get_level_values("account"))
        else:
            outturn = every.xs("outturn", level="account").dropna()
            near = outturn[outturn.index.map(region) == region.get(area)]
            near = near if len(near) else outturn
            low, value, high = np.quantile(near, (0.25, 0.5, 0.75))
            source = "section 251 outturn, median of the region (no plausible figure for the area)"
        if setting in PLACE:
            rate = given.loc[PLACE[setting]]
            low, value, high = low + rate["low"], value + rate["value"], high + rate["high"]
            source += f"; {rate['value']:,.0f} pounds a place"
        rows[setting] = (low, value, high, source)
    rate = given.loc["pounds_a_unit_place"]
    low, value, high, source = rows[MAINSTREAM]
    rows[UNIT] = (
        low + rate["low"],
        value + rate["value"],
        high + rate["high"],
        f"{source} (as mainstream); {rate['value']:,.0f} pounds a place",
    )
    rate = given.loc["pounds_an_alternative_place"]
    rows[ALTERNATIVE] = (rate["low"], rate["value"], rate["high"], rate["source"])
    order = [MAINSTREAM, UNIT, SPECIAL, INDEPENDENT, ALTERNATIVE, COLLEGE]
    columns = ["low", "value", "high", "source"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.loc[order].rename_axis("setting")


def _prices(
    units: pd.DataFrame, size: int, years: range, rise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw unit costs (settings × simulations) and give the index of prices (years)."""
    drawn = np.stack([sample(units.loc[setting], size, rng) for setting in units.index])
    return drawn, (1 + rise) ** (np.array(years) - 1 - PRICES)


def forecast(
    simulation: places.Simulation,
    settings: Sequence[str],
    *,
    units: pd.DataFrame | None = None,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Forecast what placements cost a year.

    Parameters
    ----------
    simulation : Simulation
    settings : sequence of str
        Names of its settings.
    units : DataFrame, optional
        As :func:`unit_costs` returns it; the area's if not given.
    seed : int
        Of the draws of unit costs.
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    DataFrame
        ``area_code, origin, year`` (of the January), ``setting`` (``all`` is the sum), ``plans,
        pounds``: medians, with ``_p10`` and ``_p90``. A year's cost is the January's plans times
        the cost of a placement for a year; the uncertainty of both is carried.
    """
    units = unit_costs(simulation.area_code, changes=changes) if units is None else units
    rise = assumptions("capacity", changes).at["price_rise", "value"]
    years = range(simulation.origin, simulation.origin + len(simulation.stock))
    plans = _by_setting(simulation.stock, settings, units.index)
    price, index = _prices(units, plans.shape[1], years, rise, np.random.default_rng([seed, 6]))
    pounds = plans * price.T[None] * index[:, None, None]
    frames = []
    for number, setting in enumerate([*units.index, "all"]):
        pick = slice(None) if setting == "all" else [number]
        frame = pd.DataFrame({"year": list(years), "setting": setting})
        for name, values in (("plans", plans), ("pounds", pounds)):
            frame = frame.assign(**interval(name, values[..., pick].sum(axis=2)))
        frames.append(frame)
    out = pd.concat(frames, ignore_index=True)
    out.insert(0, "area_code", simulation.area_code)
    out.insert(1, "origin", simulation.origin)
    return out


def _by_setting(stock: np.ndarray, settings: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Plans of all ages (years × simulations × settings wanted)."""
    place = [list(settings).index(name) for name in wanted]
    return stock.sum(axis=2)[..., place].astype(float)


def shifts(
    simulation: places.Simulation,
    settings: Sequence[str],
    *,
    share: float = TENTH,
    units: pd.DataFrame | None = None,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Say what sending a share of new placements elsewhere would change.

    Parameters
    ----------
    simulation : Simulation
    settings : sequence of str
        Names of its settings.
    share : float, default 0.1
        Share of new placements, as :func:`places.shift` counts them.
    units, seed, changes
        As in :func:`forecast`.

    Returns
    -------
    DataFrame
        ``area_code, origin, year, shift, plans`` (placed elsewhere in that January), ``saving``
        (pounds a year; below zero it costs more): medians, with ``_p10`` and ``_p90``.
    """
    units = unit_costs(simulation.area_code, changes=changes) if units is None else units
    rise = assumptions("capacity", changes).at["price_rise", "value"]
    years = range(simulation.origin, simulation.origin + len(simulation.stock))
    before = _by_setting(simulation.stock, settings, units.index)
    price, index = _prices(units, before.shape[1], years, rise, np.random.default_rng([seed, 6]))
    frames = []
    for name, (source, target) in SHIFTS.items():
        moved = places.shift(simulation.stock, settings, source=source, target=target, share=share)
        change = _by_setting(moved, settings, units.index) - before
        saving = -(change * price.T[None]).sum(axis=2) * index[:, None]
        plans = change[..., units.index.get_loc(target)]
        frame = pd.DataFrame({"year": list(years), "shift": name})
        for column, values in (("plans", plans), ("saving", saving)):
            frame = frame.assign(**interval(column, values))
        frames.append(frame[frame["year"] > simulation.origin])
    out = pd.concat(frames, ignore_index=True)
    out.insert(0, "area_code", simulation.area_code)
    out.insert(1, "origin", simulation.origin)
    return out


def budget(area: str) -> pd.DataFrame:
    """Set out the money that placements are paid from, and the deficit reported.

    Parameters
    ----------
    area : str
        ONS code.

    Returns
    -------
    DataFrame
        ``area_code, area, year`` (in which the financial year begins), ``grant, high_needs``
        (pounds), ``special_pupils``, ``deficit`` (cumulative, per cent of income),
        ``deficit_england``.
    """
    grant = tables.load("high_needs_funding")
    deficit = tables.load("dsg_deficits").pivot(index="year", columns="area_code", values="deficit")
    frame = grant[grant["area_code"] == area].set_index("year")
    frame = frame.reindex(sorted({*frame.index, *deficit.index}))
    frame["deficit"] = deficit.get(area, pd.NA)
    frame["deficit_england"] = deficit[areas.ENGLAND]
    frame = frame.assign(area_code=area, area=areas.name(area)).reset_index()
    columns = ["grant", "high_needs", "special_pupils", "deficit", "deficit_england"]
    return frame[["area_code", "area", "year", *columns]]
