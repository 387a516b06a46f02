"""What pages show of the plans ahead: by age and setting and under scenarios.

All of it is read off one simulation of an area, the one that the page on capacity counts places
in.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import outlook
from send_analysis.forecasting import totals as forecasting
from send_analysis.forecasting.cohorts import flows, levers, simulation
from send_analysis.forecasting.cohorts.inputs import SETTINGS
from send_analysis.forecasting.scoring import HORIZON
from send_analysis.growth import series

NOT_RECORDED = "not recorded"  # a fault of recording, not a setting
NOW = "as now"
FAR = 15  # years ahead of the chart beyond the tested years


@reads.result
def fan(
    area: Area,
    horizon: int = 5,
    *,
    scenario: str | None = None,
    simulations: int = 1000,
) -> pd.DataFrame:
    """Set published plans and their forecast under a scenario in one table.

    Parameters
    ----------
    area : Area or str
    horizon : int, default 5
        Years ahead.
    scenario : str, optional
        As :func:`levers.read` takes it.
    simulations : int

    Returns
    -------
    DataFrame
        As :func:`outlook.fan`, and that without a scenario.
    """
    out = outlook.fan(area, horizon)
    if scenario is None:
        return out
    made = simulation.project(area, years=horizon, simulations=simulations)
    totals = flows.apply(made, levers.read(scenario)).stock.sum(axis=(2, 3))[1:]
    values = np.quantile(totals, list(outlook.RANGES.values()), axis=1)
    out.loc[out["year"] > made.origin, list(outlook.RANGES)] = values.T
    return out


@reads.result
def scenarios(area: Area, horizon: int = 10) -> pd.DataFrame:
    """Forecast an area under each scenario of demand that the project holds.

    Returns
    -------
    DataFrame
        ``scenario`` (its title; ``as now`` first), ``year, plans`` (median), ``change_percent`` (
        against ``as now``) and ``note`` (what stands in for figures that the area lacks, and which
        scenario is left out for want of them; the same in every row of one scenario).

    Raises
    ------
    MissingDataError
        If the latest return is flagged.
    """
    caveats.require("ehc_plans", area)
    made = simulation.project(area, years=horizon)
    years = range(made.origin + 1, made.origin + 1 + horizon)
    totals = forecasting.forecast(area, horizon).query("quantile == 0.5")
    middle = totals.set_index("year")["value"].loc[years].to_numpy()
    frames, plain, left_out = [], None, []
    for title, name in {NOW: (), **levers.titles()}.items():
        try:
            changed = flows.apply(made, levers.read(name))
        except MissingDataError as error:
            left_out.append(f"Left out: {title}. {str(error).partition('. ')[0]}.")
            continue
        plans = np.median(changed.stock.sum(axis=(2, 3)), axis=1)[1:]
        plain = plans if plain is None else plain
        parts = {
            "scenario": title,
            "year": years,
            "plans": middle * plans / plain,  # simulations have the middle to within a few plans
            "change_percent": 100 * (plans / plain - 1),
        }
        frames.append(pd.DataFrame(parts).assign(note=" ".join(changed.notes)))
    out = pd.concat(frames, ignore_index=True)
    out["note"] = [" ".join(filter(None, [note, *left_out])) for note in out["note"]]
    return out


@reads.result
def forecast(area: Area, horizon: int = 5, *, scenario: str | None = None) -> pd.DataFrame:
    """Forecast plans in all, by age band and by setting.

    Parameters
    ----------
    area : Area or str
        An authority, a region or England.
    horizon : int, default 5
        Years ahead.
    scenario : str, optional
        As :func:`levers.read` takes it.

    Returns
    -------
    DataFrame
        As :func:`forecasting.forecast`; ``category`` is ``all``, an age band or a setting. No
        settings where the latest ones are flagged.
    """
    changes = () if scenario is None else levers.read(scenario)
    made = flows.apply(simulation.project(area, years=horizon), changes)
    frame = simulation.summarise(made)
    by_age = frame["age"].isin(["all", *simulation.BANDS]) & (frame["setting"] == "all")
    by_setting = (frame["age"] == "all") & (frame["setting"] != "all")
    if caveats.unplaced(area):
        by_setting &= False
    frame["category"] = frame["setting"].where(by_setting, frame["age"])
    frame = frame[(by_age | by_setting) & (frame["measure"] == "plans")]
    if not changes:  # simulations take these quantiles to within a plan: print them as they are
        totals = forecasting.forecast(area, horizon)
        frame = pd.concat([frame[frame["category"] != "all"], totals])
    order = ["all", *simulation.BANDS, *SETTINGS]
    frame = frame.sort_values(
        ["horizon", "category", "quantile"],
        key=lambda it: it.map(order.index) if it.name == "category" else it,
    )
    return frame[forecasting.COLUMNS].reset_index(drop=True)


@reads.result
def by_category(area: Area) -> pd.DataFrame:
    """Forecast of one year by age band and by setting.

    Returns
    -------
    DataFrame
        ``category, median, low_80, high_80``, plans in the January five years ahead; no
        range where the category is a fault of recording.

    Raises
    ------
    MissingDataError
        If the latest return is flagged.
    """
    caveats.require("ehc_plans", area)
    ahead = forecast(area, HORIZON)
    ahead = ahead[ahead["horizon"] == HORIZON]
    wide = ahead.pivot(index="category", columns="quantile", values="value")
    names = {share: name for name, share in outlook.RANGES.items()}
    out = wide.rename(columns=names).loc[
        ahead["category"].unique(), ["median", "low_80", "high_80"]
    ]
    # nobody can say how much will go unrecorded: a range from next to none to half would mislead
    out.loc[out.index == NOT_RECORDED, ["low_80", "high_80"]] = np.nan
    return out.reset_index().rename_axis(columns=None)


@reads.result
def ahead(area: Area, horizon: int = 5) -> pd.DataFrame:
    """Return published plans and their forecast, as :func:`.outlook.fan`.

    Raises
    ------
    MissingDataError
        If the latest return is flagged.
    """
    caveats.require("ehc_plans", area)
    return outlook.fan(area, horizon)


@reads.result
def then(area: Area) -> pd.DataFrame:
    """Return an earlier forecast beside what happened, as :func:`.outlook.then_and_now`.

    Raises
    ------
    MissingDataError
        If the area is younger than that, or its series breaks in between.
    """
    as_of = series.COMPARABLE
    if area.history:
        first = as_of - outlook.BASE_YEARS
        raise MissingDataError(
            f"{area.name} did not exist in {first} with these boundaries, so it cannot be "
            "tested alone."
        )
    broken = series.broken(area, start=as_of, end=as_of + HORIZON)
    if broken:
        raise MissingDataError(broken)
    return outlook.then_and_now(area, as_of, HORIZON)


@reads.found
def national(area: Area) -> pd.DataFrame:
    """Return :func:`then` of England, unless that is the area itself."""
    if area == areas.ENGLAND:
        raise MissingDataError("England is shown above.")
    return outlook.then_and_now(areas.ENGLAND)


@reads.found
def far(area: Area) -> pd.DataFrame:
    """Return :func:`ahead` beyond the tested years; England's stands beside others' forecasts."""
    if area == areas.ENGLAND:
        raise MissingDataError("England's figures stand below, beside those of others.")
    return ahead(area, FAR)


def misses() -> pd.DataFrame:
    """Return the worst misses, as :func:`.outlook.misses`, as a reader sees them."""
    found = outlook.misses().rename(columns={"published": "published_then"})
    return found.drop(columns=["low_95", "high_95"])
