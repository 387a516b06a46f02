"""The command `simulate` and the scenario files it takes, those of the documentation included."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from send_analysis.cli import main
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forecasting.transitions import files
from send_analysis.forecasting.transitions.model import Draws, simulate_transitions
from send_analysis.forecasting.transitions.scenarios import read_scenario, yearly_changes

ROOT = Path(__file__).parents[2]
STATES = """setting,setting-group,min-academic-year,max-academic-year,needs,setting->setting
M,group,0,11,X,"M,S"
S,group,0,14,X,"M,S"
"""
QUANTILES = ["mean", "p2_5", "p10", "p25", "median", "p75", "p90", "p97_5"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """An authority in which 20 join M and 10 join S at five each year, and some move or leave."""
    folder = tmp_path_factory.mktemp("inputs")
    lines = ["calendar-year,setting-1,need-1,academic-year-1,setting-2,need-2,academic-year-2"]
    for year in (2020, 2021):
        lines += [f"{year},NONSEND,NONSEND,4,M,X,5"] * 20
        lines += [f"{year},NONSEND,NONSEND,4,S,X,5"] * 10
        for age in range(5, 11):
            lines += [f"{year},M,X,{age},M,X,{age + 1}"] * 16
            lines += [f"{year},M,X,{age},S,X,{age + 1}"] * 2
            lines += [f"{year},M,X,{age},NONSEND,NONSEND,{age + 1}"] * 2
            lines += [f"{year},S,X,{age},S,X,{age + 1}"] * 10
    people = [f"{year},{age},400" for year in range(2020, 2026) for age in range(-4, 21)]
    population = ["calendar-year,academic-year,population", *people]
    (folder / "transitions.csv").write_text("\n".join(lines) + "\n")
    (folder / "population.csv").write_text("\n".join(population) + "\n")
    (folder / "states.csv").write_text(STATES)
    (folder / "costs.csv").write_text("need,setting,cost\nX,M,10\nX,S,50\n")
    return folder


@pytest.fixture
def command(inputs, monkeypatch, capsys):
    """Run the command in this process: its exit code, and what it said on standard error."""

    def run(out, *more):
        arguments = {
            "--transitions": inputs / "transitions.csv",
            "--population": inputs / "population.csv",
            "--valid-states": inputs / "states.csv",
            "--seed-year": 2022,
            "--simulations": 80,
            "--out": out,
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        monkeypatch.setattr("sys.argv", ["send-analysis", "simulate", *words, *map(str, more)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, capsys.readouterr().err

    return run


def test_the_command_writes_five_tables(command, inputs, tmp_path):
    out = tmp_path / "deep" / "out"
    code, said = command(out, "--costs", inputs / "costs.csv", "--years", 2)
    assert (code, said.count("witan.send")) == (0, 0), said
    dimensions = {"count": [], "cost": [], "setting": ["setting"], "need": ["need"],
                  "academic_year": ["academic_year"]}  # fmt: skip
    assert {path.name for path in out.iterdir()} == {f"{name}.csv" for name in dimensions}
    for name, dimension in dimensions.items():
        table = pd.read_csv(out / f"{name}.csv")
        assert list(table) == ["year", *dimension, *QUANTILES]
        assert sorted(table["year"].unique()) == [2022, 2023, 2024]
    setting = pd.read_csv(out / "setting.csv").pivot(index="year", columns="setting", values="mean")
    cost = pd.read_csv(out / "cost.csv").set_index("year")["mean"]
    np.testing.assert_allclose(cost, setting["M"] * 10 + setting["S"] * 50, rtol=1e-4)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--costs", "absent.csv"], "absent.csv"),
        (["--years", "40"], "Add rows, or ask for fewer years"),
        (["--scenario", "absent.yml"], "absent.yml"),
        (["--draws", "loaded"], "exact or published"),
        (["--seed", "-1"], "seed is -1"),
        (["--simulations", "0"], "simulations is 0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(command, tmp_path, more, message):
    code, said = command(tmp_path / "out", *more)
    assert code == 2
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_results_do_not_replace_a_file(command, tmp_path):
    out = tmp_path / "results"
    out.write_text("mine")
    code, said = command(out)
    assert (code, out.read_text()) == (2, "mine")
    assert "a file stands where the folder should be" in said


def project(inputs, changes=None):
    states = files.read_valid_states(inputs / "states.csv")
    given = files.Files(
        files.read_transitions(inputs / "transitions.csv", states),
        files.read_population(inputs / "population.csv"),
        states,
    )
    return simulate_transitions(given, seed_year=2022, scenario=changes, draws=Draws(300))


def scenario(tmp_path, text):
    path = tmp_path / "scenario.yml"
    path.write_text(text)
    return read_scenario(path)


def wide(results, name="setting"):
    return results[name].pivot(index="year", columns=name, values="mean")


def test_stopping_joiners_moves_them_elsewhere(inputs, tmp_path):
    text = "changes: [{stop_joiners: {setting: S, from: 2024}}]"
    now, base = project(inputs, scenario(tmp_path, text)), project(inputs)
    assert wide(now).loc[2023].equals(wide(base).loc[2023])
    at_five = now["academic_year"].query("academic_year == 5").set_index("year")["mean"]
    assert at_five.loc[2024] == pytest.approx(30, rel=0.06)  # as many join as before
    assert wide(now).loc[2025, "S"] < wide(base).loc[2025, "S"] - 12  # 2 years of some 10


def test_moving_half_of_the_joiners(inputs, tmp_path):
    text = "changes: [{move_joiners: {setting: M, to: S, share: 0.5, from: 2023}}]"
    now, base = wide(project(inputs, scenario(tmp_path, text))), wide(project(inputs))
    assert now.loc[2023, "S"] - base.loc[2023, "S"] == pytest.approx(10, abs=1)  # half of 20


def test_a_cap_holds_and_its_overflow_goes_where_told(inputs, tmp_path):
    text = "changes: [{cap: {setting: M, at: 82, overflow: S, from: 2024, to_year: 2024}}]"
    now, base = project(inputs, scenario(tmp_path, text)), project(inputs)
    assert wide(base).loc[2024, "M"] > 85
    setting = now["setting"].set_index(["year", "setting"])
    assert setting.loc[(2024, "M"), "median"] == 82
    assert setting.loc[(2025, "M"), "p97_5"] > 82  # free again
    total = [wide(frame).sum(axis=1).loc[2024] for frame in (now, base)]
    assert total[0] == pytest.approx(total[1])


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        ("rate: join, multiply: 2, ages: [5]", lambda now, base: now > base + 25),
        ("rate: leave, multiply: 0", lambda now, base: now > base + 8),
        ("rate: leave, multiply: 0, settings: [M], ages: [20]", lambda now, base: now == base),
    ],
)
def test_a_rate_changes_from_its_year_on(inputs, tmp_path, keys, more):
    text = f"changes: [{{change_rate: {{{keys}, from: 2024}}}}]"
    now, base = project(inputs, scenario(tmp_path, text))["count"], project(inputs)["count"]
    now, base = now.set_index("year")["mean"], base.set_index("year")["mean"]
    assert now.loc[2023] == base.loc[2023]
    assert more(now.loc[2024], base.loc[2024])


BAD = [
    ("changes: []", "changes: must be a list with at least one item"),
    (
        "change: [{stop_joiners: {setting: S, from: 2024}}]",
        "'change' is unknown. Did you mean 'changes'",
    ),
    ("changes: [{stop_joiner: {setting: S, from: 2024}}]", "Did you mean 'stop_joiners'"),
    ("changes: [{stop_joiners: {setting: S}}]", "'from' is missing"),
    (
        "changes: [{stop_joiners: {setting: S, form: 2024}}]",
        "'form' is unknown. Did you mean 'from'",
    ),
    ("changes: [{stop_joiners: {setting: T, from: 2024}}]", "'setting' names 'T'"),
    ("changes: [{stop_joiners: {setting: S, from: 2040}}]", "'from' (2040)"),
    ("changes: [{stop_joiners: {setting: S, from: 2025, to_year: 2024}}]", "before 'from' (2025)"),
    (
        "changes: [{stop_joiners: {setting: S, from: soon}}]",
        "stop_joiners.from: must be a whole number",
    ),
    ("changes: [{move_joiners: {setting: S, to: S, share: 1, from: 2024}}]", "same setting twice"),
    (
        "changes: [{move_joiners: {setting: S, to: M, share: 1.5, from: 2024}}]",
        "share: must be a number from 0 to 1",
    ),
    ("changes: [{cap: {setting: S, at: 1, overflow: M, from: 2024}}]", "'overflow'"),
    (
        "changes: [{cap: {setting: M, at: -1, overflow: S, from: 2024}}]",
        "at: must be a whole number from 0",
    ),
    (
        "changes: [{change_rate: {rate: grow, multiply: 1, from: 2024}}]",
        "rate: must be join, leave or",
    ),
    (
        "changes: [{change_rate: {rate: join, multiply: -1, from: 2024}}]",
        "multiply: must be a number from 0",
    ),
    ("changes: [{change_rate: {rate: move, multiply: 1, from: 2024, ages: [99]}}]", "99"),
    (
        "changes: [{change_rate: {rate: join, multiply: 1, from: 2024, settings: [S]}}]",
        "'settings'",
    ),
    ("changes: [{cap: 3}]", "changes[1].cap"),
    ("changes: {cap: 3}", "changes: must be a list"),
    ("- cap", "must hold keys and values"),
    ("changes: [", "line 1: expected"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_a_wrong_scenario_is_refused_by_its_key(inputs, tmp_path, text, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        project(inputs, scenario(tmp_path, text))


def test_a_scenario_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"absent\.yml"):
        read_scenario(tmp_path / "absent.yml")


def examples():
    """The YAML blocks of the documentation; those with `levers` are another model's."""
    text = (ROOT / "docs" / "cohorts.md").read_text(encoding="utf-8")
    return [it for it in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "changes:" in it]


def test_the_documentation_has_an_example_of_each_kind():
    kinds = {kind for text in examples() for kind in re.findall(r"- (\w+):\n", text)}
    assert kinds == {"stop_joiners", "move_joiners", "cap", "change_rate"}


@pytest.mark.parametrize("text", examples())
def test_the_documented_scenarios_are_valid(tmp_path, text):
    changes = scenario(tmp_path, text)
    settings = list("ABCDEFGHIJKLMNOPQRS")
    states = files.States(
        ages=range(-4, 21),
        needs=list("TUVWXY"),
        settings=settings,
        allowed=np.ones((25, 6, 19), dtype=bool),
        reachable=~np.eye(19, dtype=bool),
    )
    years = range(2018, 2023)
    assert len(yearly_changes(changes, states, years)) == len(years)
