"""Rounding that adds: every cell and sum is the exact one, rounded up or down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from send_analysis import rounding
from send_analysis.errors import ParameterError

TABLES = arrays.arrays(
    float,
    st.tuples(st.integers(1, 7), st.integers(1, 5)),
    elements=st.floats(-300, 300, allow_nan=False) | st.integers(0, 9).map(float),
)


def within(rounded, exact):
    """Say whether each number is the exact one rounded up or down."""
    return (np.abs(rounded - exact) < 1).all()


@settings(max_examples=150, deadline=None)
@given(values=TABLES)
def test_cells_and_sums_are_rounded_up_or_down(values):
    rounded = rounding.controlled_rounding(values)
    assert within(rounded, values)
    assert within(rounded.sum(axis=0), values.sum(axis=0))
    assert within(rounded.sum(axis=1), values.sum(axis=1))
    assert abs(rounded.sum() - values.sum()) <= 0.5 + 1e-6


@settings(max_examples=50, deadline=None)
@given(values=TABLES)
def test_whole_numbers_stay(values):
    whole = np.rint(values)
    assert np.array_equal(rounding.controlled_rounding(whole), whole)


def test_rounding_is_the_nearest_there_is():
    # every table of whole numbers with these sums, tried one by one
    values = np.array([[0.4, 0.4, 0.7], [0.6, 0.1, 1.3]])
    best, least = None, (np.inf, np.inf)
    for flat in np.ndindex(*[2] * 6):
        table = np.floor(values) + np.array(flat).reshape(2, 3)
        if (
            within(table.sum(axis=0), values.sum(axis=0))
            and within(table.sum(axis=1), values.sum(axis=1))
            and table.sum() == 4  # 3.5, half up
        ):
            sums = [np.abs((table - values).sum(axis=axis)).sum() for axis in (0, 1)]
            difference = (round(sum(sums), 9), round(np.abs(table - values).sum(), 9))
            if difference < least:
                best, least = table, difference
    rounded = rounding.controlled_rounding(values)
    assert best is not None
    sums = sum(np.abs((rounded - values).sum(axis=axis)).sum() for axis in (0, 1))
    assert (sums, np.abs(rounded - values).sum()) == pytest.approx(least)


@pytest.mark.parametrize("bad", [[[np.inf]], [[np.nan]], [1.0, 2.0]])
def test_rounding_refuses_what_is_no_table_of_numbers(bad):
    with pytest.raises(ParameterError, match="table of finite numbers"):
        rounding.controlled_rounding(np.array(bad))
