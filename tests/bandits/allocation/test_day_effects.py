"""Good and bad days no longer favour the arms that had their traffic then."""

import numpy as np
import pytest

from app.bandits.allocation.day_effects import fit_day_effects, without_day_effects
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.totals import Totals


def traffic_on_the_best(log_sd, adjust, runs=200, days=31, daily=10_000, rates=(0.12, 0.15, 0.13)):
    """Mean and standard error, over the runs, of the traffic that daily Thompson sampling gives the best arm.

    The world: a month of 10,000 impressions a day, rates of 12, 15 and 13 %; each day multiplies all of them by an
    independent log-normal effect with mean 1. The first day is split evenly, each later one by the shares that the
    days before it give.
    """
    rng = np.random.default_rng(3)
    effects = np.exp(log_sd * rng.standard_normal((runs, days, 1)) - log_sd**2 / 2)
    n, s = np.zeros((2, runs, days, len(rates)))
    for t in range(days):
        totals = without_day_effects(n[:, :t], s[:, :t]) if adjust else Totals(n.sum(axis=1), s.sum(axis=1))
        shares = ThompsonSampling().shares(totals)
        n[:, t] = rng.multinomial(daily, shares / shares.sum(axis=1, keepdims=True))
        s[:, t] = rng.binomial(n[:, t].astype(int), np.minimum(rates * effects[:, t], 1))
    parts = n[:, :, int(np.argmax(rates))].sum(axis=1) / (days * daily)
    return parts.mean(), parts.std() / np.sqrt(runs)


@pytest.mark.sampling
@pytest.mark.parametrize("log_sd", [0, 0.3, 0.6])
def test_adjusted_totals_put_0_975_of_the_traffic_on_the_best_arm_at_any_day_effect(log_sd):
    mean, error = traffic_on_the_best(log_sd, adjust=True)
    assert mean == pytest.approx(0.975, abs=4 * error)


@pytest.mark.sampling
@pytest.mark.parametrize(("log_sd", "expected"), [(0.3, 0.81), (0.6, 0.64)])
def test_pooled_totals_lose_traffic_to_day_effects(log_sd, expected):
    mean, error = traffic_on_the_best(log_sd, adjust=False)
    assert mean == pytest.approx(expected, abs=4 * error)


def test_exact_effects_are_found_again():
    rates, days = np.array([0.1, 0.2, 0.05]), np.array([0.5, 1.0, 2.0, 0.8])
    n = np.array([[100, 300, 50], [400, 10, 80], [0, 200, 900], [70, 70, 70]]) * 1000.0
    fit = fit_day_effects(n, n * rates * days[:, None])
    scale = n.sum() / (n.sum(axis=1) * days).sum()
    assert fit.days == pytest.approx(days * scale, rel=1e-7)
    assert fit.rates == pytest.approx(rates / scale, rel=1e-7)


def test_the_traffic_weighted_mean_of_the_days_is_1_and_successes_stay():
    rng = np.random.default_rng(2)
    n = rng.integers(0, 500, (6, 9, 3)).astype(float)
    s = rng.binomial(n.astype(int), 0.2)
    fit = fit_day_effects(n, s)
    assert (n.sum(axis=2) * fit.days).sum(axis=1) == pytest.approx(n.sum(axis=(1, 2)))
    assert without_day_effects(n, s).successes.tolist() == s.sum(axis=1).tolist()


def test_a_flat_world_with_equal_splits_is_left_as_it_is():
    n = np.full((5, 2), 1000.0)
    totals = without_day_effects(n, n * [0.1, 0.2])
    assert totals.trials == pytest.approx([5000, 5000])


def test_an_arm_that_ran_on_good_days_only_is_brought_down():
    n = np.array([[1000, 0], [1000, 1000.0]])
    totals = without_day_effects(n, np.array([[50, 0], [200, 200.0]]))
    rates = totals.successes / totals.trials
    assert rates[0] == pytest.approx(rates[1], rel=1e-6)


def test_without_successes_every_day_is_an_average_one():
    assert fit_day_effects(np.ones((3, 2)), np.zeros((3, 2))).days.tolist() == [1, 1, 1]
    assert without_day_effects(np.ones((3, 2)), np.zeros((3, 2))).trials.tolist() == [3, 3]


def test_without_days_there_is_nothing():
    assert without_day_effects(np.zeros((0, 2)), np.zeros((0, 2))).trials.tolist() == [0, 0]


def test_effective_trials_never_fall_below_the_successes():
    totals = without_day_effects([[10, 0], [0, 1000.0]], [[10, 0], [0, 1.0]])
    assert (totals.trials >= totals.successes).all()


def test_effects_do_not_depend_on_the_unit_of_the_counts():
    n, s = np.array([[10, 30.0], [40, 20]]), np.array([[1, 4.0], [8, 5]])
    assert fit_day_effects(n / 1e4, s / 1e4).days == pytest.approx(fit_day_effects(n, s).days, rel=1e-8)


def test_an_arm_without_traffic_has_the_rate_0():
    fit = fit_day_effects([[10, 0], [40, 0]], [[1, 0], [8, 0]])
    assert fit.rates[1] == 0


def test_a_single_day_is_an_average_one():
    assert fit_day_effects([[10, 40]], [[1, 8]]).days == pytest.approx([1])
