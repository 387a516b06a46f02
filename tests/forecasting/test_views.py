"""The plans ahead as pages show them: one simulation, one number for one thing."""

import matplotlib as mpl
import numpy as np
import pytest

from send_analysis import areas, tables
from send_analysis.capacity import balance, returns
from send_analysis.forecasting import charts, longrange, outlook, views
from send_analysis.forecasting.cohorts import simulation as cohorts
from send_analysis.forecasting.cohorts.inputs import SETTINGS

mpl.use("agg")


def test_scenarios_are_set_against_the_forecast():
    found = views.scenarios("Bury", 4)
    now = found[found["scenario"] == "as now"]
    assert (now["change_percent"] == 0).all()
    files = list((tables.data_dir() / "scenarios").glob("demand-*.yml"))
    assert found["scenario"].nunique() == 1 + len(files)
    fewer = found[found["scenario"] == "New plans stay at their latest number"].set_index("year")
    assert fewer.loc[2029, "change_percent"] < fewer.loc[2028, "change_percent"] < 0


def test_no_range_for_what_is_a_fault_of_recording():
    frame = views.by_category("Bury").set_index("category")
    assert frame.loc["not recorded", ["low_80", "high_80"]].isna().all()
    assert frame.drop(index="not recorded").notna().all(axis=None)


def test_one_number_for_one_thing():
    """Further education on pages 03 and 04; the total on both; the return and the places."""
    simulation = balance.simulate("Bury")
    table = balance.forecast("Bury", simulation=simulation)
    there = table.set_index(["kind", "phase", "year"])["demand"]
    here = views.by_category("Bury").set_index("category")["median"]
    for kind in ("further education", "alternative provision"):
        every = simulation.stock[5][..., SETTINGS.index(kind)]
        assert here[kind] == pytest.approx(np.median(every.sum(axis=1)))
        # places are counted at school age; a return has a few such plans below it
        assert here[kind] == pytest.approx(there[kind, "all", 2030], abs=0.5)
    assert here["all"] == outlook.fan("Bury")["median"].iloc[-1]
    simulated = np.median(simulation.stock[5].sum(axis=(1, 2)))
    assert here["all"] == pytest.approx(simulated, abs=0.5)
    asked = returns.scap(simulation)
    totals = asked.groupby(["phase", "academic_year"])["pupils"].sum()
    for (phase, year), pupils in totals.items():
        january = int(year[:4]) + 1
        assert pupils == pytest.approx(there["all specialist", phase, january], abs=0.5 + 1e-9)


def test_a_year_does_not_depend_on_how_many_follow_or_precede_it():
    long, short = (cohorts.project("Bury", years=years, simulations=20) for years in (3, 2))
    np.testing.assert_array_equal(long.stock[:3], short.stock)


def test_a_region_and_england_are_simulated_as_a_whole():
    """638,745 plans in England in January 2025, 97,747 new in 2024 (2025 release)."""
    made = cohorts.project("England", years=2, simulations=200)
    assert made.stock[0, 0].sum() == pytest.approx(638_745)
    assert made.joined[0, 0].sum() == pytest.approx(97_747)
    parts = [cohorts.project(it, years=2, simulations=200) for it in ("North West", "London")]
    ages = made.stock[2].mean(axis=0).sum(axis=1)
    share = np.array([it.stock[2].mean(axis=0).sum(axis=1) for it in parts]).sum(axis=0) / ages
    assert ((share[2:18] > 0.2) & (share[2:18] < 0.45)).all()
    frame = views.forecast("England", 1)
    assert set(frame["category"]) == {"all", *cohorts.BANDS, *SETTINGS}


def test_the_chart_of_scenarios_draws_each():
    scenarios = views.scenarios("Bury", 10)
    chart = charts.scenarios(scenarios, "Bury")
    assert "as now" in chart.alt
    tested = scenarios["year"].min() + longrange.TESTED - 1  # of ten years, the last tested
    most = -scenarios.loc[scenarios["year"] == tested, "change_percent"].min()
    assert f"{most:.0f} % fewer plans in January {tested}" in chart.title
    assert f"Beyond January {tested} nothing has been tested." in chart.note
    assert len(chart.axes().get_lines()) == scenarios["scenario"].nunique() + 1  # last tested year


@pytest.mark.parametrize("area", ["England", "Bury", "Bournemouth, Christchurch and Poole"])
def test_scenarios_start_from_the_number_that_the_forecast_gives(area):
    """One number for one thing: the middle of the forecast, in words, tables and both charts."""
    now = views.scenarios(area, 5).query("scenario == 'as now'")["plans"]
    assert now.to_numpy() == pytest.approx(outlook.fan(area)["median"].iloc[-5:].to_numpy())


def test_a_scenario_above_the_forecast_says_why():
    """New plans in 2024 were more there than the forecast expects; in Bury fewer."""
    area = areas.Area(areas.find("Bournemouth, Christchurch and Poole"))
    frame = views.scenarios(area)
    above = frame[(frame["year"] == 2030) & (frame["change_percent"] > 1)]["scenario"].tolist()
    assert above == ["New plans stay at their latest number"]
    said = "“New plans stay at their latest number” lies above “as now”"
    assert said in charts.scenarios(frame, area).note
    bury = areas.Area(areas.find("Bury"))
    assert "lies above" not in charts.scenarios(views.scenarios(bury), bury).note


@pytest.mark.parametrize("name", ["City of London", "Isles of Scilly"])
def test_few_plans_are_told_as_numbers(name):
    area = areas.Area(areas.find(name))
    frame = views.scenarios(area)
    title = charts.scenarios(frame, area).title
    then = frame[frame["year"] == 2030].set_index("scenario")["plans"].round()
    assert "%" not in title
    assert f"would have {then['as now'] - then.min():.0f} fewer plans" in title
    past = charts.then_and_now(outlook.then_and_now(area))
    assert "%" not in past.title and "plan" in past.title
