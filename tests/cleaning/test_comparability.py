"""Breaks and faults that the tables show by themselves, on made-up figures and on the releases."""

import csv
import io
import zipfile

import pandas as pd
import pytest

from send_analysis import quality, tables
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import comparability

AREAS = pd.DataFrame(
    {"area_code": ["A", "B", ENGLAND], "level": ["local authority"] * 2 + ["england"],
     "area": ["Aa", "Bb", "England"], "first_year": [2010, 2020, 2010]}
)  # fmt: skip


def placements(rows):
    frame = pd.DataFrame(
        rows, columns=["area_code", "year", "placement_group", "placement", "plans", "missing"]
    )
    return frame.astype({"plans": "Int64"})


def national(year, **plans):
    return [(ENGLAND, year, *name.split("__"), value, "") for name, value in plans.items()]


def test_a_category_that_is_counted_apart_breaks_its_siblings_and_not_its_group():
    frame = placements([
        *national(2019, all__all=9, school__all=9, school__old=6, school__other=3),
        *national(2020, all__all=9, school__all=9, school__old=4, school__other=3, school__new=2),
    ])  # fmt: skip
    found = comparability._recoded(frame, "placements", ["placement_group", "placement"])
    assert found[["category", "year", "settled"]].to_numpy().tolist() == [
        ["school / old", 2020, 2020], ["school / other", 2020, 2020],
    ]  # fmt: skip
    assert set(found["note"]) == {"new counted apart for the first time"}


def test_a_group_that_is_dropped_breaks_the_other_groups():
    frame = placements([
        *national(2022, all__all=9, school__all=6, waiting__all=3),
        *national(2023, all__all=9, school__all=7, unknown__all=2),
    ])  # fmt: skip
    found = comparability._recoded(frame, "placements", ["placement_group", "placement"])
    assert found["category"].tolist() == ["school / all"]
    assert found["note"].tolist() == [
        "unknown counted apart for the first time and waiting no longer counted apart"
    ]


def test_a_return_without_its_parts_is_withheld_and_its_total_stands():
    frame = placements([
        *national(2024, all__all=9, school__all=6, home__all=3),
        ("A", 2024, "all", "all", 4, ""), ("A", 2024, "school", "all", None, "unavailable"),
        ("A", 2024, "home", "all", None, "unavailable"),
        ("B", 2024, "all", "all", None, "unavailable"),
        ("B", 2024, "school", "all", None, "unavailable"),
        ("B", 2024, "home", "all", None, "unavailable"),
    ])  # fmt: skip
    found = comparability.findings({"placements": frame}, AREAS).set_index("area_code")
    assert found["item"].to_dict() == {"A": quality.PARTS, "B": ""}
    assert set(found["action"]) == {"withheld"}
    rows = comparability.breaks({"placements": frame}, AREAS, found.reset_index())
    gaps = rows[rows["kind"] == "withheld"].set_index("area_code")
    assert gaps["category"].to_dict() == {"A": "*", "B": ""}
    assert rows.loc[rows["kind"] == "boundary", "area_code"].tolist() == ["B"]


def test_a_jump_of_all_plans_is_in_their_parts_and_flags_the_flows():
    jump = quality.findings(
        pd.DataFrame({"area_code": ["A"], "year": [2025]}), table="ehc_plans", item="all",
        check="jump", action="unexplained", note="n",
    )  # fmt: skip
    rows = comparability._from_findings(jump).set_index("table")
    assert rows.loc["placements", "year"] == 2025 and rows.loc["new_plans", "year"] == 2024
    assert rows.loc["placements", "kind"] == "jump"
    assert rows.loc["ceased_plans", "kind"] == "for a time"
    assert rows.loc["tribunals", ["category", "year"]].tolist() == ["decisions", 2024]
    assert set(rows["category"].drop("tribunals")) == {""}


def test_plans_that_began_without_assessments_flag_the_flows_of_the_return():
    """A has 40 plans of 10 assessments in 2024; before the law of 2014 was in force all had."""
    began = pd.DataFrame(
        [("A", 2024, 40), ("B", 2024, 40), (ENGLAND, 2024, 80),
         ("A", 2014, 40), ("B", 2014, 40), (ENGLAND, 2014, 80)],
        columns=["area_code", "year", "plans"],
    )  # fmt: skip
    ended = began.rename(columns={"plans": "assessments"}).assign(outcome="plan issued")
    ended["assessments"] = [10, 39, 49, 5, 5, 10]
    made = {"new_plans": began.assign(age_band="all"), "assessments": ended}
    found = comparability._unassessed(made, AREAS)
    assert found[["table", "area_code", "year"]].to_numpy().tolist() == [["assessments", "A", 2024]]
    assert "40 plans began, and 10 assessments" in found["note"].item()
    ended.loc[0, "assessments"] = 11
    assert comparability._unassessed(made, AREAS).empty


def test_one_return_of_the_release_lacks_its_assessments():
    """Read by hand off the release: 187 new plans, 8 assessments, 74 requests, 1 plan ceased."""
    found = tables.load("quality").query("check == @quality.UNASSESSED")
    assert set(zip(found["area_code"], found["year"], strict=True)) == {("E06000046", 2024)}
    assert set(found["table"]) == {"requests", "assessments", "timeliness", "ceased_plans"}


def test_a_fault_that_the_tables_have_no_figure_of_is_not_taken_down():
    assert comparability.findings({}, AREAS).empty


@pytest.mark.official
def test_figures_withheld_are_those_of_the_file(official):
    """Authorities whose total of January 2025 is printed and whose placements are all x."""
    archive = official / "ehc_plans" / "education-health-and-care-plans_2025.zip"
    with zipfile.ZipFile(archive) as packed:
        text = packed.read("data/caseload.csv").decode("utf-8-sig")
    withheld = {
        (row["new_la_code"], int(row["time_period"][:2] + row["time_period"][4:]))
        for row in csv.DictReader(io.StringIO(text))
        if row["breakdown"] == "All EHC plans" and row["geographic_level"] == "Local authority"
        and row["mainstream_total"] == row["special_total"] == "x"
    }  # fmt: skip
    found = tables.load("quality").query("table == 'placements' and check == 'withheld'")
    assert set(zip(found["area_code"], found["year"], strict=True)) == withheld
    assert len(withheld) == 4
