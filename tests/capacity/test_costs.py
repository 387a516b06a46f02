"""Unit costs against division by hand, and forecasts against sums."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas, tables
from send_analysis.capacity import costs, places
from send_analysis.errors import MissingDataError, UnknownNameError
from send_analysis.forecasting.cohorts import simulation as cohorts
from send_analysis.forecasting.cohorts.inputs import SETTINGS

BURY = "E08000002"


@pytest.fixture
def simulation() -> SimpleNamespace:
    stock = np.random.default_rng(4).poisson(4, (3, 400, 24, len(SETTINGS)))
    return SimpleNamespace(area_code=BURY, origin=2025, stock=stock, new=stock.sum(axis=3))


def test_unit_costs_of_bury_by_hand():
    # Outturn and budget of 2021-22 over the plans of January 2022, as the 2022 release prints
    # them: 155 + 311 in special schools, 152 + 23 in independent and non-maintained ones, 839 in
    # mainstream schools of which 20 independent, 317 + 4 in further education.
    units = costs.unit_costs("Bury")
    special = units.loc[places.SPECIAL]
    assert special["value"] == pytest.approx(7974509.25 / 466 + 10000)
    assert special["high"] == pytest.approx(10173594 / 466 + 10000)
    independent = units.loc[places.INDEPENDENT]
    assert round(independent["top_up"]) == 51_370  # 8,989,792 / 175, before place funding
    assert independent["place"] == pytest.approx(23 / 175 * 10000)
    assert independent["value"] == pytest.approx(8989792.05 / 175 + 23 / 175 * 10000)
    assert independent["low"] == pytest.approx((6294900 + 230000) / 175)
    assert independent["plans"] == 175
    assert independent["counted"] == (
        "plans in independent and non-maintained special schools, January 2022"
    )
    mainstream = units.loc[places.MAINSTREAM]
    assert mainstream["value"] == pytest.approx((2020057.14 + 1469121.82) / (839 - 20))
    college = units.loc[places.COLLEGE]
    assert college["value"] == pytest.approx(2086934.2 / 321 + 6000)
    assert units.loc[places.UNIT, "value"] == pytest.approx(mainstream["value"] + 6000)
    assert "illustrative" in units.loc[places.ALTERNATIVE, "source"]
    assert (units["low"] <= units["value"]).all()
    assert (units["value"] <= units["high"]).all()


def test_england_costs_what_the_department_says():
    """Parliamentary answer 100030: £57,000 a pupil in 2021-22, place funding included.

    Its lines recompute to 1,384.4 million pounds over 24,412 plans of January 2022, £56,710.
    """
    independent = costs.unit_costs("England").loc[places.INDEPENDENT]
    assert independent["plans"] == 24_412
    assert independent["value"] == pytest.approx(56_710, abs=10)
    assert round(independent["value"], -3) == 57_000


@pytest.mark.parametrize("written", ["bury", "351", "E08000002"])
def test_a_name_is_as_good_as_a_code(written):
    pd.testing.assert_frame_equal(costs.unit_costs(written), costs.unit_costs("Bury"))
    pd.testing.assert_frame_equal(costs.budget(written), costs.budget("Bury"))


@pytest.mark.parametrize("function", [costs.unit_costs, costs.budget])
def test_a_name_that_is_none_is_refused(function):
    with pytest.raises(UnknownNameError, match="Nonsense"):
        function("Nonsense")


def test_plans_times_the_printed_cost_is_the_cost_printed(simulation):
    """A stock that is known leaves only the price to draw."""
    units = costs.unit_costs("Bury")
    known = simulation.stock[0, :1].repeat(400, axis=0)
    certain = SimpleNamespace(**vars(simulation) | {"stock": np.stack([known] * 3)})
    frame = costs.forecast(certain).set_index(["setting", "year"])
    for setting in units.index:
        plans = known[0].sum(axis=0)[SETTINGS.index(setting)]
        row = frame.loc[(setting, 2025)]
        assert row["pounds"] == pytest.approx(plans * units.loc[setting, "value"], rel=0.02)


@pytest.mark.parametrize("area", ["Cumberland", "Westmorland and Furness"])
def test_an_area_that_began_since_has_the_accounts_that_it_was_part_of(area):
    # Outturn of 2021-22 of Cumbria over its plans of January 2022: 406 + 293 in special schools,
    # 185 + 6 in independent and non-maintained ones
    units = costs.unit_costs(area)
    special, independent = units.loc[places.SPECIAL], units.loc[places.INDEPENDENT]
    assert special["value"] == pytest.approx(9092973.38 / 699 + 10000)
    assert independent["value"] == pytest.approx(11619048.87 / 191 + 6 / 191 * 10000)
    assert special["source"].startswith("section 251 of Cumbria, which it was part of, outturn and")
    assert "plausible" not in " ".join(units["source"])


def test_every_area_has_unit_costs():
    """Authorities of today, regions, parts of London and an authority since divided."""
    for area in map(areas.Area, tables.load("areas")["area_code"]):
        assert costs.unit_costs(area)["value"].notna().all()


def test_area_without_accounts_has_its_regions_figures():
    scilly, cornwall = "E06000053", "E06000052"
    units = costs.unit_costs(scilly)
    assert units.loc[places.INDEPENDENT, "source"].startswith("section 251 outturn, median of the")
    known = costs.top_ups()
    region = tables.load("areas").set_index("area_code")["region_code"]
    near = known[(known["setting"] == places.INDEPENDENT) & (known["account"] == "outturn")]
    near = near[near["area_code"].map(region) == region[cornwall]]["pounds"].dropna()
    assert units.loc[places.INDEPENDENT, "top_up"] == pytest.approx(near.median())


def test_cost_without_ranges_is_plans_times_price(simulation):
    units = costs.unit_costs(BURY).assign(low=lambda f: f["value"], high=lambda f: f["value"])
    frame = costs.forecast(simulation, units=units).set_index(["setting", "year"])
    plans = simulation.stock[1].sum(axis=1)
    special = plans[:, SETTINGS.index(places.SPECIAL)]
    price = units.loc[places.SPECIAL, "value"]
    row = frame.loc[(places.SPECIAL, 2026)]
    assert row["pounds"] == pytest.approx(np.median(special) * price)
    assert row["pounds_high_80"] == pytest.approx(np.quantile(special, 0.9) * price)
    prices = units["value"].reindex(SETTINGS).fillna(0).to_numpy()
    assert frame.loc[("all", 2026), "pounds"] == pytest.approx(np.median(plans @ prices))


def test_ranges_of_prices_widen_the_interval(simulation):
    units = costs.unit_costs(BURY)
    sharp = units.assign(low=units["value"], high=units["value"])
    wide, narrow = (
        costs.forecast(simulation, units=given).set_index(["setting", "year"])
        for given in (units, sharp)
    )
    key = (places.SPECIAL, 2027)
    for frame in (wide, narrow):
        assert frame.loc[key, "pounds_low_80"] < frame.loc[key, "pounds"]
    assert (
        wide.loc[key, "pounds_high_80"] - wide.loc[key, "pounds_low_80"]
        > narrow.loc[key, "pounds_high_80"] - narrow.loc[key, "pounds_low_80"]
    )


def test_a_rise_of_prices_compounds_from_the_accounts(simulation):
    units = costs.unit_costs(BURY).assign(low=lambda f: f["value"], high=lambda f: f["value"])
    flat = costs.forecast(simulation, units=units)
    risen = costs.forecast(simulation, units=units, changes={"price_rise": 0.03})
    years = flat["year"].to_numpy()
    # January 2027 lies in 2026-27, five financial years after 2021-22
    assert risen["pounds"].to_numpy() == pytest.approx(
        flat["pounds"].to_numpy() * 1.03 ** (years - 2022)
    )


def test_shift_saves_the_difference_in_price():
    simulation = cohorts.project(BURY, years=2, simulations=50)
    units = pd.DataFrame(
        {"low": 0.0, "value": 0.0, "high": 0.0, "source": "test"},
        index=pd.Index([places.SPECIAL, places.INDEPENDENT, places.MAINSTREAM], name="setting"),
    )
    for setting, price in ((places.SPECIAL, 30e3), (places.INDEPENDENT, 60e3)):
        units.loc[setting, ["low", "value", "high"]] = price
    frame = costs.shifts(simulation, units=units).set_index(["shift", "year"])
    for year in (2026, 2027):
        row = frame.loc[("independent to state special school", year)]
        # leavers go by setting: those placed elsewhere are not quite as many as those gone
        assert row["saving"] == pytest.approx(row["plans"] * 30e3, rel=0.05)
        assert row["plans"] > 0
    first, second = (
        frame.loc[("independent to state special school", y), "plans"] for y in (2026, 2027)
    )
    assert second > first  # a shift builds up


def test_no_saving_is_made_of_two_accounts():
    """Tower Hamlets: the outturn of special schools is not plausible, its budget is.

    Independent schools have the outturn's figure, which would be the cheaper of the two.
    """
    simulation = cohorts.project("E09000030", years=1, simulations=20)
    units = costs.unit_costs("E09000030")
    assert units.loc[places.SPECIAL, "account"] == "budget"
    assert units.loc[places.INDEPENDENT, "account"] == "outturn"
    with pytest.raises(MissingDataError, match="Tower Hamlets are from different accounts"):
        costs.shifts(simulation)
    alike = costs.shifts(simulation, units=units.assign(account="outturn"))
    assert set(alike["shift"]) == set(costs.SHIFTS)
    assert set(costs.shifts(cohorts.project(BURY, years=1, simulations=20))["shift"]) == set(
        costs.SHIFTS
    )


def test_budget_shows_grant_and_deficit_of_bury():
    frame = costs.budget(BURY).set_index("year")
    assert frame.loc[2023, "high_needs"] == 45_243_107
    assert frame.loc[2021, "deficit"] == 11.28
    assert frame.loc[2021, "deficit_england"] == 2.26
    assert pd.isna(frame.loc[2019, "grant"])
