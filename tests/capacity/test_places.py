"""Places: counts read off the release by hand, and a simulation small enough to count by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis.capacity import places
from send_analysis.errors import MissingDataError

BURY = "E08000002"
SETTINGS = ["mainstream", *places.KINDS]


def simulation(stock: np.ndarray, origin: int = 2025) -> SimpleNamespace:
    return SimpleNamespace(area_code=BURY, origin=origin, stock=stock, new=stock.sum(axis=3))


def test_places_in_use_in_bury():
    frame = places.in_use(BURY, year=2025).set_index(["kind", "phase"])["places"]
    # Caseload of January 2025, Bury, state special schools by age: 5 30 18 33 35 23 24 | 57 65 58
    # 56 64 | 41 24 24 6; independent and non-maintained: 2 2 6 8 11 4 9 | 10 31 22 29 35 | ...
    assert frame[places.SPECIAL, "primary"] == 5 + 30 + 18 + 33 + 35 + 23 + 24
    assert frame[places.SPECIAL, "secondary"] == 57 + 65 + 58 + 56 + 64
    assert frame[places.SPECIAL, "post-16"] == 41 + 24 + 24 + 6
    assert frame[places.INDEPENDENT, "primary"] == 2 + 2 + 6 + 8 + 11 + 4 + 9
    assert frame[places.INDEPENDENT, "secondary"] == 10 + 31 + 22 + 29 + 35
    assert frame[places.ALTERNATIVE].sum() == 56
    assert len(frame) == len(places.KINDS) * len(places.PHASES)


def test_latest_january_is_the_default():
    assert (places.in_use(BURY)["year"] == 2025).all()


def test_area_without_settings_says_so():
    with pytest.raises(MissingDataError, match="Cornwall has no plans by age"):
        places.in_use("E06000052", year=2010)


@pytest.fixture
def small() -> SimpleNamespace:
    """Ten simulations of 1 to 10 pupils aged 7 in special schools, a year ahead."""
    stock = np.zeros((2, 10, 24, len(SETTINGS)), dtype=int)
    stock[1, :, 7 - places.YOUNGEST, SETTINGS.index(places.SPECIAL)] = np.arange(1, 11)
    stock[1, :, 12 - places.YOUNGEST, SETTINGS.index(places.UNIT)] = 3
    return simulation(stock)


def given_places(special_primary: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product(
        [places.KINDS, places.PHASES, [2026]], names=["kind", "phase", "year"]
    )
    frame = pd.DataFrame({"planned": 0.0, "basis": "given"}, index=index).reset_index()
    one = (frame["kind"] == places.SPECIAL) & (frame["phase"] == "primary")
    frame["in_use"] = one * special_primary
    return frame.assign(capacity=frame["in_use"])


def test_balance_counts_simulations(small):
    frame = places.balance(small, given_places(6), SETTINGS).set_index(["kind", "phase"])
    row = frame.loc[(places.SPECIAL, "primary")]
    assert row["probability"] == pytest.approx(40)  # 7, 8, 9 and 10 of 1 to 10
    assert row["demand"] == 5.5
    assert row["shortfall"] == -0.5
    assert (row["places_80"], row["extra_80"]) == (8, 2)
    assert (row["places_95"], row["extra_95"]) == (10, 4)
    group = frame.loc[("state-funded specialist", "all")]
    assert group["demand"] == 8.5
    assert group["probability"] == pytest.approx(70)  # special + 3 units against 6: 4 and more
    assert frame.loc[("all specialist", "post-16"), "probability"] == 0


@settings(max_examples=12, deadline=None)
@given(first=st.integers(0, 12), more=st.integers(1, 5), late=st.integers(0, 3))
def test_more_places_never_raise_the_chance(first, more, late):
    stock = np.zeros((2, 10, 24, len(SETTINGS)), dtype=int)
    stock[1, :, 7 - places.YOUNGEST, SETTINGS.index(places.SPECIAL)] = np.arange(1, 11)
    cell = (places.SPECIAL, "primary")
    one, two = (
        places.balance(
            simulation(stock), given_places(size), SETTINGS, late={cell: np.full((1, 10), late)}
        ).set_index(["kind", "phase"])
        for size in (first, first + more)
    )
    assert (two["probability"] <= one["probability"]).all()
    assert (two["extra_80"] <= one["extra_80"]).all()
    row = one.loc[cell]
    assert row["capacity"] == first - late
    assert row["extra_80"] == max(8 - (first - late), 0)
    assert row["probability"] == pytest.approx(10 * min(max(10 - (first - late), 0), 10))


def test_sure_places_suffice_in_that_share(small):
    for sure in (0.5, 0.8, 0.95):
        frame = places.balance(small, given_places(0), SETTINGS, sureness=(sure,))
        enough = frame.set_index(["kind", "phase"]).loc[
            (places.SPECIAL, "primary"), f"places_{sure * 100:g}"
        ]
        drawn = np.arange(1, 11)
        assert (drawn <= enough).mean() >= sure
        assert (drawn <= enough - 1).mean() < sure


def test_ages_fall_into_the_phases_of_school():
    stock = np.zeros((1, 1, 24, len(SETTINGS)), dtype=int)
    stock[0, 0, :, SETTINGS.index(places.SPECIAL)] = 1  # one pupil of each age from 2 to 25
    counted = places.demand(simulation(stock), SETTINGS)
    kind = places.SPECIAL
    assert counted[kind, "primary"].item() == 7  # reception to year 6
    assert counted[kind, "secondary"].item() == 5  # years 7 to 11
    assert counted[kind, "post-16"].item() == 10
    assert counted[kind, "all"].item() == 22  # below school age is no phase


def test_published_places_stand_beside():
    frame = places.published(BURY).set_index(["what", "basis"])["places"]
    # deductions of 2023-24: 226 + 90 places in special academies, 27 + 12 in units, 199 in colleges
    assert frame["special academy", "funded from the high needs block"] == 316
    assert frame["resourced provision or SEN unit", "funded from the high needs block"] == 39
    assert frame["further education", "funded from the high needs block"] == 199
    assert frame["special schools", "pupils, as the high needs block counts them"] == 613.5
    assert frame["mainstream primary", "places"] == 18011
    assert frame["mainstream primary", "pupils on roll"] == 15331
