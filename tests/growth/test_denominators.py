"""Rates per head as a reader can check them, and ranges that hold the years left out."""

import numpy as np
import pytest

from send_analysis import areas, tables
from send_analysis.growth import denominators, series
from send_analysis.report import england

BURY = "E08000002"
SMALLEST = ["E09000001", "E06000053"]  # City of London, Isles of Scilly
RECODED = ["E08000038", "E08000039"]  # Barnsley, Sheffield: another code in other files


@pytest.fixture(scope="module")
def per_head():
    plans = series.totals().query("year == 2025").set_index("area_code")["plans"]
    people = denominators.residents().query("year == 2024").set_index("area_code")["people"]
    return (1000 * plans / people).astype(float)


def test_bury_is_eleventh_in_england(per_head):
    # 2,804 plans in January 2025; 61,599 residents aged 0 to 25 in mid-2024
    assert per_head[BURY] == pytest.approx(45.5, abs=0.05)
    assert per_head[areas.current()].rank(ascending=False)[BURY] == 11


@pytest.mark.parametrize(
    ("area", "place"), [("Ealing", 117), ("Reading", 124), ("Kingston upon Thames", 89)]
)
def test_places_of_areas_that_the_old_estimates_misplaced(per_head, area, place):
    """As worked out by another hand, which had not joined Barnsley (24th) and Sheffield (135th)."""
    every = per_head[areas.current()]
    code = areas.find(area)
    assert every.drop(RECODED).rank(ascending=False)[code] == place
    assert every.rank(ascending=False)[code] == place + 1


def test_the_index_of_england_has_the_same_rate(per_head):
    rates = england.summary().set_index("area_code")["rate"]
    assert rates[BURY] == pytest.approx(per_head[BURY])
    assert rates[areas.ENGLAND] == pytest.approx(per_head[areas.ENGLAND])


@pytest.mark.parametrize(
    ("area", "old", "too_many"),
    # what the tables had for mid-2023 before, aged on from mid-2020; per cent off
    [
        ("Westminster", 90_040, 48),
        ("Camden", 99_665, 30),
        ("Islington", 87_755, 27),
        ("Reading", 55_014, -11),
    ],
)
def test_mid_2023_is_not_what_mid_2020_led_to(area, old, too_many):
    people = denominators.residents().set_index(["area_code", "year"])["people"]
    found = people[areas.find(area), 2023]
    assert 100 * (old / found - 1) == pytest.approx(too_many, abs=1.2)


def test_ranges_stand_only_where_residents_are_estimated():
    found = denominators.residents()
    estimated = found["basis"] == "estimated"
    assert found.loc[~estimated, ["low", "high"]].isna().all(axis=None)
    ahead = found[estimated]
    assert (ahead["low"] < ahead["people"]).all()
    assert (ahead["people"] < ahead["high"]).all()
    width = np.log(ahead["high"] / ahead["low"]).groupby(ahead["year"]).mean()
    np.testing.assert_allclose(width, width[2025] * (width.index - 2024))


def test_what_is_left_out_is_compared_with_what_was_published():
    missed = denominators.left_out()
    assert set(zip(missed["kept"], missed["year"], strict=True)) == {
        (2021, 2022), (2021, 2023), (2021, 2024), (2022, 2023), (2022, 2024), (2023, 2024),
    }  # fmt: skip
    people = tables.load("population").groupby(["area_code", "year"])["people"].sum()
    row = missed.query("area_code == @BURY and kept == 2022 and year == 2024").iloc[0]
    assert row["published"] == people[BURY, 2024]
    assert row["horizon"] == 2


def test_nothing_later_is_used_for_what_was_known(monkeypatch):
    """Mid-2024 doubled changes nothing that is known by mid-2023."""
    before = denominators.known_by(2023)
    real = tables.load("population")
    changed = real.assign(people=real["people"].mask(real["year"] >= 2024, 2 * real["people"]))
    tables.clear_cache()
    monkeypatch.setattr(
        denominators.tables, "load", lambda name, load=tables.load: changed
        if name == "population" else load(name)
    )  # fmt: skip
    after = denominators.known_by(2023)
    tables.clear_cache()
    np.testing.assert_allclose(after, before)


@pytest.mark.parametrize("ages", [range(26), range(18), range(18, 26), range(5, 11), range(11, 16)])
def test_the_range_holds_a_published_year_that_it_was_not_made_from(ages):
    """80 per cent ranges, width from two published years, tried on the third: about 80 hold."""
    missed = denominators.left_out(ages)
    missed = missed[~missed["area_code"].isin(SMALLEST)]
    held = []
    for year in (2022, 2023, 2024):
        rest, own = missed[missed["year"] != year], missed[missed["year"] == year]
        off = np.abs(np.log(own["published"] / own["estimated"])) / own["horizon"]
        held.append((off <= denominators.spread(rest)).mean())
    assert min(held) > 0.65
    assert np.mean(held) == pytest.approx(denominators.LEVEL, abs=0.07)


def test_errors_grow_with_the_years_ahead():
    missed = denominators.left_out()
    off = np.abs(np.log(missed["published"] / missed["estimated"]))
    inside = off <= denominators.spread(missed) * missed["horizon"]
    by_horizon = inside.groupby(missed["horizon"]).mean()
    np.testing.assert_allclose(by_horizon, denominators.LEVEL, atol=0.07)
