"""Control charts against published worked examples, the rules against series made for them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from send_analysis.errors import ParameterError
from send_analysis.waits.control import carry_over, false_alarms, funnel, xmr

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2, individuals chart of a flow rate.
NIST = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
# NHSRplotthedots documentation, "Deviations from Excel defaults".
NHS = [1, 2, 1, 2, 10, *[1, 2] * 6, 1]


def chart(values, **options):
    return xmr(pd.Series(values, dtype=float), **options)


def test_limits_are_those_of_the_nist_handbook():
    found = chart(NIST, screen=False)
    assert found["moving_range"].mean() == pytest.approx(1.8778, abs=5e-5)
    assert found["mean"].iloc[0] == pytest.approx(50.81)
    # The handbook divides by 1.128 where the NHS multiplies by 2.66: the fourth digit differs.
    assert found["upper"].iloc[0] == pytest.approx(55.8041, abs=2e-3)
    assert found["lower"].iloc[0] == pytest.approx(45.8159, abs=2e-3)
    assert (found["signal"] == "").all()


@pytest.mark.parametrize(
    ("screen", "limits"), [(True, (-0.72, 1.94, 4.60)), (False, (-3.06, 1.94, 6.95))]
)
def test_limits_are_those_of_the_nhs_package_with_and_without_screening(screen, limits):
    found = chart(NHS, screen=screen).iloc[0]
    assert found[["lower", "mean", "upper"]].round(2).tolist() == list(limits)


def test_the_outlying_point_alone_is_a_signal_in_the_nhs_example():
    found = chart(NHS)
    assert found.index[found["signal"] != ""].tolist() == [4]
    assert found.loc[4, ["signal", "side"]].tolist() == ["beyond limits", "above"]


@pytest.mark.parametrize(
    ("values", "marked"),
    [  # the cases of the NHS package's documentation of its rule
        ([1, 2, 3, 4, 5, 6], []),
        ([1, 2, 3, 3, 4, 5, 6], []),
        ([1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6]),
        ([2, 1, 2, 3, 4, 5, 6, 7, 3], [1, 2, 3, 4, 5, 6, 7]),
        ([7, 6, 5, 4, 3, 2, 1], [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_seven_points_in_one_direction_are_a_trend(values, marked):
    # Alternate far points before widen the limits so that no other rule is met.
    wide = [-50, 60] * 6
    found = chart([*wide, *values, *wide], screen=False).iloc[12 : 12 + len(values)]
    assert np.flatnonzero(found["signal"] == "trend").tolist() == marked


@pytest.mark.parametrize(("length", "is_shift"), [(6, False), (7, True), (8, True)])
def test_seven_points_on_one_side_are_a_shift(length, is_shift):
    run = [20, 21, 20, 21, 20, 21, 20, 21][:length]
    found = chart([*[60, -50] * 6, *run, *[-50, 60] * 6], screen=False)
    assert (np.array(run) > found["mean"].iloc[0]).all()
    marked = np.flatnonzero(found["signal"] == "shift").tolist()
    assert marked == (list(range(12, 12 + length)) if is_shift else [])


def test_two_of_three_near_a_limit_on_one_side():
    calm = [10, 10.5, 10, 9.5] * 6
    found = chart([*calm, 10.5, 11.1, 10.7, 11.1, 10.5, *calm], screen=False)
    upper, mean = found["upper"].iloc[0], found["mean"].iloc[0]
    near = (found["value"] > mean + (upper - mean) * 2 / 3) & (found["value"] < upper)
    assert np.flatnonzero(near).tolist() == [25, 27]
    assert np.flatnonzero(found["signal"] == "two of three near a limit").tolist() == [25, 27]


def test_two_near_opposite_limits_are_no_signal():
    calm = [10, 10.5, 10, 9.5] * 6
    found = chart([*calm, 10.5, 11.1, 10, 9.0, 9.5, *calm], screen=False)
    assert (found["signal"] == "").all()


def test_rebasing_computes_each_step_alone():
    months = pd.date_range("2023-01-01", periods=10, freq="MS")
    values = pd.Series([10, 12, 11, 13, 12, 30, 31, 29, 32, 30], index=months)
    found = xmr(values, rebase=[months[5]])
    assert found["stretch"].tolist() == [0] * 5 + [1] * 5
    alone = xmr(values.iloc[5:])
    columns = ["mean", "lower", "upper"]
    pd.testing.assert_frame_equal(found.loc[months[5] :, columns], alone[columns])
    assert pd.isna(found.loc[months[5], "moving_range"])
    assert (found["signal"] == "").all()


def test_limits_on_few_points_are_trial_limits():
    assert chart(range(11))["trial"].all()
    assert not chart(range(12))["trial"].any()


@pytest.mark.parametrize("gap", ["missing value", "month left out"])
def test_a_gap_ends_a_run(gap):
    """Seven above the mean are a shift only if they follow each other."""
    wide = [-50.0, 60.0] * 6  # keeps the limits apart, so that no other rule is met
    values = [*wide, 20.0, 21.0, 20.0, 21.0, np.nan, 20.0, 21.0, 20.0, *wide]
    series = pd.Series(values, pd.date_range("2020-01-01", periods=len(values), freq="MS"))
    assert (xmr(series.fillna(20.5))["signal"].iloc[12:20] == "shift").all()
    broken = xmr(series if gap == "missing value" else series.dropna())
    assert (broken["signal"] == "").all()


def test_no_moving_range_crosses_a_missing_month():
    found = chart([1, 2, np.nan, 50, 51])
    assert found["moving_range"].isna().tolist() == [True, False, True, True, False]
    assert found["upper"].iloc[0] == pytest.approx(26 + 2.66)


def test_the_lower_limit_stops_at_the_least_possible_value():
    assert chart(NHS, lower_bound=0)["lower"].iloc[0] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40),
    st.floats(0.1, 10),
    st.floats(-100, 100),
)
def test_limits_move_with_the_scale(values, factor, shift):
    one = chart(values, screen=False)
    two = chart(np.array(values) * factor + shift, screen=False)
    for column in ("mean", "lower", "upper"):
        assert two[column].iloc[0] == pytest.approx(
            one[column].iloc[0] * factor + shift, abs=1e-6 * (1 + abs(shift) + 1e3 * factor)
        )
    assert (one["lower"] <= one["mean"]).all()


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (pd.Series([1.0, 2], index=[2, 1]), {}, "not in order of time"),
        (pd.Series([1.0, 2], index=[1, 1]), {}, "holds a time twice"),
        (pd.Series([1.0, 2]), {"rebase": [7]}, "Cannot re-base at 7"),
        (pd.Series([1.0, np.nan]), {}, "limits need two"),
        (pd.Series([1.0, 2, 3]), {"rebase": [2]}, "The step from 2 has 1"),
    ],
)
def test_impossible_charts_are_refused(series, options, message):
    with pytest.raises(ParameterError, match=message):
        xmr(series, **options)


def boards(share=0.4, seed=3, spread=0.0):
    rng = np.random.default_rng(seed)
    size = rng.integers(200, 3000, 42)
    chance = np.clip(share + spread * rng.standard_normal(42), 0.01, 0.99)
    index = [f"Q{i:02d}" for i in range(42)]
    return pd.Series(rng.binomial(size, chance), index), pd.Series(size, index)


def test_funnel_limits_hold_draws_that_differ_by_chance_alone():
    outside = [
        (funnel(*boards(seed=seed), overdispersion=False)["position"] != "inside").sum()
        for seed in range(60)
    ]
    # 60 draws of 42 boards at 0.2 per cent each: 5 expected; 15 has a chance below 1 in 5,000.
    assert sum(outside) <= 15


def test_funnel_finds_the_board_that_differs():
    count, size = boards()
    count["Q07"] = int(0.75 * size["Q07"])
    found = funnel(count, size)
    assert found.at["Q07", "position"] == "high"
    assert (found.drop("Q07")["position"] == "inside").all()


def test_overdispersion_widens_the_limits():
    count, size = boards(spread=0.12)
    plain, wide = funnel(count, size, overdispersion=False), funnel(count, size)
    assert wide["dispersion"].iloc[0] > 5
    assert (wide["position"] != "inside").sum() < (plain["position"] != "inside").sum()
    assert wide["target"].iloc[0] == pytest.approx(100 * count.sum() / size.sum())


def test_funnel_refuses_more_counted_than_waiting_and_too_few():
    with pytest.raises(ParameterError, match="b: more counted"):
        funnel(pd.Series([1, 9, 3], list("abc")), pd.Series([5, 5, 5], list("abc")))
    with pytest.raises(ParameterError, match="three organisations"):
        funnel(pd.Series([1, 2]), pd.Series([5, 5]))


def test_a_funnel_counts_only_those_with_both_numbers():
    found = funnel(
        pd.Series([5, np.nan, 5, 5], list("abcd")), pd.Series([10, 1000, 10, 10], list("abcd"))
    )
    assert found["target"].iloc[0] == 50
    assert list(found.index) == list("acd")
    with pytest.raises(ParameterError, match="Every share is 0%"):
        funnel(pd.Series([0, 0, 0]), pd.Series([10, 20, 30]))


def test_no_moving_range_crosses_months_that_are_left_out():
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    values = pd.Series(range(100, 112), months, dtype=float).drop(months[4:8])
    assert pd.isna(xmr(values)["moving_range"].iloc[4])
    with pytest.raises(ParameterError, match="no two numbers in neighbouring months"):
        xmr(pd.Series([100, None] * 6, months, dtype=float))


def test_a_step_may_begin_at_a_date_given_as_text():
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    values = pd.Series([10.0] * 6 + [20.0] * 6, months)
    assert xmr(values, rebase=["2023-07-01"])["stretch"].tolist() == [0] * 6 + [1] * 6


def steady(autocorrelation, points, draws, seed=7):
    """Steady series by the recursion of an AR(1) process, as scipy filters noise."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, points + 200))
    found = lfilter([np.sqrt(1 - autocorrelation**2)], [1, -autocorrelation], noise, axis=1)
    return found[:, -points:]


@pytest.mark.parametrize(("autocorrelation", "allow"), [(0.0, 0.0), (0.8, 0.0), (0.8, 0.8)])
def test_the_stated_rate_of_false_alarms_holds_for_simulated_series(autocorrelation, allow):
    charts = [
        xmr(pd.Series(values), autocorrelation=allow)
        for values in steady(autocorrelation, points=10, draws=300)
    ]
    rate = np.mean([(found["signal"] != "").any() for found in charts])
    # Standard error of the difference at most 0.031 (300 and 2,000 draws): three of them.
    assert rate == pytest.approx(false_alarms(10, autocorrelation, allowed=allow), abs=0.093)
    if allow == autocorrelation:
        assert rate < 0.12
    else:
        assert rate > 0.15


def test_limits_widen_as_neighbours_of_a_series_that_carries_over_differ_less():
    # Closed form: two neighbours of an AR(1) series of deviation 1 differ by 2 sqrt((1 - r) / pi).
    values = pd.Series(steady(0.75, points=200_000, draws=1)[0])
    assert values.diff().abs().mean() == pytest.approx(2 * np.sqrt(0.25 / np.pi), rel=0.01)
    found = xmr(values, screen=False, autocorrelation=0.75).iloc[0]
    assert found["upper"] - found["mean"] == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("autocorrelation", [0.2, 0.6, 0.8])
def test_what_carries_over_is_found_in_short_series(autocorrelation):
    series = [pd.Series(values) for values in steady(autocorrelation, points=10, draws=600)]
    assert carry_over(series) == pytest.approx(autocorrelation, abs=0.08)
    assert carry_over([pd.Series([1.0, 2.0])]) == 0


def test_an_impossible_autocorrelation_is_refused():
    with pytest.raises(ParameterError, match="from 0 to below 1"):
        chart(NIST, autocorrelation=1)


@pytest.mark.parametrize("as_index", [lambda m: m.strftime("%Y-%m"), lambda m: m.to_period("M")])
def test_months_in_words_have_gaps_too(as_index):
    months = pd.date_range("2023-01-01", periods=12, freq="MS").delete([4, 5])
    values = pd.Series(range(10), as_index(months), dtype=float)
    ranges = xmr(values)["moving_range"]
    assert ranges.isna().tolist() == [True, *[False] * 3, True, *[False] * 5]
    with pytest.raises(ParameterError, match="not in order of time"):
        xmr(values.iloc[::-1])


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "is empty"), (["a", "b"], "is no number"), ([1.0, np.inf, 2.0], "not finite")],
)
def test_a_chart_takes_numbers(values, message):
    with pytest.raises(ParameterError, match=message):
        xmr(pd.Series(values))
    if values:
        with pytest.raises(ParameterError, match=message):
            carry_over([pd.Series(values)])


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        ([-1, 2, 3], [5, 5, 5], "a: a count is below 0"),
        ([1, 2, 3], [5, -5, 5], "b: a count is below 0"),
        ([1, 2, np.inf], [5, 5, 5], "numerator holds a number that is not finite"),
        ([1, 2, 3], [5, 5, "many"], "denominator holds what is no number"),
        ([1, 2, 3], [5, 5, 0], "c: more counted than there are"),
    ],
)
def test_a_funnel_takes_counts(count, size, message):
    names = list("abc")
    with pytest.raises(ParameterError, match=message):
        funnel(pd.Series(count, names), pd.Series(size, names))
    with pytest.raises(ParameterError, match="a is there twice"):
        funnel(pd.Series([1, 2, 3, 4], list("aabc")), pd.Series([5, 5, 5, 5], list("aabc")))
