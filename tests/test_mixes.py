"""Mixes of settings: nothing lost, and no faster towards the region than the past."""

import numpy as np
import pytest

from send_analysis.models.cohort import cohorts, mixes
from send_analysis.models.cohort.cohort_data import AGES, ORIGINS, SETTINGS

BURY = "E08000002"


@pytest.fixture(scope="module")
def made():
    return cohorts.project(BURY, years=5, simulations=60)


@pytest.fixture(scope="module")
def settled(made):
    return mixes.settle(made)


def test_each_age_keeps_its_plans_in_every_simulation(made, settled):
    assert settled.stock.sum(axis=-1) == pytest.approx(made.stock.sum(axis=-1))
    assert (settled.stock >= 0).all()
    assert np.array_equal(settled.stock[0], made.stock[0])
    assert np.array_equal(settled.new, made.new)


def test_simulations_are_as_far_apart_as_the_factor_says(made, monkeypatch):
    def spread(factor: float) -> float:
        monkeypatch.setattr(mixes, "SPREAD", dict.fromkeys(SETTINGS, factor))
        plans = mixes.settle(made).stock[1]
        share = plans / np.maximum(plans.sum(axis=-1, keepdims=True), 1)
        return share[:, 10, SETTINGS.index("state special school")].std()

    # at ages where no share would fall below nought, the standard deviation goes with the factor
    assert spread(0.5) == pytest.approx(spread(1.0) / 2, rel=0.02)
    assert spread(0.0) == pytest.approx(0, abs=1e-12)


def test_difference_from_the_region_goes_no_faster_than_it_has():
    known, path = mixes.expected(ORIGINS[-1])
    given = np.isfinite(known.stock).all(axis=(1, 2))
    given &= known.stock.sum(axis=(1, 2)) > 200  # a handful of pupils is no mix
    given &= known.stock[..., -1].sum(axis=1) < 0.3 * known.stock.sum(axis=(1, 2))

    def gone(plans: np.ndarray, setting: str) -> float:
        """Share of the difference of logarithms lost between the first January and the last."""
        of_setting = plans[:, given][..., SETTINGS.index(setting)].sum(axis=-1) + 0.5
        share = np.log(of_setting / plans[:, given].sum(axis=(2, 3)))
        for region in np.unique(known.region[given]):
            member = known.region[given] == region
            near = of_setting[:, member].sum(axis=1) / plans[:, given][:, member].sum(
                axis=(1, 2, 3)
            )
            share[:, member] -= np.log(near)[:, None]
        return 1 - (share[0] * share[-1]).sum() / (share[0] ** 2).sum()

    factor = np.stack([mixes.slower(code, ORIGINS[-1], 5) for code in known.areas], axis=1)
    slowed = path[:6] * factor
    slowed *= (path[:6].sum(-1, keepdims=True) + 1e-9) / (slowed.sum(-1, keepdims=True) + 1e-9)
    # placements, Januaries 2010 to 2022: what of the difference was gone after five years, the
    # extremes over windows; state special schools 2 to 48 %, independent 12 to 42 %
    for setting, most in (
        ("state special school", 0.31),
        ("independent or non-maintained special school", 0.42),
        ("alternative provision", 0.50),
    ):
        assert 0.04 < gone(slowed, setting) < most
        assert gone(slowed, setting) < gone(path[:6], setting) - 0.1


def test_factors_leave_the_origin_and_are_one_a_block_of_ages():
    factor = mixes.slower(BURY, ORIGINS[-1], 2)
    assert (factor[0] == 1).all()
    for first, last in mixes.BLOCKS:
        block = factor[:, first - AGES[0] : last - AGES[0] + 1]
        assert np.ptp(block, axis=1).max() == 0


def test_expected_plans_are_near_the_mean_of_simulations(made):
    known, path = mixes.expected(ORIGINS[-1])
    own = path[:6, known.areas.get_loc(BURY)]
    drawn = made.stock.mean(axis=1)
    assert own[0] == pytest.approx(drawn[0])
    assert own.sum(axis=(1, 2)) == pytest.approx(drawn.sum(axis=(1, 2)), rel=0.06)
    # plans of mainstream at primary age, a year on
    assert own[1, 2:9, 1].sum() == pytest.approx(drawn[1, 2:9, 1].sum(), rel=0.06)
