"""Playing one unit after the other follows the law of the policy's shares."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.registry import build_policy
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.sequential.epsilon_greedy import MIN_ROWS as FEW_ROWS_OF_GREEDY
from app.bandits.sequential.epsilon_greedy import NOT_EXPLORING, SequentialEpsilonGreedy
from app.bandits.sequential.sequences import SampledSequential, as_sequential
from app.bandits.sequential.thompson import AHEAD
from app.bandits.sequential.unit_loop import play_units
from app.bandits.totals import Totals

ROWS, ROUNDS = 4_000, 8
ARMS = {
    "nothing known": [(0, 0), (0, 0), (0, 0)],
    "the first leads": [(60, 30), (60, 24), (40, 14), (50, 2)],
    "the first is hopeless": [(50, 1), (60, 24), (40, 14), (60, 30)],
    "rare successes": [(300, 2), (300, 5), (300, 1), (100, 0)],
    "nearly always": [(40, 40), (60, 59), (5, 5)],
}


def shown(sequence, arms, rows):
    """The sequence after these (trials, successes) of every arm, in every row."""
    for arm, (trials, successes) in enumerate(arms):
        for i in range(trials):
            sequence.learn(arm * rows + np.arange(rows), np.full(rows, i < successes))
    return sequence


def frequencies(sequence, arms, rows, rounds=ROUNDS):
    cells = np.concatenate([sequence.choose() for _ in range(rounds)])
    return np.bincount(cells // rows, minlength=len(arms)) / (rows * rounds)


def as_totals(arms):
    trials, successes = np.array(arms, dtype=float).T
    return Totals(trials, successes)


def agree(found, expected, n):
    error = np.sqrt(expected * (1 - expected) / n)
    return (np.abs(found - expected) <= 4 * error + 1e-9).all()


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5), (1.0, 99.0)], ids=str)
@pytest.mark.parametrize("arms", ARMS.values(), ids=ARMS)
def test_thompson_chooses_with_the_probability_of_being_best(arms, prior):
    policy = ThompsonSampling(prior)
    sequence = shown(as_sequential(policy, len(arms), ROWS, np.random.default_rng(3)), arms, ROWS)
    assert agree(frequencies(sequence, arms, ROWS), policy.shares(as_totals(arms)), ROWS * ROUNDS)


@pytest.mark.sampling
@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "ucb1", "top_two_thompson", "uniform"])
def test_few_rows_follow_the_same_shares_as_many(kind):
    arms, rows = ARMS["the first leads"], 50
    policy = build_policy(kind)
    sequence = shown(as_sequential(policy, len(arms), rows, np.random.default_rng(4)), arms, rows)
    assert agree(frequencies(sequence, arms, rows, 200), policy.shares(as_totals(arms)), rows * 200)


@pytest.mark.parametrize("arms", [*ARMS.values(), [(4, 2), (2, 1), (4, 1)]], ids=[*ARMS, "a tie"])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0])
def test_sequential_epsilon_greedy_has_the_policys_shares(arms, epsilon):
    policy = EpsilonGreedy(epsilon)
    sequence = shown(as_sequential(policy, len(arms), ROWS, np.random.default_rng(5)), arms, ROWS)
    assert agree(frequencies(sequence, arms, ROWS), policy.shares(as_totals(arms)), ROWS * ROUNDS)


def test_unsplit_ties_go_to_the_lowest_index():
    sequence = shown(
        SequentialEpsilonGreedy(0.0, (0, 1e-6), False, 3, 10, np.random.default_rng(1)), [(2, 0)] * 3, 10
    )
    np.testing.assert_array_equal(sequence.choose(), np.arange(10))


class Exploring(SequentialEpsilonGreedy):
    """One that explores where a table (units, r) says."""

    def explore(self, table):
        self.table = table
        return self

    def choose(self):
        self._explorations = self.table[self._units :][:1]
        return super().choose()

    def _drawn_explorations(self, n):
        table = self.table[self._units : self._units + n]
        return table, np.flatnonzero(table != NOT_EXPLORING)


@pytest.mark.parametrize("rows", [3, FEW_ROWS_OF_GREEDY + 5])
@pytest.mark.parametrize("start", [(1.0, 2.0), (1.0, 300.0), (0.0, 1e-6)], ids=str)
@pytest.mark.parametrize(
    "rates",
    [(0.2, 0.4, 0.6), (0.5, 0.5), (0.9,) * 3, (0.01, 0.02, 0.03), (0.0, 0.0, 1.0), (0.3,) * 5, (1.0, 1.0)],
    ids=str,
)
def test_stretches_of_epsilon_greedy_are_what_unit_by_unit_gives(rates, start, rows):
    k, units, rng = len(rates), 1500, np.random.default_rng(8)
    explored = rng.integers(k, size=(units, rows), dtype=np.int16)
    explored[rng.random((units, rows)) > 0.1] = NOT_EXPLORING
    uniform, table = rng.random((units, rows)), np.repeat(np.array(rates)[:, None], rows, axis=1)
    by_stretches, by_units = (
        Exploring(0.1, start, False, k, rows, rng).explore(explored) for _ in ("stretches", "units")
    )
    for i in range(0, units, 100):
        found = by_stretches.play(uniform[i : i + 100], table)
        expected = play_units(by_units.choose, by_units.learn, uniform[i : i + 100], table)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "ucb1"])
@pytest.mark.parametrize("rows", [1, 3, 60])
def test_what_was_played_is_counted_and_learnt(kind, rows):
    policy = build_policy(kind, {"epsilon": 0} if kind == "epsilon_greedy" else {})
    sequence = as_sequential(policy, 2, rows, np.random.default_rng(12))
    rates = np.repeat([[0.0], [1.0]], rows, axis=1)
    counts = sequence.play(np.full((300, rows), 0.5), rates)
    np.testing.assert_array_equal(counts.trials.sum(axis=0), 300)
    np.testing.assert_array_equal(counts.successes, counts.trials * rates)
    assert (counts.trials[1] > 200).all()
    late = sequence.play(np.full((20, rows), 0.5), rates).trials[1]
    assert late.mean() >= 18


@pytest.mark.parametrize("rows", [1, 4, 30])
def test_a_few_rows_of_thompson_follow_the_same_law(rows):
    arms, policy = ARMS["the first leads"], ThompsonSampling()
    sequence = shown(as_sequential(policy, len(arms), rows, np.random.default_rng(10)), arms, rows)
    found = frequencies(sequence, arms, rows, 6000 // rows)
    assert agree(found, policy.shares(as_totals(arms)), 6000 // rows * rows)


@pytest.mark.parametrize("prior", [(1.0, 1.0), (2.5, 1.5), (0.5, 0.5), (1.0, 2e9)], ids=str)
def test_thompson_played_ahead_decides_each_unit_with_all_that_came_before_it(prior):
    rows, units, rng = 20_000, 2 * AHEAD + 1, np.random.default_rng(13)
    rates = np.repeat(np.array([0.2, 0.5, 0.8])[:, None], rows, axis=1)
    policy = ThompsonSampling(prior)
    ahead, drawn = (
        make.play(rng.random((units, rows)), rates).trials
        for make in (as_sequential(policy, 3, rows, rng), SampledSequential(policy, 3, rows, rng))
    )
    for arm in range(3):
        table = np.stack(
            [np.bincount(trials[arm].astype(int), minlength=units + 1) for trials in (ahead, drawn)]
        )
        table = table[:, table.sum(axis=0) >= 20]
        assert chi2_contingency(table).pvalue > 1e-4


@pytest.mark.parametrize(("uniform", "again"), [(0.0, 2 / 3), (1.0, 1 / 3)], ids=["success", "failure"])
def test_a_unit_played_ahead_learns_from_the_one_before_it(uniform, again):
    """Of Beta(2, 1) and Beta(1, 1) the first is the larger in 2 of 3 cases, of Beta(1, 2) and Beta(1, 1) in 1."""
    rows = 20_000
    sequence = as_sequential(ThompsonSampling(), 2, rows, np.random.default_rng(14))
    trials = sequence.play(np.full((2, rows), uniform), np.full((2, rows), 0.5)).trials
    assert agree((trials.max(axis=0) == 2).mean(), np.array(again), rows)


@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "top_two_thompson"])
def test_a_late_success_counts_as_a_prompt_one(kind):
    arms, rows = [(9, 4), (8, 5), (7, 1)], 500
    prompt = shown(as_sequential(build_policy(kind), 3, rows, np.random.default_rng(6)), arms, rows)
    late = as_sequential(build_policy(kind), 3, rows, np.random.default_rng(6))
    shown(late, [(trials, 0) for trials, _ in arms], rows)
    for arm, (_, successes) in enumerate(arms):
        for _ in range(successes):
            late.succeed(arm * rows + np.arange(rows))
    for _ in range(5):
        np.testing.assert_array_equal(prompt.choose(), late.choose())


def test_a_policy_by_value_sees_what_successes_are_worth():
    value = np.array([1.0, 10.0])
    policy = build_policy("value_thompson")
    sequence = SampledSequential(policy, 2, 2000, np.random.default_rng(7), value)
    found = frequencies(shown(sequence, [(40, 20), (40, 10)], 2000), value, 2000, 1)
    assert found[1] > 0.99


def test_vague_priors_draw_rates_of_0_and_1_without_complaint():
    policy = ThompsonSampling((0.001, 0.001))
    sequence = as_sequential(policy, 3, ROWS, np.random.default_rng(8))
    assert frequencies(sequence, [0] * 3, ROWS).sum() == 1


def test_fixed_shares_given_as_whole_numbers_can_be_drawn():
    policy = build_policy("fixed", {"shares": (0, 1)})
    assert policy.draw(as_totals([(1, 0), (1, 0)]), np.random.default_rng(9)) == 1
