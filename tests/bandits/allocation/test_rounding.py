"""Served percentages sum to exactly 100."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bandits.allocation.rounding import percentages

few = settings(max_examples=25, deadline=None, derandomize=True)
weights = st.lists(st.floats(0, 1), min_size=1, max_size=40).filter(lambda w: sum(w) > 1e-3)


@pytest.mark.parametrize(
    ("shares", "percent"),
    [
        pytest.param([1 / 3] * 3, ["33.3334", "33.3333", "33.3333"], id="ties go to the earlier arm"),
        pytest.param([0.5, 0.5], ["50.0000", "50.0000"], id="nothing to give"),
        pytest.param([1.0], ["100.0000"], id="one arm"),
        pytest.param([0.1, 0.2, 0.7], ["10.0000", "20.0000", "70.0000"], id="binary fractions"),
        pytest.param([0.9999992], ["100.0000"], id="a sum that is rounded"),
        pytest.param([1e-9, 1 - 1e-9], ["0.0000", "100.0000"], id="less than the last decimal"),
        pytest.param(
            [0.12345674, 0.12345676, 0.7530865], ["12.3457", "12.3457", "75.3086"], id="largest remainder"
        ),
    ],
)
def test_percentages_are_rounded_by_largest_remainder(shares, percent):
    assert [str(figure) for figure in percentages(shares)] == percent


@few
@given(weights)
def test_percentages_sum_to_exactly_100_and_are_off_by_less_than_one_unit(weights):
    shares = np.array(weights) / np.sum(weights)
    served = percentages(shares)
    assert sum(served) == Decimal(100)
    assert max(abs(float(p) - 100 * s) for p, s in zip(served, shares, strict=True)) < 1.0001e-4


@pytest.mark.parametrize("shares", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1], [[1.0]], []])
def test_what_is_not_a_row_of_shares_is_refused(shares):
    with pytest.raises(ValueError, match="shares must"):
        percentages(shares)
