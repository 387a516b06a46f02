"""Funded places and mainstream places against figures read off the publisher's files by hand."""

import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import places
from send_analysis.errors import DataError, SendAnalysisError

BURY, ENGLAND = "E08000002", "E92000001"


@pytest.mark.parametrize(
    ("year", "provision", "place_type", "start", "printed"),
    [
        (2020, "resourced provision or SEN unit", "pre-16, £6,000", "April", 24),
        (2020, "resourced provision or SEN unit", "pre-16, £6,000", "autumn", 36.86),
        (2020, "special academy", "pre-16", "autumn", 189),
        (2022, "special academy", "pre-16", "autumn", 226),
        (2022, "special academy", "post-16", "April", 86),
        (2021, "further education", "post-16", "autumn", 182),
        (2021, "special free school", "pre-16", "April", 0),
    ],
)
def test_funded_places_of_bury_as_printed(year, provision, place_type, start, printed):
    frame = tables.load("high_needs_places").set_index(
        ["area_code", "year", "provision", "place_type", "start"]
    )
    assert frame.loc[(BURY, year, provision, place_type, start), "places"] == printed


def test_mainstream_places_of_bury_as_printed():
    frame = tables.load("mainstream_places").set_index(["area_code", "year", "phase", "measure"])
    printed = {
        (BURY, 2025, "primary", "pupils on roll"): 15331,
        (BURY, 2025, "primary", "places"): 18011,
        (BURY, 2025, "secondary", "pupils on roll"): 11337,
        (BURY, 2025, "secondary", "places"): 12468,
        (ENGLAND, 2024, "secondary", "places"): 4052248,
    }
    for key, number in printed.items():
        assert frame.loc[key, "number"] == number
    # on another basis before, and left out of the table: no authority has it
    assert (BURY, 2023, "primary", "places") not in frame.index
    # the City of London has no secondary school
    none = frame.loc[("E09000001", 2025, "secondary", "places")]
    assert pd.isna(none["number"])
    assert none["missing"] == "not_applicable"


HEADER = "financial_year,old_la_code,la_name,institution_type,place_type,period,places\n"


@pytest.fixture
def folder(tmp_path):
    file = tmp_path / "places" / "high_needs_place_numbers_dsg_2020-21_to_2023-24.csv"
    file.parent.mkdir()

    def write(row: str):
        file.write_text(HEADER + row + "\n", encoding="utf-8")
        return tmp_path

    return write


def test_unknown_institution_names_the_nearest(folder):
    root = folder("2020-21,351,Bury,Special academy,Pre-16 SEN Places,April 2020 to August 2020,1")
    with pytest.raises(SendAnalysisError, match=r"'Special academy' is not .*Special academies"):
        places._funded(root, tables.load("areas"))


def test_period_without_a_month_is_refused(folder):
    root = folder("2020-21,351,Bury,Special academies,Pre-16 SEN Places,2020,1")
    with pytest.raises(DataError, match=r"'period', row 2: '2020'"):
        places._funded(root, tables.load("areas"))


def test_hospital_funding_is_not_places():
    assert not tables.load("high_needs_places")["provision"].str.contains("ospital").any()
