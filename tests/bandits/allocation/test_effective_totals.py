"""How days become totals: windows, half-lives, exact sums, days left out."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bandits.allocation.effective_totals import (
    DailyTotals,
    Weighting,
    effective_totals,
    halvings,
    last_possible_day,
)


def daily(trials, successes, first=0, value=None):
    trials, successes = np.array(trials, float), np.array(successes, float)
    day = np.arange(first, first + len(trials))
    return DailyTotals(day, np.ones(trials.shape, bool), trials, successes, value)


THREE_DAYS = daily([[100, 10], [200, 20], [400, 40]], [[10, 1], [20, 2], [40, 4]])


def test_without_weights_totals_are_plain_sums():
    found = effective_totals(THREE_DAYS, 2, Weighting())
    assert (found.trials.tolist(), found.successes.tolist()) == ([700, 70], [70, 7])


SUMMED = DailyTotals(
    np.array([9]),
    np.array([[True, True]]),
    np.array([[700.0, 70.0]]),
    np.array([[70.0, 7.0]]),
    summed_days=np.array([[3.0, 2.0]]),
)


def test_a_sum_of_days_is_as_good_as_the_days_and_knows_how_many_they_were():
    found = effective_totals(SUMMED, 9, Weighting())
    assert (found.trials.tolist(), found.successes.tolist()) == ([700, 70], [70, 7])
    assert found.days.tolist() == SUMMED.days_with_trials.tolist() == [3, 2]
    assert effective_totals(SUMMED, 8, Weighting()).days.tolist() == [0, 0]


@pytest.mark.parametrize(
    "weighting", [Weighting(7), Weighting(half_life_days=7), Weighting(day_effects=True)]
)
def test_days_that_are_summed_cannot_be_weighed_any_more(weighting):
    with pytest.raises(ValueError, match="count alike"):
        effective_totals(SUMMED, 9, weighting)


def test_days_after_the_last_are_not_used():
    assert effective_totals(THREE_DAYS, 1, Weighting()).trials.tolist() == [300, 30]


@pytest.mark.parametrize(("window", "expected"), [(1, 400), (2, 600), (3, 700), (9, 700)])
def test_a_window_counts_back_from_the_last_day(window, expected):
    assert effective_totals(THREE_DAYS, 2, Weighting(window_days=window)).trials[0] == expected


def test_a_window_counts_days_of_the_calendar_not_days_with_data():
    assert effective_totals(THREE_DAYS, 3, Weighting(window_days=2)).trials[0] == 400


def test_a_half_life_of_one_day_halves_each_day_back():
    found = effective_totals(THREE_DAYS, 2, Weighting(half_life_days=1))
    assert found.trials.tolist() == [400 + 200 / 2 + 100 / 4, 40 + 20 / 2 + 10 / 4]
    assert found.days.tolist() == [3, 3]


def test_an_endless_half_life_equals_none():
    endless = effective_totals(THREE_DAYS, 2, Weighting(half_life_days=1e15))
    assert endless.trials == pytest.approx(effective_totals(THREE_DAYS, 2, Weighting()).trials, rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.randoms(use_true_random=False))
def test_sums_of_money_are_exactly_rounded_whatever_the_order(amounts, random):
    shuffled = list(amounts)
    random.shuffle(shuffled)
    expected = float(sum(map(Fraction, amounts)))
    for order in (amounts, shuffled):
        column = np.array(order)[:, None]
        totals = daily(np.ones_like(column), np.ones_like(column), value=column)
        assert effective_totals(totals, 99, Weighting()).value[0] == expected


def test_the_last_possible_day_is_found_from_the_data():
    late = daily([[10], [10], [10], [10]], [[5], [9], [40], [1]])
    assert last_possible_day(late, 3, Weighting()) == 1
    assert last_possible_day(late, 3, Weighting(window_days=1)) == 3
    assert last_possible_day(daily([[1]], [[5]]), 3, Weighting()) is None


def test_no_weighting_divides_out_no_day_effects():
    uneven = daily([[100, 300], [300, 100]], [[10, 60], [60, 40]])
    assert effective_totals(uneven, 1, Weighting()).trials.tolist() == [400, 400]


def test_day_effects_are_those_of_the_weighted_days():
    """An exact world: d_t is the day's effect over its mean by weighted traffic."""
    n, day = np.array([[100.0, 300], [400, 100], [200, 200]]), np.array([0.5, 2.0, 1.0])
    weight = np.array([1 / 4, 1 / 2, 1])
    found = effective_totals(daily(n, n * [0.1, 0.2] * day[:, None]), 2, Weighting(None, 1, True))
    d = day * (weight * n.sum(axis=1)).sum() / (weight * n.sum(axis=1) * day).sum()
    assert found.trials == pytest.approx((n * (weight * d)[:, None]).sum(axis=0), rel=1e-8)
    assert found.successes == pytest.approx((n * [0.1, 0.2] * (weight * day)[:, None]).sum(axis=0))


def test_days_without_trials_are_not_counted():
    assert effective_totals(daily([[1, 0], [5, 0]], [[0, 0], [1, 0]]), 1, Weighting()).days.tolist() == [2, 0]


def test_a_half_life_counts_from_the_last_day_even_if_it_has_no_data():
    assert effective_totals(THREE_DAYS, 3, Weighting(half_life_days=1)).trials[0] == (400 + 100 + 25) / 2
    assert effective_totals(THREE_DAYS, 3, Weighting(half_life_days=1e-4)).trials.tolist() == [0, 0]


def test_a_half_is_halved_to_the_last_digits():
    times = np.append(np.arange(2_000) / 7, [1e-9, 0.5, 1021.5, 1 / 3])
    with mpmath.workdps(40):
        exact = [mpmath.power(2, -mpmath.mpf(time)) for time in times.tolist()]
        off = [abs(found / due - 1) for found, due in zip(halvings(times).tolist(), exact, strict=True)]
    assert max(off) <= 4 * 2**-53


def test_whole_halvings_are_exact_and_end_at_nothing():
    assert halvings(np.arange(1_000)).tolist() == [0.5**n for n in range(1_000)]
    assert halvings(np.array([1_080, 1e9])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("amounts", "exact"),
    [([2**53, 1, 1], 2**53 + 2), ([2**53, 1, 1, -(2**53)], 2)],
    ids=["sum", "difference"],
)
def test_whole_sums_that_floating_point_cannot_add_are_exact_too(amounts, exact):
    column = np.array(amounts, float)[:, None]
    totals = daily(np.ones_like(column), np.ones_like(column), value=column)
    assert effective_totals(totals, 99, Weighting()).value[0] == exact


@pytest.mark.parametrize(
    ("trials", "successes", "expected"),
    [
        pytest.param([1], [1], 0, id="as many successes as trials"),
        pytest.param([10, 10], [5, 11], None, id="one of two arms impossible"),
        pytest.param([10, 0], [5, 0], 0, id="one of two arms untried"),
        pytest.param([0, 0], [0, 0], None, id="nothing at all"),
    ],
)
def test_a_day_is_possible_when_every_arm_is_and_any_has_trials(trials, successes, expected):
    assert last_possible_day(daily([trials], [successes]), 0, Weighting()) == expected
