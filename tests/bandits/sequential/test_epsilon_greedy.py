"""Epsilon-greedy one unit after the other: how often it explores, and what long stretches count."""

import numpy as np
import pytest

from app.bandits.sequential.epsilon_greedy import SequentialEpsilonGreedy

RNG = np.random.default_rng


def greedy(epsilon, rows, seed):
    return SequentialEpsilonGreedy(epsilon, (1, 2), True, 2, rows, RNG(seed))


def test_a_unit_that_is_played_alone_explores_as_often_as_epsilon_says():
    sequence, n = greedy(0.5, 1, 1), 1000
    sequence.learn(np.array([0]), np.array([True]))  # the first arm leads from now on
    sent = [sequence.play(np.zeros((1, 1)), np.ones((2, 1))).trials[1, 0] for _ in range(n)]
    assert np.mean(sent) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / n))


def test_explorations_are_drawn_to_the_last_unit():
    """The last one is k units before the end with probability 2^-k-1: 60 never come without one."""
    sequence, size = greedy(0.5, 1, 2), 10_000
    assert min(sequence._exploring(size)[-1] for _ in range(200)) > size - 60


def test_every_success_of_long_stretches_is_counted():
    sequence = greedy(0.1, 20, 3)
    counts = sequence.play(np.full((12_000, 20), 0.5), np.ones((2, 20)))
    np.testing.assert_array_equal(counts.trials.sum(axis=0), 12_000)
    np.testing.assert_array_equal(counts.successes, counts.trials)
