"""Posts against the arithmetic done by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from send_analysis.capacity import staffing

BURY = "E08000002"


@pytest.fixture
def hundred() -> SimpleNamespace:
    """A hundred new plans in each simulation and year."""
    new = np.zeros((3, 4000, 24))
    new[1:, :, 5] = 100
    return SimpleNamespace(area_code=BURY, origin=2025, stock=new[..., None], new=new)


def test_posts_without_ranges_by_hand(hundred):
    fixed = {
        "hours_educational_psychologist": 17.4,
        "hours_a_week": 37,
        "weeks_worked": 43,
        "share_educational_psychologist": 0.5,
    }
    frame = staffing.need(hundred, changes=fixed)
    row = frame[frame["role"] == "educational psychologist"].iloc[0]
    assert row["year"] == 2025  # new plans that January 2026 counts first were made in 2025
    assert row["assessments"] == 100
    assert row["hours"] == pytest.approx(1740)
    assert row["posts"] == pytest.approx(1740 / (37 * 43 * 0.5))
    assert row["posts_low_80"] == row["posts_high_80"] == row["posts"]


def test_ranges_are_carried(hundred):
    frame = staffing.need(hundred).set_index(["role", "year"])
    row = frame.loc[("SEND case officer", 2026)]
    # no uncertainty of volume: hours vary as the study's range does, posts more
    assert row["hours_low_80"] > 100 * 10.2
    assert row["hours_high_80"] < 100 * 12.4
    assert row["hours_low_80"] < row["hours"] < row["hours_high_80"]
    spread = (row["posts_high_80"] - row["posts_low_80"]) / row["posts"]
    assert spread > (row["hours_high_80"] - row["hours_low_80"]) / row["hours"]


def test_posts_are_the_hours_printed_over_the_hours_of_a_post(hundred):
    """Lopsided ranges do not part the three: social workers' hours and posts agree."""
    frame = staffing.need(hundred)
    assert frame["posts"].to_numpy() == pytest.approx(
        (frame["hours"] / frame["hours_a_post"]).to_numpy(), rel=0.03
    )
    social = frame[frame["role"] == "social worker"]
    assert set(social["hours_a_post"].round(1)) == {159.1}  # 37 hours, 43 weeks, a tenth of them


def test_assessments_that_end_without_a_plan_take_time(hundred):
    # assessments.csv, Bury 2024: 347 issued, 10 not
    ratio = staffing.assessments_a_plan(BURY)
    assert ratio == pytest.approx(357 / 347)
    plain = staffing.need(hundred)
    more = staffing.need(hundred, ratio=ratio)
    assert more["hours"].to_numpy() == pytest.approx(plain["hours"].to_numpy() * ratio)


def test_every_role_every_year(hundred):
    frame = staffing.need(hundred)
    assert len(frame) == 2 * len(staffing.ROLES)
    assert not frame.isna().any(axis=None)
