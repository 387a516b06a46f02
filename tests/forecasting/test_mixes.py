"""Mixes of settings: no faster towards the region than the past, and as far apart as said."""

import numpy as np
import pytest

from send_analysis.forecasting.cohorts import flows, mixes, simulation
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS, origins
from send_analysis.forecasting.cohorts.units import Drawn, draw, unit

BURY = "E08000002"
SPECIAL = "state special school"


@pytest.fixture(scope="module")
def made():
    return simulation.project(BURY, years=5, simulations=200)


def shares(plans: np.ndarray, ages: slice) -> np.ndarray:
    """Shares of settings in a block of ages (…, A, S)."""
    block = plans[..., ages, :].sum(axis=-2)
    return block / block.sum(axis=-1, keepdims=True)


def test_pulled_rows_keep_their_sum_and_ratios_follow_the_factors():
    rng = np.random.default_rng(1)
    rows, pull = rng.uniform(0, 1, (4, 5)), rng.uniform(0.2, 5, 5)
    bent = flows.pulled(rows, pull)
    assert bent.sum(axis=1) == pytest.approx(rows.sum(axis=1))
    assert bent[:, 1] / bent[:, 0] == pytest.approx(rows[:, 1] / rows[:, 0] * pull[1] / pull[0])
    assert flows.pulled(rows, np.ones(5)) == pytest.approx(rows)
    assert (flows.pulled(np.zeros((2, 5)), pull) == 0).all()


def test_nobody_is_lost_where_mixes_are_pulled(made):
    ceased = made.stock[:-1] * made.leave
    older = np.zeros_like(ceased)
    older[:, :, 1:] = (made.stock[:-1] - ceased)[:, :, :-1]
    np.testing.assert_allclose(made.stock[1:], older + made.moved + made.joined[1:], atol=1e-8)
    # a run again with a lever that changes nothing takes the same moves
    still = flows.apply(made, [{"lever": "new_plans", "multiply": 1}])
    np.testing.assert_array_equal(still.stock, made.stock)


def test_spread_goes_with_the_factor(monkeypatch):
    rng = np.random.default_rng(2)
    drawn = Drawn(None, rng.dirichlet(np.full(9, 40.0), (200, 3, 9)), None,
                  rng.dirichlet(np.full(9, 40.0), (200, 24)))  # fmt: skip
    monkeypatch.setattr(mixes, "SPREAD", dict.fromkeys(SETTINGS, 0.5))
    half = mixes.spread(drawn)
    for name in ("moves", "entry"):
        before, after = getattr(drawn, name), getattr(half, name)
        assert after.sum(axis=-1) == pytest.approx(1.0)
        assert after.mean(axis=0) == pytest.approx(before.mean(axis=0))
        assert after.std(axis=0) == pytest.approx(before.std(axis=0) / 2)


@pytest.mark.parametrize("code", [BURY, "E06000064", "E10000016"])
def test_a_mix_nears_the_regions_as_slowly_as_is_said(code):
    origin = origins()[-1]
    known, path = mixes.expected(origin)
    near = path[:, known.region == known.region[known.areas.get_loc(code)]].sum(axis=1)
    plans = simulation.project(code, years=5, simulations=200).stock.mean(axis=1)
    special = SETTINGS.index(SPECIAL)
    for first, last in ((4, 10), (11, 15)):
        ages = slice(first - AGES[0], last - AGES[0] + 1)
        # ln of an authority's share less its region's; a hundred plans of the region's mix are
        # added to its own in the first January
        region = shares(near[:6], ages)[:, special]
        apart = np.log(shares(plans, ages)[:, special] / region)
        held = plans[0, ages].sum()
        first_apart = np.log((held * np.exp(apart[0]) + 100) / (held + 100))
        kept = first_apart * (1 - mixes.PASSING) * (1 - mixes.DRIFT) ** np.arange(1, 6)
        assert apart[1:] == pytest.approx(kept, abs=0.05)


def test_drift_is_no_faster_than_the_past():
    # placements to January 2022, state special schools: 4 to 31 % of the difference in five years
    gone = 1 - (1 - mixes.PASSING) * (1 - mixes.DRIFT) ** 5
    assert 0.04 < gone < 0.31
    years = np.arange(1, 16)
    lasting = (1 - mixes.PASSING) * (1 - mixes.DRIFT) ** years
    assert (np.diff(lasting) < 0).all()  # ever nearer,
    assert lasting.min() > 0.4  # and half of what sets areas apart is there after fifteen


def test_a_region_is_pulled_nowhere_and_years_do_not_depend_on_how_many_follow():
    origin = origins()[-1]
    drawn = draw(unit(BURY, origin), 20, np.random.default_rng(3))
    region = mixes.pulls("E12000002", origin, 2, drawn)
    assert (region.moves == 1).all()
    assert (region.entry == 1).all()
    short, long = (mixes.pulls(BURY, origin, years, drawn) for years in (2, 4))
    np.testing.assert_array_equal(short.moves, long.moves[:2])
    # one factor a block of ages and setting
    for first, last in mixes.BLOCKS:
        block = short.entry[:, first - AGES[0] : last - AGES[0] + 1]
        assert np.ptp(block, axis=1).max() == 0
