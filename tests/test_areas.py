"""Areas by every name and code, and the footprints on which series are unbroken."""

import json
import pickle

import joblib
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from send_analysis import areas, tables
from send_analysis.errors import MissingDataError, UnknownNameError


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("bury", "E08000002"),
        (" BURY Council ", "E08000002"),
        ("351", "E08000002"),
        ("E08000002", "E08000002"),
        ("e08000002", "E08000002"),
        ("St Helens", "E08000013"),
        ("St. Helens", "E08000013"),
        ("Kingston upon Hull", "E06000010"),
        ("hull", "E06000010"),
        ("City of London", "E09000001"),
        ("London", "E12000007"),
        ("England", "E92000001"),
        ("Yorkshire and the Humber", "E12000003"),
        ("Dorset", "E06000059"),  # today's, not the county of before 2019
        ("E10000023", "E06000065"),  # North Yorkshire's former code
        ("E08000020", "E08000037"),  # Gateshead's former code
        ("Brighton & Hove", "E06000043"),
    ],
)
def test_names_as_people_type_them(typed, code):
    assert areas.find(typed) == code


def test_every_area_answers_to_its_own_name_and_code():
    known = tables.load("areas")
    current = known[known["area"].ne("Dorset") & known["area_code"].ne("")]
    for code, name in zip(current["area_code"], current["area"], strict=True):
        assert areas.find(name) == code
        assert areas.find(code) == code


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("Burry", "Bury"),
        ("Manchestr", "Manchester"),
        ("kingston", "Kingston upon Hull or Kingston upon Thames"),
        ("cheshire", "Cheshire East or Cheshire West and Chester"),
        ("", "351"),
        ("Atlantis", "Unknown area 'Atlantis'"),
    ],
)
def test_unknown_and_ambiguous_names_get_suggestions(typed, says):
    with pytest.raises(UnknownNameError, match=says):
        areas.find(typed)


def test_bury_has_its_region_and_neighbours():
    bury = areas.find("bury")
    assert (bury.name, bury.level, bury.region.name) == ("Bury", "local authority", "North West")
    # May 2025 tool, row 351: 888 Lancashire first, 303 Bexley tenth.
    assert [other.name for other in bury.neighbours][::9] == ["Lancashire", "Bexley"]


def test_every_current_authority_has_ten_neighbours():
    assert len(areas.current()) == 153
    assert {len(set(area.neighbours)) for area in areas.current()} == {10}


def test_neighbours_and_region_are_refused_where_there_are_none():
    with pytest.raises(MissingDataError, match="abolished"):
        assert areas.find("E10000006").neighbours
    with pytest.raises(MissingDataError, match="not within a region"):
        assert areas.ENGLAND.region


def test_150_footprints_are_unbroken_and_add_to_england():
    plans = tables.load("ehc_plans").query("age_band == 'all'")
    units = areas.on_footprints(plans, ["plans"])
    assert units["area_code"].nunique() == 150
    assert (units.groupby("area_code").size() == 16).all()
    assert units["plans"].notna().all()
    england = plans.query("area_code == 'E92000001'").set_index("year")["plans"]
    assert (units.groupby("year")["plans"].sum() == england).all()


def test_a_footprint_is_missing_where_a_member_is():
    frame = pd.DataFrame({
        "area_code": ["E06000058", "E06000059"], "year": 2024,
        "plans": pd.array([5, None], "Int64"),
    })  # fmt: skip
    assert areas.on_footprints(frame, ["plans"])["plans"].isna().all()


def test_a_broken_series_says_so():
    cumberland = areas.find("Cumberland")
    assert "2024 to 2025 only" in cumberland.history
    assert cumberland.footprint.name == "Cumberland and Westmorland and Furness"
    assert cumberland.footprint.name in cumberland.history
    assert (cumberland.first_year, cumberland.footprint.members) == (
        2024,
        ["E06000063", "E06000064"],
    )
    assert areas.find("Bury").history == cumberland.footprint.history == ""


@given(st.sampled_from(areas.current()), st.sampled_from(areas.current()))
def test_an_area_is_its_code_wherever_codes_are_compared_grouped_or_kept(one, other):
    assert areas.find(one) is one and areas.find(one.name) == one
    together = areas.find(f"{one.name}+{other}")
    assert (together, together.members) == (f"{one}+{other}", [one, other])
    for area in (one, together):
        again = pickle.loads(pickle.dumps(area))
        assert (again, type(again), again.name) == (area, areas.Area, area.name)
        assert json.loads(json.dumps({"area": area})) == {"area": str(area)}
        assert {str(area): 1}[area] == 1 and joblib.hash(str(area)) == joblib.hash(str(again))
        frame = pd.DataFrame({"area_code": [str(area), area, "elsewhere"], "plans": [1, 2, 4]})
        assert (frame["area_code"] == area).tolist() == [True, True, False]
        assert frame.groupby("area_code")["plans"].sum()[area] == 3
        assert frame.query("area_code == @area")["plans"].sum() == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bury", "bury"),
        ("St. Helens", "st-helens"),
        ("Kingston upon Hull, City of", "kingston-upon-hull-city-of"),
        ("King's Lynn", "kings-lynn"),
        ("Ynys Môn", "ynys-mon"),
        ("  A—B  ", "a-b"),
    ],
)
def test_slug(name, expected):
    assert areas.slug(name) == expected
