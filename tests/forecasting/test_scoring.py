"""Scores against closed forms, simple methods against arithmetic, and the bar itself."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from send_analysis.cli import app
from send_analysis.forecasting import choosing, demand, methods, scoring
from send_analysis.forecasting import panel as panels
from send_analysis.forecasting.demand import LEVELS
from send_analysis.forecasting.methods import COMPOUND
from send_analysis.forecasting.totals import forecast


@pytest.fixture(scope="module")
def history():
    return panels.build()


@pytest.fixture(scope="module")
def forecasts(history):
    return scoring.rolling_origin(panel=history)


@pytest.fixture(scope="module")
def summary(forecasts):
    return scoring.accuracy(forecasts).set_index(["method", "horizon"])


@pytest.fixture(scope="module")
def later(forecasts):
    """Scores on outcomes that took no part in choosing the method."""
    return scoring.accuracy(forecasts, 2017, start=2023).set_index(["method", "horizon"])


# Scores


@given(st.floats(0, 100), st.floats(0, 100), st.floats(-50, 150), st.floats(0.01, 0.99))
def test_interval_score_is_its_closed_form(a, b, observed, alpha):
    lower, upper = sorted((a, b))
    expected = upper - lower
    if observed < lower:
        expected += 2 / alpha * (lower - observed)
    if observed > upper:
        expected += 2 / alpha * (observed - upper)
    found = scoring.interval_score(*map(np.atleast_1d, (lower, upper, observed)), alpha)
    assert found == pytest.approx(expected)


@given(st.lists(st.floats(0, 100), min_size=7, max_size=7), st.floats(-50, 150))
def test_weighted_interval_score_is_the_mean_quantile_score(values, observed):
    """Bracher and others (2021), equation 2: twice the mean pinball loss over the levels."""
    quantiles = np.sort(values)
    below = observed < quantiles
    pinball = np.where(below, 1 - LEVELS, LEVELS) * np.abs(observed - quantiles)
    found = scoring.weighted_interval_score(quantiles[None], np.array([observed]))
    assert found[0] == pytest.approx(2 * pinball.mean())


def test_a_certain_forecast_scores_its_error():
    found = scoring.weighted_interval_score(np.full((1, 7), 40.0), np.array([47.0]))
    assert found[0] == pytest.approx(7)


# Simple methods


def straight(values):
    """Make a panel of one unit from yearly plans ending in January 2025."""
    plans = np.array([values], dtype=float)
    years = np.arange(2026 - len(values), 2026)
    empty = np.full_like(plans, np.nan)
    rest = {
        f.name: empty
        for f in dataclasses.fields(panels.Panel)
        if f.name not in ("units", "years", "plans")
    }
    return panels.Panel(units=np.array(["E1"]), years=years, plans=plans, **rest)


def test_drift_continues_a_straight_line():
    panel = straight([100, 110, 120, 130])
    found = methods.baseline(panel, 2025, 3, years=3, log=False)
    np.testing.assert_allclose(found, np.array([140, 150, 160])[None, :, None] * np.ones(7))


def test_compound_growth_continues_a_rate():
    panel = straight([100 * 1.1**k for k in range(6)])
    found = methods.baseline(panel, 2025, 2, years=5, log=True)
    np.testing.assert_allclose(found[0, :, 3], [100 * 1.1**6, 100 * 1.1**7])


def test_interval_of_a_random_walk_with_drift():
    """Changes 8, 12, 10: mean 10, deviation 2; one step adds the mean's own error."""
    found = methods.baseline(straight([100, 108, 120, 130]), 2025, 1, years=None, log=False)
    assert found[0, 0, 6] == pytest.approx(140 + 1.959964 * 2 * np.sqrt(1 + 1 / 3), rel=1e-5)


# Backtest


def test_backtest_forecasts_what_the_forecast_function_does(forecasts):
    ours = forecasts[(forecasts["method"] == scoring.OURS) & (forecasts["origin"] == 2019)]
    ours = ours[ours["area_code"] == "E08000002"].set_index("horizon")[list(LEVELS)]
    other = forecast("Bury", as_of=2019).query("category == 'all'")
    other = other.pivot(index="horizon", columns="quantile", values="value")
    np.testing.assert_allclose(ours, other)


def test_outcomes_are_the_published_plans(forecasts):
    """Bury: 1,617 plans in January 2019, 2,686 in January 2024 (2025 release)."""
    row = forecasts.query("area_code == 'E08000002' and origin == 2019 and horizon == 5").iloc[0]
    assert (row["base"], row["observed"], row["year"]) == (1617, 2686, 2024)
    assert forecasts["year"].max() == 2025


def test_the_backtest_is_complete(forecasts):
    ours = forecasts[forecasts["method"] == scoring.OURS]
    assert ours["origin"].nunique() == 9
    assert ours.groupby(["origin", "horizon"]).size().min() >= 147  # all but the two smallest
    assert set(forecasts.groupby("method").size()) == {len(ours)}


@pytest.mark.parametrize(
    ("horizon", "mape", "ratio"), [(1, 3.4, 0.80), (3, 7.8, 0.75), (5, 11.0, 0.75)]
)
def test_the_forecasts_meet_the_bar(summary, horizon, mape, ratio):
    row, other = (summary.loc[(name, horizon)] for name in (scoring.OURS, COMPOUND))
    assert row["mape"] <= mape
    assert row["wis"] / other["wis"] <= ratio


@pytest.mark.parametrize("horizon", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("tested", ["summary", "later"])
def test_intervals_hold_what_they_say(tested, horizon, request):
    row = request.getfixturevalue(tested).loc[(scoring.OURS, horizon)]
    assert 76 <= row["within_80"] <= 90
    assert 93 <= row["within_95"] <= 99


def test_a_forecast_is_of_use_for_two_years(later, forecasts):
    """Within 10 per cent in four areas of five, counted here another way."""
    found = {name: scoring.shelf_life(rows["within_10"].droplevel(0))
             for name, rows in later.groupby("method")}  # fmt: skip
    assert (found[scoring.OURS], found[COMPOUND]) == (2, 1)
    rows = forecasts.query("method == 'this package' and year >= 2023 and horizon == 2")
    rows = rows[(rows["area_code"] != scoring.APART) & (rows["origin"] >= 2017)]
    near = rows[0.5].between(0.9 * rows["observed"], 1.1 * rows["observed"])
    assert later.loc[(scoring.OURS, 2), "within_10"] == pytest.approx(100 * near.mean())


def test_a_shelf_life_ends_at_the_first_year_that_fails():
    assert scoring.shelf_life(pd.Series([90.0, 70.0, 85.0], index=[1, 2, 3])) == 1
    assert scoring.shelf_life(pd.Series([79.0], index=[1])) == 0


def test_the_simple_methods_are_those_measured_before(summary):
    """Measured independently on the same releases with other code, to the digits given."""
    growth = summary.loc["five-year compound growth"]
    np.testing.assert_allclose(growth["mape"].loc[[1, 3, 5]], [4.1, 9.8, 14.8], atol=0.06)
    drift = summary.loc["drift, all years", "wis"]
    np.testing.assert_allclose(
        (growth["wis"] / drift).loc[[1, 3, 5]], [0.67, 0.52, 0.42], atol=0.006
    )


def test_newham_stands_apart(forecasts, summary):
    rows = forecasts[(forecasts["method"] == scoring.OURS) & (forecasts["origin"] >= 2019)]
    apart = (rows["area_code"] == scoring.APART) & (rows["horizon"] == 1)
    assert apart.sum() == 6
    assert summary.loc[(scoring.OURS, 1), "forecasts"] == (rows["horizon"] == 1).sum() - 6
    assert scoring.worst(forecasts, count=1)["area_code"].iloc[0] == scoring.APART


def test_wis_ratio_is_against_the_best_other_method(summary):
    wis = summary["wis"].unstack(0)
    best = wis.drop(columns=scoring.OURS).min(axis=1)
    ratio = summary.loc[scoring.OURS, "wis_ratio"]
    np.testing.assert_allclose(ratio, wis[scoring.OURS] / best)


def test_reliability_counts_outcomes_below_each_quantile(forecasts):
    found = scoring.reliability(forecasts).set_index(["horizon", "level"])["below"]
    rows = forecasts[
        (forecasts["method"] == scoring.OURS)
        & (forecasts["horizon"] == 1)
        & (forecasts["year"] >= 2023)
        & (forecasts["area_code"] != scoring.APART)
    ]
    assert found[1, 0.9] == pytest.approx((rows["observed"] <= rows[0.9]).mean())


def test_england_is_the_sum_of_its_units(history):
    found = scoring.england(history).set_index(["origin", "horizon"])
    assert found.loc[(2019, 5), "observed"] == 576_474  # published, January 2024
    row = found.loc[(2024, 1)]
    ends = row[["low_95", "low_80", "median", "high_80", "high_95"]]
    assert ends.is_monotonic_increasing
    whole = forecast("England", as_of=2024, horizon=1)
    # footprints there, authorities here: two of them share one
    np.testing.assert_allclose(ends, whole["value"][[0, 1, 3, 5, 6]], rtol=1e-4)


# The choice


def test_choosing_again_finds_the_numbers_of_the_method(history):
    """From another start, and with every figure after January 2022 made nonsense."""
    later = history.years > 2022
    nonsense = np.random.default_rng(7).uniform(1, 50_000, history.plans.shape)
    spoilt = {
        f.name: np.where(later, nonsense, getattr(history, f.name))
        for f in dataclasses.fields(history)
        if f.name not in ("units", "years")
    }
    assert choosing.choose(dataclasses.replace(history, **spoilt)) == demand.CHOSEN


def test_the_score_that_chose_is_that_of_the_backtest(history, forecasts):
    """The same rows by the other way: forecast one by one, outcomes to January 2022."""
    found = scoring.accuracy(forecasts, 2017, end=2022).set_index(["method", "horizon"])["wis"]
    expected = (found[scoring.OURS] / found[COMPOUND]).mean()
    assert choosing.score(history)(demand.CHOSEN) == pytest.approx(expected)


def test_alternatives_are_shown_on_both_sets_of_outcomes(history):
    found = choosing.selection(history)
    sets = list(scoring.periods(2025))[1:]
    assert found["outcomes"].unique().tolist() == sets
    wide = found.pivot(index="specification", columns=["outcomes", "horizon"], values="mape")
    relative = (wide.loc["England's growth for all"] / wide.loc["chosen"]).groupby("outcomes")
    assert (relative.mean() > 1.1).all()


def test_several_januaries_at_once_are_each_forecast_alone(history):
    """Replaying uses figures of all years: none after an origin may reach its forecast."""
    for units in demand.replay(history, [2016, 2019, 2023], 3):
        alone = demand.predict(history, units.origin, 3)
        np.testing.assert_array_equal(units.quantiles(), alone.quantiles())


def test_command_reruns_it():
    run = CliRunner().invoke(app, ["backtest", "--format", "json"])
    assert run.exit_code == 0
    rows = pd.DataFrame(json.loads(run.stdout))
    assert {"outcomes", "method", "horizon", "mape", "wis", "within_80", "within_95"} <= set(rows)
    assert rows["outcomes"].unique().tolist() == list(scoring.periods(2025))
