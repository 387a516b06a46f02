"""Residents: the people below every rate, and how far those after the last count may be off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from send_analysis import ageing, areas, tables

AGES = range(26)
LEVEL = 0.8  # share of authorities that a range is to hold, as for forecasts


@tables.remembered
def _by_age() -> pd.DataFrame:
    """People, authorities of today down, mid-year and age across."""
    people = tables.load("population")
    people = people[people["area_code"].isin(areas.current())]
    wide = people.pivot(index="area_code", columns=["year", "age"], values="people")
    return wide.sort_index(axis=1).astype("float64")


@tables.remembered
def _bases() -> pd.Series:
    """What the population of each mid-year rests on."""
    return tables.load("population").groupby("year")["basis"].first()


@tables.remembered
def known_by(last: int) -> pd.DataFrame:
    """Residents by age as of one mid-year: later ones aged on from it, nothing later used.

    Parameters
    ----------
    last : int
        Last mid-year that counts as known; one after the last published is taken as that one.

    Returns
    -------
    DataFrame
        Indexed by ``area_code`` (authorities of today), columns (year, age), as many years as the
        table `population` has.
    """
    wide, bases = _by_age(), _bases()
    last = min(last, int(bases.index[bases != "estimated"].max()))
    people = [wide[year].to_numpy() for year in bases.index if year <= last]
    ahead = int(bases.index.max()) - last
    people += ageing.age_on(people[-1], ageing.ratios(people), ahead)
    return pd.DataFrame(np.hstack(people), index=wide.index, columns=wide.columns)


@tables.remembered
def left_out(ages: Sequence[int] = AGES) -> pd.DataFrame:
    """Leave the last published mid-years out and see how far the estimates miss them.

    Parameters
    ----------
    ages : sequence of int, default 0 to 25
        Ages that are added up; a tuple or range.

    Returns
    -------
    DataFrame
        One row an authority, last year kept and year left out: ``area_code, kept, year, horizon``
        (years between the two), ``estimated, published``.
    """
    bases = _bases()
    published = bases.index[bases == "published"]
    truth = _by_age().T.loc[(slice(None), list(ages)), :].groupby("year").sum().T
    parts = []
    for kept in published[:-1]:
        made = known_by(int(kept)).T.loc[(slice(None), list(ages)), :].groupby("year").sum().T
        later = published[published > kept]
        both = {"estimated": made[later].stack(), "published": truth[later].stack()}
        parts.append(pd.DataFrame(both).reset_index().assign(kept=kept))
    out = pd.concat(parts, ignore_index=True)
    out["horizon"] = out["year"] - out["kept"]
    return out[["area_code", "kept", "year", "horizon", "estimated", "published"]]


def spread(missed: pd.DataFrame) -> float:
    """How far estimates stray a year: the half-width of the range, as a share, in logs.

    Parameters
    ----------
    missed : DataFrame
        As :func:`left_out` returns it.

    Returns
    -------
    float
        :data:`LEVEL` of the authorities, years and horizons missed by no more than this times the
        years ahead.
    """
    seen = missed[(missed["published"] > 0) & (missed["estimated"] > 0)]
    off = np.abs(np.log(seen["published"] / seen["estimated"])) / seen["horizon"]
    return float(off.quantile(LEVEL))


@tables.remembered
def residents() -> pd.DataFrame:
    """Residents aged 0 to 25 of every area and mid-year, with a range where they are estimated.

    Returns
    -------
    DataFrame
        ``area_code, year`` (mid-year), ``people, low, high, basis``. Low and high, the ends of an
        80 % range, are missing up to the last published year.

    Notes
    -----
    The range widens by :func:`spread` a year in both directions: errors grew in proportion to the
    years ahead, as far as the three years that can be left out show. It is that of an authority,
    and for a region or England no narrower, since their errors were mostly on one side.
    """
    rows = tables.load("population")
    rows = rows[rows["age"].isin(AGES)]
    by = rows.groupby(["area_code", "year"])
    out = by.agg(people=("people", "sum"), basis=("basis", "first")).reset_index()
    last = out.loc[out["basis"] != "estimated", "year"].max()
    ahead = (out["year"] - last).where(out["year"] > last)
    wide = np.exp(spread(left_out()) * ahead)
    out = out.assign(low=out["people"] / wide, high=out["people"] * wide)
    return out[["area_code", "year", "people", "low", "high", "basis"]]
