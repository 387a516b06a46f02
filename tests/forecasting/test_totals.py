"""Forecasts: no look ahead, parts that add up, clear errors."""

import json
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from send_analysis import tables
from send_analysis.cli import app
from send_analysis.errors import MissingDataError, ParameterError, UnknownNameError
from send_analysis.forecasting import demand, panel, views
from send_analysis.forecasting.totals import COLUMNS, forecast

ENGLAND = "E92000001"
BURY = "E08000002"
LOAD = tables.load
FLOWS = {"requests", "assessments", "new_plans", "ceased_plans", "ceased_plans_by_age", "pupils"}


@pytest.fixture(scope="module")
def history():
    return panel.build()


@pytest.fixture(scope="module")
def every():
    return forecast()


def medians(frame):
    rows = frame[frame["quantile"] == 0.5]
    return rows.pivot(index=["area_code", "year"], columns="category", values="value")


# What was known when


@contextmanager
def told(load):
    """Let the package read its tables by another function, and forget what it knew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "load", load)
        for forget in tables._remembered:
            forget()
        yield
    for forget in tables._remembered:
        forget()


def corrupted(origin, names=None):
    """Give the tables with every figure published after a January's release made nonsense."""
    noise = np.random.default_rng(7)

    def load(name):
        frame = LOAD(name)
        if "year" not in frame or (names is not None and name not in names):
            return frame
        later = frame["year"] >= origin if name in FLOWS else frame["year"] > origin
        for column in ("plans", "requests", "assessments", "percent"):
            if column in frame:
                wrong = pd.Series(noise.integers(1, 50_000, len(frame)), index=frame.index)
                frame[column] = frame[column].astype("Float64").mask(later, wrong)
        return frame

    return load


@pytest.mark.parametrize("origin", [2017, 2019, 2022, 2023])
def test_nothing_published_later_changes_a_forecast(origin):
    honest = forecast(as_of=origin, horizon=3)
    with told(corrupted(origin)):
        pd.testing.assert_frame_equal(honest, forecast(as_of=origin, horizon=3))


@pytest.mark.parametrize("origin", [2016, 2024])
def test_later_rows_need_not_exist(origin):
    def load(name):
        frame = LOAD(name)
        last = origin - 1 if name in FLOWS else origin
        return frame[frame["year"] <= last] if "year" in frame else frame

    honest = forecast(as_of=origin, horizon=2)
    with told(load):
        pd.testing.assert_frame_equal(honest, forecast(as_of=origin, horizon=2))


@pytest.mark.parametrize("table", ["ehc_plans", "requests", "new_plans", "pupils"])
def test_what_was_known_does_change_it(table):
    """The test above would be worthless if corrupting a table never mattered."""
    honest = forecast("Bury", as_of=2023)
    with told(corrupted(2021, names={table})):
        other = forecast("Bury", as_of=2023)
    assert not np.allclose(honest["value"], other["value"])


def test_flows_stand_in_the_january_after(history):
    """Figures read off the 2022 and 2025 releases."""
    row = list(history.units).index(BURY)
    column = list(history.years).index(2019)
    assert history.plans[row, column] == 1617
    assert history.requests[row, column] == 267  # calendar year 2018
    assert history.refused[row, column] == 68
    assert history.plans[row, list(history.years).index(2024)] == 2686


def test_a_flagged_return_of_requests_is_not_known(history):
    """Isle of Wight, 2024: 74 requests are printed of a return that is not whole."""
    row, column = list(history.units).index("E06000046"), list(history.years).index(2025)
    assert np.isnan(history.requests[row, column])
    assert history.new_plans[row, column] == 187


def test_merged_footprints_add_their_authorities(history):
    """Cumbria 2023, one authority; its two successors in 2025."""
    row = list(history.units).index("E06000063+E06000064")
    plans = tables.load("ehc_plans").query("age_band == 'all'").set_index(["area_code", "year"])
    expected = plans["plans"][[("E06000063", 2025), ("E06000064", 2025)]].sum()
    assert history.plans[row, -1] == expected
    assert history.plans[row, -3] == plans["plans"]["E10000006", 2023]
    assert len(history.units) == 150


# The method


def test_point_forecast_against_a_second_implementation(history):
    """Same formula, written as loops, for one origin: regression by augmented least squares."""
    origin, chosen = 2021, demand.CHOSEN
    known = panel.known_at(history, origin)
    signals = demand.signals(known)
    plans, years = known.plans, list(known.years)
    rows, targets, now = [], [], None
    for t in range(1, len(years)):
        growth = {
            i: np.log(plans[i, t] / plans[i, t - 1]) for i in range(150) if plans[i, t - 1] > 100
        }
        middle = np.median(list(growth.values()))
        kept = [i for i, g in growth.items() if abs(g - middle) < chosen.outlier]
        now = np.log(sum(plans[i, t] for i in kept) / sum(plans[i, t - 1] for i in kept))
        if years[t - 1] >= chosen.first:
            rows += [signals[i, t - 1] for i in kept]
            targets += [growth[i] - middle for i in kept]
    count = len(chosen.signals)
    x = np.vstack([*rows, np.sqrt(chosen.ridge) * np.eye(count)])
    weight, *_ = np.linalg.lstsq(x, np.r_[targets, np.zeros(count)], rcond=None)
    row = list(known.units).index(BURY)
    expected, effect = np.log(plans[row, -1]), np.ones(count)
    for step in range(1, 5):
        expected += now * chosen.damping**step
        expected += float(signals[row, -1] * effect @ weight)
        effect = effect * [share for _, share in chosen.signals]
        point = demand.predict(history, origin, 4).point[row, step - 1]
        assert point == pytest.approx(np.exp(expected), rel=1e-9)


def test_a_shorter_horizon_is_the_beginning_of_a_longer_one():
    long, short = forecast("Bury", horizon=15), forecast("Bury", horizon=2)
    first = long[long["horizon"] <= 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, short)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=40))
def test_weighted_quantile_with_equal_weights_is_hazens(values):
    values = np.array(values)
    found = demand.weighted_quantile(values, np.full(len(values), 3.0), demand.LEVELS)
    np.testing.assert_allclose(found, np.quantile(values, demand.LEVELS, method="hazen"), atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.96, 1.0])
def test_total_persistence_is_the_sum(share):
    steps = np.arange(1, 16)
    expected = [sum(share**k for k in range(step)) for step in steps]
    np.testing.assert_allclose(demand.total_persistence(share, steps), expected)


# What adds up


def test_every_authority_and_england_by_default(every):
    now = tables.load("ehc_plans").query("year == 2025 and age_band == 'all'")
    level = tables.load("areas").set_index("area_code")["level"]
    local = now[now["area_code"].map(level) == "local authority"]["area_code"]
    assert set(every["area_code"]) == {*local, ENGLAND}
    assert list(every.columns) == COLUMNS
    assert every["value"].notna().all()
    assert not every.duplicated(["area_code", "year", "category", "quantile"]).any()


def test_point_forecasts_add_up(every):
    wide = medians(every)
    areas = wide.drop(ENGLAND).groupby("year").sum()
    np.testing.assert_allclose(areas, wide.loc[ENGLAND])


def test_regions_add_their_authorities(every):
    north_west = medians(forecast("North West"))
    inside = tables.load("areas").query("region_code == 'E12000002'")["area_code"]
    wide = medians(every)
    members = wide[wide.index.get_level_values("area_code").isin(inside)].groupby("year").sum()
    np.testing.assert_allclose(north_west.loc["E12000002"], members)


def test_quantiles_rise(every):
    wide = every.pivot(index=["area_code", "year", "category"], columns="quantile", values="value")
    assert (np.diff(wide, axis=1) >= 0).all()
    assert (wide > 0).all(axis=None)


def test_a_sum_is_surer_than_its_parts_together(every):
    def width(rows):
        wide = rows.pivot(index="area_code", columns="quantile", values="value")
        return wide[0.975] - wide[0.025]

    rows = every[(every["category"] == "all") & (every["year"] == 2027)]
    widths = width(rows)
    assert widths[ENGLAND] < widths.drop(ENGLAND).sum()
    assert widths[ENGLAND] ** 2 > (widths.drop(ENGLAND) ** 2).sum()  # the shared error


def test_an_authority_new_since_2023_grows_as_its_footprint(every):
    wide = medians(every)["all"]
    start = tables.load("ehc_plans").query("year == 2025 and age_band == 'all'")
    start = start.set_index("area_code")["plans"].astype(float)
    growth = [wide[code, 2028] / start[code] for code in ("E06000063", "E06000064")]
    assert growth[0] == pytest.approx(growth[1])


def test_the_smallest_areas_get_the_widest_intervals(every):
    rows = every[(every["category"] == "all") & (every["year"] == 2026)]
    wide = rows.pivot(index="area", columns="quantile", values="value")
    spread = (wide[0.975] / wide[0.025]).sort_values()
    assert set(spread.index[-2:]) == {"City of London", "Isles of Scilly"}


# Errors


@pytest.mark.parametrize("horizon", [0, 16, 2.5, True])
def test_impossible_horizons(horizon):
    with pytest.raises(ParameterError, match="from 1 to 15"):
        forecast("Bury", horizon=horizon)


@pytest.mark.parametrize("as_of", [2012, 2031])
def test_as_of_outside_the_data(as_of):
    with pytest.raises(MissingDataError, match=r"2016 .* to 2025"):
        forecast("Bury", as_of=as_of)


def test_areas_that_cannot_be_forecast():
    with pytest.raises(UnknownNameError, match="Burry"):
        forecast("Burry")
    with pytest.raises(
        MissingDataError, match="Cumberland has no plans of its own in January 2019"
    ):
        forecast("Cumberland", as_of=2019)


# Command line


def test_command_prints_what_the_function_returns():
    run = CliRunner().invoke(app, ["forecast", "bury", "--years", "1", "--format", "json"])
    assert run.exit_code == 0
    printed = pd.DataFrame(json.loads(run.stdout))
    assert list(printed.columns) == COLUMNS
    ours = views.forecast("Bury", horizon=1)
    np.testing.assert_allclose(printed["value"], ours["value"], atol=5e-4)


def test_command_prints_a_table_for_people():
    run = CliRunner().invoke(app, ["forecast", "bury", "--years", "2", "--as-of", "2020"])
    assert run.exit_code == 0
    assert len(run.stdout.splitlines()) > 2
    assert "2022" in run.stdout
