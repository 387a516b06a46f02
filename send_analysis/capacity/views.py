"""Places, assessments, staff and money as a reader wants them: results cut and set side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import (
    assessments,
    balance,
    costs,
    hindcast,
    places,
    planned,
    returns,
    staffing,
)
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.cohorts.inputs import SETTINGS, origins, placed
from send_analysis.forecasting.cohorts.simulation import Projection
from send_analysis.forecasting.cohorts.trend import drift
from send_analysis.forecasting.cohorts.units import estimated
from send_analysis.forecasting.scoring import HORIZON
from send_analysis.growth import series

EVERY = "all specialist"
MILLION = 1e6
JANUARIES = 5  # that the error which all areas share must be known from, for a range to be tested
HELD = (72, 88)  # per cent of areas, as printed, that an 80 % interval may hold to have held
# What each year of the queue rests on: table and category.
QUEUE = {
    "requests": "all",
    "assessments": "plan issued",
    "timeliness": series.IN_TIME,
}
# Columns of `certainty` that say what is needed, and how sure one can be.
NEEDED = ["kind", "phase", "year", "in_use", "capacity", "demand", "low_80", "high_80", "kept"]
CHANCES = ["kind", "phase", "next_year", "probability_ahead", "unsaid", "extra_80", "extra_95"]
NO_SKILL, FEW, UNSCORED = (
    "no better than an average",
    f"fewer than {hindcast.SMALLEST} places",
    "not tested",
)
SMALLEST = 10  # pupils at the top of the interval: below it a row tells a planner nothing


@reads.found
@tables.remembered(most=2)
def gap(area: Area) -> str:
    """Say why an area's plans cannot be simulated; empty where they can."""
    if area[:3] in ("E92", "E12"):
        return f"{area.name} is no single authority: the model of places follows those."
    flagged = caveats.unplaced(area)
    if flagged:
        return flagged
    try:
        balance.simulate(area)
        places.in_use(area, year=origins()[-1])
    except MissingDataError as error:
        return str(error)
    return ""


@reads.found
def unsound(area: Area) -> str:
    """Say why no queue is made of an area's latest assessments; empty where it can be."""
    said = (caveats.doubt(table, area, category=category) for table, category in QUEUE.items())
    return next(filter(None, said), "")


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave chances out that have not been shown to say anything, and say why: ``unsaid``.

    ``no better than an average``: a year ahead they said no more than one figure for all areas;
    ``fewer than 10 places`` are expected; ``not tested``: too few areas have such places.
    """
    skilled = hindcast.shown().map({True: "", False: NO_SKILL}).to_dict()
    unsaid = [
        skilled.get(cell, UNSCORED) for cell in zip(frame["kind"], frame["phase"], strict=True)
    ]
    unsaid = np.where(frame["demand"] < hindcast.SMALLEST, FEW, unsaid)
    chance = frame["probability"].where(unsaid == "")
    return frame.assign(probability=chance, unsaid=unsaid)


@reads.result
def fan(forecast: pd.DataFrame, phase: str) -> pd.DataFrame:
    """Take all specialist places of a phase out of a forecast, from its first January on.

    Returns
    -------
    DataFrame
        ``area, kind, phase, year, capacity, demand, low_80, high_80``; in the first row all are
        the places in use.
    """
    rows = forecast[(forecast["phase"] == phase) & (forecast["kind"] == EVERY)]
    rows = rows.rename(columns={"demand_low_80": "low_80", "demand_high_80": "high_80"})
    columns = ["area", "kind", "phase", "year", "capacity", "demand", "low_80", "high_80"]
    first = rows.iloc[0]
    start = rows.iloc[[0]].assign(
        year=first["origin"], **dict.fromkeys(columns[4:], first["in_use"])
    )
    out = pd.concat([start, rows])[columns].reset_index(drop=True)
    return out.astype(dict.fromkeys(columns[4:], "float64"))


@reads.result
def shares_kept(simulation: Projection) -> pd.DataFrame:
    """Forecast places if at each age settings kept the shares they have in the latest January.

    A check on the model's moves between settings.

    Parameters
    ----------
    simulation : Projection
        Of the area; only its plans by age are used.

    Returns
    -------
    DataFrame
        As :func:`.balance.forecast` returns it.
    """
    now = simulation.stock[0].mean(axis=0)
    share = now / np.maximum(now.sum(axis=-1, keepdims=True), 1)
    # an age that nobody has today takes the shares of all ages
    share[now.sum(axis=-1) == 0] = now.sum(axis=0) / max(now.sum(), 1)
    kept = replace(simulation, stock=simulation.stock.sum(axis=-1, keepdims=True) * share)
    return balance.forecast(simulation.area_code, simulation=kept)


@reads.result
def certainty(forecast: pd.DataFrame, year: int, *, kept: pd.DataFrame) -> pd.DataFrame:
    """Set kinds and phases of one year side by side.

    Parameters
    ----------
    forecast, kept : DataFrame
        As :func:`.balance.forecast` and :func:`shares_kept` return them.
    year : int
        Year of the January.

    Returns
    -------
    DataFrame
        ``kind, phase, year, in_use, capacity, demand, low_80, high_80, kept`` (demand at
        the latest January's shares), ``next_year`` (probability in the first January ahead, per
        cent), ``probability_ahead`` (per cent), ``unsaid`` (why no probability is
        given: ``no better than an average``, ``fewer than 10 places``, ``not tested``),
        ``extra_80, extra_95``; without kinds and phases of a handful of pupils.
    """
    keys = ["kind", "phase", "year"]
    beside = kept[[*keys, "demand"]].rename(columns={"demand": "kept"})
    forecast = forecast.merge(beside, on=keys, validate="one_to_one")
    rows = _ahead(forecast, year)
    rows = rows[rows["demand_high_80"] >= SMALLEST]
    rows = rows.rename(columns={"demand_low_80": "low_80", "demand_high_80": "high_80"})
    rows = rows[[*NEEDED, *CHANCES[2:]]]
    order = [*places.KINDS, *places.GROUPS]
    return rows.sort_values("kind", key=lambda kind: kind.map(order.index), kind="stable")


def _ahead(forecast: pd.DataFrame, year: int) -> pd.DataFrame:
    """Take a year out of a forecast, with its chances where those of the first January are told."""
    names = {"probability": "next_year", "unsaid": "unsaid_next"}
    near = scored(forecast[forecast["horizon"] == 1]).rename(columns=names)
    rows = scored(forecast[forecast["year"] == year])
    rows = rows.merge(near[["kind", "phase", *names.values()]], on=["kind", "phase"], how="left")
    chance = rows["probability"].where(rows["next_year"].notna())
    unsaid = rows["unsaid"].where(rows["unsaid"] != "", rows["unsaid_next"])
    return rows.assign(probability_ahead=chance, unsaid=unsaid)


@reads.result
def next_january(forecast: pd.DataFrame) -> pd.DataFrame:
    """Take all specialist places of the first January ahead out of a forecast.

    Returns
    -------
    DataFrame
        ``phase, year, in_use, capacity, demand, low_80, high_80, next_year, unsaid`` as
        :func:`certainty` has them.
    """
    rows = forecast[(forecast["kind"] == EVERY) & (forecast["horizon"] == 1)]
    names = {"demand_low_80": "low_80", "demand_high_80": "high_80", "probability": "next_year"}
    return scored(rows).rename(columns=names)[[*NEEDED[1:-1], "next_year", "unsaid"]]


@reads.result
def year_before(area: Area) -> pd.DataFrame:
    """Set what would have been said of an area a year before the latest January beside the outcome.

    Returns
    -------
    DataFrame
        ``kind, phase, year`` (of the latest January), ``in_use_then`` (in the January before),
        ``demand, low_80, high_80, places_80`` (places that suffice in 80 of 100 simulations),
        ``probability, unsaid`` (as in :func:`certainty`), ``needed`` (places in use in the
        latest January) and ``came`` (as :func:`hindcast.came`); without rows that expect a handful.

    Raises
    ------
    MissingDataError
        If the area was not tested.
    """
    rows = hindcast.rows()
    rows = rows[(rows["area_code"] == area) & (rows["demand_high_80"] >= SMALLEST)]
    if rows.empty:
        raise MissingDataError(
            f"{area.name} is not in the test of the year before: that is of single authorities "
            f"that expect {SMALLEST} places or more, with placements recorded and not in doubt in "
            "both Januaries."
        )
    rows = rows.assign(came=hindcast.came(rows))
    rows = scored(rows).rename(columns={"demand_low_80": "low_80", "demand_high_80": "high_80"})
    rows = rows.assign(year=rows["origin"] + 1).rename(columns={"in_use": "in_use_then"})
    columns = ["kind", "phase", "year", "in_use_then", "demand", "low_80", "high_80", "places_80"]
    return rows[[*columns, "probability", "unsaid", "needed", "came"]].reset_index(drop=True)


@reads.result
@tables.remembered
def ranges() -> pd.DataFrame:
    """Say of each kind and phase how its range and its chance did in all areas a year ahead.

    Returns
    -------
    DataFrame
        ``kind, phase, areas, inside, areas_below, areas_above, sufficed, short, skill,
        skill_error`` as :func:`hindcast.skill` (shares in per cent) and ``range``: "held" where the
        80 % interval held 72 to 88 % of the areas, in whole per cent, else "too narrow" or "too
        wide"; "illustrative" for a kind whose shared error is known from fewer than five earlier
        Januaries.
    """
    names = {"cases": "areas", "below": "areas_below", "above": "areas_above"}
    frame = hindcast.skill().reset_index().rename(columns=names)
    held = frame["inside"].round()
    known = estimated(origins()[-1]).known  # a year more than the test could know
    years = dict(zip(SETTINGS, drift(known).years, strict=True))
    few = frame["kind"].map(years) < JANUARIES  # not of sums of kinds
    frame["range"] = np.select(
        [few, held < HELD[0], held > HELD[1]], ["illustrative", "too narrow", "too wide"], "held"
    )
    return frame[
        ["kind", "phase", "areas", "inside", "areas_below", "areas_above", "sufficed", "short",
         "skill", "skill_error", "range"]
    ]  # fmt: skip


@reads.result
def units(area: Area) -> pd.DataFrame:
    """Return the plans in SEN units and resourced provision in the last three Januaries, all ages.

    Returns
    -------
    DataFrame
        Indexed by ``year``: ``plans``.
    """
    rows = placed(area)
    rows = rows[rows["setting"] == places.UNIT]
    plans = rows.groupby("year")["plans"].sum(min_count=1).astype("Float64").astype(float)
    return plans.tail(3).to_frame()


@reads.result
@tables.remembered
def reliability() -> pd.DataFrame:
    """Set chances of a year before against what happened, all specialist places by phase.

    Returns
    -------
    DataFrame
        ``kind, phase, chance_low, chance_high, areas, probability, short`` as
        :func:`hindcast.reliability` has them, for the phases whose chances are shown.

    Raises
    ------
    MissingDataError
        If none is.
    """
    skilled = hindcast.shown()
    phases = [phase for kind, phase in skilled[skilled].index if kind == EVERY]
    if not phases:
        raise MissingDataError("No chance given a year before has been shown to say anything.")
    frames = [hindcast.reliability(EVERY, phase) for phase in phases]
    names = {"low": "chance_low", "high": "chance_high", "cases": "areas"}
    return pd.concat(frames, ignore_index=True).rename(columns=names)


@reads.found
def fitting(area: Area) -> list[str]:
    """Names of the scenarios in ``data/scenarios`` that an area has the planned changes for."""
    known = set(planned.plans(area).index)
    files = sorted(tables.parameters("scenarios").glob(f"{balance.PREFIX}*.yml"))
    return [
        file.stem
        for file in files
        if set(balance.read_scenario(file.stem).get("plans", {})) <= known
    ]


@reads.found
def changes(area: Area) -> pd.DataFrame:
    """Say what each of the scenarios that :func:`fitting` lists changes.

    Returns
    -------
    DataFrame
        ``scenario, note, changed``: its name, its note, and its keys as its file has them.
    """
    read = [balance.read_scenario(name) for name in fitting(area)]
    rows = [(it["name"], it.get("note", ""), _keys(it)) for it in read]
    return pd.DataFrame(rows, columns=["scenario", "note", "changed"])


def _keys(scenario: Mapping[str, Any]) -> str:
    """Write the keys of a scenario in a line."""
    keys = {key: of for key, of in scenario.items() if key not in ("name", "note", "file")}
    if "levers" in keys:
        keys["levers"] = [dict(lever) for lever in keys["levers"]]
    return yaml.safe_dump(keys, default_flow_style=True, sort_keys=False, width=999).strip()[1:-1]


@reads.result
def compare(
    area: Area, year: int, *, scenarios: Sequence[str] | None = None, simulations: int = 1000
) -> pd.DataFrame:
    """Set scenarios side by side.

    Parameters
    ----------
    area : Area or str
    year : int
        Year of the January.
    scenarios : sequence of str, optional
        Names; those that :func:`fitting` lists if not given.
    simulations : int
        For each.

    Returns
    -------
    DataFrame
        ``scenario, phase, year, capacity, demand, probability_ahead, unsaid`` (as
        :func:`certainty`), ``extra_80, extra_95``: all specialist places, a row a scenario and
        phase, "as planned" first.
    """
    from tqdm import tqdm

    frames = []
    names = [None, *(fitting(area) if scenarios is None else scenarios)]
    years = min(max(year - origins()[-1], 1), balance.YEARS)  # what follows changes no draw
    for name in tqdm(names, desc="Scenarios", disable=None, leave=False):
        made = balance.forecast(area, years=years, scenario=name, simulations=simulations)
        frames.append(_ahead(made[made["kind"] == EVERY], year))
    columns = ["scenario", "phase", "year", "capacity", "demand", "probability_ahead", "unsaid"]
    out = pd.concat(frames, ignore_index=True)
    return out[[*columns, "extra_80", "extra_95"]]


@reads.result
def against_need(queue: pd.DataFrame) -> pd.DataFrame:
    """Set assessments completed against those that would have met the targets.

    Parameters
    ----------
    queue : DataFrame
        As :func:`assessments.queue` returns it.

    Returns
    -------
    DataFrame
        ``year, completed, timely, needed_60, needed_90, timely_by_volumes``: what each year needed
        was known as the year before ended, but for its arrivals, and is missing where either is
        not published; ``timely`` is the per cent in time, ``timely_by_volumes`` the per cent that
        the same rule gives for what was completed, where it is tested. The last row is the coming
        year.
    """
    after = queue[["year", "next_year_60", "next_year_90"]].assign(year=queue["year"] + 1)
    after = after.rename(columns={"next_year_60": "needed_60", "next_year_90": "needed_90"})
    tested = assessments.hindcast()
    tested = tested[tested["area_code"] == queue["area_code"].iloc[0]]
    tested = tested.rename(columns={"volumes": "timely_by_volumes"})
    out = after.merge(queue[["year", "completed", "timely"]], on="year", how="outer")
    out = out.merge(tested[["year", "timely_by_volumes"]], on="year", how="left")
    return out[["year", "completed", "timely", "needed_60", "needed_90", "timely_by_volumes"]]


@reads.result
def checks(area: Area) -> pd.DataFrame:
    """Say how well volumes foretell timeliness, in the area and among all authorities.

    Returns
    -------
    DataFrame
        ``where, years, persistence, volumes, predicted``: mean absolute errors in percentage
        points, as :func:`assessments.hindcast` defines the three.
    """
    every = assessments.hindcast()
    rows = {
        "all authorities": every,
        area.name: every[every["area_code"] == area],
    }
    out = []
    for where, frame in rows.items():
        if frame.empty:
            continue
        errors = {
            name: (frame[name] - frame["timely"]).abs().mean()
            for name in ("persistence", "volumes", "predicted")
        }
        out.append({"where": where, "authority_years": len(frame), **errors})
    return pd.DataFrame(out)


@reads.result
def millions(simulation: Projection) -> pd.DataFrame:
    """Forecast what placements cost in all, in millions.

    Returns
    -------
    DataFrame
        ``area, year, setting, plans, cost, cost_low_80, cost_high_80`` (millions of pounds a year).
    """
    frame = costs.forecast(simulation)
    return pd.DataFrame(
        {
            "area": areas.name(simulation.area_code),
            "year": frame["year"],
            "setting": frame["setting"],
            "plans": frame["plans"],
            "cost": frame["pounds"] / MILLION,
            "cost_low_80": frame["pounds_low_80"] / MILLION,
            "cost_high_80": frame["pounds_high_80"] / MILLION,
        }
    )


@reads.found
def simulation(area: Area) -> Projection:
    """Return the simulation that the page of an area is made from.

    Raises
    ------
    MissingDataError
        If its plans cannot be simulated.
    """
    why = gap(area)
    if why:
        raise MissingDataError(f"Places, staff and placements are not forecast. {why}")
    return balance.simulate(area)


@reads.found
@tables.remembered(most=1)
def forecast(area: Area) -> pd.DataFrame:
    """Return the forecast of places of :func:`simulation`, as :func:`.balance.forecast`."""
    return balance.forecast(area, simulation=simulation(area))


@reads.found
@tables.remembered(most=1)
def kept(area: Area) -> pd.DataFrame:
    """Return the same at the latest January's shares, as :func:`shares_kept`."""
    return shares_kept(simulation(area))


@reads.found
def headline_year(area: Area) -> int:
    """Return the January that headlines and tables are about."""
    return simulation(area).origin + HORIZON


@reads.result
def announced(area: Area) -> pd.DataFrame:
    """Return planned changes to places: ``title, phase, status, included, opens, places, source``.

    Raises
    ------
    MissingDataError
        If none are recorded.
    """
    found = planned.plans(area)
    if found.empty:
        raise MissingDataError(
            f"No planned changes are recorded for {area.name}; a file in the project's data/plans "
            "would add them."
        )
    return found[["title", "phase", "status", "included", "opens", "places", "source"]]


@reads.found
@tables.remembered(most=1)
def queue(area: Area) -> pd.DataFrame:
    """Return assessments open and completed, as :func:`.assessments.queue`, and ``area``.

    Raises
    ------
    MissingDataError
        If the latest figures are flagged, or there are none.
    """
    why = unsound(area)
    if why:
        raise MissingDataError(why)
    arrivals = None if gap(area) else balance.expected_assessments(simulation(area))
    return assessments.queue(area, arrivals=arrivals).assign(area=area.name)


@reads.result
def asked(area: Area) -> pd.DataFrame:
    """Return the totals of the school capacity return, as :func:`.returns.layout`."""
    table = returns.layout(returns.scap(simulation(area)))
    totals = table[table["Year group"] == "Total"]
    return totals.drop(columns=["LA code", "Local authority", "Year group"])


@reads.result
def posts(area: Area) -> pd.DataFrame:
    """Return posts needed in three calendar years, as :func:`.staffing.need`."""
    made, ratio = simulation(area), staffing.assessments_a_plan(area)
    need = staffing.need(made, ratio=ratio)
    last = made.origin + HORIZON - 1
    columns = ["role", "year", "assessments", "hours", "hours_a_post", "posts"]
    need = need.loc[
        need["year"].isin([last - 4, last - 2, last]), [*columns, "posts_low_80", "posts_high_80"]
    ]
    return need.rename(
        columns={
            "role": "profession", "year": "calendar_year", "assessments": "assessments_expected"
        }
    )  # fmt: skip


@reads.result
def unit_costs(area: Area) -> pd.DataFrame:
    """Return what a placement costs, as :func:`.costs.unit_costs`, with the place in it."""
    found = costs.unit_costs(area)
    place = found["value"].round() - found["top_up"].round()  # adds up as printed
    names = {"low": "pounds_low", "value": "pounds", "high": "pounds_high", "plans": "divided_by",
             "counted": "plans_divided_by"}  # fmt: skip
    return found.assign(place=place).drop(columns="account").rename(columns=names)


@reads.result
def savings(area: Area) -> pd.DataFrame:
    """Return what a tenth of new placements elsewhere would save, as :func:`.costs.shifts`."""
    found = costs.shifts(simulation(area).until(HORIZON))
    last = headline_year(area)
    found = found[found["year"].isin([last - 4, last - 2, last])]
    money = ["saving", "saving_low_80", "saving_high_80"]
    found[money] = found[money].round(-3) + 0.0  # no "-0"
    return found.drop(columns=["area_code", "origin"]).rename(columns={"plans": "pupils"} | {
        f"plans_{end}": f"pupils_{end}" for end in ("low_80", "high_80")
    })  # fmt: skip


@reads.result
def budget(area: Area) -> pd.DataFrame:
    """Return grant and deficit, as :func:`.costs.budget`.

    Raises
    ------
    MissingDataError
        If none is published of the area itself.
    """
    found = costs.budget(area).drop(columns=["area_code", "area"])
    if found.drop(columns=["year", "deficit_england"]).isna().all(axis=None):
        raise MissingDataError(f"No grant and no deficit is published for {area.name}.")
    return found.rename(columns={"year": "financial_year_from_april"})


@reads.result
def published(area: Area) -> pd.DataFrame:
    """Return places and pupils in schools of the area, as :func:`.places.published`."""
    found = places.published(area).drop(columns="area_code")
    return found.rename(columns={"what": "institution", "places": "places_or_pupils"})
