"""Scenario files and assumptions: what is wrong is named, what is right is read."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from send_analysis import scenarios, tables
from send_analysis.capacity import balance
from send_analysis.errors import (
    MissingDataError,
    ParameterError,
    SendAnalysisError,
    UnknownNameError,
)
from send_analysis.forecasting.cohorts import levers


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(MissingDataError, match="there is no such file"):
        scenarios.read(tmp_path / "none.yml", balance.Scenario)
    with pytest.raises(UnknownNameError, match="capacity-semh-school-2030"):
        scenarios.read("capacity-typo", balance.Scenario, prefix="capacity-")
    broken = tmp_path / "broken.yml"
    broken.write_text("name: [a\nb: c", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"broken\.yml: line 2: expected"):
        scenarios.read(broken, balance.Scenario)


def test_every_scenario_in_the_project_is_valid():
    files = sorted((tables.data_dir() / "scenarios").glob("*.yml"))
    own = [file for file in files if file.stem.startswith(balance.PREFIX)]
    assert len(own) >= 3
    for file in own:
        assert balance.read_scenario(file.stem)["name"]
    for file in set(files) - set(own):
        if file.stem.startswith("demand-"):
            assert levers.read(file)


@pytest.mark.parametrize("section", ["capacity", "forecast", "waits"])
def test_assumptions_have_a_source_and_a_range(section):
    frame = scenarios.assumptions(section)
    assert (frame["source"].str.len() > 0).all()
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()


def test_hours_are_those_of_the_study():
    frame = scenarios.assumptions("capacity")
    # hours of the study, as FACTS of the Department for Education give them
    hours = {"educational_psychologist": 17.4, "case_officer": 11.3, "manager": 9.9}
    for role, printed in hours.items():
        row = frame.loc[f"hours_{role}"]
        assert row["value"] == printed
        # the study's total is 56 to 68 hours, so a role's range is that of 62 in proportion
        assert row["low"] == pytest.approx(printed * 56 / 62, abs=0.06)
        assert row["high"] == pytest.approx(printed * 68 / 62, abs=0.06)


def test_change_of_an_assumption():
    frame = scenarios.assumptions("capacity", {"hours_manager": 12})
    assert frame.loc["hours_manager", ["low", "value", "high"]].tolist() == [12, 12, 12]
    with pytest.raises(ParameterError, match=r"key 'hour_manager' is unk.*'hours_manager'"):
        scenarios.assumptions("capacity", {"hour_manager": 12})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{value: 3, low: 4, high: 5, unit: weeks, source: illustrative}", ": value 3 with its ra"),
        ("{value: 3, unit: weeks, source: ' '}", r"\.source: must be text that is not blank"),
        ("{value: 3, unit: weeks}", ": key 'source' is missing"),
        ("{value: 3, unit: share of pay, source: s}", r": value 3 .* within 0 to 1"),
        ("{value: 0, unit: children, source: s}", r": value 0 .* within 1 to 1,000,000"),
        ("{value: 3, unit: parsecs, source: s}", ": unit: must begin with share, hours"),
        ("{value: '3', unit: weeks, source: s}", r"\.value: must be a number, not '3'"),
        ("{value: 3, low: .nan, unit: weeks, source: s}", r"\.low: must be a number, not nan"),
        ("{value: 3, value: 4, unit: weeks, source: s}", "line 2: key 'value' stands twice"),
    ],
)
def test_unsourced_and_impossible_assumptions_are_refused(tmp_path, monkeypatch, entry, message):
    (tmp_path / "assumptions.yml").write_text(f"part:\n  size: {entry}\n", encoding="utf-8")
    monkeypatch.setattr(tables, "data_dir", lambda: tmp_path)
    with pytest.raises(SendAnalysisError, match=rf"(part\.size)?{message}"):
        scenarios.assumptions("part")


@given(
    low=st.floats(-100, 100), width=st.floats(0, 50), share=st.floats(0, 1), seed=st.integers(0, 9)
)
def test_draws_stay_within_the_range(low, width, share, seed):
    row = pd.Series({"low": low, "value": low + share * width, "high": low + width})
    drawn = scenarios.sample(row, 50, np.random.default_rng(seed))
    assert drawn.shape == (50,)
    assert (drawn >= low - 1e-9).all()
    assert (drawn <= low + width + 1e-9).all()


@pytest.mark.parametrize("row", [(4000, 4000, 9000), (1000, 4000, 5000), (7, 7, 7)])
def test_the_middle_of_the_draws_is_the_value_printed(row):
    row = pd.Series(row, index=["low", "value", "high"])
    drawn = scenarios.sample(row, 100_001, np.random.default_rng(2))
    assert np.median(drawn) == pytest.approx(row["value"], rel=0.003)
    assert drawn.min() >= row["low"]
    assert drawn.max() <= row["high"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("hours_a_week", 0, "from 1 to 168, not 0"),
        ("hours_a_week", -1, "from 1 to 168, not -1"),
        ("cases_lapsing", 5, "from 0 to 1, not 5"),
        ("weeks_worked", 53, "from 1 to 52, not 53"),
        ("weeks_without_queue", float("inf"), "from 0 to 520, not inf"),
        ("hours_case_officer", float("nan"), "not nan"),
        ("cases_lapsing", "0.5", "not '0.5'"),
    ],
)
def test_an_assumption_is_held_to_what_its_unit_allows(name, value, says):
    with pytest.raises(ParameterError, match=f"assumptions.{name}: .*{says}"):
        scenarios.assumptions("capacity", {name: value})
