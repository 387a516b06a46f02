"""The official tables as arrays for the cohort model: authority × age × setting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from send_analysis import caveats, reads, tables
from send_analysis.areas import ENGLAND, Area
from send_analysis.categories import AGE_BANDS, setting_of
from send_analysis.errors import MissingDataError
from send_analysis.forecasting.cohorts.shrinkage import range_sd
from send_analysis.growth import denominators

SETTINGS = [
    "early years",
    "mainstream",
    "resourced provision or SEN unit",
    "state special school",
    "independent or non-maintained special school",
    "alternative provision",
    "further education",
    "educated elsewhere",
    "not recorded",
]
# Age at the 31 August before the January, so that 4 is reception and 11 is year 7. The publisher
# groups ages up to 2 in all tables, and 20 and over in the tables of flows.
AGES = list(range(2, 26))
BANDS = {band: [age for age in ages if age in AGES] for band, ages in AGE_BANDS.items()}
# Ages whose mix of settings is held together: below school, primary, secondary, after year 11.
BLOCKS = [slice(first - 2, last - 1) for first, last in ((2, 3), (4, 10), (11, 15), (16, 25))]
FLOW_AGES = list(range(2, 21))
RECORDED = 0.7  # share of plans whose setting is recorded, below which nothing is told from them
_GROUPED = {"0-2": "2", "20-25": "20"}


@dataclass(frozen=True)
class Snapshot:
    """What was known in one January.

    Parameters
    ----------
    origin : int
        The January.
    areas : Index
        Codes of the local authorities (n).
    region : ndarray of int (n,)
        Number of each authority's region.
    stock : ndarray (n, A, S)
        Plans in that January; NaN where an authority gave none by age.
    before : ndarray (n, A, S) or None
        Plans in the January before, where the release has it; NaN where an authority gave none.
    new : ndarray (years, n, F, S)
        New plans in the last calendar years, oldest first.
    ceased : ndarray (years, n, F)
        Plans that ceased other than by moving to another authority, oldest year first.
    ceased_by_setting : ndarray (S,)
        The same for England in the last year, by setting.
    mix_sd : ndarray (S,)
        Robust standard deviation over authorities of a year's change in a setting's share of plans.
    people : ndarray (n, years, A)
        People of each age at the middle of the last two calendar years.
    people_ahead : ndarray (n, years, A)
        The same at the middle of the calendar years that follow.
    """

    origin: int
    areas: pd.Index
    region: np.ndarray
    stock: np.ndarray
    before: np.ndarray | None
    new: np.ndarray
    ceased: np.ndarray
    ceased_by_setting: np.ndarray
    mix_sd: np.ndarray
    people: np.ndarray
    people_ahead: np.ndarray


@tables.remembered
def origins() -> tuple[int, ...]:
    """Januaries to project from: with plans by age, and the flows of the year before.

    A release may bring one table and not another.
    """
    stock = set(tables.load("ehc_plans_by_age")["year"])
    flows = [
        set(tables.load(name)["year"] + 1)
        for name in ("new_plans_by_age", "ceased_plans_by_age", "ceased_plans_by_setting")
    ]
    return tuple(sorted(map(int, stock.intersection(*flows))))


def snapshot(origin: int | None = None, *, years: int = 10) -> Snapshot:
    """Gather what the official tables say up to one January, and nothing later.

    Parameters
    ----------
    origin : int, optional
        January to start from, one of :func:`origins`; the latest if not given.
    years : int
        Years of population needed ahead.

    Raises
    ------
    MissingDataError
        If there is no caseload by single year of age for that January.
    """
    origin = origins()[-1] if origin is None else origin
    if origin not in origins():
        raise MissingDataError(
            f"No caseload by single year of age for January {origin}; the release has it for "
            f"{' and '.join(map(str, origins()))}."
        )
    known = tables.load("areas")
    current = known[(known["level"] == "local authority") & (known["last_year"] >= origin)]
    codes = pd.Index(current["area_code"])
    region = pd.factorize(current["region_code"], sort=True)[0]
    stock, before = _caseload(origin, codes), None
    if origin - 1 in origins():
        before = _caseload(origin - 1, codes)
        stock = _spread(stock, before, region)
    people = population(origin - 2, origin + years - 1, known=origin - 1).reindex(codes)
    people = people.to_numpy().reshape(len(codes), years + 2, len(AGES))
    return Snapshot(
        origin=origin,
        areas=codes,
        region=region,
        stock=stock[..., : len(SETTINGS)],
        before=None if before is None else before[..., : len(SETTINGS)],
        new=np.stack([_new(year, codes) for year in (origin - 2, origin - 1)]),
        ceased=np.stack([_ceased(year, codes) for year in _ceased_years(origin)]),
        ceased_by_setting=_ceased_by_setting(origin - 1),
        mix_sd=_mix_sd(origin, codes),
        people=people[:, :2],
        people_ahead=people[:, 2:],
    )


def population(first: int, last: int, *, known: int) -> pd.DataFrame:
    """People by single year of age, aged on by cohort after the last mid-year that is known.

    Parameters
    ----------
    first, last : int
        Mid-years wanted.
    known : int
        Last mid-year that counts as known.

    Returns
    -------
    DataFrame
        One row an authority, columns (year, age) for ages 2 to 25.

    Raises
    ------
    MissingDataError
        If the table does not go that far.
    """
    wide = denominators.known_by(known)
    years = wide.columns.get_level_values("year")
    if not years.min() <= first <= last <= years.max():
        raise MissingDataError(
            f"Population is wanted for mid-{first} to mid-{last}; the table has "
            f"mid-{years.min()} to mid-{years.max()}."
        )
    return wide.loc[:, pd.MultiIndex.from_product([range(first, last + 1), AGES])]


def _array(
    rows: pd.DataFrame, value: str, codes: pd.Index, ages: list[int], columns: list[str]
) -> np.ndarray:
    """Turn a long table into an array (authority, age, column); NaN where it has no row."""
    age = rows["age"].replace(_GROUPED)
    rows = rows[age != "unknown"].assign(age=age[age != "unknown"].astype(int))
    wide = rows.pivot_table(
        index="area_code", columns=["age", value], values="plans", aggfunc="sum", dropna=False
    )
    wide = wide.reindex(index=codes, columns=pd.MultiIndex.from_product([ages, columns]))
    return wide.to_numpy(dtype=float, na_value=np.nan).reshape(len(codes), len(ages), len(columns))


def _caseload(year: int, codes: pd.Index) -> np.ndarray:
    """Plans by age and setting, all settings last; NaN where an authority gave none."""
    rows = tables.load("ehc_plans_by_age")
    rows = rows[(rows["year"] == year) & rows["plans"].notna()]
    return _array(rows, "setting", codes, AGES, [*SETTINGS, "all"])


def recorded(stock: np.ndarray) -> np.ndarray:
    """Say of each authority whether its plans by age and setting are there and tell of settings.

    Parameters
    ----------
    stock : ndarray (…, A, S)

    Returns
    -------
    ndarray of bool (…)
    """
    share = stock[..., :-1].sum(axis=(-1, -2)) / np.maximum(stock.sum(axis=(-1, -2)), 1.0)
    return share >= RECORDED  # false where a number is missing


def _spread(stock: np.ndarray, before: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Fill settings where an authority gave plans by age only.

    The shares are its own of the January before, at each age; its region's where it had none.
    """
    stock = stock.copy()
    for area in np.nonzero(np.isnan(stock[:, 0, 0]) & ~np.isnan(stock[:, 0, -1]))[0]:
        near = np.nansum(stock[region == region[area], :, :-1], axis=0)
        own = np.nan_to_num(before[area, :, :-1])
        share = np.where(own.sum(axis=1, keepdims=True) > 0, own, near) + 1e-9
        share = share / share.sum(axis=1, keepdims=True)
        stock[area, :, :-1] = stock[area, :, -1:] * share
    return stock


def _new(year: int, codes: pd.Index) -> np.ndarray:
    """New plans by age and setting in a calendar year."""
    rows = tables.load("new_plans_by_age")
    rows = rows[(rows["year"] == year) & rows["plans"].notna()]
    return _array(rows, "setting", codes, FLOW_AGES, SETTINGS)


def _ceased_years(origin: int) -> list[int]:
    """Calendar years before a January for which ceased plans are given by age."""
    years = tables.load("ceased_plans_by_age")["year"].unique()
    return sorted(int(year) for year in years if year < origin)


def _ceased(year: int, codes: pd.Index) -> np.ndarray:
    """Plans that ceased by age, without those that another authority took over."""
    rows = tables.load("ceased_plans_by_age")
    rows = rows[(rows["year"] == year) & rows["plans"].notna()]
    rows = rows[caveats.sound(rows, "ceased_plans")]
    counts = _array(rows, "reason", codes, FLOW_AGES, ["all", "transferred to another authority"])
    return counts[..., 0] - np.nan_to_num(counts[..., 1])


def _ceased_by_setting(year: int) -> np.ndarray:
    """The same for England by setting."""
    rows = tables.load("ceased_plans_by_setting")
    rows = rows[(rows["year"] == year) & (rows["area_code"] == ENGLAND)]
    wide = rows.pivot_table(index="setting", columns="reason", values="plans", aggfunc="sum")
    count = wide["all"] - wide["transferred to another authority"]
    return count.reindex(SETTINGS).to_numpy(dtype=float)


@reads.found
def placed(area: Area | None = None) -> pd.DataFrame:
    """Placements, all ages, with the ``setting`` of each.

    Parameters
    ----------
    area : Area or str, optional
        All areas if not given.

    Returns
    -------
    DataFrame
        Rows of `placements` that are in one of `SETTINGS`.
    """
    rows = tables.load("placements")
    rows = rows if area is None else rows[rows["area_code"] == area]
    pairs = rows[["placement_group", "placement"]].drop_duplicates()
    pairs = pairs.assign(setting=[setting_of(*pair) for pair in pairs.to_numpy()])
    pairs = pairs[pairs["setting"].isin(SETTINGS)]
    return rows.merge(pairs, on=["placement_group", "placement"])


def _mix_sd(origin: int, codes: pd.Index) -> np.ndarray:
    """Spread over authorities of a year's change in each setting's share, since January 2023.

    Before 2023 placements were counted on another basis.
    """
    rows = placed()
    rows = rows[rows["year"].between(2023, origin) & rows["area_code"].isin(codes)]
    plans = rows.pivot_table(index=["area_code", "setting"], columns="year", values="plans",
                             aggfunc="sum", min_count=1).astype(float)  # fmt: skip
    share = plans / plans.groupby(level="area_code").transform("sum")
    change = share.diff(axis=1).iloc[:, 1:]
    return np.array([range_sd(change.xs(name, level="setting").to_numpy()) for name in SETTINGS])
