"""What the report on capacity shows: its findings in sentences, and tables cut for readers.

Numbers are read off the results of the models; nothing is computed but differences and shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.capacity import assessments, balance, costs, hindcast, places, planned
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.cohorts.inputs import origins
from send_analysis.forecasting.cohorts.simulation import Projection, project

EVERY = "all specialist"
MILLION = 1e6
SMALL = 20  # residents in specialist places: fewer are known one by one
HORIZON = 5  # years ahead of headlines: as far as the forecast of all plans has been tested
HELD = (72, 88)  # per cent of areas, as printed, that an 80 % interval may hold to have held
# What each year of the queue rests on: table and category.
QUEUE = {
    "requests": "all",
    "assessments": "plan issued",
    "timeliness": "excluded / 20 weeks or less",
}
NO_SKILL, FEW, UNSCORED = "no skill", f"fewer than {hindcast.SMALLEST} places", "not tested"
SMALLEST = 10  # pupils at the top of the interval: below it a row tells a planner nothing


def gap(area: str) -> str:
    """Say why an area's plans cannot be simulated; empty where they can."""
    code = areas.resolve(area)
    if code[:3] in ("E92", "E12"):
        return f"{areas.name(code)} is no single authority: the model of places follows those."
    flagged = caveats.unplaced(code)
    if flagged:
        return flagged
    try:
        project(area, years=1, simulations=2)
        places.in_use(areas.resolve(area), year=origins()[-1])
    except MissingDataError as error:
        return str(error)
    return ""


def unsound(area: str) -> str:
    """Say why no queue is made of an area's latest assessments; empty where it can be.

    Parameters
    ----------
    area : str
        Name or code.

    Returns
    -------
    str
    """
    said = (caveats.doubt(table, area, category=category) for table, category in QUEUE.items())
    return next(filter(None, said), "")


def headline(
    forecast: pd.DataFrame | None,
    queue: pd.DataFrame | None,
    area: str,
    *,
    kept: pd.DataFrame | None = None,
) -> list[str]:
    """Sum up the report.

    Parameters
    ----------
    forecast : DataFrame or None
        As :func:`capacity.forecast` returns it; none where there can be none.
    queue : DataFrame or None
        As :func:`assessments.queue` returns it; none where :func:`unsound` says why.
    area : str
        Name of the area.
    kept : DataFrame, optional
        As :func:`shares_kept` returns it.

    Returns
    -------
    list of str
        The headline, then further sentences.
    """
    waits = unsound(area) if queue is None else _waits(queue, area)
    if forecast is None:
        return [waits]
    year = min(forecast["origin"].iloc[0] + HORIZON, forecast["year"].max())
    rows = forecast[(forecast["year"] == year) & (forecast["kind"] == EVERY)].set_index("phase")
    whole = rows.loc["all"]
    more = (
        f"{whole['extra_80']:,} more than that would have been enough in 80 of 100 simulations"
        if whole["extra_80"]
        else "that was enough in 80 of 100 simulations or more"
    )
    out = [
        f"If placements are made as they have been, {area} will need "
        f"{whole['demand_p10']:,.0f} to {whole['demand_p90']:,.0f} specialist places in January "
        f"{year}, a range meant to hold four times in five; {whole['demand']:,.0f} is the middle. "
        f"In use and announced are {whole['capacity']:,.0f}; {more}. Ranges of places have been "
        "tested one year ahead, not further."
    ]
    if kept is not None:
        every = (kept["year"] == year) & (kept["kind"] == EVERY) & (kept["phase"] == "all")
        out.append(
            "If each age were placed in the shares of the latest January, the middle would be "
            f"{kept.loc[every, 'demand'].iloc[0]:,.0f}."
        )
    if whole["in_use"] < SMALL:
        out.append(
            f"So few children ({whole['in_use']:,.0f} in such places in the latest January) can be "
            "planned for by name: read the ranges as chance, not as need."
        )
    out.append(_chances(forecast))
    return [sentence for sentence in [*out, waits] if sentence]


def _waits(queue: pd.DataFrame, area: str) -> str:
    """Say how many plans were in time, of how many, and what is open."""
    last = queue.iloc[-1]
    timed = tables.load("timeliness")  # the queue has the share rounded: no count comes out of it
    timed = timed[(timed["area_code"] == last["area_code"]) & (timed["year"] == last["year"])]
    timed = timed[timed["exceptions"] == "excluded"].set_index("issued_within")["plans"]
    new = tables.load("new_plans")
    new = new[(new["area_code"] == last["area_code"]) & (new["year"] == last["year"])]
    new = new.loc[(new["age_band"] == "all") & new["plans"].notna(), "plans"]
    out = (
        f"In {last['year']} {last['timely']:.0f} % of the plans in {area} whose time is "
        f"counted were issued within 20 weeks, {timed['20 weeks or less']:,} of "
        f"{timed['any time']:,}"
        + (f" (of {new.iloc[0]:,} new plans)" if len(new) else "")
        + f"; {last['completed']:,.0f} "
        + ("assessment was completed" if last["completed"] == 1 else "assessments were completed")
    )
    if last["backlog"] >= 1:
        return (
            f"{out}. From these figures it is estimated that {last['backlog']:,.0f} more were open "
            "than would be with 90 % in time."
        )
    return f"{out}. By these figures no more were open than with 90 % in time."


def _chances(forecast: pd.DataFrame) -> str:
    """Give the chances of the first year ahead, for which such chances have been tested."""
    rows = forecast[(forecast["kind"] == EVERY) & (forecast["horizon"] == 1)]
    rows = _scored(rows).dropna(subset="probability").set_index("phase")
    if rows.empty:
        return ""
    said = [
        f"{phase.replace('all', 'all ages')} {_chance(probability)}"
        for phase, probability in rows["probability"].items()
    ]
    return (
        f"Chance that more specialist places are needed in January {rows['year'].iloc[0]} than are "
        f"in use and announced: {', '.join(said)}."
    )


def _chance(probability: float) -> str:
    """Write a chance; what all simulations say is not certain."""
    return "over 99 %" if probability > 99 else f"{max(probability, 1):.0f} %"


def _scored(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave chances out that have not been shown to say anything, and say why: ``unsaid``.

    ``no skill``: a year ahead they said no more than one figure for all areas; ``fewer than 10
    places`` are expected; ``not tested``: too few areas have such places.
    """
    skilled = hindcast.shown()
    keys = pd.MultiIndex.from_frame(frame[["kind", "phase"]])
    known = keys.isin(skilled.index)
    unsaid = np.where(skilled.reindex(keys).eq(True), "", np.where(known, NO_SKILL, UNSCORED))
    unsaid = np.where(frame["demand"] < hindcast.SMALLEST, FEW, unsaid)
    chance = frame["probability"].where(unsaid == "")
    return frame.assign(probability=chance, unsaid=unsaid)


def fan(forecast: pd.DataFrame, phase: str, *, kind: str = EVERY) -> pd.DataFrame:
    """Take one phase and kind of a forecast, from the January it was made from on.

    Returns
    -------
    DataFrame
        ``area, kind, phase, year, capacity, demand, low_80, high_80``; in the first row all are
        the places in use.
    """
    rows = forecast[(forecast["phase"] == phase) & (forecast["kind"] == kind)]
    rows = rows.rename(columns={"demand_p10": "low_80", "demand_p90": "high_80"})
    columns = ["area", "kind", "phase", "year", "capacity", "demand", "low_80", "high_80"]
    start = rows.iloc[[0]].assign(year=rows["origin"].iloc[0])
    for column in columns[4:]:
        start[column] = start["in_use"]
    out = pd.concat([start, rows])[columns].reset_index(drop=True)
    return out.astype(dict.fromkeys(columns[4:], "float64"))


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
        As :func:`capacity.forecast` returns it.
    """
    now = simulation.stock[0].mean(axis=0)
    share = now / np.maximum(now.sum(axis=-1, keepdims=True), 1)
    # an age that nobody has today takes the shares of all ages
    share[now.sum(axis=-1) == 0] = now.sum(axis=0) / max(now.sum(), 1)
    kept = replace(simulation, stock=simulation.stock.sum(axis=-1, keepdims=True) * share)
    return balance.forecast(simulation.area_code, simulation=kept)


def certainty(forecast: pd.DataFrame, year: int, *, kept: pd.DataFrame) -> pd.DataFrame:
    """Set kinds and phases of one year side by side.

    Parameters
    ----------
    forecast, kept : DataFrame
        As :func:`capacity.forecast` and :func:`shares_kept` return them.
    year : int
        Year of the January.

    Returns
    -------
    DataFrame
        ``kind, phase, year, in_use, planned, capacity, demand, low_80, high_80, kept`` (demand at
        the latest January's shares), ``next_year`` (probability in the first January ahead, per
        cent), ``probability`` (per cent), ``unsaid`` (why no probability is
        given: ``no skill``, ``fewer than 10 places``, ``not tested``), ``extra_80, extra_95``;
        without kinds and phases of a handful of pupils.
    """
    keys = ["kind", "phase", "year"]
    beside = kept[[*keys, "demand"]].rename(columns={"demand": "kept"})
    forecast = forecast.merge(beside, on=keys, validate="one_to_one")
    rows = forecast[(forecast["year"] == year) & (forecast["demand_p90"] >= SMALLEST)]
    rows = rows.rename(columns={"demand_p10": "low_80", "demand_p90": "high_80"})
    rows = _scored(rows)
    near = _scored(forecast[forecast["horizon"] == 1])[[*keys[:2], "probability"]]
    near = near.rename(columns={"probability": "next_year"})
    rows = rows.merge(near, on=keys[:2], how="left", validate="one_to_one")
    columns = [*keys, "in_use", "planned", "capacity", "demand", "low_80", "high_80"]
    rows = rows[[*columns, "kept", "next_year", "probability", "unsaid", "extra_80", "extra_95"]]
    order = [*places.KINDS, *places.GROUPS]
    return rows.sort_values("kind", key=lambda kind: kind.map(order.index), kind="stable")


def year_before(area: str) -> pd.DataFrame:
    """Set what would have been said of an area a year before the latest January beside the outcome.

    Parameters
    ----------
    area : str
        Name or code.

    Returns
    -------
    DataFrame
        ``kind, phase, year`` (of the latest January), ``in_use`` (in the January before),
        ``demand, low_80, high_80, places_80`` (places that suffice in 80 of 100 simulations),
        ``probability, unsaid`` (as in :func:`certainty`) and ``needed`` (places in use in the
        latest January); without rows that expect a handful. Empty for an area that was not tested.
    """
    rows = hindcast.rows()
    rows = rows[(rows["area_code"] == areas.resolve(area)) & (rows["demand_p90"] >= SMALLEST)]
    rows = _scored(rows).rename(columns={"demand_p10": "low_80", "demand_p90": "high_80"})
    rows = rows.assign(year=rows["origin"] + 1)
    columns = ["kind", "phase", "year", "in_use", "demand", "low_80", "high_80", "places_80"]
    return rows[[*columns, "probability", "unsaid", "needed"]].reset_index(drop=True)


def ranges() -> pd.DataFrame:
    """Say of each kind and phase how its range and its chance did in all areas a year ahead.

    Returns
    -------
    DataFrame
        ``kind, phase, cases, inside, sufficed, short, skill`` as :func:`hindcast.skill` (the first
        three per cent) and ``range``: "held" where the 80 % interval held 72 to 88 % of the areas,
        in whole per cent, else "too narrow" or "too wide".
    """
    frame = hindcast.skill().reset_index()
    held = frame["inside"].round()
    frame["range"] = np.select([held < HELD[0], held > HELD[1]], ["too narrow", "too wide"], "held")
    return frame[["kind", "phase", "cases", "inside", "sufficed", "short", "skill", "range"]]


def reliability() -> pd.DataFrame:
    """Set chances of a year before against what happened, all specialist places by phase.

    Returns
    -------
    DataFrame
        As :func:`hindcast.reliability`, for the phases whose chances are shown.
    """
    skilled = hindcast.shown()
    phases = [phase for kind, phase in skilled[skilled].index if kind == EVERY]
    frames = [hindcast.reliability(EVERY, phase) for phase in phases]
    return pd.concat(frames, ignore_index=True) if frames else hindcast.reliability("", "")


def fitting(area: str) -> list[str]:
    """Names of the scenarios in ``data/scenarios`` that an area has the planned changes for."""
    known = set(planned.plans(areas.resolve(area)).index)
    files = sorted(tables.parameters("scenarios").glob(f"{balance.PREFIX}*.yml"))
    return [
        file.stem
        for file in files
        if set(balance.read_scenario(file.stem).get("plans", {})) <= known
    ]


def compare(
    area: str, year: int, *, scenarios: Sequence[str] | None = None, simulations: int = 1000
) -> pd.DataFrame:
    """Set scenarios side by side.

    Parameters
    ----------
    area : str
        Name or code of an authority.
    year : int
        Year of the January.
    scenarios : sequence of str, optional
        Names; those that :func:`fitting` lists if not given.
    simulations : int
        For each.

    Returns
    -------
    DataFrame
        ``scenario, phase, year, capacity, demand, probability, unsaid`` (as :func:`certainty`),
        ``extra_80, extra_95``: all specialist places, a row a scenario and phase, "as planned"
        first.
    """
    from tqdm import tqdm

    frames = []
    names = [None, *(fitting(area) if scenarios is None else scenarios)]
    for name in tqdm(names, desc="Scenarios", disable=None, leave=False):
        # as many years as everywhere else, so that "as planned" is the same draw
        made = balance.forecast(area, scenario=name, simulations=simulations)
        made = made[(made["kind"] == EVERY) & (made["year"] == year)]
        frames.append(_scored(made))
    columns = ["scenario", "phase", "year", "capacity", "demand", "probability", "unsaid"]
    return pd.concat(frames, ignore_index=True)[[*columns, "extra_80", "extra_95"]]


def against_need(queue: pd.DataFrame) -> pd.DataFrame:
    """Set assessments completed against those that would have met the targets.

    Parameters
    ----------
    queue : DataFrame
        As :func:`assessments.queue` returns it.

    Returns
    -------
    DataFrame
        ``year, completed, timely, needed_60, needed_90, volumes``: what each year needed was known
        as the year before ended, but for its arrivals; ``timely`` is the per cent in time,
        ``volumes`` the per cent that the same rule gives for what was completed, where it is
        tested. The last row is the coming year.
    """
    after = queue[["year", "next_year_60", "next_year_90"]].assign(year=queue["year"] + 1)
    after = after.rename(columns={"next_year_60": "needed_60", "next_year_90": "needed_90"})
    tested = _hindcast()
    tested = tested[tested["area_code"] == queue["area_code"].iloc[0]]
    out = after.merge(queue[["year", "completed", "timely"]], on="year", how="left")
    out = out.merge(tested[["year", "volumes"]], on="year", how="left")
    return out[["year", "completed", "timely", "needed_60", "needed_90", "volumes"]]


@tables.remembered
def _hindcast() -> pd.DataFrame:
    """Hindcast timeliness of every authority."""
    return assessments.hindcast()


def checks(area: str) -> pd.DataFrame:
    """Say how well volumes foretell timeliness, in the area and among all authorities.

    Returns
    -------
    DataFrame
        ``where, years, persistence, volumes, predicted``: mean absolute errors in percentage
        points, as :func:`assessments.hindcast` defines the three.
    """
    every = _hindcast()
    rows = {
        "all authorities": every,
        areas.name(area): every[every["area_code"] == areas.resolve(area)],
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


def millions(simulation: Projection) -> pd.DataFrame:
    """Forecast what placements cost in all, in millions.

    Returns
    -------
    DataFrame
        ``area, year, setting, plans, cost, low_80, high_80`` (millions of pounds a year).
    """
    frame = costs.forecast(simulation, balance.SETTINGS)
    return pd.DataFrame(
        {
            "area": areas.name(simulation.area_code),
            "year": frame["year"],
            "setting": frame["setting"],
            "plans": frame["plans"],
            "cost": frame["pounds"] / MILLION,
            "low_80": frame["pounds_p10"] / MILLION,
            "high_80": frame["pounds_p90"] / MILLION,
        }
    )
