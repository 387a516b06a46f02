"""The parts together, on Bury's own figures."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from send_analysis.capacity import balance, places
from send_analysis.capacity import planned as planned_places
from send_analysis.cli import app
from send_analysis.errors import MissingDataError, ParameterError, UnknownNameError
from send_analysis.forecasting import totals as forecasting

BURY = "E08000002"
FAST = {"years": 5, "simulations": 300}


@pytest.fixture(scope="module")
def simulation():
    return balance.simulate("bury", **FAST)


@pytest.fixture(scope="module")
def frame(simulation):
    return balance.forecast(BURY, simulation=simulation)


def test_total_is_the_forecasts(simulation):
    totals = forecasting.forecast(BURY, 5)
    totals = totals[(totals["category"] == "all") & (totals["quantile"] == 0.5)]
    own = np.median(simulation.stock[1:].sum(axis=(2, 3)), axis=1)
    assert own == pytest.approx(totals["value"].to_numpy(), rel=0.005)


def test_frame_has_a_row_each(frame):
    kinds, phases = len(places.KINDS) + len(places.GROUPS), len(places.PHASES) + 1
    assert len(frame) == 5 * kinds * phases
    assert not frame.duplicated(["year", "kind", "phase"]).any()
    assert not frame.isna().any(axis=None)
    assert (frame["demand_low_80"] <= frame["demand"]).all()
    assert (frame["places_80"] <= frame["places_95"]).all()
    assert frame["probability"].between(0, 100).all()
    assert (frame["horizon"] == frame["year"] - 2025).all()


def test_probability_and_sure_places_agree(frame):
    # more than one simulation in five exceeds capacity just where it falls short of 80 % sure
    assert ((frame["probability"] > 20) == (frame["extra_80"] > 0)).all()
    assert ((frame["probability"] > 5) == (frame["extra_95"] > 0)).all()


def test_what_was_used_is_said(frame):
    basis = frame[frame["phase"] == "secondary"].set_index(["kind", "year"])["basis"]
    assert basis[places.SPECIAL, 2030] == "places in use, January 2025, and planned changes"
    assert basis[places.INDEPENDENT, 2030] == "places in use, January 2025"


def test_delay_takes_its_places_and_nothing_else(simulation):
    def made(plans: dict) -> pd.DataFrame:
        scenario = {"name": "x", "plans": plans, "assumptions": {"openings_late": 0}}
        frame = balance.forecast(BURY, simulation=simulation, scenario=scenario)
        return frame.set_index(["kind", "phase", "year"])

    planned, later = made({}), made({"semh-school": {"opens": "2030-09"}})
    key = (places.SPECIAL, "secondary", 2030)
    assert planned.loc[key, "capacity"] - later.loc[key, "capacity"] == 36  # 0.6 of 60 places
    assert planned.loc[key, "probability"] <= later.loc[key, "probability"]
    assert (planned["demand"] == later["demand"]).all()


def test_late_openings_take_places_on_average_and_never_add(frame, simulation):
    on_time = balance.forecast(
        BURY, simulation=simulation, scenario={"name": "x", "assumptions": {"openings_late": 0}}
    )
    assert (frame["probability"] >= on_time["probability"]).all()
    missing = on_time["planned"] - frame["planned"]
    assert (missing >= -1e-9).all()
    assert np.allclose(on_time["capacity"] - frame["capacity"], missing)
    # the school planned for September 2028 is one of the openings that can be late
    opening = (frame["kind"] == places.SPECIAL) & (frame["phase"] == "secondary")
    assert missing[opening & (frame["year"] == 2029)].item() > 0


def test_shift_lowers_independent_and_keeps_the_total(simulation):
    scenario = {
        "name": "test",
        "levers": [
            {"lever": "placements", "from": places.INDEPENDENT, "to": places.SPECIAL, "share": 0.5}
        ],
    }
    changed = balance.simulate(BURY, **FAST, scenario=scenario)
    number = balance.SETTINGS.index(places.INDEPENDENT)
    before, after = (
        np.median(made.stock[..., number].sum(axis=2), axis=1) for made in (simulation, changed)
    )
    assert (after[1:] < before[1:]).all()
    # leavers go by setting, so that the total moves, but little
    total = [np.median(made.stock.sum(axis=(2, 3)), axis=1) for made in (simulation, changed)]
    assert total[1] == pytest.approx(total[0], rel=0.003)


def test_levers_of_the_forecast_lower_the_total(simulation):
    levers = [{"lever": "new_plans", "ages": ["5-10"], "multiply": 0, "from_year": 2026}]
    changed = balance.simulate(BURY, **FAST, scenario={"name": "x", "levers": levers})
    total = [np.median(made.stock.sum(axis=(2, 3)), axis=1) for made in (simulation, changed)]
    assert total[1][-1] < 0.97 * total[0][-1]


def test_scenario_errors_name_the_key():
    with pytest.raises(ParameterError, match=r"scenario, levers\[1\]\.from: must be .*'moon'"):
        lever = {"lever": "moves", "from": "moon", "to": places.UNIT, "share": 0.1}
        balance.read_scenario({"name": "x", "levers": [lever]})
    with pytest.raises(ParameterError, match=r"scenario: key 'plan' is unknown. Did you mean 'pl"):
        balance.read_scenario({"name": "x", "plan": {}})
    with pytest.raises(ParameterError, match=r"scenario, assumptions: key 'hours' is unknown"):
        balance.read_scenario({"name": "x", "assumptions": {"hours": 3}})
    with pytest.raises(ParameterError, match=r"plans\.moon: Bury has no such planned change"):
        balance.forecast(BURY, **FAST, scenario={"name": "x", "plans": {"moon": {}}})


def test_unknown_part_and_area():
    with pytest.raises(UnknownNameError, match=r"Unknown part 'place'. Did you mean 'places'"):
        balance.part(BURY, "place")
    with pytest.raises(MissingDataError, match="no single authority"):
        balance.forecast("England", **FAST)


def test_examples_of_the_documentation_are_valid(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```(yaml|csv)\n(.*?)```", page, flags=re.DOTALL))
    (tmp_path / "own.yml").write_text(blocks["yaml"], encoding="utf-8")
    scenario = balance.read_scenario(tmp_path / "own.yml")
    assert planned_places.plans(BURY, scenario["plans"]).loc["semh-school", "places"] == 80
    (tmp_path / "own.csv").write_text(blocks["csv"], encoding="utf-8")
    assert planned_places.read_capacity(tmp_path / "own.csv")["places"].tolist() == [340, 400]


def test_england_and_regions_have_the_parts_that_need_no_simulation():
    for area in ("England", "North West"):
        for name in ("assessments", "budget", "published"):
            frame = balance.part(area, name)
            assert "area_code" in frame
    assert len(balance.part("England", "assessments")) > 5


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["capacity", *arguments, "--simulations", "200"])
    assert result.exit_code == 0, result.output
    return result.output


def test_command_prints_csv_json_and_a_table():
    text = run("bury", "--years", "2", "--format", "csv")
    frame = pd.read_csv(io.StringIO(text))
    assert set(frame["year"]) == {2026, 2027}
    rows = json.loads(run("351", "--years", "2", "--format", "json"))
    assert len(rows) == len(frame)
    assert rows[0]["area"] == "Bury"
    table = run("Bury", "--years", "2", "--scenario", "capacity-radcliffe-built")
    assert table.startswith("Bury, The Radcliffe school is built after all. Capacity: places in")
    assert "extra_95" in table


def test_command_prints_every_part():
    starts = {
        "assessments": "area_code",
        "staff": "area_code",
        "cost": "area_code",
        "shifts": "area_code",
        "budget": "area_code",
        "scap": "LA code",
    }
    for part, first in starts.items():
        text = run("bury", "--years", "2", "--part", part, "--format", "csv")
        assert text.startswith(first), part
        assert len(text.splitlines()) > 4, part


def test_capacity_file_is_used(tmp_path):
    file = tmp_path / "known.csv"
    file.write_text("kind,phase,year,places\nstate special school,primary,2025,999\n")
    text = run("bury", "--years", "1", "--capacity-file", str(file), "--format", "csv")
    frame = pd.read_csv(io.StringIO(text)).set_index(["kind", "phase"])
    row = frame.loc[(places.SPECIAL, "primary")]
    assert row["capacity"] == 999
    assert row["probability"] == 0
    assert row["basis"] == "capacity file known.csv"
