"""Beyond the years that forecasts were tested on: new plans per head level off, under a ceiling.

Plans are followed by year of age, so that growth ends with the birth cohorts that bring it. In the
tested years new plans are as many as the forecast needs; after them a child of an age is as likely
to get a plan as in the last tested year, and never likelier than in the authority where most do.
No release goes back far enough to score this: it is an illustration, from the last January only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import scenarios, tables
from send_analysis.areas import ENGLAND
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.reconciliation import NORMAL, spread_of_sum
from send_analysis.growth import denominators

TESTED = 5  # years ahead that have been scored
AGES = np.arange(2, 26)  # at the 31 August before the January; ages 0 to 2 are published together
LAST_NEW = 16  # age above which more plans end than begin: their balance is one rate
PACE = 2  # calendar years over which an authority's new plans are averaged: one is mostly chance
SMALLEST = 1000  # plans of an authority that the ceiling may be taken from
APART = 5  # years over which authorities' new plans per head are seen to drift from England's
COUNTED = NORMAL[5]  # standard deviations in half of an 80 % range


@dataclass(frozen=True)
class Start:
    """What the long range starts from, for one or more areas.

    Attributes
    ----------
    plans : ndarray (areas, ages)
        Plans in the last January.
    people : ndarray (areas, years, ages)
        Residents in the middle of the calendar year before each January ahead.
    miscounted : ndarray (years,)
        Standard deviation of `people`, log points: nought where they were counted.
    kept : ndarray (ages − 1,)
        Plans of an age over those of the age below a year before, new ones apart; England's.
    new : ndarray (ages,)
        New plans a head in the last year, England's.
    moved : ndarray (areas,)
        Standard deviation of a year's change of new plans per head, log points.
    common : float
        The part of it that all areas share.
    ceiling : float
        Highest share of a birth cohort with a plan.
    fading : float
        Share of an excess of new plans per head over what leads to the ceiling that is left after
        a year.
    level : float, default 1
        New plans per head after the tested years, over those of the last of them.
    """

    plans: np.ndarray
    people: np.ndarray
    miscounted: np.ndarray
    kept: np.ndarray
    new: np.ndarray
    moved: np.ndarray
    common: float
    ceiling: float
    fading: float
    level: float = 1.0

    def wider(
        self, member: np.ndarray, point: np.ndarray, own: np.ndarray, common: np.ndarray
    ) -> np.ndarray:
        """Say how much wider a sum of areas is, as :func:`extend` does for each.

        What areas move by on their own cancels in the sum; what they share stays.
        """
        whole = replace(
            self,
            plans=self.plans[member].sum(0, keepdims=True),
            people=self.people[member].sum(0, keepdims=True),
            moved=np.array([self.common]),
        )
        spread = spread_of_sum(point[member], own[member], common)
        return extend(whole, point[member].sum(0)[None], (spread[:, None] * NORMAL)[None]).wider


def start(codes: np.ndarray, origin: int, horizon: int) -> Start:
    """Gather what the official tables say.

    Parameters
    ----------
    codes : ndarray of str
        Authorities.
    origin : int
        The last January published, with plans by single year of age for it and the one before.
    horizon : int
        Years ahead.

    Raises
    ------
    MissingDataError
        Without plans by single year of age.

    Notes
    -----
    Plans of age a + 1 in January t + 1 are ``kept[a]`` times those of age a in January t and the
    new ones. To age 16 ``kept`` is the share that did not cease in the calendar year between, and
    the rest of the plans are new; above it, where more end than begin, it is the balance of both.
    An authority that gave no ages has England's.
    """
    plans = tables.load("ehc_plans_by_age")
    both = [_by_age(plans[plans["year"] == year], "setting") for year in (origin - 1, origin)]
    ceased = tables.load("ceased_plans_by_age")
    ceased = ceased[ceased["year"] == origin - 1]
    if not all(ENGLAND in each.index for each in both) or ENGLAND not in set(ceased["area_code"]):
        raise MissingDataError(
            f"More than {TESTED} years ahead is told only from the last January, with plans by "
            f"single year of age for it and the January before; the tables have none for {origin}. "
            f"Ask for {TESTED} years or fewer."
        )
    before, now = (each.loc[ENGLAND].to_numpy() for each in both)
    ended = _by_age(ceased, "reason").loc[ENGLAND].to_numpy()
    moved_on = ceased[ceased["reason"] == "transferred to another authority"]
    ended = ended - _by_age(moved_on.assign(reason="all"), "reason").loc[ENGLAND].to_numpy()
    young = AGES[1:] <= LAST_NEW
    kept = np.where(young, 1 - ended[:-1] / before[:-1], now[1:] / before[:-1])
    entered = now - np.r_[0, kept * before[:-1]]

    residents = denominators.known_by(origin - 1)
    years = residents.columns.get_level_values("year")
    ahead = np.minimum(np.arange(origin - 1, origin + horizon), years.max())
    people = np.stack([residents[year][AGES].reindex(codes).to_numpy() for year in ahead], axis=1)
    plans_now = both[1].reindex(codes).to_numpy()
    plans_now = np.where(np.isnan(plans_now).any(1, keepdims=True), now, plans_now)
    population = tables.load("population")
    counted = int(population.loc[population["basis"] != "estimated", "year"].max())
    drift = denominators.spread(denominators.left_out()) / COUNTED
    moves = _moves(tables.load("new_plans"), residents, origin)
    return Start(
        plans=plans_now,
        people=people[:, 1:],
        miscounted=drift * np.maximum(ahead[1:] - counted, 0),
        kept=kept,
        new=entered / people[:, 0].sum(0),
        moved=np.full(len(codes), np.hypot(moves.common, moves.own)),
        common=moves.common,
        ceiling=_ceiling(tables.load("new_plans_by_age"), plans_now.sum(1), codes, residents),
        fading=moves.fading,
        level=float(scenarios.assumptions("forecast").at["new_plans_beyond", "value"]),
    )


def _by_age(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Lay out counts of all settings or reasons: area down, age across; 20 to 25 as 20 if so."""
    rows = rows[(rows[column] == "all") & (rows["age"] != "unknown")]
    age = rows["age"].replace({"0-2": "2", "20-25": "20"}).astype(int)
    wide = rows.assign(age=age).pivot(index="area_code", columns="age", values="plans")
    return wide.reindex(columns=AGES).astype("float64")


def _ceiling(
    new: pd.DataFrame, plans: np.ndarray, codes: np.ndarray, residents: pd.DataFrame
) -> float:
    """Share of a birth cohort that gets a plan at the pace of the authority with most."""
    last = int(new["year"].max())
    share = [
        _by_age(new[new["year"] == year], "setting") / residents[year].reindex(columns=AGES)
        for year in range(last - PACE + 1, last + 1)
    ]
    ever = (sum(share) / PACE).sum(axis=1, min_count=LAST_NEW).reindex(codes).to_numpy()
    return float(np.nanmax(np.where(plans >= SMALLEST, ever, np.nan)))


class Moves(NamedTuple):
    """How new plans per head move from year to year, log points."""

    common: float  # of England
    own: float  # of an authority
    fading: float  # share of its distance from the others that is left a year later


def _moves(new: pd.DataFrame, residents: pd.DataFrame, origin: int) -> Moves:
    """Size of a year's change of new plans per head, England's and own, and how distance fades.

    England's is the root mean square of all yearly changes since the first published, growth not
    taken out. An authority's own is that of its change against the middle authority's over
    `APART` years, as if each year had moved on its own. The share of its distance from the others
    that is left a year later comes from the slope of late on early.
    """
    wide = new[(new["age_band"] == "all") & (new["year"] < origin)].pivot(
        index="area_code", columns="year", values="plans"
    )
    wide = wide.astype("float64")
    common = float(np.sqrt((np.log(wide.loc[ENGLAND]).diff() ** 2).mean()))
    people = residents.T.groupby("year").sum().T
    late, early = (
        np.log(sum(wide[year] / people[year] for year in range(last - PACE + 1, last + 1)))
        for last in (origin - 1, origin - 1 - APART)
    )
    both = pd.DataFrame({"early": early, "late": late}).replace(-np.inf, np.nan).dropna()
    apart = both - both.median()
    moved = (apart["late"] - apart["early"]).abs().quantile(0.8) / COUNTED
    slope = apart["late"].cov(apart["early"]) / apart["early"].var()
    return Moves(common, float(moved / np.sqrt(APART)), float(slope ** (1 / APART)))


def paths(first: Start, tested: np.ndarray) -> np.ndarray:
    """Go on from the forecast of the tested years.

    Parameters
    ----------
    first : Start
        Of the areas.
    tested : ndarray (areas, years, levels)
        Quantiles of the forecast, plans; as many years as were tested.

    Returns
    -------
    ndarray (areas, years, levels)
        Quantiles of all years; the tested ones as given.

    Notes
    -----
    Each quantile is a path of its own, so that they never cross: its plans in the tested years are
    the forecast's at that quantile; after them its new plans per head move from those of the last
    tested year by z σ √n, n years on, z the normal quantile and σ the size of a year's change; its
    residents are off by as many of their own standard deviations. With a straight line in one
    chance for all, the fan is wider than if each were drawn alone. A birth cohort's share of
    plans stays under the ceiling; new plans per head that would lead above it over a childhood
    grow no more and draw near it as authorities have drawn together.
    """
    people = first.people[:, :, None, :] * np.exp(
        first.miscounted[:, None] * NORMAL
    )[None, :, :, None]  # fmt: skip
    plans = np.repeat(first.plans[:, None, :], len(NORMAL), axis=1)
    most = first.ceiling / first.new.sum()
    out = []
    for step in range(people.shape[1]):
        here = people[:, step]
        carried = np.zeros_like(plans)
        carried[..., 1:] = plans[..., :-1] * first.kept
        usual = first.new * here
        if step < TESTED:
            wanted = tested[:, step]
            pace = np.maximum(wanted - carried.sum(2), 0) / usual.sum(2)
            plans = carried + pace[..., None] * usual
            plans *= (wanted / plans.sum(2))[..., None]
        else:
            on = step + 1 - TESTED
            faster = first.level * pace * np.exp(first.moved[:, None] * np.sqrt(on) * NORMAL)
            excess = np.maximum(first.level * pace / most, 1) ** first.fading**on
            faster = np.minimum(faster, most * excess)
            plans = np.minimum(carried + faster[..., None] * usual, first.ceiling * here)
        out.append(wanted if step < TESTED else plans.sum(2))
    return np.stack(out, axis=1)


class Extended(NamedTuple):
    """A forecast that goes on beyond the tested years."""

    point: np.ndarray  # medians, areas by years
    wider: np.ndarray  # areas, years, levels: factor on the quantiles


def extend(first: Start, point: np.ndarray, log: np.ndarray) -> Extended:
    """Bend a forecast's medians beyond the tested years, and widen its quantiles.

    Parameters
    ----------
    first : Start
        Of the areas.
    point : ndarray (areas, years)
        Medians of the forecast, plans.
    log : ndarray (areas, years, levels)
        Its quantiles, log points above the median.

    Returns
    -------
    Extended
        Medians, and the factor from the quantiles that `log` gives about them to those of
        :func:`paths`: 1 in the tested years and at the median.
    """
    ahead = paths(first, point[:, :TESTED, None] * np.exp(log[:, :TESTED]))
    middle = ahead[..., len(NORMAL) // 2]
    wider = ahead / middle[..., None] / np.exp(log)
    wider[:, :TESTED] = 1
    return Extended(middle, wider)
