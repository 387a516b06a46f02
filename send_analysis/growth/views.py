"""Growth as a reader wants it: each result over the area's own period, or the reason why not.

What an area's tables do not carry (a flagged return, a series that breaks) is a `MissingDataError`
that says so, for the page to print in its place.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from send_analysis import caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.growth import account, breaks, decomposition, panel, series, stages
from send_analysis.growth import counterfactuals as others
from send_analysis.rounding import controlled_rounding


class Period(NamedTuple):
    """Januaries that growth is told from and to."""

    start: int
    end: int


@reads.found
def period(area: Area) -> Period:
    """Return the Januaries that an area's growth is told from and to.

    Returns
    -------
    Period
        From the first January that compares, or the area's first, to the last published.
    """
    start = max(series.COMPARABLE, area.first_year)
    return Period(start, series.latest(area))


@reads.found
def unit(area: Area) -> Area:
    """Return the code by which an area, or the footprint it lies in, is ranked."""
    ranked = series.growth(series.COMPARABLE, series.latest(area))["area_code"]
    return area if area in set(ranked) else area.footprint


@reads.result
def ranked(area: Area) -> pd.DataFrame:
    """Return the growth of all authorities, as :func:`.series.growth`, to the area's last year."""
    return series.growth(series.COMPARABLE, series.latest(area))


@reads.result
def by(dimension: str, area: Area) -> pd.DataFrame:
    """Return plans by category at both ends, as :func:`.series.by`.

    Raises
    ------
    MissingDataError
        If the latest figure is flagged, or there is none.
    """
    when = period(area)
    table = series.DIMENSIONS[dimension][0]
    category = "special / all" if dimension == "placement" else "all"
    caveats.require(table, area, year=when.end, category=category)
    return series.by(dimension, area, start=when.start, end=when.end)


@reads.result
def flows(area: Area) -> pd.DataFrame:
    """Return what came in and what went out, as :func:`.series.flows`.

    Raises
    ------
    MissingDataError
        If the latest figure is flagged, or no year has both.
    """
    caveats.require("ceased_plans", area, year=series.latest(area) - 1)
    found = series.flows(area)
    if found["ceased"].isna().all():
        raise MissingDataError(
            f"The tables have no year for {area.name} with both new and ceased plans."
        )
    return found


@reads.result
@tables.remembered(most=1)
def decompose(area: Area) -> pd.DataFrame:
    """Return what added to an area's plans, as :func:`.decomposition.decompose`."""
    when = _unbroken(area)
    return decomposition.decompose(area, start=when.start, end=when.end, whole=True)


@reads.result
def sensitivity(area: Area) -> pd.DataFrame:
    """Return the parts on other counts of ages, as :func:`.decomposition.sensitivity`."""
    when = _unbroken(area)
    return decomposition.sensitivity(area, start=when.start, end=when.end)


@reads.result
def variants(area: Area) -> pd.DataFrame:
    """Return the decomposition as ages are counted and as residents are estimated, a row each.

    Returns
    -------
    DataFrame
        Indexed by ``variant``: one column a component, plans added, whole numbers that add up.
    """
    found = sensitivity(area)
    wide = found.pivot(index="variant", columns="component", values="plans")
    wide = wide.loc[found["variant"].unique(), list(decomposition.COMPONENTS)]
    wide.loc[:] = [controlled_rounding(row[None])[0] for row in wide.to_numpy()]
    return wide


@reads.result
def prevalence(area: Area) -> pd.DataFrame:
    """Return plans per 1,000 by age, as :func:`.decomposition.prevalence`."""
    when = _unbroken(area)
    return decomposition.prevalence(area, start=when.start, end=when.end)


@reads.result
def stock(area: Area) -> pd.DataFrame:
    """Return the account of the whole period, as :func:`.account.stock_account`."""
    when = _unbroken(area)
    return account.stock_account(area, start=when.start, end=when.end)


@reads.result
@tables.remembered(most=1)
def ratios(area: Area) -> pd.DataFrame:
    """Return the ratios from request to plan, as :func:`.stages.ratios`, in calendar years."""
    when = period(area)
    return stages.ratios(area, start=when.start - 1, end=when.end - 1)


@reads.result
def beyond_chance(area: Area | None, *, end: int | None = None) -> pd.DataFrame:
    """Return growth over England's, as :func:`.panel.growth_ratios`: one area's, or all areas'."""
    if area is not None:
        _unbroken(area)
        end = series.latest(area)
    return panel.growth_ratios(area, start=series.COMPARABLE, end=end)


@reads.result
def compared(area: Area) -> pd.DataFrame:
    """Return an area's growth against England, its region and its neighbours, beyond chance.

    Returns
    -------
    DataFrame
        Indexed by ``against`` (their names): ``growth_a_year, others_a_year, ratio, ratio_low,
        ratio_high, more, more_low, more_high, rank, rank_low, rank_high``.
    """
    end = _unbroken(area).end
    rows = [
        panel.growth_ratios(area, start=series.COMPARABLE, end=end, against=against)
        for against in panel.REFERENCES
    ]
    out = pd.concat(rows, ignore_index=True)
    called = {"england": "England", "region": area.region.name,
              "neighbours": "ten neighbours"}  # fmt: skip
    out = out.assign(against=out["against"].map(called)).set_index("against")
    names = {"growth": "growth_a_year", "growth_others": "others_a_year"}
    out = out.rename(columns=names | {"low": "ratio_low", "high": "ratio_high"})
    columns = [
        "growth_a_year", "others_a_year", "ratio", "ratio_low", "ratio_high", "more", "more_low",
        "more_high", "rank", "rank_low", "rank_high",
    ]  # fmt: skip
    return out[columns]


@reads.result
def tested(area: Area) -> pd.DataFrame:
    """Return the tests for breaks in growth, as :func:`.breaks.breaks`."""
    _unbroken(area)
    return breaks.breaks(area)


@reads.result
def broke(found: pd.DataFrame) -> pd.DataFrame:
    """Return the tests for breaks as a reader sees them.

    Parameters
    ----------
    found : DataFrame
        What :func:`tested` returns.

    Returns
    -------
    DataFrame
        Indexed by ``tested`` (whose growth, against whom): ``event,
        januaries_before, before, januaries_after, after, step, step_low, step_high, p``.
    """
    beside = (" against " + found["against"]).where(found["against"] != "", "")
    out = found.assign(tested=found["area"] + beside).set_index("tested")
    out = out.rename(columns={"what": "event", "low": "step_low", "high": "step_high"})
    return out[
        ["event", "januaries_before", "before", "januaries_after", "after", "step",
         "step_low", "step_high", "p"]
    ]  # fmt: skip


@reads.result
def counterfactuals(area: Area) -> pd.DataFrame:
    """Return the plans with the growth of others, as :func:`.counterfactuals.counterfactuals`."""
    when = _unbroken(area)
    return others.counterfactuals(area, start=when.start, end=when.end)


def _unbroken(area: Area) -> Period:
    """Return the period, unless the area's series breaks in it."""
    when = period(area)
    said = series.broken(area, start=when.start, end=when.end)
    if said:
        raise MissingDataError(said)
    return when
