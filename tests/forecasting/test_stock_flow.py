"""The engine: nobody is lost, known rates give known numbers, scenarios do what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis.forecasting.cohorts.stock_flow import (
    Changes,
    Flows,
    advance,
    draw_dirichlet,
    trajectories,
)
from send_analysis.forecasting.transitions.published_draws import (
    published_binomial,
    published_multinomial,
)

AGES, NEEDS, SETTINGS = 4, 2, 3


def flows(**parts):
    """Flows in which nothing happens, but for the parts given."""
    shape = (AGES, NEEDS, SETTINGS)
    never = np.broadcast_to([0.0, 1.0], (*shape, 2)).copy()
    still = {
        "leave": never,
        "move": never.copy(),
        "destination": np.zeros((*shape, SETTINGS)),
        "join": np.broadcast_to([0.0, 1.0], (AGES, 2)).copy(),
        "entry": np.zeros(shape),
        "allowed": np.ones(shape, dtype=bool),
    }
    return Flows(**(still | parts))


def anyone(rng):
    """Rates drawn at random, with moves to every other setting."""
    shape = (AGES, NEEDS, SETTINGS)
    destination = rng.random((*shape, SETTINGS)) + 0.1
    destination[..., np.arange(SETTINGS), np.arange(SETTINGS)] = 0.0
    return flows(
        leave=rng.random((*shape, 2)) + 0.1,
        move=rng.random((*shape, 2)) + 0.1,
        destination=destination,
        join=rng.random((AGES, 2)) + 0.1,
        entry=rng.random(shape) + 0.1,
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 60))
def test_everyone_who_does_not_leave_is_somewhere(seed, size):
    rng = np.random.default_rng(seed)
    rates = anyone(rng)
    rates = Flows(
        leave=flows().leave,
        move=rates.move,
        destination=rates.destination,
        join=rates.join,
        entry=rates.entry,
        allowed=rates.allowed,
    )
    stock = rng.integers(0, size + 1, (5, AGES, NEEDS, SETTINGS))
    people = rng.integers(0, 50, AGES)
    after, joined = advance(stock, rates, people, rng)
    aged_out = stock[:, -1].sum(axis=(1, 2))
    assert (after >= 0).all()
    assert (joined <= people).all()
    np.testing.assert_array_equal(
        after.sum(axis=(1, 2, 3)),
        stock.sum(axis=(1, 2, 3)) - aged_out + joined.sum(axis=1),
    )
    # nobody changes need, and no one joins below the age they have
    np.testing.assert_array_equal(
        after[:, 1:].sum(axis=3).sum(axis=2) - joined[:, 1:], stock[:, :-1].sum(axis=(2, 3))
    )


def test_certain_rates_give_the_numbers_worked_out_by_hand():
    always = [1.0, 0.0]
    leave, move = flows().leave.copy(), flows().move.copy()
    leave[1, 0, 0] = always  # everyone of age 1, need 0, setting 0 leaves
    move[0, 0, 0] = always  # everyone of age 0, need 0, setting 0 moves …
    destination = np.zeros((AGES, NEEDS, SETTINGS, SETTINGS))
    destination[0, 0, 0, 2] = 1.0  # … to setting 2
    join = flows().join.copy()
    join[3] = always  # everyone of age 3 joins …
    entry = np.zeros((AGES, NEEDS, SETTINGS))
    entry[3, 1, 1] = 7.0  # … with need 1 in setting 1
    stock = np.zeros((1, AGES, NEEDS, SETTINGS), dtype=int)
    stock[0, 0, 0, 0], stock[0, 1, 0, 0], stock[0, 1, 1, 0], stock[0, 3, 0, 1] = 10, 20, 30, 40
    rates = flows(leave=leave, move=move, destination=destination, join=join, entry=entry)
    after, joined = advance(stock, rates, np.array([5, 5, 5, 6]), np.random.default_rng(1))
    wanted = np.zeros_like(stock)
    wanted[0, 1, 0, 2] = 10  # moved
    wanted[0, 2, 1, 0] = 30  # stayed
    wanted[0, 3, 1, 1] = 6  # joined; the 40 of the last age are gone, as are the 20
    np.testing.assert_array_equal(after, wanted)
    np.testing.assert_array_equal(joined, [[0, 0, 0, 6]])


def test_means_agree_with_the_recursion_on_expectations():
    rng = np.random.default_rng(7)
    rates = anyone(rng)
    start = rng.integers(20, 60, (AGES, NEEDS, SETTINGS))
    people = rng.integers(50, 90, (2, AGES))
    simulations = 4000
    final = np.zeros(start.shape)
    square = np.zeros(start.shape)
    for _, year, stock, _ in trajectories(start, rates, people, simulations=simulations, rng=rng):
        if year == 2:
            final += stock.sum(axis=0)
            square += (stock.astype(float) ** 2).sum(axis=0)

    def mean(parameters):
        return parameters[..., 0] / parameters.sum(axis=-1)

    to = rates.destination / rates.destination.sum(axis=-1, keepdims=True)
    entry = rates.entry / rates.entry.sum(axis=(1, 2), keepdims=True)
    expected = start.astype(float)
    for year in range(2):
        kept = expected * (1 - mean(rates.leave))
        moving = kept * mean(rates.move)
        following = np.zeros_like(expected)
        following[1:] = (kept - moving)[:-1] + np.einsum("aks,akst->akt", moving, to)[:-1]
        following += (people[year] * mean(rates.join))[:, None, None] * entry
        expected = following
    error = np.sqrt((square / simulations - (final / simulations) ** 2) / simulations)
    assert (np.abs(final / simulations - expected) < 4.5 * error + 1e-9).all()


def test_more_simulations_do_not_change_the_first_ones():
    rates = anyone(np.random.default_rng(3))
    start = np.full((AGES, NEEDS, SETTINGS), 9)
    people = np.full((1, AGES), 30)

    def run(simulations):
        paths = trajectories(
            start, rates, people, simulations=simulations, rng=np.random.default_rng(5)
        )
        return np.concatenate([stock for _, year, stock, _ in paths if year == 1])

    long, short = run(700), run(500)
    np.testing.assert_array_equal(long[:500], short)
    assert not np.array_equal(long[500:700], short[:200])


def test_a_plan_in_a_state_that_does_not_exist_ends():
    allowed = np.ones((AGES, NEEDS, SETTINGS), dtype=bool)
    allowed[1, 0, 0] = False
    stock = np.zeros((1, AGES, NEEDS, SETTINGS), dtype=int)
    stock[0, 1, 0, :2] = 8
    after, _ = advance(
        stock, flows(allowed=allowed), np.zeros(AGES, dtype=int), np.random.default_rng(1)
    )
    assert after.sum() == after[0, 2, 0, 1] == 8


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), most=st.integers(0, 120))
def test_a_cap_holds_unless_those_who_stay_exceed_it_and_loses_nobody(seed, most):
    rng = np.random.default_rng(seed)
    rates = anyone(rng)
    stock = rng.integers(0, 12, (6, AGES, NEEDS, SETTINGS))
    people = np.full(AGES, 40)
    free, _ = advance(stock, rates, people, np.random.default_rng(seed))
    capped, _ = advance(
        stock, rates, people, np.random.default_rng(seed), changes=Changes(caps=[(0, most, 2)])
    )
    np.testing.assert_array_equal(free.sum(axis=3), capped.sum(axis=3))
    np.testing.assert_array_equal(free[..., 1], capped[..., 1])
    inside = capped[..., 0].sum(axis=(1, 2))
    within_before = free[..., 0].sum(axis=(1, 2)) <= most
    np.testing.assert_array_equal(
        inside[within_before], free[..., 0].sum(axis=(1, 2))[within_before]
    )
    # whoever is above the cap was there already: at most everyone of the setting a year ago
    assert (inside <= np.maximum(most, stock[:, :-1, :, 0].sum(axis=(1, 2)))).all()


def test_closed_and_redirected_settings_take_no_new_plans():
    rates = anyone(np.random.default_rng(2))
    stock = np.zeros((50, AGES, NEEDS, SETTINGS), dtype=int)
    people = np.full(AGES, 200)
    for changes in (Changes(closed=[1]), Changes(redirect=[(1, 0, 1.0)])):
        after, joined = advance(stock, rates, people, np.random.default_rng(4), changes=changes)
        assert after[..., 1].sum() == 0
        assert after.sum() == joined.sum() > 0


def test_an_age_with_nothing_open_takes_no_new_plans():
    entry = np.zeros((AGES, NEEDS, SETTINGS))
    entry[..., 1] = 1.0
    join = np.broadcast_to([1.0, 0.0], (AGES, 2))
    after, joined = advance(
        np.zeros((3, AGES, NEEDS, SETTINGS), dtype=int),
        flows(join=join, entry=entry),
        np.full(AGES, 10),
        np.random.default_rng(1),
        changes=Changes(closed=[1]),
    )
    assert after.sum() == joined.sum() == 0


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-12, 1e-3, 1.0, 1e3]))
@settings(max_examples=40, deadline=None)
def test_dirichlet_shares_add_to_one_however_small_their_parameters(seed, scale):
    rng = np.random.default_rng(seed)
    parameters = rng.random((20, 4)) * scale
    parameters[0] = 0.0
    shares = draw_dirichlet(rng, parameters)
    np.testing.assert_allclose(shares[1:].sum(axis=1), 1.0)
    assert (shares[0] == 0).all()


@pytest.mark.parametrize(("trials", "share"), [(30, 0.2), (1, 0.9), (400, 0.03), (13, 1.0)])
def test_published_draws_are_unbiased_below_their_threshold(trials, share):
    rng = np.random.default_rng(11)
    count = published_binomial(rng, np.full(40_000, trials), np.full(40_000, share))
    error = np.sqrt(trials * share * (1 - share) / 40_000)
    assert abs(count.mean() - trials * share) <= 4 * error
    assert count.min() >= 0
    assert count.max() <= trials


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_published_multinomial_hands_out_everyone(seed):
    rng = np.random.default_rng(seed)
    trials = rng.integers(0, 80, 25)
    shares = draw_dirichlet(rng, np.full((25, 5), 0.4))
    counts = published_multinomial(rng, trials, shares)
    np.testing.assert_array_equal(counts.sum(axis=1), trials)
    assert (counts >= 0).all()
