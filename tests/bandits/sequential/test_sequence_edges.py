"""Sequences at their edges: the first unit, late successes, every unit exploring, a single row."""

import numpy as np
import pytest

from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.sequential.epsilon_greedy import SequentialEpsilonGreedy
from app.bandits.sequential.sequences import SampledSequential, as_sequential

RNG = np.random.default_rng


def greedy(prior, k, rows=5, epsilon=0):
    return as_sequential(EpsilonGreedy(epsilon, prior), k, rows, RNG(1))


def learn(sequence, arm, successes, failures, rows=5):
    for won in [True] * successes + [False] * failures:
        sequence.learn(arm * rows + np.arange(rows), np.full(rows, won))


def test_an_untried_arm_has_the_priors_mean():
    sequence = greedy((1, 3), 2)
    learn(sequence, 0, 2, 1)
    assert (sequence.choose() // 5).tolist() == [0] * 5
    learn(sequence, 0, 0, 9)
    assert (sequence.choose() // 5).tolist() == [1] * 5


def test_a_late_success_raises_the_mean_by_one_success():
    """1 of 3 and 2 of 4 with a uniform prior: 2/5 stays behind 3/6; a second one makes it 3/5."""
    sequence = greedy((1, 1), 2)
    learn(sequence, 0, 0, 3)
    learn(sequence, 1, 2, 2)
    sequence.succeed(np.arange(5))
    assert (sequence.choose() // 5).tolist() == [1] * 5
    sequence.succeed(np.arange(5))
    assert (sequence.choose() // 5).tolist() == [0] * 5


@pytest.mark.parametrize(("epsilon", "expected"), [(1.0, list(range(10))), (0.0, [])])
def test_all_units_explore_or_none(epsilon, expected):
    sequence = SequentialEpsilonGreedy(epsilon, (1, 2), True, 2, 1, RNG(2))
    assert sequence._exploring(10).tolist() == expected


@pytest.mark.sampling
def test_a_single_row_explores_as_often_as_epsilon_says():
    sequence, n = greedy((1, 1), 2, 1, 0.1), 6400
    learn(sequence, 0, 3, 0, rows=1)
    explored = sum(int(sequence.choose()[0]) for _ in range(n))
    assert explored / n == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / n))


def first_units(make, n=2000):
    """(n, k), the first units of so many sequences of one row, none of which succeeds."""
    rng = RNG(5)
    played = [make(rng).play(np.ones((1, 1)), np.zeros((3, 1))) for _ in range(n)]
    return np.array([counts.trials[:, 0] for counts in played])


@pytest.mark.parametrize(("split_ties", "expected"), [(True, [1 / 3] * 3), (False, [1, 0, 0])])
def test_a_single_row_that_knows_nothing_splits_ties_or_takes_the_first(split_ties, expected):
    frequencies = first_units(lambda rng: SequentialEpsilonGreedy(0, (1, 2), split_ties, 3, 1, rng)).mean(
        axis=0
    )
    assert np.abs(frequencies - expected).max() <= 4 * np.sqrt(2 / 9 / 2000) * split_ties


def test_a_single_row_of_thompson_played_at_once_follows_the_shares():
    """Of draws of Beta(2, 1), Beta(1, 2) and Beta(1, 1) the largest is each in 6, 1 and 3 of 10 cases."""

    def sequence(rng):
        made = as_sequential(ThompsonSampling(), 3, 1, rng)
        made.learn(np.array([0]), np.array([True]))
        made.learn(np.array([1]), np.array([False]))
        return made

    expected = np.array([0.6, 0.1, 0.3])
    frequencies = first_units(sequence).mean(axis=0)
    assert (np.abs(frequencies - expected) <= 4 * np.sqrt(expected * (1 - expected) / 2000)).all()


@pytest.mark.parametrize(("uniform", "again"), [(0.0, 2 / 3), (1.0, 1 / 3)], ids=["success", "failure"])
def test_a_single_row_of_thompson_learns_from_each_unit_before_the_next(uniform, again):
    """Of Beta(2, 1) and Beta(1, 1) the first is the larger in 2 of 3 cases, of Beta(1, 2) and Beta(1, 1) in 1."""
    rng, n, units = RNG(6), 2000, np.full((2, 1), uniform)
    played = [
        as_sequential(ThompsonSampling(), 2, 1, rng).play(units, np.full((2, 1), 0.5)).trials.max()
        for _ in range(n)
    ]
    assert np.mean(np.array(played) == 2) == pytest.approx(again, abs=4 * np.sqrt(2 / 9 / n))


class Witness:
    """A policy that keeps what it was shown."""

    def draw(self, totals, rng):
        self.totals = totals
        return np.zeros(len(totals.trials), dtype=int)


def test_a_policy_is_shown_exactly_what_happened():
    policy = Witness()
    sequence = SampledSequential(policy, 2, 3, RNG(3), np.array([5.0, 10.0]), np.array([0.5, 0.0]))
    sequence.choose()
    assert policy.totals.trials.tolist() == policy.totals.successes.tolist() == [[0, 0]] * 3
    sequence.learn(np.array([3, 4, 5]), np.array([True, False, True]))
    sequence.succeed(np.array([4]))
    sequence.choose()
    assert policy.totals.trials.tolist() == [[0, 1]] * 3
    assert policy.totals.value.tolist() == [[0, 10]] * 3
    assert policy.totals.value_sq.tolist() == [[0, 100]] * 3
    assert policy.totals.cost.tolist() == [0.5, 0]


def test_without_values_a_policy_is_shown_none():
    policy = Witness()
    SampledSequential(policy, 2, 3, RNG(4)).choose()
    assert policy.totals.value is None


def test_rows_that_tie_stand_beside_rows_that_do_not():
    sequence = SequentialEpsilonGreedy(0, (1, 2), False, 3, 2, RNG(7))
    sequence.learn(np.array([3]), np.array([True]))
    assert sequence.choose().tolist() == [0, 3]


def test_a_first_unit_that_explores_has_the_rate_of_its_own_arm():
    sequence, rates = SequentialEpsilonGreedy(1.0, (1, 2), False, 2, 1, RNG(8)), np.array([[1.0], [0.0]])
    for _ in range(20):
        counts = sequence.play(np.full((1, 1), 0.5), rates)
        np.testing.assert_array_equal(counts.successes, counts.trials * rates)
