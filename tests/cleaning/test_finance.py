"""High needs money against figures read off the publisher's files by hand."""

import io
import zipfile

import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import finance
from send_analysis.errors import DataError

BURY, CAMDEN, ENGLAND = "E08000002", "E09000007", "E92000001"


@pytest.fixture(scope="module")
def grant() -> pd.DataFrame:
    return tables.load("high_needs_funding").set_index(["area_code", "year"])


@pytest.fixture(scope="module")
def spending() -> pd.Series:
    frame = tables.load("high_needs_spending")
    return frame.set_index(["area_code", "account", "funding", "provision"])["pounds"]


@pytest.mark.parametrize(
    ("area", "year", "column", "printed"),
    [
        (BURY, 2020, "high_needs", 33_058_891),
        (BURY, 2021, "high_needs", 36_398_286),
        (BURY, 2022, "high_needs", 40_908_921),
        (BURY, 2023, "high_needs", 45_243_107),
        (BURY, 2023, "grant", 209_935_309),
        (BURY, 2020, "special_pupils", 500),
        (BURY, 2022, "special_pupils", 562.5),
        (BURY, 2023, "special_pupils", 613.5),
        (CAMDEN, 2020, "high_needs", 40_156_094),
        (ENGLAND, 2021, "high_needs", 7_906_348_577),
        (ENGLAND, 2023, "special_pupils", 169_741.16),
    ],
)
def test_grant_as_printed(grant, area, year, column, printed):
    assert grant.loc[(area, year), column] == pytest.approx(printed)


def test_authorities_add_to_england(grant):
    local = grant.drop(index=ENGLAND, level="area_code")
    summed = local.groupby("year")[["grant", "high_needs"]].sum()
    printed = grant.loc[ENGLAND, ["grant", "high_needs"]]
    # Each authority is printed in whole pounds.
    assert (summed - printed).abs().to_numpy().max() < len(local)


@pytest.mark.parametrize(
    ("account", "funding", "provision", "printed"),
    [
        ("outturn", "place funding", "special", 2_735_834),
        ("outturn", "top-up, state-funded", "special", 7_974_509.25),
        ("outturn", "top-up, state-funded", "primary", 2_020_057.14),
        ("outturn", "top-up, independent", "special", 8_989_792.05),
        ("outturn", "top-up, independent", "post-16", 2_086_934.2),
        ("outturn", "services", "therapies", 208_628.74),
        ("budget", "place funding", "all", 6_339_125),
        ("budget", "top-up, independent", "special", 6_294_900),
    ],
)
def test_spending_of_bury_as_printed(spending, account, funding, provision, printed):
    assert spending[(BURY, account, funding, provision)] == pytest.approx(printed)


def test_abolished_authorities_have_no_spending(spending):
    codes = set(spending.index.get_level_values("area_code"))
    assert "E10000021" not in codes  # Northamptonshire
    assert {"E06000061", "E06000062", "E06000058"} <= codes


def test_deficit_as_printed():
    deficit = tables.load("dsg_deficits").set_index(["area_code", "year"])["deficit"]
    assert deficit[BURY].to_dict() == {2019: 11.97, 2020: 12.05, 2021: 11.28}
    assert deficit[ENGLAND].to_dict() == {2019: 1.08, 2020: 1.69, 2021: 2.26}


def test_open_document_gets_its_first_entry():
    bare = io.BytesIO()
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("content.xml", "<x/>")
    whole = finance._open_document(bare.getvalue(), "file.ods")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.namelist() == ["mimetype", "content.xml"]
        assert archive.read("content.xml") == b"<x/>"


def test_unknown_heading_is_named():
    headings = pd.Series(["Place funding", "Early Years (1)", "Moon bases", ""])
    with pytest.raises(DataError, match="Moon bases"):
        finance._lines(headings, 0, "file.xlsx")


@pytest.mark.official
def test_rebuilt_tables_are_those_in_data(official):
    areas = tables.load("areas")
    made = finance.build(official, areas)
    for name, frame in made.items():
        assert len(frame) == len(tables.load(name)), name
