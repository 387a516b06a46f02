"""Figures read off the official files by hand, and a second reading with the csv module."""

import csv
import io
import zipfile
from collections import defaultdict

import pytest

from send_analysis import tables

BURY, ENGLAND = "E08000002", "E92000001"


def one(table, value, **where):
    """Value of the one row that the conditions name."""
    frame = tables.load(table)
    for column, wanted in where.items():
        frame = frame[frame[column] == wanted]
    assert len(frame) == 1, f"{len(frame)} rows of {table} for {where}"
    return frame[value].iloc[0]


# Release, file and row are in the comment; the figures were read in a text editor.
@pytest.mark.parametrize(
    ("table", "value", "where", "figure"),
    [
        # 2025, caseload.csv, All EHC plans
        ("ehc_plans", "plans", {"area_code": BURY, "year": 2019, "age_band": "all"}, 1617),
        ("ehc_plans", "plans", {"area_code": BURY, "year": 2024, "age_band": "all"}, 2686),
        ("ehc_plans", "plans", {"area_code": ENGLAND, "year": 2019, "age_band": "all"}, 353_995),
        ("ehc_plans", "plans", {"area_code": ENGLAND, "year": 2024, "age_band": "all"}, 576_474),
        ("ehc_plans", "plans", {"area_code": ENGLAND, "year": 2025, "age_band": "all"}, 638_745),
        # 2022, sen2_age_caseload.csv
        ("ehc_plans", "plans", {"area_code": BURY, "year": 2022, "age_band": "16-19"}, 503),
        ("ehc_plans", "statements", {"area_code": BURY, "year": 2010, "age_band": "11-15"}, 504),
        # 2022, sen2_estab_caseload.csv
        ("placements", "plans", {"area_code": BURY, "year": 2010, "placement_group": "mainstream",
                                 "placement": "LA maintained"}, 664),
        # 2025, caseload.csv, age 11, January 2025: 56 academy or free school and 1 LA maintained
        ("ehc_plans_by_age", "plans", {"area_code": BURY, "year": 2025, "age": "11",
                                       "setting": "state special school"}, 57),
        ("ehc_plans_by_age", "plans", {"area_code": BURY, "year": 2025, "age": "11",
                                       "setting": "resourced provision or SEN unit"}, 2),
        ("ehc_plans_by_age", "plans", {"area_code": BURY, "year": 2025, "age": "11",
                                       "setting": "all"}, 151),
        # 2025, ceased_plans.csv
        ("ceased_plans", "plans", {"area_code": BURY, "year": 2024, "reason": "all"}, 217),
        ("ceased_plans", "plans", {"area_code": BURY, "year": 2024,
                                   "reason": "transferred to another authority"}, 66),
        # 2025, requests.csv
        ("requests", "requests", {"area_code": BURY, "year": 2024, "outcome": "all"}, 560),
        ("requests", "requests", {"area_code": BURY, "year": 2024, "outcome": "not assessed"}, 184),
        # 2025, timeliness_20_week.csv
        ("timeliness", "plans", {"area_code": BURY, "year": 2023, "exceptions": "excluded",
                                 "issued_within": "20 weeks or less"}, 323),
        ("timeliness", "plans", {"area_code": BURY, "year": 2023, "exceptions": "excluded",
                                 "issued_within": "any time"}, 436),
        # 2025, sen_needs_all_plans.csv
        ("primary_need", "plans", {"area_code": BURY, "year": 2025, "plans_counted": "in January",
                                   "primary_need": "autistic spectrum disorder"}, 654),
        # 2025, annual_reviews.csv
        ("annual_reviews", "plans", {"area_code": BURY, "year": 2024,
                                     "measure": "review meeting held in any year"}, 2135),
        ("annual_reviews", "plans", {"area_code": BURY, "year": 2024,
                                     "measure": "review meeting held in the year"}, 1304),
        ("annual_reviews", "plans", {"area_code": ENGLAND, "year": 2024,
                                     "measure": "review meeting held in the year"}, 318_369),
        ("annual_reviews", "plans", {"area_code": ENGLAND, "year": 2024,
                                     "measure": "review expected"}, 524_654),
        # 2025, SEND Tribunals and appeal rate 2014-2024.csv
        ("tribunals", "cases", {"area_code": BURY, "year": 2024, "measure": "decisions"}, 3046),
        ("tribunals", "cases", {"area_code": BURY, "year": 2024,
                                "measure": "decisions, in development"}, 1546),
        ("tribunals", "cases", {"area_code": "E06000001", "year": 2014, "measure": "appeals"}, 0),
        # area_send_outcomes.csv
        ("inspections", "outcome_grade", {"area_code": BURY}, 3),
    ],
)  # fmt: skip
def test_figures_read_by_hand(table, value, where, figure):
    assert one(table, value, **where) == figure


def test_each_authority_agrees_with_a_second_reading(official):
    with zipfile.ZipFile(
        official / "ehc_plans/education-health-and-care-plans_2025.zip"
    ) as archive:
        text = archive.read("data/caseload.csv").decode("utf-8-sig")
    expected = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(text)):
        if (
            row["geographic_level"] == "Local authority"
            and row["breakdown_topic"] == "All EHC plans"
        ):
            expected[row["old_la_code"]][2000 + int(row["time_period"][-2:])] = int(row["ehcplans"])
    plans = tables.load("ehc_plans").query("age_band == 'all' and year >= 2019")
    old_code = tables.load("areas").set_index("area_code")["old_code"]
    plans = plans[plans["area_code"].map(old_code) != ""]
    got = defaultdict(dict)
    for code, year, count in zip(plans["area_code"].map(old_code), plans["year"], plans["plans"],
                                 strict=True):  # fmt: skip
        got[code][year] = count
    assert got == expected


def test_bands_add_to_the_total_where_the_release_is_whole():
    plans = tables.load("ehc_plans")
    wide = plans.pivot(index=["area_code", "year"], columns="age_band", values="plans")
    parts = wide.drop(columns="all").sum(axis=1, min_count=1)
    broken = wide.index[(parts != wide["all"]).fillna(False)]
    # Hackney and Peterborough gave totals only for January 2024; so their regions and England.
    assert set(broken) == {(code, 2024) for code in ("E92000001", "E12000006", "E12000007")}


def test_missing_keeps_its_reason_and_is_never_nought():
    plans = tables.load("ehc_plans")
    hackney = plans.query("area_code == 'E09000012' and year == 2024").set_index("age_band")
    assert hackney.loc["all", "plans"] == 3525
    bands = hackney.drop(index="all")
    assert bands["plans"].isna().all()
    assert (bands["missing"] == "unavailable").all()
    for name in tables.catalogue().index:
        frame = tables.load(name)
        if "missing" in frame and name != "inspections":
            value = frame.select_dtypes(["Int64", "Float64"]).columns[0]
            assert (frame[value].isna() == (frame["missing"] != "")).all(), name


def test_placement_groups_add_to_all_plans_in_england():
    england = tables.load("placements").query("area_code == @ENGLAND and placement == 'all'")
    wide = england.pivot(index="year", columns="placement_group", values="plans").fillna(0)
    gap = wide["all"] - wide.drop(columns="all").sum(axis=1)
    assert gap[gap != 0].to_dict() == {2024: 3645}  # two authorities gave totals only
