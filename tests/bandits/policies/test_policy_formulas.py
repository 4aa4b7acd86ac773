"""Each policy against its own formula, worked out by hand or by the textbook's loop."""

import numpy as np
import pytest

from app.bandits.best_arm.best_arm import BestArm, best_arm
from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.fixed import Fixed
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.policies.top_two_thompson import TopTwoThompson, top_two
from app.bandits.policies.ucb1 import UCB1
from app.bandits.posteriors.beta import BetaArms
from app.bandits.totals import Totals


@pytest.mark.parametrize(
    ("trials", "successes", "p_first_is_best"),
    [
        pytest.param([0, 0], [0, 0], 1 / 2, id="nothing observed"),
        pytest.param([1, 1], [1, 0], 5 / 6, id="Beta(2,1) against Beta(1,2)"),
    ],
)
def test_thompsons_shares_are_the_exact_probabilities_of_being_best(trials, successes, p_first_is_best):
    assert ThompsonSampling().shares(Totals(trials, successes))[0] == pytest.approx(
        p_first_is_best, abs=1e-12
    )


def test_thompsons_prior_counts():
    assert ThompsonSampling((2, 1)).shares(Totals([0, 1], [0, 0]))[0] == pytest.approx(
        best_arm(BetaArms([2, 2], [1, 2])).p_best[0]
    )


def test_epsilon_is_the_exploration_over_all_arms():
    shares = EpsilonGreedy(0.2).shares(Totals([100, 100, 100, 100], [10, 30, 20, 5]))
    assert shares == pytest.approx([0.05, 0.85, 0.05, 0.05])


def test_equally_good_arms_share_what_is_not_explored():
    assert EpsilonGreedy(0.3).shares(Totals([9, 9, 9], [3, 3, 1])) == pytest.approx([0.45, 0.45, 0.1])


def test_greedy_goes_by_the_mean_and_not_by_the_sum():
    assert EpsilonGreedy(0).shares(Totals([1000, 10], [100, 5])).tolist() == [0, 1]


@pytest.mark.parametrize("beta", [0, 0.3, 1])
def test_top_two_is_a_leader_or_the_challenger_that_replaces_it(beta):
    totals = Totals([100, 120, 90], [12, 18, 9])
    p = ThompsonSampling().shares(totals)
    expected = [
        sum(p[i] * (beta * (i == j) + (1 - beta) * (p[j] / (1 - p[i]) if i != j else 0)) for i in range(3))
        for j in range(3)
    ]
    assert TopTwoThompson(beta).shares(totals) == pytest.approx(expected, abs=1e-12)


def test_a_sure_leader_keeps_beta_and_the_least_loss_gets_the_rest():
    totals = Totals([10**6] * 4, [5 * 10**5, 10**5, 2 * 10**5, 10**5])
    assert TopTwoThompson(0.7).shares(totals) == pytest.approx([0.7, 0, 0.3, 0], abs=1e-12)


def test_equal_challengers_of_a_sure_leader_share():
    found = BestArm(np.array([0.0, 1.0, 0.0]), np.array([0.2, 0.0, 0.2]))
    assert top_two(found, 0.5) == pytest.approx([0.25, 0.5, 0.25])


def test_a_challenger_that_has_barely_a_chance_is_still_the_challenger():
    found = BestArm(np.array([1.0, 1e-13, 3e-13]), np.array([0.0, 0.2, 0.1]))
    assert top_two(found, 0.5) == pytest.approx([0.5, 0.125, 0.375], abs=1e-9)


def pulled_one_by_one(trials, successes, n):
    """UCB1's own loop with the means fixed: how often each arm is pulled in n steps, as parts."""
    trials = np.array(trials, dtype=float)
    means, pulls = np.array(successes) / trials, np.zeros(len(trials))
    for _ in range(n):
        pulled = np.argmax(means + np.sqrt(2 * np.log(trials.sum()) / trials))
        trials[pulled] += 1
        pulls[pulled] += 1
    return pulls / n


@pytest.mark.parametrize(
    ("trials", "successes"),
    [
        pytest.param([50, 60, 40], [10, 15, 6], id="close"),
        pytest.param([500, 20], [250, 1], id="one hardly tried"),
        pytest.param([3000, 3000, 10], [900, 2100, 9], id="one far behind"),
    ],
)
def test_ucb1_shares_are_where_the_pulls_of_a_day_go(trials, successes):
    n = 5000
    shares = UCB1(n).shares(Totals(trials, successes))
    assert shares == pytest.approx(pulled_one_by_one(trials, successes, n), abs=2 * len(trials) / n)


def test_all_pulled_arms_end_with_one_index_and_the_others_below_it():
    trials, successes, n = np.array([100.0, 100, 100, 4000]), np.array([30.0, 25, 5, 100]), 200
    after = trials + n * UCB1(n).shares(Totals(trials, successes))
    index = successes / trials + np.sqrt(2 * np.log(trials.sum() + n) / after)
    pulled = after > trials
    assert index[pulled] == pytest.approx(index.max(), abs=1e-12)
    assert pulled.tolist() == [True, True, False, False]


def test_a_single_pull_goes_to_the_largest_index():
    shares = UCB1(1).shares(Totals([1000, 800, 900], [100, 90, 95]))
    assert shares == pytest.approx([0, 1, 0], abs=1e-12)


def test_untried_arms_share_the_day():
    assert UCB1().shares(Totals([10, 0, 0, 5], [10, 0, 0, 5])).tolist() == [0, 0.5, 0.5, 0]


def test_fixed_shares_need_one_for_each_arm():
    with pytest.raises(ValueError, match="2 fixed shares for 3 arms"):
        Fixed((0.5, 0.5)).shares(Totals([1, 1, 1], [0, 0, 0]))
    assert Fixed([0.25, 0.75]).shares(Totals([[1, 1]], [[0, 0]])).tolist() == [[0.25, 0.75]]


def test_fixed_shares_among_some_arms_keep_their_proportions_or_are_equal():
    chosen = Fixed((0.5, 0.3, 0.2, 0, 0))
    assert chosen.among(np.array([False, True, True, False, True])).chosen == pytest.approx((0.6, 0.4, 0))
    assert chosen.among(np.array([False, False, False, True, True])).chosen == (0.5, 0.5)


def test_of_two_arms_each_is_the_others_only_challenger():
    p = ThompsonSampling().shares(Totals([100, 120], [12, 18]))
    found = TopTwoThompson(0.8).shares(Totals([100, 120], [12, 18]))
    assert found == pytest.approx(0.8 * p + 0.2 * p[::-1], abs=1e-12)


def test_sure_leaders_of_two_bandits_have_challengers_of_their_own():
    p_best = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    loss = np.array([[0.2, 0.0, 0.2], [0.0, 0.2, 0.1], [0.3, 0.1, 0.1]])
    expected = np.array([[0.25, 0.5, 0.25], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    assert top_two(BestArm(p_best, loss), 0.5) == pytest.approx(expected)
