"""The tables as a user loads them."""

import json
import shutil

import pandas as pd
import pytest

import send_analysis as sa
from send_analysis import tables
from send_analysis.errors import DataError, SendAnalysisError, UnknownNameError


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of two tables that a test may spoil."""
    names = ["areas", "quality"]
    package = json.loads((tables.data_dir() / tables.DESCRIPTOR).read_text(encoding="utf-8"))
    package["resources"] = [entry for entry in package["resources"] if entry["name"] in names]
    for entry in package["resources"]:
        shutil.copy(tables.data_dir() / entry["path"], tmp_path)
    (tmp_path / tables.DESCRIPTOR).write_text(json.dumps(package), encoding="utf-8")
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(tmp_path))
    yield tmp_path
    tables.clear_cache()


def test_ehc_plans_is_typed():
    plans = sa.load("ehc_plans")
    assert list(plans.columns[:4]) == ["area_code", "year", "age_band", "plans"]
    assert plans.dtypes[["year", "plans"]].astype(str).to_dict() == {
        "year": "int64",
        "plans": "Int64",
    }
    assert set(plans["age_band"]) == {"all", "under 5", "5-10", "11-15", "16-19", "20-25"}
    assert plans["year"].min() == 2010
    assert plans["year"].max() == 2025


def test_dates_and_decimals_are_typed():
    assert sa.load("inspections")["start"].dtype.kind == "M"
    assert pd.api.types.is_float_dtype(sa.load("population")["people"])


def test_a_loaded_table_is_the_users_own():
    first = sa.load("areas")
    first["area"] = "changed"
    assert "Bury" in set(sa.load("areas")["area"])


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("ehc_plans", {"area_code": "E08000002"}),
        ("ehc_plans", {"area_code": ["E92000001", "E08000002"], "age_band": "all", "year": 2025}),
        ("nhs_waits", {"age_group": "cyp", "organisation_code": pd.Series(["E92000001"])}),
        ("neighbours", {"area_code": "E92000001"}),
    ],
    ids=["one value", "several", "a series", "no row"],
)
def test_the_rows_that_are_wanted_are_those_that_a_search_finds(name, where):
    whole = sa.load(name)
    found = pd.Series(True, index=whole.index)
    for column, wanted in where.items():
        found &= whole[column].isin([wanted] if isinstance(wanted, str | int) else wanted)
    pd.testing.assert_frame_equal(sa.load(name, **where), whole[found])


def test_the_catalogue_lists_every_table_with_its_source():
    listed = sa.catalogue()
    assert listed.index.name == "table"
    assert {"title", "rows", "first_year", "last_year", "source"} <= set(listed.columns)
    assert listed["source"].str.len().gt(0).all()
    assert all(len(sa.load(name)) == rows for name, rows in listed["rows"].items())


def test_every_source_has_publication_licence_and_hash():
    for entry in tables.descriptor()["resources"]:
        for source in entry["sources"]:
            assert {"title", "publisher", "published", "licence", "file"} <= source.keys()
            assert len(source["sha256"]) == 64


def test_an_unknown_table_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="'ehc_plans'"):
        sa.load("ehc_plan")


def test_the_committed_tables_are_as_described():
    assert tables.verify().empty


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace("Bury", "Burry"), "SHA-256"),
        (lambda text: text + text.splitlines()[-1] + "\n", "a second row for"),
        (lambda text: text.replace("local authority", "council", 1), "not a value"),
        (lambda text: text.replace("2025", "soon", 1), "run `send-analysis data verify`"),
    ],
    ids=["changed", "duplicated", "strange", "untyped"],
)
def test_a_spoilt_table_is_found(copied, spoil, says):
    file = copied / "areas.csv"
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    problems = tables.verify()
    assert problems["problem"].str.contains(says, regex=False).any()
    assert set(problems["table"]) == {"areas"}


def test_a_missing_file_is_named(copied):
    (copied / "areas.csv").unlink()
    assert "areas.csv is missing" in tables.verify()["problem"].iloc[0]
    with pytest.raises(DataError, match="data build"):
        tables.load("areas")


def test_a_table_cut_short_is_refused(copied):
    file = copied / "areas.csv"
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])  # at the end of a row: it reads well
    with pytest.raises(DataError, match="cut short"):
        tables.load("areas")


def test_a_folder_without_tables_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(tmp_path))
    with pytest.raises(SendAnalysisError, match="data build --out"):
        tables.load("areas")


def test_a_remembered_result_is_worked_out_once_and_is_yours_to_change():
    calls = []

    @tables.remembered
    def twice(number=1):
        calls.append(number)
        return pd.DataFrame({"value": [2 * number]})

    first = twice(3)
    first["value"] = 0
    assert twice(3)["value"].tolist() == [6]
    assert twice(number=4)["value"].tolist() == [8]
    assert calls == [3, 4]
    tables.clear_cache()
    assert twice(3)["value"].tolist() == [6]
    assert calls == [3, 4, 3]


def test_only_the_latest_results_are_remembered_if_so_asked():
    calls = []

    @tables.remembered(most=1)
    def twice(number):
        calls.append(number)
        return 2 * number

    assert [twice(3), twice(3), twice(4), twice(3)] == [6, 6, 8, 6]
    assert calls == [3, 4, 3]


def test_a_remembered_result_is_of_the_folder_it_was_made_from(monkeypatch, tmp_path):
    (tmp_path / "datapackage.json").write_text('{"resources": []}', encoding="utf-8")
    folder = tables.remembered(tables.data_dir)
    before = folder()
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(tmp_path))
    assert (before, folder()) == (before, tmp_path)
