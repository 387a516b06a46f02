"""How an authority's new and ceasing plans move from year to year, learnt from past years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from send_analysis import caveats, tables
from send_analysis.areas import ENGLAND
from send_analysis.categories import AGE_BANDS
from send_analysis.forecasting.cohorts.inputs import AGES, BANDS, SETTINGS, Snapshot, placed
from send_analysis.forecasting.cohorts.shrinkage import as_shares, range_sd, robust_sd
from send_analysis.quality import SD_OF_MAD

# Growth of new plans: England's mean over so many years, each year's growth this share of the year
# before's. Of the windows 1, 3, 5 and dampings 0 to 1 tried on authorities' new plans 2014–2024,
# rolling origins, these have the least mean absolute error 3 years ahead and, but for no damping,
# 5 years ahead (benchmarks/cohorts.py).
TREND_YEARS = 5
DAMPING = 0.85
# Yearly changes, and plans, that the spread of age bands is taken from: England's of the last five
# years, authorities' of the last alone. Of the last 1, 2, 3 and 5, what authorities had done in one
# held nearest to four in five of their changes in January 2019 to 2022 (docs/cohorts.md).
RECENT, SMALLEST = 5, 20
# Yearly changes of England's mix that a setting's drift is taken from: four, drawn to nought, or
# the last two as they are where those have missed by less in that setting, once three years tell.
# To January 2022 four alone missed state special schools by a quarter more (docs/cohorts.md).
CHANGES, FEWEST, TOLD = 4, 2, 3
STARTED = 100  # plans in England that make a setting one in use
FIRST_YEAR = 2014  # statements of SEN gave way to EHC plans in September 2014


@dataclass(frozen=True)
class Trend:
    """How new plans per head move from the years they were estimated in.

    Parameters
    ----------
    growth : float
        England's mean yearly growth, as a difference of logarithms.
    year_sd, walk_sd : float
        Standard deviations of the logarithm of an authority's new plans: of a single year, and of
        each year's lasting step.
    leave_sd : float
        Standard deviation of the logarithm of the share of plans that cease in a single year.
    age_sd, age_common_sd : ndarray (bands,)
        Standard deviation of a year's change in the logarithm of each age band's share of plans, of
        an authority, and of the part that all authorities share.
    """

    growth: float
    year_sd: float
    walk_sd: float
    leave_sd: float
    age_sd: np.ndarray
    age_common_sd: np.ndarray


def entry_trend(origin: int) -> Trend:
    """Estimate how new plans grow and how uncertain that is, from totals before a January.

    Notes
    -----
    Errors of the same rule at earlier origins, on the authorities of that January: their variance
    h years ahead is taken as year² + h · walk², the robust spread (1.4826 × median absolute
    deviation) at the shortest and the longest horizon giving the two.
    """
    rows = tables.load("new_plans")
    rows = rows[(rows["age_band"] == "all") & (rows["year"] < origin)]
    wide = rows.pivot_table(index="area_code", columns="year", values="plans", aggfunc="sum")
    wide = np.log(wide.astype(float).where(wide > 0)).loc[:, FIRST_YEAR:]
    england = wide.loc[ENGLAND]
    last = int(wide.columns[-1])
    known = tables.load("areas")
    codes = known.loc[
        (known["level"] == "local authority") & (known["last_year"] >= origin), "area_code"
    ]
    wide = wide.reindex(codes)
    spread = {}
    for horizon in range(1, last - FIRST_YEAR - TREND_YEARS + 1):
        errors = []
        for start in range(FIRST_YEAR + TREND_YEARS, last - horizon + 1):
            growth = (england[start] - england[start - TREND_YEARS]) / TREND_YEARS
            level = (wide[start] + wide[start - 1] + growth) / 2
            ahead = growth * damped(horizon)[-1]
            errors.append((wide[start + horizon] - level - ahead).dropna().to_numpy())
        spread[horizon] = robust_sd(np.concatenate(errors))
    first, longest = min(spread), max(spread)
    walk = max(spread[longest] ** 2 - spread[first] ** 2, 0.0) / max(longest - first, 1)
    year = max(spread[first] ** 2 - walk, 0.0)
    growth = (england[last] - england[last - TREND_YEARS]) / TREND_YEARS
    return Trend(
        float(growth),
        np.sqrt(year),
        np.sqrt(walk),
        _leave_sd(origin, codes),
        *_age_sd(origin, codes),
    )


def _leave_sd(origin: int, codes: pd.Series) -> float:
    """Spread of a single year's share of plans that cease, beyond that of counting few.

    Half the variance of the change from year to year; person-level returns only (from 2022).
    """
    ceased = tables.load("ceased_plans")
    ceased = ceased[(ceased["reason"] == "all") & ceased["year"].between(2022, origin - 1)]
    ceased = ceased.pivot_table(index="area_code", columns="year", values="plans").reindex(codes)
    ceased = ceased.astype(float).where(ceased > 0)
    change = np.log(ceased).diff(axis=1).iloc[:, 1:]
    counting = float((1 / ceased).median(axis=None))
    return float(np.sqrt(max(robust_sd(change.to_numpy()) ** 2 / 2 - counting, 0.0)))


def _age_sd(origin: int, codes: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Spreads of a year's change in each age band's share of plans, as `Trend` defines them.

    Of the latest years in which bands were published a year apart; bands under 20 plans left out.
    Authorities' changes in the last one, robustly, and England's beyond its own of the year before,
    root mean square, added as independent. What all share is the latter told robustly: among
    these years may be some in which the oldest band was still filling.
    """
    rows = tables.load("ehc_plans")
    rows = rows[rows["age_band"].isin(AGE_BANDS) & (rows["year"] <= origin)]
    plans = rows.pivot_table(index="area_code", columns=["year", "age_band"], values="plans")
    plans = plans.astype(float).where(plans >= SMALLEST)
    years = plans.columns.unique("year")
    share = {year: np.log(plans[year].div(plans[year].sum(axis=1), axis=0)) for year in years}
    pairs = [year for year in years if {year - 1, year - 2} <= set(years)][-RECENT:]
    change = {year: share[year] - share[year - 1] for year in share if year - 1 in share}
    own = change[pairs[-1]].reindex(codes)
    own = [range_sd(own[band].to_numpy()) for band in AGE_BANDS]
    common = [(change[year] - change[year - 1]).loc[ENGLAND, list(AGE_BANDS)] for year in pairs]
    shared = SD_OF_MAD * np.median(np.abs(common), axis=0)
    return np.hypot(own, np.sqrt(np.mean(np.square(common), axis=0))), shared


def damped(years: int) -> np.ndarray:
    """Growth so far after each year, in years of undamped growth."""
    return np.cumsum(DAMPING ** np.arange(1, years + 1))


class Drift(NamedTuple):
    """How England's mix of settings moves beside what its ages do to it, by setting (S)."""

    growth: np.ndarray  # a year's change of the logarithm of a setting's share
    sd: np.ndarray  # standard deviation of its error, one year ahead
    years: np.ndarray  # Januaries that this is taken from


def drift(known: Snapshot) -> Drift:
    """Estimate how settings' shares move in England at given ages, from years before a January.

    Notes
    -----
    Of the last `CHANGES` yearly changes in the logarithm of a setting's share of the plans whose
    setting is recorded, less what the sizes of the age bands did to it at the origin's shares by
    age, those that no break of the series crosses: the mean, drawn to nought as far as it may be
    chance, m · max(0, 1 − (s² ÷ n) ÷ m²), or the mean of the last `FEWEST`, whichever has missed by
    less in the years of this setting so far. Its error is what this rule, choice included, missed
    in every earlier year, from the changes before it: the root mean square over n years, widened as
    Student's t with n degrees of freedom is at its tenth and ninetieth percentiles. Before plans
    there were statements, and nobody of the last age band had one.
    """
    change = mix_changes(known)
    growth, sd, years = (
        np.zeros(len(SETTINGS)),
        np.zeros(len(SETTINGS)),
        np.zeros(len(SETTINGS), int),
    )
    for place, setting in enumerate(SETTINGS[:-1]):
        seen = change[setting].dropna()
        growth[place] = _lasting(seen.to_numpy())
        missed = drift_errors(seen)
        years[place] = len(missed)
        few = stats.t.ppf(0.9, len(missed)) / stats.norm.ppf(0.9)  # what few years cannot tell
        sd[place] = few * np.sqrt((missed**2).mean())
    return Drift(growth, sd, years)


def drift_errors(changes: pd.Series) -> pd.Series:
    """What the rule of `drift` missed in each year, from the changes before it.

    Parameters
    ----------
    changes : Series
        Yearly changes of one setting, by January.

    Returns
    -------
    Series
        Change less what the rule says; from the third on.
    """
    return pd.Series(_missed(changes.to_numpy(), _lasting), index=changes.index[FEWEST:])


def _missed(changes: np.ndarray, rule: Callable[[np.ndarray], float]) -> np.ndarray:
    """Change less what a rule says from the changes before it."""
    return changes[FEWEST:] - [rule(changes[:years]) for years in range(FEWEST, len(changes))]


def _lasting(changes: np.ndarray) -> float:
    """Yearly change that is expected to go on: by the rule that has missed by less so far."""
    if len(changes) < FEWEST + TOLD:
        return _slow(changes)
    return min((_slow, _quick), key=lambda rule: (_missed(changes, rule) ** 2).mean())(changes)


def _slow(changes: np.ndarray) -> float:
    """Mean of the last `CHANGES`, drawn to nought as far as it may be chance."""
    if len(changes) < FEWEST:
        return 0.0
    last = changes[-CHANGES:]
    mean = last.mean()
    return mean * max(0.0, 1 - last.var(ddof=1) / len(last) / mean**2)


def _quick(changes: np.ndarray) -> float:
    """Mean of the last `FEWEST`."""
    return changes[-FEWEST:].mean()


def mix_changes(known: Snapshot) -> pd.DataFrame:
    """Yearly changes of the logarithm of settings' shares in England beside what ages did to them.

    Parameters
    ----------
    known : Snapshot

    Returns
    -------
    DataFrame
        By January and setting; missing where the series breaks or the setting had only begun.
    """
    stock = np.nansum(known.stock, axis=0)
    mix = as_shares(
        np.stack([stock[np.array(band) - AGES[0]].sum(axis=0)[:-1] for band in BANDS.values()])
    )
    bands = tables.load("ehc_plans")
    bands = bands[(bands["area_code"] == ENGLAND) & (bands["year"] <= known.origin)]
    bands = bands.pivot(index="year", columns="age_band", values="plans")[list(BANDS)]
    bands = bands.astype("float64").fillna({list(BANDS)[-1]: 0.0}).dropna()
    rows = placed(ENGLAND)
    plans = rows.pivot_table(index="year", columns="setting", values="plans", aggfunc="sum")
    plans = plans[SETTINGS[:-1]].astype("float64").loc[plans.index <= known.origin]
    there = plans.where(plans >= STARTED).div(plans.sum(axis=1), axis=0)
    share = np.log(there) - np.log(
        pd.DataFrame(as_shares(bands.to_numpy()) @ mix, index=bands.index, columns=SETTINGS[:-1])
    )
    change = share.diff()
    for setting, group in rows.groupby("setting")["placement_group"].first().items():
        if setting not in change:
            continue
        asked = pd.DataFrame({"area_code": ENGLAND}, index=change.index)
        broken = caveats.crossed(
            asked, "placements", change.index - 1, change.index, category=f"{group} / all"
        )
        change.loc[broken != "", setting] = np.nan
    return change
