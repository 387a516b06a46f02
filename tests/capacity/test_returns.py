"""The school capacity return: rounding that adds, and the table that the survey asks for."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from send_analysis.capacity import places, returns
from send_analysis.errors import ParameterError
from send_analysis.forecasting.cohorts.inputs import SETTINGS

BURY = "E08000002"


@pytest.fixture(scope="module")
def simulation() -> SimpleNamespace:
    stock = np.random.default_rng(8).poisson(6, (9, 60, 24, len(SETTINGS)))
    return SimpleNamespace(area_code=BURY, origin=2025, stock=stock, new=stock.sum(axis=3))


@pytest.fixture(scope="module")
def table(simulation) -> pd.DataFrame:
    return returns.scap(simulation)


def test_five_and_seven_academic_years(table):
    years = table.groupby("phase")["academic_year"].unique()
    assert list(years["primary"]) == ["2026/27", "2027/28", "2028/29", "2029/30", "2030/31"]
    assert list(years["secondary"]) == [
        *years["primary"],
        "2031/32",
        "2032/33",
    ]
    groups = table.groupby("phase")["year_group"].unique()
    assert list(groups["primary"]) == list(range(7))
    assert list(groups["secondary"]) == list(range(7, 12))
    assert set(table["kind"]) == set(places.SURVEY_KINDS)
    assert table["pupils"].dtype == "int64"


def test_totals_are_the_medians_that_the_report_shows(simulation, table):
    counted = places.demand(simulation, SETTINGS)
    for phase, last in (("primary", 2031), ("secondary", 2033)):
        totals = table[table["phase"] == phase].groupby("academic_year")["pupils"].sum()
        for january in range(2027, last + 1):
            median = np.median(counted["all specialist", phase][january - 2025])
            assert abs(totals[returns.academic_year(january)] - median) <= 0.5


def test_year_group_is_age_less_four(simulation):
    stock = np.zeros_like(simulation.stock)
    stock[:, :, 11 - places.YOUNGEST, SETTINGS.index(places.SPECIAL)] = 12  # age 11 is year 7
    one = SimpleNamespace(area_code=BURY, origin=2025, stock=stock, new=stock.sum(axis=3))
    table = returns.scap(one)
    filled = table[table["pupils"] > 0]
    assert set(filled["year_group"]) == {7}
    assert set(filled["kind"]) == {places.SPECIAL}
    assert set(filled["pupils"]) == {12}


def test_layout_adds_and_names(table):
    wide = returns.layout(table)
    kinds = list(returns.KIND_NAMES.values())
    assert set(wide["LA code"]) == {"351"}
    assert (wide[kinds].sum(axis=1) == wide["Total"]).all()
    total = wide["Year group"] == "Total"
    assert total.sum() == 5 + 7
    summed = wide[~total].groupby(["Phase", "Academic year"])[[*kinds, "Total"]].sum()
    printed = wide[total].set_index(["Phase", "Academic year"])[[*kinds, "Total"]]
    assert summed.equals(printed)
    assert wide["Year group"].iloc[0] == "Reception"


def test_written_file_is_the_same_bytes_and_reads_back(table, tmp_path):
    first = returns.write(table, tmp_path / "a.csv").read_bytes()
    assert first == returns.write(table, tmp_path / "b.csv").read_bytes()
    assert b"\r" not in first
    back = pd.read_csv(tmp_path / "a.csv", dtype={"LA code": str})
    assert back["Total"].tolist() == returns.layout(table)["Total"].tolist()


def test_sixth_forms_on_request(simulation):
    table = returns.scap(simulation, last_year_group=14)
    assert table["year_group"].max() == 14


def test_simulation_too_short_says_how_long(simulation):
    short = SimpleNamespace(
        area_code=BURY, origin=2025, stock=simulation.stock[:5], new=simulation.new[:5]
    )
    with pytest.raises(ParameterError, match="needs Januaries to 2033: simulate 8 years"):
        returns.scap(short)
    with pytest.raises(ParameterError, match="last_year_group is 6"):
        returns.scap(simulation, last_year_group=6)


def test_method_text_says_what_the_guidance_asks(simulation):
    text = returns.method_text(simulation)
    for word in ("Data.", "Method.", "Assumptions.", "Checks.", "Bury", "2026/27", "2032/33"):
        assert word in text
