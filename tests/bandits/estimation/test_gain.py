"""What has been earned beyond an even split, against closed forms and an independent simulation."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.estimation.gain import extra_conversions, extra_value, moved_trials
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals


def test_moved_trials_are_those_beyond_an_even_split_of_each_day():
    trials = np.array([[100.0, 300.0], [50.0, 50.0]])
    assert moved_trials(trials, trials > 0).tolist() == [-100, 100]


def test_an_arm_that_was_not_there_has_no_part_of_a_days_even_split():
    trials = np.array([[100.0, 300.0, 0.0], [30.0, 60.0, 210.0]])
    live = np.array([[True, True, False], [True, True, True]])
    assert moved_trials(trials, live).tolist() == [-170, 60, 110]


def test_a_day_of_a_single_arm_or_of_none_moves_nothing():
    trials = np.array([[100.0, 0.0], [0.0, 0.0]])
    assert moved_trials(trials, trials > 0).tolist() == [0, 0]


def test_two_arms_earn_the_moved_trials_times_the_difference_of_their_rates():
    found = extra_conversions(np.array([-500.0, 500.0]), BetaArms(np.array([1.0, 2.0]), np.array([2.0, 1.0])))
    assert found.mean == pytest.approx(500 / 3)  # Beta(1,2) has mean 1/3, Beta(2,1) has 2/3
    assert found.deviation == pytest.approx(500 * np.sqrt(1 / 18 + 1 / 18))  # each has variance 1/18
    reach = 1.959963984540054 * found.deviation
    assert found.interval() == pytest.approx((found.mean - reach, found.mean + reach))


def test_an_even_split_has_earned_nothing_for_certain():
    arms = BetaArms(np.array([5.0, 9.0]), np.array([50.0, 40.0]))
    found = extra_conversions(np.zeros(2), arms)
    assert (found.mean, found.deviation) == (0, 0)


def test_the_interval_covers_its_share_of_posterior_draws():
    moved, arms = (
        np.array([-400.0, 900.0, -500.0]),
        BetaArms(np.array([31, 81, 30]), np.array([270, 520, 300])),
    )
    draws = np.random.default_rng(1).beta(arms.a, arms.b, (40_000, 3)) @ moved
    low, high = extra_conversions(moved, arms).interval()
    error = 4 * np.sqrt(0.95 * 0.05 / len(draws))
    assert np.mean((low < draws) & (draws < high)) == pytest.approx(0.95, abs=error + 0.002)


def test_extra_value_has_the_mean_and_deviation_of_draws_of_rate_times_value_less_cost():
    totals = Totals(
        np.array([900.0, 2100.0]),
        np.array([90.0, 260.0]),
        np.array([2700.0, 9100.0]),
        np.array([99_000.0, 371_000.0]),
        np.array([0.1, 0.2]),
    )
    moved, arms = np.array([-600.0, 600.0]), ValueArms.from_totals(totals)
    rng, n = np.random.default_rng(2), 200_000
    means = arms.value.location + arms.value.scale * rng.standard_t(arms.value.freedom, (n, 2))
    draws = (rng.beta(arms.rates.a, arms.rates.b, (n, 2)) * means - arms.cost) @ moved
    found = extra_value(moved, arms)
    assert found.mean == pytest.approx(draws.mean(), abs=4 * draws.std() / np.sqrt(n))
    assert found.deviation == pytest.approx(draws.std(), rel=4 * 1.1 / np.sqrt(2 * n))


def test_the_deviation_of_extra_value_is_that_of_the_moments():
    """Var(theta M) = E[theta^2] E[M^2] - E[theta]^2 E[M]^2, with 3 and 4 degrees of freedom; costs do not vary."""
    arms = ValueArms.from_totals(Totals([50, 60], [1, 2], [20, 50], [400, 1300], [0.1, 0.2]))
    rates, values = stats.beta(arms.rates.a, arms.rates.b), stats.t(*_of(arms.value))
    variance = (rates.var() + rates.mean() ** 2) * (values.var() + values.mean() ** 2)
    variance -= (rates.mean() * values.mean()) ** 2
    assert extra_value(np.array([-7.0, 7.0]), arms).deviation == pytest.approx(7 * np.sqrt(variance.sum()))


def _of(value):
    return value.freedom, value.location, value.scale


def test_an_arm_without_a_success_that_had_its_even_share_does_not_matter():
    figures = ([10.0, 20.0, 5.0], [3.0, 2.0, 0.0], [50.0, 60.0, 0.0], [1300.0, 1900.0, 0.0])
    arms = ValueArms.from_totals(Totals(*map(np.array, figures)))
    assert extra_value(np.array([-5.0, 5.0, 0.0]), arms).deviation > 0


def test_nothing_is_said_of_value_while_an_arm_has_no_success():
    totals = Totals(
        np.array([10.0, 20.0]), np.array([0.0, 2.0]), np.array([0.0, 60.0]), np.array([0.0, 1900.0])
    )
    assert extra_value(np.array([-5.0, 5.0]), ValueArms.from_totals(totals)) is None
