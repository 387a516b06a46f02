"""Faults are found by rule, and corrected only where the release says what is right."""

import numpy as np
import pandas as pd
import pytest

from send_analysis import quality, tables

REGIONS = pd.Series({"A": "R", "B": "R", "C": "R", "D": "S"})


def totals(**counts):
    rows = [(area, 2022, count, "") for area, count in counts.items()]
    frame = pd.DataFrame(rows, columns=["area_code", "year", "plans", "missing"])
    return frame.astype({"plans": "Float64"})


def correct(published, sums, earlier):
    return quality.correct_copied_totals(
        published, sums, earlier, REGIONS, table="new_plans", value="plans"
    )


def test_a_copied_total_is_replaced_by_the_sum_of_its_breakdown():
    published = totals(A=60, B=60, C=60, D=10, R=60, S=10)
    # D is the only authority of its region and rightly equals it: it must not be touched.
    corrected, found = correct(
        published, totals(A=10, B=20, C=30, D=10), totals(A=9, B=9, C=9, D=10)
    )
    assert corrected.set_index("area_code")["plans"].to_dict() == {
        "A": 10, "B": 20, "C": 30, "D": 10, "R": 60, "S": 10,
    }  # fmt: skip
    assert set(found.loc[found["area_code"] != "D", "action"]) == {"corrected"}


def test_the_one_incomplete_breakdown_is_the_region_less_the_others():
    published = totals(A=60, B=60, C=60, R=60)
    corrected, found = correct(published, totals(A=10, B=20, C=5), totals(A=12, B=20, C=30))
    assert corrected.set_index("area_code")["plans"].to_dict() == {
        "A": 10,
        "B": 20,
        "C": 30,
        "R": 60,
    }
    assert found.set_index("area_code")["note"]["C"].startswith(
        "repeats the region's total; the break"
    )


def test_without_a_right_value_the_total_is_withdrawn():
    published = totals(A=60, B=60, C=60, R=60)
    corrected, found = correct(published, totals(A=10, B=20, C=5), totals(A=12, B=20, C=8))
    rows = corrected.set_index("area_code")
    assert rows["plans"].isna().to_dict() == {"A": True, "B": True, "C": True, "R": False}
    assert (rows.loc[["A", "B", "C"], "missing"] == "unavailable").all()
    assert set(found["action"]) == {"withdrawn"}


def test_a_sound_release_has_nothing_to_correct():
    published = totals(A=10, B=20, C=30, R=60)
    corrected, found = correct(published, totals(A=10, B=20, C=30), totals(A=10, B=20, C=30))
    assert corrected is published
    assert found.empty


def test_yorkshire_and_the_humber_2022_is_found_and_corrected():
    found = tables.load("quality").query("check == 'repeats its region'")
    assert len(found) == 15
    assert set(found["published"]) == {6078}
    assert found["expected"].sum() == 6078
    new = tables.load("new_plans").query("year == 2022 and age_band == 'all'")
    new = new.set_index("area_code")["plans"]
    # Leeds: 357 by sex in newplans.csv. Wakefield: 112 by sex, 462 in the 2023 release.
    assert new["E08000035"] == 357
    assert new["E08000036"] == 462


def test_jumps_that_no_authority_makes_are_found():
    rng = np.random.default_rng(1)
    growth = rng.normal(0.08, 0.03, size=(100, 10)).cumsum(axis=1)
    wide = pd.DataFrame(1000 * np.exp(growth)).round()
    wide.iloc[7, 5:] *= 0.5
    frame = wide.stack().rename("plans").rename_axis(["area_code", "year"]).reset_index()
    found = quality.jumps(frame, table="t", value="plans")
    assert list(zip(found["area_code"], found["year"], strict=True)) == [(7, 5)]


def test_newham_2025_is_a_jump():
    found = tables.load("quality").query("check == 'jump' and year == 2025")
    assert list(found["area_code"]) == ["E09000025"]
    assert list(found["published"]) == [1199]


def test_counts_below_nought_are_withdrawn():
    frame = pd.DataFrame({"area_code": ["A", "B"], "year": 2024, "measure": "m",
                          "plans": pd.array([-2, 5], "Int64"), "missing": ""})  # fmt: skip
    cleaned, found = quality.withdraw_negative(frame, table="t", value="plans", item="measure")
    assert cleaned["plans"].isna().tolist() == [True, False]
    assert cleaned["missing"].tolist() == ["unavailable", ""]
    assert found["published"].tolist() == [-2]


def test_authorities_add_to_england_in_every_january():
    plans = tables.load("ehc_plans").query("age_band == 'all'")
    level = tables.load("areas").set_index("area_code")["level"]
    by_level = plans.groupby(["year", plans["area_code"].map(level)])["plans"].sum().unstack()
    assert (by_level["local authority"] == by_level["england"]).all()
    assert (by_level["region"] == by_level["england"]).all()


@pytest.mark.parametrize("check", ["parts", "parent"])
def test_totals_that_do_not_add_are_found(check):
    total = pd.DataFrame({"area_code": ["A"], "year": [2024], "plans": pd.array([10], "Int64")})
    if check == "parts":
        parts = pd.concat([total.assign(plans=4), total.assign(plans=5)])
        found = quality.parts_against_total(parts, total, table="t", value="plans", check="c")
    else:
        areas = pd.DataFrame({"area_code": ["A", "R", "E92000001"], "region_code": ["R", "", ""],
                              "level": ["local authority", "region", "england"]})  # fmt: skip
        frame = pd.concat([total.assign(plans=9), total.assign(area_code="R"),
                           total.assign(area_code="E92000001")])  # fmt: skip
        found = quality.areas_against_parent(frame, areas, table="t", value="plans")
    assert found[["published", "expected"]].to_numpy().tolist() == [[9, 10]]


def test_what_authorities_within_lack_explains_their_region():
    """January 2024: Hackney gave 339 of its 3,525 plans with the age at which they began."""
    found = tables.load("quality")
    london = found.query("table == 'ehc_plans' and area_code == 'E12000007' and year == 2024")
    london = london[london["check"] == "age bands against the total"].iloc[0]
    assert london["expected"] - london["published"] == 3_525 - 339
    assert london["action"] == "explained" and london["note"].endswith("too few: Hackney")
    level = tables.load("areas").set_index("area_code")["level"]
    parts = found[found["check"].str.match("age bands|placement groups|reasons")]
    above = parts["area_code"].map(level).ne("local authority")
    assert set(parts.loc[above, "action"]) == {"explained"}
    assert set(parts.loc[~above, "action"]) == {"unexplained"}


def test_more_than_authorities_within_lack_is_not_explained():
    areas = pd.DataFrame({"area_code": ["A", "R", "E92000001"], "region_code": ["R", "", ""],
                          "area": ["A", "R", "England"],
                          "level": ["local authority", "region", "england"]})  # fmt: skip
    totals = areas[["area_code"]].assign(year=2024, plans=pd.array([10, 90, 90], "Int64"))
    parts = totals.iloc[1:].assign(plans=pd.array([80, 79], "Int64"))
    found = quality.parts_against_total(
        parts, totals, table="t", value="plans", check="c", areas=areas
    )
    assert found["action"].tolist() == ["explained", "unexplained"]
