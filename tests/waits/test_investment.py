"""What money buys: the arithmetic by hand."""

import pandas as pd
import pytest

from send_analysis.errors import ParameterError
from send_analysis.waits import investment


@pytest.fixture
def given():
    return investment.assumptions()


def test_cost_of_a_band_6_clinician_by_hand(given):
    # 37,350 pay; 13.8 % insurance above 9,100; 20.68 % pension; a quarter on top.
    pay = 37350
    expected = (pay + 0.138 * (pay - 9100) + 0.2068 * pay) * 1.25
    assert investment.cost_of_staff(6, given)["value"] == pytest.approx(expected)


def test_camhs_money_by_hand(given):
    found = investment.what_money_buys(1_400_000, "camhs", given=given).set_index("item")
    cost = investment.cost_of_staff(6, given)
    staff = 1_400_000 / cost["value"]
    assert found.loc["clinicians", "value"] == pytest.approx(staff)
    assert found.loc["clinicians", "low"] == pytest.approx(1_400_000 / cost["high"])
    assert found.loc["children newly seen", "value"] == pytest.approx(40 * staff)
    assert found.loc["appointments", "value"] == pytest.approx(7.5 * 40 * staff)
    fewest = 5 * 30 * found.loc["clinicians", "low"]  # of the fewest children, the fewest each
    assert found.loc["appointments", "low"] == pytest.approx(fewest)
    weeks = found.loc["wait cut in a year, where 200 children a week are newly seen"]
    # 52 weeks of d more a week on a list seen at 200 a week.
    assert weeks["value"] == pytest.approx(52 * (40 * staff / 52) / 200)
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()


def test_health_visiting_money_by_hand(given):
    found = investment.what_money_buys(300_000, "health visiting", given=given).set_index("item")
    staff = 300_000 / investment.cost_of_staff(6, given)["value"]
    assert found.loc["children covered", "value"] == pytest.approx(250 * staff)
    assert found.loc["reviews", "value"] == pytest.approx(250 * staff)  # five in five years
    assert (found["low"] <= found["high"]).all()


def test_twice_the_money_buys_twice_as_much(given):
    one = investment.what_money_buys(500_000, "camhs", given=given).set_index("item")["value"]
    two = investment.what_money_buys(1_000_000, "camhs", given=given).set_index("item")["value"]
    pd.testing.assert_series_equal(
        two.drop("cost of one clinician"), 2 * one.drop("cost of one clinician")
    )


def test_what_is_guessed_says_so(given):
    guessed = given[given["source"] == "illustrative"].index
    assert {"overheads", "camhs_seen_a_week_in_board", "camhs_seen_a_week_in_area"} == set(guessed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, "camhs"), "above 0"), ((5, "chess"), "not one of"), ((5, "camhs", 9), "band 9")],
)
def test_impossible_questions_are_refused(arguments, message):
    pounds, service, *band = arguments
    with pytest.raises(ParameterError, match=message):
        investment.what_money_buys(pounds, service, band=band[0] if band else 6)
