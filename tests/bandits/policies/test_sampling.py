"""Single decisions drawn from shares."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.policies.registry import POLICIES, build_policy
from app.bandits.policies.sampling import sample_arms
from app.bandits.totals import Totals


def test_an_arm_without_a_share_is_never_drawn_even_where_the_sum_falls_short():
    drawn = sample_arms(np.array([0.5, 0.4, 0.0]), np.random.default_rng(1), 1000)
    assert set(drawn.tolist()) == {0, 1}


@pytest.mark.parametrize("kind", sorted(POLICIES))
def test_units_of_two_bandits_follow_the_shares_of_each(kind):
    policy, n = build_policy(kind, {"shares": [0.7, 0.3]} if kind == "fixed" else {}), 2000
    successes = np.array([[12.0, 15.0], [30.0, 22.0]])
    totals = Totals(np.array([[100.0, 90.0], [200.0, 200.0]]), successes, 3 * successes, 20 * successes)
    drawn, shares = policy.draw(totals, np.random.default_rng(2), n), policy.shares(totals)
    assert drawn.shape == (2, n)
    for of_one, expected in zip(drawn, shares, strict=True):
        assert stats.binomtest(int((of_one == 0).sum()), n, expected[0]).pvalue > 1e-4


def test_one_bandit_that_knows_nothing_of_values_does_not_change_how_another_draws():
    known, n = np.array([[900.0, 100.0], [0.0, 0.0]]), 2000
    totals = Totals(np.full((2, 2), 1000.0), known, known, known)
    drawn = build_policy("value_thompson").draw(totals, np.random.default_rng(3), n)
    assert (drawn[0] == 0).all()
    assert stats.binomtest(int((drawn[1] == 0).sum()), n, 0.5).pvalue > 1e-4
