"""Policies that decide one unit after the other, for many independent rows of arms at once."""

from typing import Protocol

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.registry import Policy
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.sequential.epsilon_greedy import SequentialEpsilonGreedy
from app.bandits.sequential.thompson import SequentialThompson
from app.bandits.sequential.unit_loop import UnitCounts, play_units
from app.bandits.totals import Totals


class SequentialPolicy(Protocol):
    """A policy at work on r rows of k arms: it chooses an arm for each row and is shown what came of it.

    A choice is a cell, arm * r + row: an index into a table (k, r). The law of the choices is that of the
    policy's `draw` on the totals so far, which a test holds beside it.
    """

    def choose(self) -> Integers:
        """(r,), the next cell of every row; good until the next call."""

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count a trial of these cells (n,), at most one per row, as a success where it was one."""

    def succeed(self, cells: Integers) -> None:
        """Turn an earlier trial of each of these cells (n,), at most one per row, into a success."""

    def play(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """Choose and learn n times in every row, and count what came of it: `play_units`, perhaps faster.

        Parameters
        ----------
        uniform : (n, r); a unit is a success where its uniform is below the rate of its arm
        rates : (k, r)
        """


class SampledSequential:
    """Any policy, by its own `draw`.

    Parameters
    ----------
    policy : whose `draw` chooses
    k, rows : number of arms and of rows
    rng : stream of the draws
    value : (k,), what a success of each arm is worth, in currency units; None where it is not measured
    cost : (k,), currency units per trial; None when trials are free
    """

    def __init__(
        self,
        policy: Policy,
        k: int,
        rows: int,
        rng: np.random.Generator,
        value: Floats | None = None,
        cost: Floats | None = None,
    ) -> None:
        self._policy, self._rng, self._value, self._cost = policy, rng, value, cost
        self._row = np.arange(rows)
        self._trials, self._successes = np.zeros((k, rows)), np.zeros((k, rows))

    def choose(self) -> Integers:
        """(r,), the policy's draws given the totals."""
        cells: Integers = self._policy.draw(self._totals(), self._rng) * len(self._row) + self._row
        return cells

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials."""
        self._trials.ravel()[cells] += 1
        self._successes.ravel()[cells] += won

    def succeed(self, cells: Integers) -> None:
        """Count late successes."""
        self._successes.ravel()[cells] += 1

    def play(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """Decide the next units, each shown before the next, and count them; see `SequentialPolicy`."""
        return play_units(self.choose, self.learn, uniform, rates)

    def _totals(self) -> Totals:
        trials, successes = self._trials.T, self._successes.T
        if self._value is None:
            return Totals(trials, successes, cost=self._cost)
        return Totals(trials, successes, successes * self._value, successes * self._value**2, self._cost)


def as_sequential(
    policy: Policy,
    k: int,
    rows: int,
    rng: np.random.Generator,
    value: Floats | None = None,
    cost: Floats | None = None,
) -> SequentialPolicy:
    """The policy at work on `rows` rows of k arms: by a faster way of the same law where there is one."""
    if isinstance(policy, ThompsonSampling):
        return SequentialThompson(policy.prior, k, rows, rng)
    if isinstance(policy, EpsilonGreedy):
        a, b = policy.prior
        return SequentialEpsilonGreedy(policy.epsilon, (a, a + b), True, k, rows, rng)
    return SampledSequential(policy, k, rows, rng, value, cost)
