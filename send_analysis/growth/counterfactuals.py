"""Plans that an area would have had if it had grown as others did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import account, decomposition
from send_analysis.growth import series as growth


@reads.result
def counterfactuals(
    area: Area, *, start: int = growth.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Ask how many plans the area would have had it grown as others did.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    DataFrame
        ``area_code, area, role, basis, start, end, growth`` (per cent, of the others), ``plans``
        (the area's own at the end), ``plans_if, difference`` (own less that), ``low, high``
        (plans had it grown as the quarter of those areas that grew least, and most, would allow:
        their 25th and 75th percentile), ``pooled`` (areas in the comparison, without those whose
        series breaks), ``caveat`` (why the row compares unlike plans; empty where it does not) and
        ``lacks`` (areas left out of England or a region, as :func:`.decomposition.in_both` says).
        Basis is ``plans``, or ``plans a head`` (age by age, with the area's own population; years
        from 2019 with ages only).

    Raises
    ------
    MissingDataError
        If the area has no plans in one of the years.
    """
    end = growth.latest(area) if end is None else end
    stock = account.flow("ehc_plans", "age_band", "all", "plans")
    every = stock.unstack("year")
    for year in (start, end):
        if start >= end or year not in every:
            raise ParameterError(
                f"January {start} to {end}: give two Januaries, {every.columns.min()} to "
                f"{every.columns.max()}."
            )
        account.require(stock, area, [year], "plans in January")
    own = every.loc[area]
    known = tables.load("areas").set_index("area_code")
    footprint = known["footprint"]
    local = known["level"] == "local authority"
    units = every.index[every.index.isin(footprint[local])]
    # A break that is England's too is everyone's: the rows say it. One of an area's own is not.
    listed = pd.DataFrame({"area_code": [*units, areas.ENGLAND]})
    said = caveats.crossed(listed, "ehc_plans", start, end)
    units = units[(said == said.iloc[-1]).to_numpy()[:-1]]
    if area == areas.ENGLAND:
        raise MissingDataError(
            "England has no one to be set against; authorities and regions have."
        )
    groups = {"england": (areas.ENGLAND, units)}
    if area.level == "local authority":
        region = area.region
        groups["region"] = (region, units[known.loc[units.str[:9], "region_code"] == region])
        if area in areas.current():
            near = pd.Index(area.neighbours)
            complete = every.loc[near, [start, end]].notna().all(axis=1).to_numpy()
            near = near.where(complete, footprint[near].to_numpy()).unique()
            groups["neighbours"] = ("", near[near.isin(units)])
    rows = []
    for role, (total, members) in groups.items():
        each = every.loc[members, [start, end]].dropna()
        each = each[each[start] > 0]
        base = every.loc[total, [start, end]] if total else each.sum()
        quarter = np.quantile(each[end] / each[start], [0.25, 0.75])
        name = total.name if total else _neighbours(len(each), len(near))
        rows.append((name, role, "plans", base[end] / base[start], *quarter, len(each)))
    out = pd.DataFrame(rows, columns=["area", "role", "basis", "ratio", "low", "high", "pooled"])
    out = out.assign(
        plans_if=own[start] * out["ratio"], low=own[start] * out["low"],
        high=own[start] * out["high"], growth=100 * (out["ratio"] - 1),
    )  # fmt: skip
    out = pd.concat([out.assign(lacks=""), *_a_head(area, start, end)], ignore_index=True)
    out = out.assign(
        area_code=area, start=start, end=end, plans=own[end], difference=own[end] - out["plans_if"]
    )
    by_age = out["basis"].map({"plans": "all", "plans a head": next(iter(AGE_BANDS))})
    out["caveat"] = caveats.crossed(out, "ehc_plans", start, end, category=by_age)
    return out[
        ["area_code", "area", "role", "basis", "start", "end", "growth", "plans", "plans_if",
         "difference", "low", "high", "pooled", "caveat", "lacks"]
    ]  # fmt: skip


def _neighbours(counted: int, given: int) -> str:
    """Name the neighbours: ten, or those of them whose series does not break."""
    return "ten neighbours" if counted == given else f"{counted} of {given} neighbours"


def _a_head(area: Area, start: int, end: int) -> list[pd.DataFrame]:
    """The same with plans a head of each age growing as England's and the region's did."""
    try:
        plans = decomposition.both_years(decomposition.plans_by_band, start, end)
        people = [decomposition.people_by_age(year) for year in (start, end)]
    except MissingDataError:
        return []
    bands = list(AGE_BANDS)
    others = [(areas.ENGLAND, "england")]
    if area.level == "local authority":
        others.append((area.region, "region"))
    if any(frame.loc[area, bands].isna().any() for frame in plans):
        return []
    rows = []
    for other, role in others:
        known = decomposition.in_both(other, plans, people)
        rates = known.plans / known.people
        own = [decomposition.in_bands(by_age.loc[[area]])[0] for by_age in people]
        begin = plans[0].loc[area, bands].to_numpy()
        would = (begin * own[1] / own[0] * rates[1] / rates[0]).sum()
        rows.append({
            "area": other.name, "role": role, "basis": "plans a head",
            "growth": 100 * (would / begin.sum() - 1), "plans_if": would, "pooled": 1,
            "lacks": known.lacks,
        })  # fmt: skip
    return [pd.DataFrame(rows)]
