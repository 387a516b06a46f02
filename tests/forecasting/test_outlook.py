"""Forecasts beside what happened and other forecasts, and what is drawn and said of them."""

import matplotlib as mpl
import pytest

from send_analysis.errors import MissingDataError
from send_analysis.forecasting import charts, outlook, scoring, views, words
from send_analysis.forecasting.methods import METHODS

mpl.use("agg")


@pytest.fixture(scope="module")
def bury():
    return outlook.then_and_now("Bury")


def test_the_fan_starts_from_what_was_published():
    fan = outlook.fan("Bury").set_index("year")
    assert fan.loc[2025, "published"] == fan.loc[2025, "median"] == 2804
    assert fan.loc[2026:, "published"].isna().all()
    ends = fan.loc[2030, ["low_95", "low_80", "median", "high_80", "high_95"]]
    assert ends.is_monotonic_increasing


def test_compound_growth_continues_five_years(bury):
    """From 1,617 in January 2019 at the rate since January 2014."""
    rows = bury.set_index("year")
    rate = (1617 / rows.loc[2014, "published"]) ** 0.2
    assert rows.loc[2024, "compound"] == pytest.approx(1617 * rate**5)
    assert rows.loc[2024, "published"] == 2686
    assert rows.loc[2018, ["median", "compound"]].isna().all()


def test_what_happened_later_is_not_in_the_forecast_of_2019(bury):
    ours = scoring.rolling_origin({scoring.OURS: METHODS[scoring.OURS]}, [2019])
    ours = ours.query("area_code == 'E08000002'").set_index("year")[0.5]
    assert bury.set_index("year").loc[2024, "median"] == pytest.approx(ours[2024])


def test_an_area_without_history_cannot_be_tested():
    with pytest.raises(MissingDataError, match="Choose another area"):
        outlook.then_and_now("Cumberland")


def test_forecasts_of_others_stand_beside_ours():
    found = outlook.published().set_index(["forecast", "year"])
    assert found.loc[("published figures", 2025), "plans"] == 638_745
    assert found.loc[("consultancy, request rates stabilise", 2040), "plans"] == 920_000
    ours = found.loc["this package"]
    assert ours["tested"].tolist() == [True] * 6 + [False] * 10  # the origin and five years
    # new plans at their number of 2024, by a plain age-structured reckoning: 1.10 million
    assert found.loc[(outlook.STABLE, 2040), "plans"] == pytest.approx(1.10e6, rel=0.05)
    assert ours.loc[2040, "low_80"] < 920_000 < 1_100_000 < ours.loc[2040, "high_80"]


def test_newham_is_the_worst_miss_and_flagged():
    worst = outlook.misses(3).iloc[0]
    assert (worst["area"], worst["published"], worst["happened"]) == ("Newham", 2705, 1199)
    assert worst["flagged"]


def test_a_start_that_looks_like_a_fault_is_said_and_nothing_else():
    (said,) = words.headline("Newham")
    assert "returned 1,199 plans in January 2025 after 2,705" in said
    assert "is likely to have" in words.headline("Bury")[0]


def test_the_test_that_is_told_is_the_later_one():
    bar = outlook.bar()
    later = bar[bar["outcomes"].str.startswith("2023–2025")].set_index("horizon")
    missed, life = words.tested()
    assert missed.startswith("Tested on January 2023 to 2025, which took no part in choosing it")
    assert f"{later.loc[5, 'mape']:.1f} % five years ahead (441 forecasts of" in missed
    assert life.startswith("Up to two years ahead at least four in five of these forecasts were")
    assert "less than 10 % off; with compound growth, up to one year ahead" in life
    assert later.loc[2, "within_10"] > 80 > later.loc[3, "within_10"]


def test_englands_page_says_how_often_its_own_range_held():
    said = " ".join(words.headline("England"))
    assert "held in 12 of 15 forecasts of the same Januaries" in said  # counted by hand
    assert "forecasts of the same Januaries" not in " ".join(words.headline("Bury"))


def test_hindsight_says_whether_the_range_held():
    # published in January 2024: Bolton 3,304, Bury 2,686
    assert "3,304 were published, inside" in words.hindsight("Bolton")
    assert "four times in five; 2,686 were published, outside" in words.hindsight("Bury")
    assert words.hindsight("Westmorland and Furness") == ""


def test_charts_say_what_the_results_say(bury):
    then = charts.then_and_now(bury)
    assert "2,686" in then.alt
    assert then.title.startswith("From January 2019")
    ahead = charts.reliability(outlook.reliability()).axes()
    assert [text.get_text() for text in ahead.get_legend().get_texts()] == [
        "1 ahead", "3 ahead", "5 ahead",
    ]  # fmt: skip
    others = charts.published(outlook.published())
    assert "more than 920,000" in others.alt
    assert others.axes().get_ylabel() == "plans"
    long = views.far("Bury")
    far = charts.far(long)
    assert f"{long['high_80'].iloc[-1]:,.0f} in an untested 80 % range" in far.title
    assert "Beyond 2030 an illustration" in far.alt
    fan = outlook.fan("Bury")
    assert f"{fan['low_80'].iloc[-1]:,.0f}" in charts.fan(fan).title


@pytest.mark.parametrize(
    ("view", "area", "why"),
    [
        (views.ahead, "Newham", "returned 1,199 plans"),
        (views.scenarios, "Newham", "returned 1,199 plans"),
        (views.then, "Cumberland", "did not exist in 2014"),
        (views.national, "England", "shown above"),
        (views.far, "England", "below"),
    ],
)
def test_what_an_area_lacks_is_said(view, area, why):
    with pytest.raises(MissingDataError, match=why):
        view(area)


def test_areas_left_out_of_the_scores_are_named():
    assert words.left_out().startswith("Left out: ")
    assert "Newham returned 1,199 plans in January 2025 after 2,705" in words.left_out()
