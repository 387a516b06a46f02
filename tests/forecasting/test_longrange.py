"""Beyond the tested years: paths against a second implementation, the ceiling, and continuity."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis import tables
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import longrange
from send_analysis.forecasting.longrange import AGES, TESTED
from send_analysis.forecasting.reconciliation import NORMAL
from send_analysis.forecasting.totals import forecast

ENGLAND = "E92000001"
YEARS = 40


@pytest.fixture(scope="module")
def every():
    rows = forecast(horizon=15)
    return rows[rows["category"] == "all"].pivot(
        index=["area_code", "year"], columns="quantile", values="value"
    )


@pytest.fixture(scope="module")
def current():
    plans = tables.load("ehc_plans").query("year == 2025 and age_band == 'all'")
    level = tables.load("areas").set_index("area_code")["level"]
    return plans[plans["area_code"].map(level) == "local authority"]["area_code"].to_numpy()


@pytest.fixture(scope="module")
def known(current):
    return longrange.start(current, 2025, 15)


def made_up(**changes):
    """One area of a thousand people of each age, a chance of 1 in 100 a year of a plan to 16."""
    count = len(AGES)
    young = AGES[1:] <= 16
    first = longrange.Start(
        plans=np.full((1, count), 20.0),
        people=np.full((1, YEARS, count), 1000.0),
        miscounted=np.zeros(YEARS),
        kept=np.where(young, 0.98, 0.7),
        new=np.where(AGES <= 16, 0.01, 0.0),
        moved=np.zeros(1),
        common=0.0,
        ceiling=0.5,
        fading=0.9,
    )
    return dataclasses.replace(first, **changes)


def by_cohort(first, years, pace=1.0):
    """The same, a birth cohort and a year at a time."""
    plans, out = list(first.plans[0]), []
    for _ in range(years):
        plans = [0.0, *(old * kept for old, kept in zip(plans[:-1], first.kept, strict=True))]
        plans = [p + pace * new * 1000 for p, new in zip(plans, first.new, strict=True)]
        out.append(sum(plans))
    return np.array(out)


def test_the_pace_of_the_tested_years_goes_on():
    """Fed five years of a constant pace, the path is that of cohorts at that pace for good."""
    first = made_up()
    for pace in (0.5, 1.0, 2.0):
        expected = by_cohort(first, YEARS, pace)
        tested = np.repeat(expected[None, :TESTED, None], len(NORMAL), axis=2)
        found = longrange.paths(first, tested)
        np.testing.assert_allclose(found, np.broadcast_to(expected[None, :, None], found.shape))


def test_half_the_new_plans_after_the_tested_years_is_half_the_pace():
    first = made_up()
    tested = np.repeat(by_cohort(first, TESTED)[None, :, None], len(NORMAL), axis=2)
    usual, half, none = (
        longrange.paths(dataclasses.replace(first, level=level), tested)[0, :, 3]
        for level in (1.0, 0.5, 0.0)
    )
    np.testing.assert_allclose(usual - half, half - none)
    assert none[-1] == pytest.approx(0, abs=1e-9)  # all have grown up


def test_plans_converge_from_below_on_new_plans_times_how_long_they_last():
    first = made_up(plans=np.zeros((1, len(AGES))))
    tested = np.repeat(by_cohort(first, TESTED)[None, :, None], len(NORMAL), axis=2)
    found = longrange.paths(first, tested)[0, :, 3]
    lasting = [1 + np.cumprod(first.kept[age:]).sum() for age in range(len(AGES))]
    limit = (1000 * first.new * lasting).sum()
    assert (np.diff(found) >= 0).all()
    assert found.max() <= limit * (1 + 1e-9)
    assert found[-1] == pytest.approx(limit)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(0.0, 0.6),
    st.floats(0.0, 0.05),
    st.floats(0.05, 0.5),
)
def test_no_path_crosses_another_or_the_ceiling(seed, moved, miscounted, ceiling):
    noise = np.random.default_rng(seed)
    first = made_up(
        plans=noise.uniform(0, 100, (1, len(AGES))),
        miscounted=miscounted * np.arange(YEARS),
        moved=np.array([moved]),
        ceiling=ceiling,
    )
    growth = np.cumsum(noise.normal(0.05, 0.05, TESTED))
    width = noise.uniform(0, 0.3) * np.sqrt(np.arange(1, TESTED + 1))
    middle = first.plans.sum() * np.exp(growth)
    tested = middle[None, :, None] * np.exp(width[None, :, None] * NORMAL)
    found = longrange.paths(first, tested)
    np.testing.assert_array_equal(found[:, :TESTED], tested)
    people = 1000 * len(AGES) * np.exp(first.miscounted[:, None] * NORMAL)
    assert (found[0, TESTED:] <= ceiling * people[TESTED:] * (1 + 1e-9)).all()
    assert (np.diff(found[:, -1]) >= -1e-6).all()


# The official tables


def test_englands_plans_by_age_are_accounted_for(known):
    """January 2025 from January 2024: 24,832 aged 5 and 21,470 aged 4 then, 30,847 aged 5 now."""
    new = known.new * longrange.denominators.known_by(2024)[2024][AGES].sum().to_numpy()
    five = list(AGES).index(5)
    assert known.kept[five - 1] * 21_470 + new[five] == pytest.approx(30_847)
    old = list(AGES).index(19)
    assert known.kept[old - 1] * 26_263 == pytest.approx(20_815)  # aged 18, then 19
    assert (known.kept > 0).all()
    assert (known.kept <= 1).all()
    assert (known.new >= 0).all()


def test_the_ceiling_is_the_pace_of_the_authority_with_most(known):
    """Wirral: new plans of 2023 and 2024 a head, added up over the ages."""
    new = tables.load("new_plans_by_age").query("area_code == 'E08000015' and setting == 'all'")
    people = tables.load("population").query("area_code == 'E08000015'")
    people = people.set_index(["year", "age"])["people"].astype(float)
    total = 0
    for row in new[new["year"].isin([2023, 2024]) & (new["age"] != "unknown")].itertuples():
        age = {"0-2": 2, "20-25": 20}.get(row.age) or int(row.age)
        total += float(row.plans) / people[row.year, age]
    assert known.ceiling == pytest.approx(total / 2)
    assert known.new.sum() < known.ceiling  # England


def test_residents_are_surest_where_they_were_counted_last(known):
    """Counted to mid-2024, which the plans of January 2025 go with."""
    years = np.arange(1, 16)
    np.testing.assert_allclose(known.miscounted, known.miscounted[0] * years)
    assert 0 < known.miscounted[0] < 0.05


def test_the_first_five_years_are_the_forecast(every):
    near = forecast(horizon=5)
    near = near[near["category"] == "all"].pivot(
        index=["area_code", "year"], columns="quantile", values="value"
    )
    np.testing.assert_array_equal(every.loc[near.index], near)


def test_growth_goes_on_from_the_tested_years_and_slows(every):
    middle = every[0.5].unstack()
    growth = middle.pct_change(axis=1)
    large = middle[2025 + TESTED] > 1000
    bend = (growth[2031] - growth[2030])[large]
    assert bend.between(-0.05, 0.01).all()
    assert growth.loc[ENGLAND, 2031:].diff().iloc[1:].lt(0).all()


def test_quantiles_of_all_areas_rise_and_the_fan_widens_downwards(every, current):
    assert (np.diff(every, axis=1) >= 0).all()
    low = np.log(every[0.5] / every[0.1]).unstack()
    low = low.loc[[*current, ENGLAND]]
    assert (np.diff(low, axis=1) > 0).mean() > 0.99


def test_medians_add_up_in_every_year(every, current):
    whole = every[0.5].unstack()
    np.testing.assert_allclose(whole.loc[current].sum(), whole.loc[ENGLAND])


def test_only_the_latest_january_is_gone_on_from():
    with pytest.raises(MissingDataError, match=r"only from the last January.*none for 2020"):
        forecast("Bury", horizon=6, as_of=2020)
