"""Person-level transitions: what is read, what is refused, and the published demo reproduced."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from send_analysis.errors import DataError, MissingDataError, ParameterError, SendAnalysisError
from send_analysis.forecasting.transitions import files
from send_analysis.forecasting.transitions.model import (
    Draws,
    estimate_flows,
    notes,
    simulate_transitions,
    write_results,
)
from send_analysis.forecasting.transitions.published_draws import published_binomial

DEMO = Path(__file__).parents[3] / "shared" / "peers" / "witan_send_demo"
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason="needs ../shared/peers/witan_send_demo")

STATES = """setting,setting-group,min-academic-year,max-academic-year,needs,setting->setting
M,group,0,11,"X,Y","M,S"
S,group,0,14,"X,Y","M,S"
"""
TRANSITIONS = """calendar-year,setting-1,need-1,academic-year-1,setting-2,need-2,academic-year-2
2020,M,X,5,M,X,6
2020,M,X,5,S,X,6
2020,M,X,5,NONSEND,NONSEND,6
2020,S,Y,7,S,Y,8
2020,NONSEND,NONSEND,4,M,X,5
2021,NONSEND,NONSEND,4,M,X,5
2021,M,X,6,M,X,7
"""
COSTS = "need,setting,cost\nX,M,100\nX,S,900\n"


def population(years=range(2020, 2026), people=100):
    rows = [f"{year},{age},{people}" for year in years for age in range(-4, 21)]
    return "calendar-year,academic-year,population\n" + "\n".join(rows) + "\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "states.csv").write_text(STATES)
    (tmp_path / "transitions.csv").write_text(TRANSITIONS)
    (tmp_path / "population.csv").write_text(population())
    (tmp_path / "costs.csv").write_text(COSTS)
    return tmp_path


def read(folder):
    states = files.read_valid_states(folder / "states.csv")
    return files.Files(
        files.read_transitions(folder / "transitions.csv", states),
        files.read_population(folder / "population.csv"),
        states,
    )


def test_rates_are_those_worked_out_by_hand(folder):
    flows = estimate_flows(read(folder))
    # academic year 5: three plans in M with need X, one left. Year mean (1 + ½) ÷ (3 + 1) = 0.375.
    np.testing.assert_allclose(flows.leave[5 + 4, 0, 0], [1 + 0.375, 2 + 0.625])
    # nobody in S: the prior alone
    np.testing.assert_allclose(flows.leave[5 + 4, 0, 1], [0.375, 0.625])
    # of the two who stayed one moved: mean (1 + ½) ÷ (2 + 1) = 0.5
    np.testing.assert_allclose(flows.move[5 + 4, 0, 0], [1.5, 1.5])
    np.testing.assert_allclose(flows.destination[5 + 4, 0, 0], [0, 2])  # one seen, prior one
    # one joiner of academic year 5 in each of two years, among 100 people
    np.testing.assert_allclose(flows.join[5 + 4], [1, 99])
    # no joiners of academic year 8: .001 for each year, and everyone
    np.testing.assert_allclose(flows.join[8 + 4], [0.002, 100])
    # two joiners in M with X, prior of one over four states
    np.testing.assert_allclose(flows.entry[5 + 4], [[2.25, 0.25], [0.25, 0.25]])
    assert flows.entry[8 + 4].sum() == 0
    # at 14 S takes no one of 15, so nobody moves there or from there
    np.testing.assert_array_equal(flows.move[14 + 4, :, 1], [[0, 1], [0, 1]])
    # an academic year never seen
    np.testing.assert_array_equal(flows.leave[2 + 4, 0, 0], [0.5, 0.5])
    np.testing.assert_array_equal(flows.move[2 + 4, 0, 0], [1, 1])


BROKEN = [
    # file, what is replaced, by what, parts of the message
    ("states.csv", "needs,", "wants,", ["states.csv", "'needs'", "missing"]),
    ("states.csv", '0,14,"X,Y","M,S"', '0,14,"X,Y","M,T"', ["'setting->setting'", "row 3", "'T'"]),
    ("states.csv", "M,group,0,11", "M,group,12,11", ["'min-academic-year'", "row 2", "12"]),
    ("states.csv", "S,group", "M,group", ["setting 'M'", "row 3", "a second row"]),
    ("states.csv", "S,group,0,14", "S,group,0,44", ["'max-academic-year'", "row 3", "44"]),
    (
        "transitions.csv",
        "need-2",
        "need2",
        ["transitions.csv", "'need-2'", "nearest columns"],
    ),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,Q,Y,7,S,Y,8", ["'setting-1'", "row 5", "Q"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Z,7,S,Z,8", ["'need-1'", "row 5", "Z"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Y,99,S,Y,100", ["'academic-year-1'", "99"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,M,Y,12,M,Y,13", ["row 5", "12", "'M'"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Y,7,S,Y,9", ["'academic-year-2'", "row 5"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Y,seven,S,Y,8", ["row 5", "seven"]),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Y,7.5,S,Y,8.5", ["row 5", "7.5"]),
    (
        "transitions.csv",
        "2020,S,Y,7,S,Y,8",
        "2020,NONSEND,NONSEND,7,NONSEND,NONSEND,8",
        ["row 5", "no plan at either end"],
    ),
    ("transitions.csv", "2020,S,Y,7,S,Y,8", "2020,S,Y,7,S,NONSEND,8", ["row 5", "NONSEND"]),
    ("population.csv", "2020,-4,100", "2020,-4,-1", ["'population'", "row 2", "-1"]),
    ("population.csv", "2020,-3,100", "2020,-4,100", ["row 3", "a second row"]),
    ("population.csv", "2020,-3,100\n", "", ["academic year -3", "2020"]),
    ("population.csv", "2020,-4,100", "2020,-4,", ["'population'", "row 2", "not a number"]),
    ("costs.csv", "X,M,100", "X,M,-100", ["costs.csv", "'cost'", "row 2", "-100"]),
    ("costs.csv", "X,S,900", "X,M,900", ["row 3", "a second row"]),
    ("costs.csv", "X,M,100", "X,N,100", ["'setting'", "row 2", "N"]),
]


@pytest.mark.parametrize(("name", "old", "new", "parts"), BROKEN, ids=range(len(BROKEN)))
def test_wrong_input_is_refused_by_file_column_and_row(folder, name, old, new, parts):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SendAnalysisError) as caught:
        files.read_costs(folder / "costs.csv", read(folder).states)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n\n", "a\x00b", "calendar-year\n"])
def test_a_file_that_is_no_table_is_refused(folder, content):
    (folder / "population.csv").write_text(content)
    with pytest.raises(SendAnalysisError, match=r"population\.csv"):
        read(folder)


def test_a_file_in_another_encoding_is_refused(folder):
    (folder / "costs.csv").write_bytes("need,setting,cost\nX,M,£100\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"costs\.csv"):
        files.read_costs(folder / "costs.csv", read(folder).states)


def test_a_file_that_is_not_there_is_named(folder):
    with pytest.raises(MissingDataError, match=r"absent\.csv"):
        files.read_population(folder / "absent.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed_year": 2030}, "2021, 2022"),
        ({"seed_year": 2022, "years": 9}, "2026 is missing"),
        ({"seed_year": 2022, "draws": Draws(1)}, "at least 2"),
        ({"seed_year": 2022, "draws": Draws(10**9)}, "at most 1,000,000"),
        ({"seed_year": 2022, "draws": Draws(sampler="magic")}, "exact or published"),
    ],
)
def test_impossible_arguments_are_refused(folder, options, message):
    with pytest.raises(ParameterError, match=message):
        simulate_transitions(read(folder), **{"draws": Draws(), **options})


def test_results_add_up_and_start_from_what_was_seen(folder):
    inputs = read(folder)
    inputs = inputs._replace(costs=files.read_costs(folder / "costs.csv", inputs.states))
    results = simulate_transitions(inputs, seed_year=2022, draws=Draws(200))
    count = results["count"].set_index("year")
    assert count.loc[2022, "median"] == 2  # the joiner and the plan kept of 2021
    assert results["cost"].set_index("year").loc[2022, "mean"] == 200
    for name in ("academic_year", "setting", "need"):
        total = results[name].groupby("year")["mean"].sum()
        np.testing.assert_allclose(total, count["mean"])
    quantiles = count[["p2_5", "p10", "p25", "median", "p75", "p90", "p97_5"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert notes(inputs, "exact") == [
        "Note: 2 pairs of need and setting have no cost and count as £0."
    ]


def test_same_seed_same_bytes_and_another_seed_others(folder):
    inputs = read(folder)
    texts = []
    for seed, out in ((1, "a"), (1, "b"), (2, "c")):
        results = simulate_transitions(inputs, seed_year=2022, draws=Draws(60, seed))
        paths = write_results(results, folder / out)
        texts.append(b"".join(path.read_bytes() for path in paths))
    assert texts[0] == texts[1] != texts[2]
    assert b"\r" not in texts[0]


def test_a_second_run_leaves_nothing_of_the_first(folder):
    inputs = read(folder)
    costs = files.read_costs(folder / "costs.csv", inputs.states)
    priced, out = inputs._replace(costs=costs), folder / "out"
    write_results(simulate_transitions(priced, seed_year=2022, draws=Draws(5)), out)
    (out / "mine.txt").write_text("kept")
    write_results(simulate_transitions(inputs, seed_year=2022, draws=Draws(5)), out)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["academic_year.csv", "count.csv", "mine.txt", "need.csv", "setting.csv"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture(scope="module")
def demo():
    states = files.read_valid_states(DEMO / "input/valid-states.csv")
    return files.Files(
        files.read_transitions(DEMO / "input/transitions.csv", states),
        files.read_population(DEMO / "input/population.csv"),
        states,
        files.read_costs(DEMO / "input/costs.csv", states),
    )


def published(name):
    return pd.read_csv(DEMO / f"results/{name}.csv")


@pytest.mark.official
@needs_demo
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("leaver_beta_expectations", "leave"),
        ("mover_beta_expectations", "move"),
        ("movers_dirichlet_expectations", "destination"),
        ("joiners_dirichlet_expectations", "entry"),
    ],
)
def test_every_published_rate_is_met(demo, name, part):
    states = demo.states
    flows = estimate_flows(demo)
    wanted = published(name)
    place = [
        wanted["ay"].to_numpy() + 4,
        pd.Index(states.needs).get_indexer(wanted["need"]),
        pd.Index(states.settings).get_indexer(wanted["setting"]),
    ]
    if part == "destination":
        place.append(pd.Index(states.settings).get_indexer(wanted["setting-destination"]))
    ours = getattr(flows, part)[tuple(place)]
    theirs = wanted[["alpha", "beta"]] if "beta" in wanted else wanted["alpha"]
    if part == "move":  # theirs holds a row for the last two years too, in which nobody moves
        rows = (wanted["ay"] < 17).to_numpy()
        ours, theirs = ours[rows], theirs[rows]
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.official
@needs_demo
def test_every_published_joiner_rate_is_met(demo):
    flows = estimate_flows(demo)
    wanted = published("joiner_beta_expectations")
    ours = flows.join[wanted["ay"].to_numpy() + 4]
    np.testing.assert_allclose(ours, wanted[["alpha", "beta"]], atol=1e-9)


@pytest.mark.official
@needs_demo
def test_published_draws_explain_how_many_joined_in_the_published_run(demo):
    """The stored run counts who joined at each age: more than its own rates give, from 14 on."""
    text = (DEMO / "results/transitions.edn").read_text()
    found = re.findall(r"\[(\d+) (-?\d+) :NONSEND :\S+\] (\d+)", text)
    rows = pd.DataFrame(found, columns=["year", "age", "count"]).astype(int)
    joined = rows.groupby(["age", "year"])["count"].sum() / 1000
    flows = estimate_flows(demo)
    rng = np.random.default_rng(5)
    for age in (-1, 0, 1, 2):
        observed, exact, drawn = [], [], []
        for year in range(2018, 2023):
            people = int(demo.population.loc[age, year])
            alpha, beta = flows.join[age + 4]
            share = rng.beta(alpha, beta, 20_000)
            observed.append(joined[age, year])
            exact.append(people * alpha / (alpha + beta))
            drawn.append(published_binomial(rng, np.full(20_000, people), share).mean())
        error = np.sqrt(np.mean(exact) * (1 + np.mean(exact) / alpha) / 5000)  # of five means
        assert np.mean(observed) - np.mean(exact) > 4 * error
        assert abs(np.mean(observed) - np.mean(drawn)) < 3 * error


@pytest.fixture(scope="module")
def run(demo):
    return simulate_transitions(demo, seed_year=2017, draws=Draws(1000, 50, "published"))


@pytest.mark.official
@needs_demo
@pytest.mark.parametrize(
    ("name", "file", "dimension", "within"),
    [
        ("count", "Output_Count", None, 0.01),
        ("cost", "Output_Cost", None, 0.01),
        ("academic_year", "Output_AY", "academic-year", 0.02),
        ("setting", "Output_Setting", "setting", 0.02),
        ("need", "Output_Need", "need", 0.02),
    ],
)
def test_the_published_demo_is_reproduced(run, name, file, dimension, within):
    left = ["year"] if dimension is None else ["year", name]
    right = ["calendar-year"] if dimension is None else ["calendar-year", dimension]
    both = run[name].merge(published(file), left_on=left, right_on=right, suffixes=("", "_theirs"))
    large = both[(both["median_theirs"] > 100) & (both["year"] > 2017)]
    assert len(large) >= 5
    assert ((large["median"] / large["median_theirs"] - 1).abs() <= within).all()
    assert (large["sd"] / large["std-dev"]).between(0.85, 1.15).all()


@pytest.mark.official
@needs_demo
def test_exact_draws_stay_below_the_published_run(demo, run):
    exact = simulate_transitions(demo, seed_year=2017, draws=Draws(400))
    gap = run["count"]["mean"] - exact["count"]["mean"]
    assert (gap[1:] > 0).all()
    assert gap.iloc[-1] / run["count"]["mean"].iloc[-1] < 0.02
