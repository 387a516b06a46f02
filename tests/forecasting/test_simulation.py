"""The cohort model from official tables: starts from them, loses nobody, beats persistence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis import areas, tables
from send_analysis.errors import MissingDataError, ParameterError, SendAnalysisError
from send_analysis.forecasting import totals as forecasting
from send_analysis.forecasting.cohorts import (
    moves,
    shrinkage,
    simulation,
    units,
)
from send_analysis.forecasting.cohorts import (
    rates as cohort_rates,
)
from send_analysis.forecasting.cohorts.inputs import (
    AGES,
    BANDS,
    SETTINGS,
    origins,
    population,
    snapshot,
)

BURY = "E08000002"


@pytest.fixture(scope="module")
def bury():
    return simulation.project("Bury", years=3, simulations=300)


def test_it_starts_from_the_published_january(bury):
    start = bury.stock[0]
    assert (start == start[0]).all()  # the same in every simulation
    assert start[0].sum() == pytest.approx(2804)  # caseload.csv, Bury, 202425, All EHC plans
    # the same row by setting: mainstream_total 1,323 of which 107 in units; special 563 + 198
    by_setting = dict(zip(SETTINGS, start[0].sum(axis=0), strict=True))
    assert by_setting["mainstream"] + by_setting["resourced provision or SEN unit"] == 1323
    assert by_setting["state special school"] == 563
    assert by_setting["independent or non-maintained special school"] == 198


def test_the_long_table_agrees_with_the_simulations(bury):
    table = simulation.summarise(bury)
    assert list(table) == simulation.COLUMNS
    keys = ["measure", "age", "setting", "year", "quantile"]
    assert not table.duplicated(keys).any()
    rows = table.set_index(keys)["value"].sort_index()
    totals = bury.stock[2].sum(axis=(1, 2))
    assert rows["plans", "all", "all", 2027, 0.5] == pytest.approx(np.median(totals))
    secondary = bury.stock[1][:, AGES.index(11) : AGES.index(15) + 1, 3].sum(axis=1)
    here = rows["plans", "11-15", "state special school", 2026, 0.9]
    assert here == pytest.approx(np.quantile(secondary, 0.9))
    # plans of January 2026 include those new in 2025
    here = rows["new plans", "all", "all", 2025, 0.1]
    assert here == pytest.approx(np.quantile(bury.new[1].sum(axis=1), 0.1))
    plans = table[table["measure"] == "plans"]
    assert set(plans["year"]) == {2026, 2027, 2028}
    assert (plans["year"] - plans["origin"] == plans["horizon"]).all()


def test_same_seed_same_numbers_whichever_areas_are_run():
    options = {"years": 1, "simulations": 40}
    alone = simulation.summarise(simulation.project("Bury", **options))
    tables.clear_cache()
    together = [simulation.project(name, **options) for name in ("Rochdale", "bury")]
    pd.testing.assert_frame_equal(alone, simulation.summarise(together[1]))
    other = simulation.summarise(simulation.project("Bury", seed=51, **options))
    assert not alone["value"].equals(other["value"])


@pytest.mark.parametrize("area", ["Bury", "Rutland"])
def test_totals_are_those_of_the_forecast(area):
    forecast = forecasting.forecast(area, 3)
    table = simulation.summarise(simulation.project(area, years=3, simulations=400))
    ours = table[(table["measure"] == "plans") & (table["age"] == "all")]
    ours = ours[ours["setting"] == "all"].set_index(["year", "quantile"])["value"]
    theirs = forecast[forecast["category"] == "all"].set_index(["year", "quantile"])["value"]
    inner = [0.1, 0.25, 0.5, 0.75, 0.9]
    for year in (2026, 2027, 2028):
        np.testing.assert_allclose(ours[year][inner], theirs[year][inner], rtol=4e-3)


@pytest.mark.parametrize(
    ("area", "options", "error", "message"),
    [
        ("Burry", {}, SendAnalysisError, "Bury"),
        ("Cumbria", {}, MissingDataError, "no local authority of January 2025"),
        ("Bury", {"as_of": 2023}, MissingDataError, "2024 and 2025"),
        ("Hackney", {"as_of": 2024}, MissingDataError, "no plans by age"),
        ("Bury", {"years": 0}, ParameterError, "1 to 15"),
        ("Bury", {"simulations": 1}, ParameterError, "at least 2"),
        ("Bury", {"simulations": 10**9}, ParameterError, "at most 20,000"),
        ("Bury", {"seed": -3}, ParameterError, "seed is -3"),
    ],
)
def test_what_cannot_be_projected_is_refused(area, options, error, message):
    with pytest.raises(error, match=message):
        simulation.project(area, **options)


def test_an_authority_without_settings_keeps_its_ages():
    """North East Lincolnshire returned no placements in January 2025, Cambridgeshire few."""
    rows = tables.load("ehc_plans_by_age").query(
        "area_code == 'E06000012' and year == 2025 and setting == 'all'"
    )
    start = simulation.project("E06000012", years=1, simulations=2).stock[0, 0]
    published = rows.set_index(rows["age"].replace({"0-2": "2"}).astype(int))["plans"]
    np.testing.assert_allclose(start.sum(axis=1), published.reindex(AGES).to_numpy(float))
    assert start[:, SETTINGS.index("not recorded")].sum() < 0.1 * start.sum()


def test_population_of_the_snapshot_is_the_table_as_far_as_it_is_known():
    rows = tables.load("population").query("area_code == @BURY and age >= 2")
    table = rows.pivot(index="year", columns="age", values="people").astype(float)
    now = population(2023, 2026, known=2024).loc[BURY]
    np.testing.assert_allclose(now[2024], table.loc[2024])
    np.testing.assert_allclose(now[2026], table.loc[2026], atol=0.5)  # whole people in the table
    then = population(2022, 2025, known=2023).loc[BURY]
    np.testing.assert_allclose(then[2023], table.loc[2023])
    assert abs(then[2024] - table.loc[2024].to_numpy()).max() > 10  # published only later
    with pytest.raises(MissingDataError, match="mid-2018"):
        population(2017, 2020, known=2024)


@given(st.lists(st.floats(0, 1e4), min_size=19, max_size=19))
@settings(max_examples=60, deadline=None)
def test_unmixing_undoes_the_mixing_of_ages(cohort):
    """A third of a cohort is counted a year older at the end of the year."""
    cohort = np.array(cohort)
    recorded = cohort * 2 / 3
    recorded[1:] += cohort[:-1] / 3
    np.testing.assert_allclose(cohort_rates.unmix(recorded)[:19], cohort, atol=1e-6 * cohort.max())


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.5, 500)), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_shrunk_ratios_lie_between_the_raw_ones_and_one(pairs):
    events, expected = np.array(pairs, dtype=float).T
    ratio, shape = shrinkage.shrink(events, expected)
    raw = events / expected
    assert (np.minimum(raw, 1) - 1e-9 <= ratio).all()
    assert (ratio <= np.maximum(raw, 1) + 1e-9).all()
    assert (shape > events).all()


def test_units_that_differ_only_by_chance_are_shrunk_to_one():
    rng = np.random.default_rng(1)
    expected = np.full(400, 30.0)
    ratio, _ = shrinkage.shrink(rng.poisson(expected).astype(float), expected)
    assert np.abs(ratio - 1).max() < 0.12
    differing = rng.gamma(4, 1 / 4, 400)  # a variance of a quarter
    ratio, _ = shrinkage.shrink(rng.poisson(expected * differing).astype(float), expected)
    assert np.corrcoef(ratio, differing)[0, 1] > 0.9


@pytest.mark.parametrize("weight", [20.0, 200.0])
def test_the_concentration_of_a_known_dirichlet_is_found(weight):
    rng = np.random.default_rng(2)
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    counts = np.array([rng.multinomial(300, rng.dirichlet(weight * shares)) for _ in range(600)])
    found = shrinkage.concentration(counts.astype(float), np.tile(300 * shares, (600, 1)))
    assert found == pytest.approx(weight, rel=0.2)


def test_moves_are_found_again_from_stocks_alone():
    """Many authorities with different mixes tell moves apart that one pair of stocks cannot."""
    rng = np.random.default_rng(3)
    truth = np.array([[0.8, 0.15, 0.05], [0.02, 0.9, 0.08], [0.0, 0.3, 0.7]])
    start = rng.integers(50, 4000, (300, 3)).astype(float)
    seen = np.array(
        [sum(rng.multinomial(int(n), row) for n, row in zip(area, truth, strict=True))
         for area in start]
    ).astype(float)  # fmt: skip
    prior = np.full((3, 3), 0.05) + 0.85 * np.eye(3)
    found = moves._em(start[None], seen[None], prior[None], np.full(3, 20.0))[0]
    np.testing.assert_allclose(found, truth, atol=0.02)
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("origin", [2024, 2025])
def test_rates_are_proper_and_account_for_englands_stock(origin):
    known, rates, _ = units.estimated(origin)
    for share in (rates.leave, rates.moves, rates.join, rates.entry):
        assert np.isfinite(share).all()
        assert (share >= 0).all()
    assert rates.leave.max() <= 1
    assert (rates.leave[:, -1] == 1).all()  # no plan outlasts the 26th birthday
    leave = (np.nan_to_num(known.stock) * rates.leave).sum(axis=(1, 2))
    # England ceased 39,419 plans in 2023 and 44,862 in 2024, moves between authorities included
    assert 20_000 < leave.sum() < 45_000
    secondary = rates.moves[:, 4] / rates.moves[:, 4].sum(axis=-1, keepdims=True)
    from_mainstream = secondary[:, SETTINGS.index("mainstream")].mean(axis=0)
    # year 6 to year 7: the release has 26.8 % in state special schools at 10 and 36.4 % at 11
    assert 0.08 < from_mainstream[SETTINGS.index("state special school")] < 0.35
    assert from_mainstream[SETTINGS.index("further education")] < 0.02


def test_what_all_areas_share_is_no_smaller_in_england():
    """England's bands vary a year ahead as they have varied: half of it at least, twice at most."""
    # Change of a band's share beside the change of the year before, in hundredths of itself, its
    # middle size in the Januaries 2018 to 2022, from the published plans.
    varied = {"under 5": 2.1, "5-10": 1.1, "11-15": 1.6, "16-19": 2.9, "20-25": 13.9}
    england = simulation.project(areas.find("England"), as_of=2025, years=1)
    plans = england.stock[1].sum(axis=-1)
    for band, ages in BANDS.items():
        share = plans[:, np.array(ages) - AGES[0]].sum(axis=1) / plans.sum(axis=1)
        sd = 100 * np.log(share).std() / 1.4826
        assert varied[band] / 2 <= sd <= 2 * varied[band], band


def test_a_january_it_has_not_seen_is_nearer_than_standing_still():
    some = ["Bury", "Rochdale", "Kent", "Leeds", "Devon", "Camden", "Essex", "Hull", "Norfolk",
            "Sheffield", "Surrey", "Bristol"]  # fmt: skip
    origin, latest = origins()[-2:]
    later = snapshot(latest, years=1)
    off = {axis: np.zeros(2) for axis in ((1, 2), 2, 1)}  # all, by age, by setting
    for area in map(areas.find, some):
        stock = simulation.project(area, as_of=origin, years=1, simulations=100).stock
        after = later.stock[later.areas.get_loc(area)]
        for axis in off:
            middle, before = (np.median(year.sum(axis=axis), axis=0) for year in stock[::-1])
            happened = after.sum(axis=tuple(np.atleast_1d(axis) - 1))
            off[axis] += [np.abs(guess - happened).sum() for guess in (middle, before)]
    assert all(ours < standing for ours, standing in off.values())
