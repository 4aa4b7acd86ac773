"""When a campaign knows its best subject, against the classical test."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.best_arm.best_arm import best_arm
from app.bandits.posteriors.beta import BetaArms
from app.simulation.email.decision_day import P_BEST_DECIDED, decision_day, fixed_horizon, maybe_sure
from app.simulation.replication_statistics import summary


@pytest.mark.parametrize("prior", [(1, 1), (0.1, 0.1), (1, 300), (20, 20)], ids=str)
@pytest.mark.parametrize("k", [2, 3])
def test_no_sure_row_is_left_out(k, prior):
    rng = np.random.default_rng(k)
    trials = np.floor(10 ** rng.uniform(0, 4, (2000, k)))
    level = 10 ** rng.uniform(-4, 0, (2000, 1))
    rates = np.where(rng.random((2000, 1)) < 0.5, level, 1 - level) * 10 ** rng.uniform(-0.5, 0, (2000, k))
    successes = rng.binomial(trials.astype(int), rates)
    arms = BetaArms(prior[0] + successes, prior[1] + trials - successes)
    sure = best_arm(arms).p_best.max(axis=-1) >= P_BEST_DECIDED
    assert sure.sum() > 200
    assert maybe_sure(arms)[sure].all()


def test_the_declared_arm_is_the_one_with_p_best_of_95_percent():
    trials, successes = (
        np.array([[100, 100], [100, 100], [100, 100]]),
        np.array([[30, 10], [10, 30], [20, 21]]),
    )
    np.testing.assert_array_equal(decision_day(trials, successes, (1, 1)), [0, 1, -1])


def test_googles_classical_test_needs_223_days_of_100_visits():
    assert 2 * fixed_horizon(0.04, 0.05, power=0.95) == pytest.approx(22_330, abs=3)


def test_the_fixed_horizon_has_the_power_asked_for():
    p, q = 0.40, 0.45
    n = round(fixed_horizon(p, q, comparisons=3))
    rng = np.random.default_rng(1)
    one, other = (rng.binomial(n, rate, 20_000) / n for rate in (p, q))
    pooled = (one + other) / 2
    z = np.abs(one - other) / np.sqrt(2 * pooled * (1 - pooled) / n)
    power = (z > stats.norm.ppf(1 - 0.05 / 6)).mean()
    assert power == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 20_000) + 0.003)


def test_equal_rates_are_never_distinguished():
    assert fixed_horizon(0.1, 0.1) == np.inf


def test_the_interval_of_a_mean_is_students():
    figures = np.random.default_rng(1).normal(size=20)
    expected = stats.t.interval(0.95, 19, figures.mean(), stats.sem(figures))
    np.testing.assert_allclose(summary(figures).interval_95, expected, rtol=1e-9)
    assert summary(figures[:1]).sd is None
