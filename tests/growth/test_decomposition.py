"""The decomposition adds up, agrees with a hand calculation and with a second method."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from send_analysis import areas, tables
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import counterfactuals, decomposition, denominators, series, words

BURY = "E08000002"


def test_two_age_groups_by_hand():
    # 100 and 100 people with 10 and 20 plans become 240 and 60 people with 48 and 18 plans.
    # Size: 100·(.21/3 + .18/6) = 10 and 100·(.16/3 + .19/6) = 8.5.
    # Structure: .3·(80/3 + 70/6) = 11.5 and −.3·(130/3 + 120/6) = −19.
    # Prevalence: .1·(340/3 + 310/6) = 16.5 and .1·(160/3 + 190/6) = 8.5.
    found = decomposition.das_gupta(
        np.array([100.0, 100]), np.array([10.0, 20]), np.array([240.0, 60]), np.array([48.0, 18])
    )
    np.testing.assert_allclose(found, [[10, 8.5], [11.5, -19], [16.5, 8.5]])


def _by_orders(people0, plans0, people1, plans1):
    """Effects averaged over all orders in which the three factors can change (second method)."""
    states = []
    for people, plans in ((people0, plans0), (people1, plans1)):
        states.append((people.sum(), people / people.sum(), plans / people))
    effects = np.zeros((3, len(people0)))
    for order in permutations(range(3)):
        now = [0, 0, 0]
        before = states[0][0] * states[0][1] * states[0][2]
        for factor in order:
            now[factor] = 1
            after = np.prod(
                [np.broadcast_to(states[now[k]][k], people0.shape) for k in range(3)], 0
            )
            effects[factor] += (after - before) / 6
            before = after
    return effects


COUNTS = arrays("float64", 5, elements=st.floats(1, 1e6))
RATES = arrays("float64", 5, elements=st.floats(0, 1))


@settings(max_examples=150, deadline=None)
@given(COUNTS, RATES, COUNTS, RATES)
def test_parts_add_up_in_every_age_group_and_agree_with_averaging_over_orders(n0, r0, n1, r1):
    found = decomposition.das_gupta(n0, n0 * r0, n1, n1 * r1)
    scale = max(n0.max(), n1.max())
    np.testing.assert_allclose(found.sum(axis=0), n1 * r1 - n0 * r0, atol=1e-9 * scale)
    np.testing.assert_allclose(found, _by_orders(n0, n0 * r0, n1, n1 * r1), atol=1e-9 * scale)


@settings(max_examples=50, deadline=None)
@given(COUNTS, RATES, st.floats(0.1, 10))
def test_one_cause_alone_gets_all_of_the_change(people, rate, factor):
    size, structure, prevalence = decomposition.das_gupta(
        people, people * rate, people * factor, people * rate * factor
    ).sum(axis=-1)
    change = (people * rate).sum() * (factor - 1)
    scale = people.sum() * 10
    assert size == pytest.approx(change, abs=1e-9 * scale)
    assert structure == pytest.approx(0, abs=1e-9 * scale)
    assert prevalence == pytest.approx(0, abs=1e-9 * scale)


def test_start_and_end_swapped_change_the_sign():
    rng = np.random.default_rng(5)
    people, plans = rng.uniform(1, 9, (2, 3, 5)), rng.uniform(0, 1, (2, 3, 5))
    forth = decomposition.das_gupta(people[0], plans[0], people[1], plans[1])
    back = decomposition.das_gupta(people[1], plans[1], people[0], plans[0])
    np.testing.assert_allclose(forth, -back)


def test_every_area_adds_up_to_the_change_published():
    plans = tables.load("ehc_plans").query("age_band == 'all' and year in [2019, 2024]")
    wide = plans.pivot(index="area_code", columns="year", values="plans")
    found = decomposition.decompose(None, start=2019, end=2024)
    whole = found[found["age_band"] == "all"]
    parts = whole[whole["component"] != "all"].groupby("area_code")["plans"].sum()
    single = parts[~parts.index.str.contains("+", regex=False)]
    expected = (wide[2024] - wide[2019]).astype("float64").loc[single.index]
    np.testing.assert_allclose(single, expected, atol=1e-6)
    assert len(single) > 150
    # Hackney and Peterborough printed a total without ages in January 2024 (data guidance).
    assert not {"E09000012", "E06000031"} & set(single.index)


def test_bury_from_2019_to_2025():
    found = decomposition.decompose("Bury", start=2019, end=2025)
    whole = found[found["age_band"] == "all"].set_index("component")["plans"]
    assert whole["all"] == 2804 - 1617  # both printed in the 2025 release
    # More residents aged 0 to 25 in mid-2024 than in mid-2018 (0 to 17: 44,768 after 43,854 in the
    # publisher's revised series), so a positive effect.
    people = tables.load("population").query("area_code == @BURY").groupby("year")["people"].sum()
    assert people[2024] > people[2018]
    assert whole["population size"] > 0
    # If rates had risen alike at all ages they would explain what people do not.
    alone = 2804 - 1617 * people[2024] / people[2018]
    assert whole["prevalence"] == pytest.approx(alone, rel=0.1)


def test_plans_without_an_age_are_shown_on_their_own():
    found = decomposition.decompose("England", start=2019, end=2024).set_index("component")["plans"]
    # 576,474 plans in January 2024, of which the single ages printed add up to 572,829.
    assert found["age not recorded"].item() == pytest.approx(576_474 - 572_829)


def test_counting_ages_in_january_moves_plans_up_and_loses_none():
    published = decomposition.plans_by_band(2025)
    january = decomposition.plans_by_band(2025, ages="in January")
    bands = list(AGE_BANDS)
    np.testing.assert_allclose(january[bands].sum(axis=1), published[bands].sum(axis=1))
    older = january.loc[areas.ENGLAND] - published.loc[areas.ENGLAND]
    # 22,517 of England's plans in January 2025 were at age 4 (2025 release).
    assert older["under 5"] == pytest.approx(-22_517 * 138 / 365)
    pd.testing.assert_frame_equal(
        decomposition.plans_by_band(2022), decomposition.plans_by_band(2022, ages="in January")
    )


def test_merged_footprint_is_the_sum_of_its_members():
    found = decomposition.decompose("E06000063+E06000064", start=2022, end=2025)
    plans = tables.load("ehc_plans").query("age_band == 'all'").set_index(["area_code", "year"])
    end = plans["plans"][[("E06000063", 2025), ("E06000064", 2025)]].sum()
    whole = found[(found["component"] == "all") & (found["age_band"] == "all")]["plans"].item()
    assert whole == end - plans["plans"][("E10000006", 2022)]


@pytest.mark.parametrize(
    ("area", "start", "end", "says"),
    [
        ("Cumberland", 2019, 2025, "E06000063"),
        ("Westmorland and Furness", 2019, 2025, "boundaries changed"),
        ("Hackney", 2019, 2024, "January 2024"),
        ("Bury", 2019, 2023, "January 2023"),
        ("Bury", 2015, 2025, "from 2019"),
        ("Bury", 2019, 2030, "January 2030"),
    ],
)
def test_years_and_areas_without_figures_are_refused(area, start, end, says):
    with pytest.raises(MissingDataError, match=says):
        decomposition.decompose(area, start=start, end=end)


def test_impossible_arguments_are_refused():
    with pytest.raises(ParameterError, match="earlier"):
        decomposition.decompose("Bury", start=2025, end=2019)
    with pytest.raises(ParameterError, match="as published"):
        decomposition.decompose("Bury", ages="by birthday")


def test_small_areas_decompose():
    for area in ("Isles of Scilly", "City of London"):
        found = decomposition.decompose(area)
        assert np.isfinite(found["plans"]).all()


def test_sensitivity_of_bury_restates_ages_and_adds_up():
    wide = decomposition.sensitivity("Bury").pivot(
        index="variant", columns="component", values="plans"
    )
    assert set(wide.index) == {"ages as published", "ages in January"}
    np.testing.assert_allclose(wide.drop(columns="all").sum(axis=1), 2804 - 1617)


def test_a_range_stands_where_the_last_residents_are_estimated(monkeypatch):
    """Were mid-2024 estimated with 10 per cent either way, size would take the difference."""
    known = denominators.residents()
    last = known["year"] == 2024
    made = known.assign(
        basis=known["basis"].mask(last, "estimated"),
        low=known["low"].mask(last, known["people"] * 0.9),
        high=known["high"].mask(last, known["people"] * 1.1),
    )
    tables.clear_cache()
    monkeypatch.setattr(denominators, "residents", lambda: made)
    wide = decomposition.sensitivity("Bury").pivot(
        index="variant", columns="component", values="plans"
    )
    tables.clear_cache()
    np.testing.assert_allclose(wide.drop(columns="all").sum(axis=1), 2804 - 1617)
    size = wide["population size"]
    assert size["fewest residents"] < size["ages as published"] < size["most residents"]
    # A tenth more people of unchanged ages: about a tenth of the mean number of plans.
    assert size["most residents"] - size["ages as published"] == pytest.approx(
        0.1 * (1617 + 2804) / 2, rel=0.1
    )


def test_prevalence_against_the_tables():
    found = decomposition.prevalence("Bury", start=2019, end=2022)
    row = found.query("area_code == @BURY and year == 2022 and age_band == '5-10'").iloc[0]
    people = (
        tables.load("population")
        .query("area_code == @BURY and year == 2021 and age >= 5 and age <= 10")["people"]
        .sum()
    )
    assert row["plans"] == 624  # printed in the 2022 release
    assert row["rate"] == pytest.approx(1000 * 624 / people)


def test_words_carry_the_numbers():
    text = words.parts(decomposition.decompose("Bury"))
    assert "rose by 1,187" in text
    assert "took away" not in text
    assert "no age" not in text
    assert "3,645" in words.parts(decomposition.decompose("England", end=2024))


@pytest.mark.parametrize("area", ["Bury", "Newham", "Isles of Scilly", "England"])
def test_whole_plans_add_up_as_printed(area):
    exact = decomposition.decompose(area)
    whole = decomposition.decompose(area, whole=True)
    assert (whole["plans"] == whole["plans"].round()).all()
    assert ((whole["plans"] - exact["plans"]).abs() < 1).all()
    wide = whole.pivot(index="component", columns="age_band", values="plans")
    parts = wide.loc[list(decomposition.COMPONENTS)]
    bands = wide.columns.drop("all")
    assert (parts.sum()[bands] == wide.loc["all", bands]).all()
    assert (parts[bands].sum(axis=1) == parts["all"]).all()
    assert parts["all"].sum() + wide.loc["age not recorded", "all"] == wide.loc["all", "all"]


def test_plans_of_a_group_without_categories_are_told():
    # caseload.csv: Hackney 3,525 plans in January 2024, 339 of them with an age; Peterborough 2,625
    # and 2,166. In January 2025 Cambridgeshire 8,007 and North East Lincolnshire 1,983.
    england = areas.Area(areas.ENGLAND)
    (said,) = series.by("age band", england, start=2024, end=2025)["lacks"].unique()
    assert "January 2024: 3,645 plans stand in no row" in said and "2025" not in said
    assert "Hackney" in said and "Peterborough" in said
    assert 3_525 - 339 + 2_625 - 2_166 == 3_645
    (said,) = series.by("placement", england, start=2019, end=2025)["lacks"].unique()
    assert "9,990 plans stand under “not recorded”" in said and 8_007 + 1_983 == 9_990


@pytest.mark.parametrize("dimension", ["age band", "placement"])
@pytest.mark.parametrize("start", [2019, 2020, 2022, 2024])
def test_categories_of_england_add_up_or_say_why_not(dimension, start):
    found = series.by(dimension, areas.Area(areas.ENGLAND), start=start, end=2025)
    whole = tables.load("ehc_plans", area_code=areas.ENGLAND, age_band="all")
    whole = whole.set_index("year")["plans"]
    (said,) = found["lacks"].unique()
    for year, column in ((start, "plans_start"), (2025, "plans_end")):
        gap = int(whole[year] - found[column].sum())
        assert gap == 0 or f"January {year}: {gap:,} plans stand in no row" in said


def test_plans_a_head_are_of_the_same_areas_above_and_below():
    """By hand from caseload.csv and mye: the 151 areas with ages in January 2024 and 2025."""
    cumberland = areas.Area(areas.find("Cumberland"))
    found = counterfactuals.counterfactuals(cumberland, start=2024).set_index(["basis", "area"])
    row = found.loc[("plans a head", "England")]
    assert row["plans_if"] == pytest.approx(2_948, abs=1)
    assert "Hackney" in row["lacks"] and "Peterborough" in row["lacks"]
    assert not found.loc["plans", "lacks"].any()
    then = decomposition.prevalence(cumberland, start=2024, end=2025)
    then = then[(then["area_code"] == areas.ENGLAND) & (then["year"] == 2024)]
    assert then["plans"].sum() == 570_324
    since = counterfactuals.counterfactuals(areas.Area(areas.find("Bury")))
    assert not since["lacks"].any()  # ages of all plans are published for 2019 and 2025
