"""Pupils with a plan, against figures read off the file by hand."""

import pytest

from send_analysis import tables

PLANS = "EHC plan or statement"


@pytest.mark.parametrize(
    ("area", "year", "percent"),
    [
        ("E92000001", 2016, 2.8),
        ("E92000001", 2025, 5.3),
        ("E10000006", 2019, 3.2),  # Cumbria
        ("E06000063", 2025, 5.7),  # Cumberland
        ("E09000002", 2016, 2.2),  # Barking and Dagenham, 2.2000000000000002 in the file
    ],
)
def test_share_of_pupils_with_a_plan(area, year, percent):
    rows = tables.load("pupils").set_index(["area_code", "year", "support"])["percent"]
    assert rows[area, year, PLANS] == percent


def test_an_authority_has_no_row_before_it_existed():
    rows = tables.load("pupils").query("support == @PLANS")
    assert rows.query("area_code == 'E06000063'")["year"].min() == 2024
    assert rows.query("area_code == 'E10000006'")["year"].max() == 2023
    assert rows["percent"].between(0, 10).all()


def test_assessments_open_at_the_end_of_the_year():
    """The 2022 release has 59 for Bury and 22,654 for England at the end of 2021."""
    rows = tables.load("assessments").query("outcome == 'open at the end of the year'")
    rows = rows.set_index(["area_code", "year"])["assessments"]
    assert rows["E08000002", 2021] == 59
    assert rows["E92000001", 2021] == 22_654
    assert rows.index.get_level_values("year").max() == 2021
