"""What immature cohorts are worth: closed forms, and no change where nothing is on its way."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.bandits.delay.effective import matured_totals
from app.bandits.totals import Totals


def test_without_delay_totals_are_the_plain_sums():
    found = matured_totals([[100, 10], [200, 20]], [[10, 9], [20, 20]], np.ones((2, 1)))
    assert (found.trials.tolist(), found.successes.tolist()) == ([300, 30], [30, 29])
    assert (found.scale.tolist(), found.matured.tolist()) == ([1, 1], [1, 1])


def test_impressions_count_as_far_as_their_conversions_have_come():
    """m = 100 * 0.4 + 50 = 90, r = 9 / 90, q = (40 * 0.9 / (1 - 0.04) + 50) / 90."""
    found = matured_totals([[100], [50]], [[4], [5]], [[0.4], [1.0]])
    scale = (40 * 0.9 / 0.96 + 50) / 90
    assert found.scale == pytest.approx([scale], rel=1e-14)
    assert (found.trials[0], found.successes[0]) == pytest.approx((90 * scale, 9 * scale), rel=1e-14)
    assert found.matured == pytest.approx([90 / 150], rel=1e-14)


def test_totals_hold_the_information_that_cohorts_have_on_the_rate():
    """The expected information of Bin(n, r F) is n F / (r (1 - r F)); that of m trials m / (r (1 - r))."""
    n, f, r = np.array([1000.0, 2000, 4000]), np.array([0.9, 0.5, 0.1]), 0.7
    found = matured_totals(n[:, None], (n * f * r)[:, None], f[:, None])
    assert found.trials[0] / (r * (1 - r)) == pytest.approx((n * f / (r * (1 - r * f))).sum(), rel=1e-12)
    assert found.successes[0] / found.trials[0] == pytest.approx(r, rel=1e-12)


def test_trials_are_at_least_the_successes():
    found = matured_totals([[100]], [[30]], [[0.1]])
    assert found.trials.tolist() == found.successes.tolist()
    assert found.successes[0] > 0


def test_an_arm_without_impressions_has_nothing_and_is_mature():
    found = matured_totals([[0, 5]], [[0, 0]], [[0.5]])
    assert (found.trials.tolist(), found.successes.tolist()) == ([0, 2.5], [0, 0])
    assert (found.matured.tolist(), found.scale.tolist()) == ([1, 0.5], [1, 1])


def test_each_arm_may_have_its_own_fractions():
    found = matured_totals([[100, 100]], [[0, 0]], [[0.2, 0.7]])
    assert found.trials.tolist() == pytest.approx([20, 70])


COHORT = st.tuples(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))


@settings(deadline=None, max_examples=100)
@given(st.lists(COHORT, min_size=1, max_size=8))
@example([(1, 1.0, 5e-324)])
def test_totals_are_always_possible(cohorts):
    n, rate, fraction = np.array(cohorts, dtype=float).T
    found = matured_totals(n[:, None], (n * rate)[:, None], fraction[:, None])
    Totals(found.trials, found.successes)
    assert 0 < found.scale[0] <= 1 + 1e-12
    assert 0 <= found.matured[0] <= 1


def test_many_bandits_are_computed_at_once():
    rng = np.random.default_rng(2)
    n, f = rng.integers(1, 100, (3, 4, 2)), rng.random((3, 4, 1))
    s = rng.binomial(n, 0.3)
    together = matured_totals(n, s, f)
    for i in range(3):
        alone = matured_totals(n[i], s[i], f[i])
        assert together.trials[i].tolist() == alone.trials.tolist()
        assert together.scale[i].tolist() == alone.scale.tolist()
