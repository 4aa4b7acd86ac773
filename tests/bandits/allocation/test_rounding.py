"""Served percentages sum to exactly 100."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bandits.allocation.rounding import certain_probability, percentages, significant

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
def test_what_is_not_a_row_of_shares_is_rejected(shares):
    with pytest.raises(ValueError, match="shares must"):
        percentages(shares)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(0.12075848303393213, 0.120758483, id="ten digits"),
        pytest.param(1 / 3e9, 3.333333333e-10, id="small"),
        pytest.param(-2e9 / 3, -666666666.7, id="negative"),
        pytest.param(12345678901.0, 12345678901.0, id="a count has more"),
        pytest.param(12345678901.5, 12345678900.0, id="not quite a count"),
        pytest.param(1e22 / 3, 3333333333e12, id="whole only because it is large"),
        pytest.param(0.99999999999, 1.0, id="up to the next power of ten"),
        pytest.param(0.0, 0.0, id="nothing"),
    ],
)
def test_numbers_are_written_to_ten_significant_digits(value, written):
    assert significant(value) == written


@pytest.mark.parametrize(
    ("value", "beside", "written"),
    [
        (3.00000000004e-5, 0.12, 3e-5),
        (-3e-17, 0.12, 0.0),
        (0.2500000001, 1.0, 0.25),
        (250.0000001, 1.0, 250.0000001),
    ],
)
def test_a_difference_has_the_last_digit_of_what_it_is_the_difference_of(value, beside, written):
    assert repr(significant(value, beside=beside)) == repr(written)


@pytest.mark.parametrize(
    ("p", "written"), [(5 / 6, 0.8333333333), (1e-30, 0.0), (1 - 1e-12, 1.0), (3e-10, 3e-10)]
)
def test_probabilities_have_ten_decimals(p, written):
    assert certain_probability(p) == written


@few
@given(st.floats(allow_nan=True, allow_infinity=True, width=32))
def test_what_is_rounded_is_close_finite_where_it_was_and_not_rounded_again(value):
    rounded = significant(value)
    assert rounded == pytest.approx(value, rel=5.1e-10, nan_ok=True)
    assert repr(significant(rounded)) == repr(rounded)


@few
@given(st.floats(1e-9, 1e9), st.integers(-4, 4))
def test_neighbours_in_the_last_places_are_written_alike(value, places):
    """Unless the end of a digit lies between them: about one pair in 10^5, and none of these."""
    neighbour = value + places * np.spacing(value)
    assert significant(value) == significant(neighbour)
