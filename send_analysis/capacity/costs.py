"""Cost of placements by setting: official unit costs, forecasts, and what a shift would change.

Unit costs come from the section 251 outturn and budget of 2021-22, each line over the plans that
its money is for, as the Department divides: those of the January within the financial year. All
amounts are in prices of 2021-22 unless a scenario sets a rise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import places
from send_analysis.capacity.places import (
    ALTERNATIVE,
    COLLEGE,
    INDEPENDENT,
    MAINSTREAM,
    SPECIAL,
    UNIT,
)
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.cohorts import flows
from send_analysis.forecasting.cohorts.inputs import SETTINGS
from send_analysis.scenarios import assumptions, interval, sample

PRICES = 2021  # financial year of both accounts: 2021-22
# The January within that year. The Department's cost of a pupil with a plan in an independent or
# non-maintained special school counts so (parliamentary answer 100030: 57,000 pounds in 2021-22).
JANUARY = PRICES + 1
TENTH = 0.1
# An authority's own figure is left out where it is this many times above or below the median
# authority's: money booked under another heading (one authority reports 2,100 pounds a plan in
# independent schools, another 277,000).
PLAUSIBLE = 4.0
# Shifts that the annual report of an authority asks about; the share is of new placements.
SHIFTS = {
    "independent to state special school": (INDEPENDENT, SPECIAL),
    "state special school to mainstream with support": (SPECIAL, MAINSTREAM),
}
# Money of the section 251 return, by setting: (what it is, what it is for). Top-ups of maintained
# and academy schools are booked by phase, those of their units with them; independent mainstream
# schools have lines of their own, which are left out with their pupils.
LINES = {
    MAINSTREAM: [("top-up, state-funded", "primary"), ("top-up, state-funded", "secondary")],
    SPECIAL: [("top-up, state-funded", "special")],
    INDEPENDENT: [("top-up, independent", "special")],
    COLLEGE: [("top-up, state-funded", "post-16"), ("top-up, independent", "post-16")],
}
# The plans that the money of these lines is for.
COUNTED = {
    MAINSTREAM: "in state-funded mainstream schools, their units included",
    SPECIAL: "in maintained special schools, special academies and free schools",
    INDEPENDENT: "in independent and non-maintained special schools",
    COLLEGE: "in colleges and specialist post-16 institutions",
}
# Money that does not come from the authority's own accounts: the places of academies, colleges
# and non-maintained special schools are paid by the department, so a place counts at its national
# rate whoever pays it. Independent schools have no places of that kind.
PLACE = {
    SPECIAL: "pounds_a_special_place",
    INDEPENDENT: "pounds_a_special_place",
    COLLEGE: "pounds_a_college_place",
}
UNITS = ["low", "value", "high", "top_up", "place", "plans", "counted", "source", "account"]


@tables.remembered
def _placements() -> pd.DataFrame:
    """Plans that each line's money is for, in the January within the accounts' year.

    Columns are the settings of `LINES`, and ``with a place``: those of the independent and
    non-maintained line that are in non-maintained schools, whose places the department pays.
    """
    rows = tables.load("placements")
    rows = rows[(rows["year"] == JANUARY) & (rows["placement"] != "all")]
    plans = rows.pivot(
        index="area_code", columns=["placement_group", "placement"], values="plans"
    ).astype("float64")
    special = plans["special"]
    return pd.DataFrame(
        {
            MAINSTREAM: plans["mainstream"].drop(columns="independent").sum(axis=1),
            SPECIAL: special[["LA maintained", "academy or free school"]].sum(axis=1),
            INDEPENDENT: special[["independent", "non-maintained"]].sum(axis=1),
            COLLEGE: plans["further education"].sum(axis=1),
            "with a place": special["non-maintained"],
        }
    )


def _spent() -> pd.Series:
    """Pounds by area, account and line; regions and England are the sums of their authorities."""
    spent = tables.load("high_needs_spending")
    region = tables.load("areas").set_index("area_code")["region_code"]
    above = spent.assign(area_code=spent["area_code"].map(region))
    spent = pd.concat([spent, above, spent.assign(area_code=areas.ENGLAND)])
    return spent.groupby(["area_code", "account", "funding", "provision"])["pounds"].sum()


@tables.remembered
def top_ups() -> pd.DataFrame:
    """Top-up funding for each plan, by area, account and setting.

    Returns
    -------
    DataFrame
        ``area_code, account, setting, pounds, plans`` (how many the money is divided by);
        ``pounds`` is missing where there was no money or no plan.
    """
    spent = _spent()
    plans = _placements()
    frames = []
    for setting, lines in LINES.items():
        amount = sum(spent.xs(line, level=["funding", "provision"]) for line in lines)
        count = plans[setting].reindex(amount.index.get_level_values("area_code")).to_numpy()
        frame = amount.rename("pounds").reset_index().assign(setting=setting, plans=count)
        frame["pounds"] = frame["pounds"].where(amount.to_numpy() > 0) / np.where(
            count > 0, count, np.nan
        )
        frames.append(frame)
    columns = ["area_code", "account", "setting", "pounds", "plans"]
    return pd.concat(frames, ignore_index=True)[columns]


@reads.found
def unit_costs(area: Area, *, changes: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Cost of a placement for a year, by setting.

    Parameters
    ----------
    area : Area or str
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    DataFrame
        Indexed by ``setting``: ``low, value, high`` (pounds a year), ``top_up`` (the part of
        ``value`` that the accounts give) and ``place`` (the part that is a place's national
        rate), ``plans`` and ``counted`` (how many plans the top-up was divided by, and which),
        ``source``, ``account`` (that ``value`` is from). The range is that of the two accounts;
        ``value`` is the outturn's where it is plausible. An authority without a plausible figure of
        its own has its region's median and quartiles; one that began since has the accounts of the
        authority that its area was part of. A place in a special school, unit or college counts at
        the national rate, beside the top-up; in independent schools there is none, so that line has
        the rate for the share of its plans that are in non-maintained schools.

    Raises
    ------
    UnknownNameError
        If no area answers to `area`.

    Notes
    -----
    Settings without an official cost (early years, educated elsewhere, not recorded) are left out.
    What a mainstream school pays from its own budget, and transport, are not in the high needs
    accounts. Top-ups may also be paid for pupils without a plan: the accounts do not tell.
    """
    given = assumptions("capacity", changes)
    rows = {setting: _unit(area, setting, given) for setting in LINES}
    rate = given.loc["pounds_a_unit_place"]
    school = rows[MAINSTREAM]
    rows[UNIT] = {
        **school,
        **{name: school[name] + rate[name] for name in ("low", "value", "high")},
        "place": rate["value"],
        "source": f"{school['source']} (as mainstream); {rate['value']:,.0f} pounds a place",
    }
    rate = given.loc["pounds_an_alternative_place"]
    nothing = {"top_up": np.nan, "place": np.nan, "plans": np.nan, "counted": "", "account": ""}
    rows[ALTERNATIVE] = {**rate[["low", "value", "high", "source"]].to_dict(), **nothing}
    order = [MAINSTREAM, UNIT, SPECIAL, INDEPENDENT, ALTERNATIVE, COLLEGE]
    frame = pd.DataFrame.from_dict(rows, orient="index").loc[order, UNITS]
    return frame.astype({"plans": "Int64"}).rename_axis("setting")


def _then(area: Area) -> Area:
    """Authority that kept the accounts of an area: itself, or the one since divided."""
    if area.first_year <= JANUARY or area.level != "local authority":
        return area
    known = tables.load("areas").query("first_year <= @JANUARY <= last_year")
    (then,) = known.loc[known["footprint"] == area.footprint, "area_code"]
    return Area(then)


class Accounts(NamedTuple):
    """Top-ups of a setting, pounds a plan."""

    plausible: pd.DataFrame  # of each area, a column an account
    local: pd.DataFrame  # rows of authorities
    plans: pd.Series  # that they are divided by, by area
    region: pd.Series  # of each area


@tables.remembered
def _accounts(setting: str) -> Accounts:
    """Top-ups of a setting in the accounts of all areas."""
    known = top_ups()
    known = known[known["setting"] == setting]
    places = tables.load("areas").set_index("area_code")
    local = known[known["area_code"].map(places["level"]) == "local authority"]
    every = known.pivot(index="area_code", columns="account", values="pounds")
    middle = local["pounds"].median()
    plausible = every.where((every >= middle / PLAUSIBLE) & (every <= middle * PLAUSIBLE))
    plans = known.drop_duplicates("area_code").set_index("area_code")["plans"]
    return Accounts(plausible[["outturn", "budget"]], local, plans, places["region_code"])


def _unit(area: Area, setting: str, given: pd.DataFrame) -> dict[str, object]:
    """Cost of one setting of the accounts, as :func:`unit_costs` describes it."""
    plausible, local, plans, region = _accounts(setting)
    then = _then(area)
    own = plausible.reindex([then]).iloc[0].dropna()
    which = f"plans {COUNTED[setting]}, January {JANUARY}"
    if len(own):
        low, value, high = own.min(), own.iloc[0], own.max()
        of = "" if then == area else f" of {then.name}, which it was part of"
        source = f"section 251{of}, {' and '.join(own.index)}"
        counted, divided, account = which, plans[then], own.index[0]
    else:
        outturn = local[local["account"] == "outturn"].set_index("area_code")["pounds"].dropna()
        near = outturn[outturn.index.map(region) == region.get(area)]
        near = near if len(near) else outturn
        low, value, high = np.quantile(near, (0.25, 0.5, 0.75))
        source = "section 251 outturn, median of the region (no plausible figure for the area)"
        counted, divided = f"{which}, in each of {len(near)} authorities", np.nan
        account = "outturn of the region"
    top_up, place = value, 0.0
    if setting in PLACE:
        rate = given.loc[PLACE[setting]]
        share = _share_with_a_place(then) if setting == INDEPENDENT else 1.0
        place = share * rate["value"]
        low, value, high = low + share * rate["low"], value + place, high + share * rate["high"]
        source += f"; {rate['value']:,.0f} pounds a place"
        source += " in non-maintained schools" if setting == INDEPENDENT else ""
    return {
        "low": low,
        "value": value,
        "high": high,
        "top_up": top_up,
        "place": place,
        "plans": divided,
        "counted": counted,
        "source": source,
        "account": account,
    }


def _share_with_a_place(area: Area) -> float:
    """Share of the independent and non-maintained plans that are in non-maintained schools.

    England's where the area has no such plans in that January.
    """
    plans = _placements()
    share = plans["with a place"] / plans[INDEPENDENT].where(plans[INDEPENDENT] > 0)
    own = share.get(area, np.nan)
    return float(share[areas.ENGLAND] if np.isnan(own) else own)


def _prices(
    units: pd.DataFrame,
    simulation: places.Simulation,
    *,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Draw what a placement costs (years × simulations × settings), at the prices of each year."""
    rng, size = np.random.default_rng([seed, 6]), simulation.stock.shape[1]
    drawn = np.stack([sample(units.loc[setting], size, rng) for setting in units.index], axis=1)
    rise = assumptions("capacity", changes).at["price_rise", "value"]
    years = simulation.origin + np.arange(len(simulation.stock))
    return drawn * ((1 + rise) ** (years - 1 - PRICES))[:, None, None]


def forecast(
    simulation: places.Simulation,
    *,
    units: pd.DataFrame | None = None,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Forecast what placements cost a year.

    Parameters
    ----------
    simulation : Simulation
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
        pounds``: medians, with ``_low_80`` and ``_high_80``. A year's cost is the January's plans
        times the cost of a placement for a year; the uncertainty of both is carried.
    """
    units = unit_costs(simulation.area_code, changes=changes) if units is None else units
    plans = _by_setting(simulation.stock, units.index)
    pounds = plans * _prices(units, simulation, seed=seed, changes=changes)
    frames = []
    for number, setting in enumerate([*units.index, "all"]):
        pick = slice(None) if setting == "all" else [number]
        years = simulation.origin + np.arange(len(plans))
        frame = pd.DataFrame({"year": years, "setting": setting})
        for name, values in (("plans", plans), ("pounds", pounds)):
            frame = frame.assign(**interval(name, values[..., pick].sum(axis=2)))
        frames.append(frame)
    out = pd.concat(frames, ignore_index=True)
    out.insert(0, "area_code", simulation.area_code)
    out.insert(1, "origin", simulation.origin)
    return out


def _by_setting(stock: np.ndarray, wanted: Sequence[str]) -> np.ndarray:
    """Plans of all ages (years × simulations × settings wanted)."""
    place = [SETTINGS.index(name) for name in wanted]
    return stock.sum(axis=2)[..., place].astype(float)


def shifts(
    simulation: flows.Projection,
    *,
    units: pd.DataFrame | None = None,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Say what sending a tenth of new placements elsewhere would change.

    Parameters
    ----------
    simulation : Projection
    units, seed, changes
        As in :func:`forecast`.

    Returns
    -------
    DataFrame
        ``area_code, origin, year, shift, plans`` (placed elsewhere in that January), ``saving``
        (pounds a year; below zero it costs more): medians, with ``_low_80`` and ``_high_80``. A
        shift between settings whose costs are from different accounts is left out: the accounts
        would differ, whatever the settings cost.

    Raises
    ------
    MissingDataError
        If none is left.
    """
    units = unit_costs(simulation.area_code, changes=changes) if units is None else units
    before = _by_setting(simulation.stock, units.index)
    prices = _prices(units, simulation, seed=seed, changes=changes)
    years = simulation.origin + np.arange(len(before))
    frames = []
    account = units.get("account", pd.Series("", units.index))
    for name, (source, target) in SHIFTS.items():
        if account[source] != account[target]:
            continue
        lever = {"lever": "placements", "from": source, "to": target, "share": TENTH}
        moved = flows.apply(simulation, [lever]).stock
        change = _by_setting(moved, units.index) - before
        saving = -(change * prices).sum(axis=2)
        plans = change[..., units.index.get_loc(target)]
        frame = pd.DataFrame({"year": years, "shift": name})
        for column, values in (("plans", plans), ("saving", saving)):
            frame = frame.assign(**interval(column, values))
        frames.append(frame[frame["year"] > simulation.origin])
    if not frames:
        raise MissingDataError(
            f"Costs of a placement in {Area(simulation.area_code).name} are from different "
            "accounts, so that no saving is worked out."
        )
    out = pd.concat(frames, ignore_index=True)
    out.insert(0, "area_code", simulation.area_code)
    out.insert(1, "origin", simulation.origin)
    return out


@reads.found
def budget(area: Area) -> pd.DataFrame:
    """Set out the money that placements are paid from, and the deficit reported.

    Returns
    -------
    DataFrame
        ``area_code, area, year`` (in which the financial year begins), ``grant, high_needs``
        (pounds), ``special_pupils``, ``deficit`` (cumulative, per cent of income),
        ``deficit_england``.

    Raises
    ------
    UnknownNameError
        If no area answers to `area`.
    """
    grant = tables.load("high_needs_funding")
    deficit = tables.load("dsg_deficits").pivot(index="year", columns="area_code", values="deficit")
    frame = grant[grant["area_code"] == area].set_index("year")
    frame = frame.reindex(sorted({*frame.index, *deficit.index}))
    frame["deficit"] = deficit.get(area, pd.NA)
    frame["deficit_england"] = deficit[areas.ENGLAND]
    frame = frame.assign(area_code=area, area=area.name).reset_index()
    columns = ["grant", "high_needs", "special_pupils", "deficit", "deficit_england"]
    return frame[["area_code", "area", "year", *columns]]
