"""Deciding for many rows is deciding for each."""

import numpy as np
import pytest

from app.bandits.allocation.decide import AllocationRules, BurnInRule, decide
from app.bandits.allocation.decide_batch import decided_shares, rows
from app.bandits.policies.registry import build_policy
from app.bandits.totals import Totals


@pytest.mark.parametrize("fixed", [np.nan, 0.2], ids=["free", "one fixed"])
@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "ucb1", "top_two_thompson", "uniform"])
def test_many_rows_get_the_shares_that_each_gets_alone(kind, fixed):
    rng = np.random.default_rng(1)
    trials = rng.integers(0, 60, (20, 4)) * rng.integers(0, 2, (20, 4))
    totals = Totals(trials, rng.binomial(trials, 0.3))
    days = np.minimum(trials, 3).astype(float)
    days[0] = trials[0] = 0
    held = np.array([fixed, np.nan, np.nan, np.nan])
    rules = AllocationRules(
        build_policy(kind), (1.0, 1.0), False, np.full(4, 0.02), held, BurnInRule(impressions=5)
    )
    each = [decide(rules, rows(totals, np.intp(i)), days[i]).shares for i in range(20)]
    np.testing.assert_allclose(decided_shares(rules, totals, days), each, rtol=0, atol=1e-12)


def test_rows_without_data_share_equally_beside_rows_that_are_judged():
    policy = build_policy("epsilon_greedy", {"epsilon": 0.3})
    rules = AllocationRules(policy, (1.0, 1.0), False, np.zeros(3), np.full(3, np.nan), BurnInRule(days=0))
    totals = Totals([[0, 0, 0], [8, 8, 8], [8, 8, 8]], [[0, 0, 0], [4, 1, 1], [1, 1, 4]])
    found = decided_shares(rules, totals, np.zeros((3, 3)))
    assert found == pytest.approx(np.array([[1 / 3] * 3, [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]))


def test_a_fixed_policy_needs_no_data_in_any_row():
    policy = build_policy("fixed", {"shares": (0.7, 0.2, 0.1)})
    rules = AllocationRules(policy, (1.0, 1.0), False, np.zeros(3), np.full(3, np.nan), BurnInRule(days=1))
    totals = Totals([[0, 0, 0], [1, 0, 0]], np.zeros((2, 3)))
    assert decided_shares(rules, totals, np.zeros((2, 3))) == pytest.approx(np.array([[0.7, 0.2, 0.1]] * 2))
