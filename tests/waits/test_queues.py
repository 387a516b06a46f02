"""Queue formulas against the published examples, the simulation against closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis.errors import ParameterError
from send_analysis.waits import queues


# Fong and others (2022), ear, nose and throat list; figures of NHSRwaitinglist's walkthrough.
def test_published_example():
    assert queues.target_mean_wait(52) == 13
    assert queues.target_queue_size(30, 52) == 390
    assert queues.relief_capacity(30, 1200, 390, weeks=26) == pytest.approx(61.15385, abs=1e-5)
    assert queues.target_capacity(30, 52, factor=1) == pytest.approx(30.01923, abs=1e-5)
    assert queues.target_capacity(30, 52, factor=6.58) == pytest.approx(30.12654, abs=1e-5)


def waited(demand, capacity, *, children, steady=False, seed=0):
    """Weeks that children wait who are seen one after another, by Lindley's recursion.

    W' = max(0, W + service - gap), for all at once: W is the walk of service minus gap less its
    running minimum. As many again warm the list up.
    """
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / demand, 2 * children)
    service = rng.exponential(1 / capacity, 2 * children)
    if steady:
        service = np.full(2 * children, 1 / capacity)
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    return (walk - np.minimum.accumulate(walk) + service)[children:]


@pytest.mark.parametrize(("demand", "target"), [(5.0, 8.0), (20.0, 4.0)])
def test_simulation_agrees_with_the_closed_form_of_the_simplest_queue(demand, target):
    capacity = queues.target_capacity(demand, target)
    waits = np.concatenate([waited(demand, capacity, children=200_000, seed=s) for s in range(4)])
    # M/M/1: time in the system is exponential with mean 1 / (capacity - demand).
    mean = 1 / (capacity - demand)
    assert mean == pytest.approx(target / 4)
    # Successive waits are alike over some (load / (1 - load))^2 children: 5 standard errors.
    load = demand / capacity
    error = mean * np.sqrt(4 * (1 + load) / (1 - load) ** 2 / len(waits))
    assert waits.mean() == pytest.approx(mean, abs=5 * error)
    assert (waits > target).mean() == pytest.approx(np.exp(-4), abs=0.012)


def test_steadier_service_needs_less_capacity_for_the_same_wait():
    demand, target = 10.0, 6.0
    steady = queues.target_capacity(demand, target, cv_capacity=0)
    assert steady - demand == pytest.approx((queues.target_capacity(demand, target) - demand) / 2)
    waits = waited(demand, steady, children=400_000, steady=True, seed=5)
    # Kingman's formula is for heavy traffic: here it is some tenth off.
    assert waits.mean() == pytest.approx(target / 4, rel=0.2)


def test_relief_capacity_brings_the_simulated_list_to_its_target():
    capacity = queues.relief_capacity(30, 1200, 390, weeks=26)
    end = queues.simulate_list(1200, 30, capacity, weeks=26, draws=4000, seed=1)
    end = end[end["week"] == 26].set_index("quantile")["size"]
    assert end[0.5] == pytest.approx(390, abs=5)
    # A walk of two Poisson flows has variance weeks x (joining + seen).
    deviation = np.sqrt(26 * (30 + capacity))
    assert (end[0.975] - end[0.025]) / (2 * 1.96) == pytest.approx(deviation, rel=0.06)


def test_littles_law_holds_in_the_simulated_list():
    size = queues.target_queue_size(30, 52)
    assert size / 30 == queues.target_mean_wait(52)


def test_a_list_never_has_fewer_than_no_children():
    found = queues.simulate_list(20, 5, 40, weeks=30, draws=200, seed=2)
    assert (found["size"] >= 0).all()
    assert found.loc[found["week"] == 30, "size"].max() < 60


def test_the_same_seed_gives_the_same_draws_and_another_does_not():
    one, two = (queues.simulate_list(100, 10, 11, seed=4, draws=50) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(queues.simulate_list(100, 10, 11, seed=5, draws=50))


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 200), st.floats(1, 104), st.floats(0, 5000), st.floats(1, 156))
def test_plan_is_the_formulas_row_by_row(demand, target, size, weeks):
    lists = pd.DataFrame({"queue_size": [size], "demand": [demand], "capacity": [demand]})
    row = queues.plan(lists, target_wait=target, weeks=weeks).iloc[0]
    wanted = queues.target_queue_size(demand, target)
    assert row["target_size"] == pytest.approx(wanted)
    after = queues.target_capacity(demand, target)
    assert row["target_capacity"] == pytest.approx(after)
    relief = queues.relief_capacity(demand, size, wanted, weeks=weeks)
    assert row["relief_capacity"] == pytest.approx(max(relief, after))
    assert row["load"] == pytest.approx(1)
    assert row["size_if_unchanged"] == pytest.approx(size)


def stocks(totals, young, months=None):
    months = months or pd.date_range("2023-01-01", periods=len(totals), freq="MS")
    return pd.DataFrame(
        {
            "month": months, "level": "icb", "organisation_code": "Q", "age_group": "cyp",
            "service": "s", "total": totals, "0-1": young, "1-2": young,
        }
    )  # fmt: skip


def test_flows_balance_the_stock():
    found = queues.flows(stocks([100.0, 131.0, 103.0], [20.0, 22.0, 21.0]))
    assert found["joined_a_week"].tolist() == [20, 22, 21]
    assert found["net_a_week"].tolist()[1:] == pytest.approx([31 / (31 / 7), -28 / 4])
    balance = found["joined_a_week"] - found["left_a_week"]
    assert balance.iloc[1:].tolist() == pytest.approx(found["net_a_week"].iloc[1:].tolist())


def test_flows_do_not_cross_a_missing_month():
    months = pd.to_datetime(["2023-01-01", "2023-03-01"])
    found = queues.flows(stocks([100.0, 131.0], [20.0, 22.0], list(months)))
    assert found["net_a_week"].isna().all()
    assert found["left_a_week"].isna().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: queues.target_capacity(0, 3), "demand is 0"),
        (lambda: queues.target_mean_wait(-1), "target wait is -1"),
        (
            lambda: queues.relief_capacity(3, -1, 2),
            "queue size is -1; it must be a number of 0 or more",
        ),
        (lambda: queues.relief_capacity(3, 1, 2, weeks=0), "weeks is 0"),
    ],
)
def test_impossible_queues_are_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


LIST = pd.DataFrame({"queue_size": [10], "demand": [5.0], "capacity": [6.0]})
CALLS = {
    "demand": lambda v: queues.target_queue_size(v, 5),
    "wait": queues.target_mean_wait,
    "spread": lambda v: queues.target_capacity(5, 18, cv_demand=v),
    "relief": lambda v: queues.relief_capacity(5, v, 20),
    "weeks": lambda v: queues.relief_capacity(5, 100, 20, weeks=v),
    "plan": lambda v: queues.plan(LIST, weeks=v),
    "plan's list": lambda v: queues.plan(LIST.assign(capacity=v)),
    "plan's size": lambda v: queues.plan(LIST.assign(queue_size=v)),
    "list": lambda v: queues.simulate_list(v, 5, 6, draws=2, weeks=2),
    "list's capacity": lambda v: queues.simulate_list(10, 5, v, draws=2, weeks=2),
    "list's weeks": lambda v: queues.simulate_list(10, 5, 6, draws=2, weeks=v),
    "list's draws": lambda v: queues.simulate_list(10, 5, 6, draws=v, weeks=2),
    "list's seed": lambda v: queues.simulate_list(10, 5, 6, draws=2, weeks=2, seed=v),
}


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "much", None])
@pytest.mark.parametrize("name", CALLS)
def test_no_queue_takes_what_is_no_number_of_it(name, value):
    with pytest.raises(ParameterError, match=r"must be|are numbers"):
        CALLS[name](value)


def test_a_list_lacks_a_column_or_has_a_capacity_for_other_weeks():
    with pytest.raises(ParameterError, match="no column 'capacity'"):
        queues.plan(LIST.drop(columns="capacity"))
    with pytest.raises(ParameterError, match="capacity has 3 numbers; give one, or 2"):
        queues.simulate_list(10, 5, np.array([1.0, 2, 3]), draws=2, weeks=2)
