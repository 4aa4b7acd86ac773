"""The policies of the race: the service's own, and the original's epsilon-greedy for comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.registry import Policy, build_policy, needs_value
from app.bandits.policies.sampling import sample_arms
from app.bandits.posteriors.beta import Prior
from app.bandits.sequential.epsilon_greedy import SequentialEpsilonGreedy
from app.bandits.sequential.sequences import SequentialPolicy, as_sequential
from app.bandits.sequential.unit_loop import UnitCounts, counted
from app.bandits.totals import Totals

ORIGINAL = "epsilon_greedy_original"


@dataclass(frozen=True, slots=True)
class OriginalEpsilonGreedy:
    """Epsilon-greedy as the simulator this one replaces defined it: s / (n + 1e-6), ties to the lowest index.

    Exploring is over all arms. An untried arm scores 0, as one that never converted, where the service's own
    `EpsilonGreedy` takes the posterior mean and splits ties equally.

    Parameters
    ----------
    epsilon : in [0, 1], the exploration
    """

    epsilon: float = parameter(0.1, "the part of the traffic that explores, spread over all arms", 0, 1)

    def __post_init__(self) -> None:
        check_parameters(self)

    def shares(self, totals: Totals) -> Floats:
        """1 - epsilon for the first of the best scores and epsilon / k for everyone, (..., k)."""
        scores = totals.successes / (totals.trials + 1e-6)
        first = np.arange(totals.k) == scores.argmax(axis=-1)[..., None]
        shares: Floats = (1 - self.epsilon) * first + self.epsilon / totals.k
        return shares

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""
        return sample_arms(self.shares(totals), rng, units)


class RoundRobin:
    """The even split: e-mail t gets subject t mod k, whatever comes of it."""

    def __init__(self, k: int, rows: int) -> None:
        self._k, self._rows, self._row, self._next = k, rows, np.arange(rows), 0

    def choose(self) -> Integers:
        """(r,), the same subject in every row."""
        cells: Integers = self._next * self._rows + self._row
        self._next = (self._next + 1) % self._k
        return cells

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Nothing is learnt."""

    def succeed(self, cells: Integers) -> None:
        """Nothing is learnt."""

    def play(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """Count what comes of the next e-mails, (n, r)."""
        arms = (self._next + np.arange(len(uniform))) % self._k
        self._next = (self._next + len(uniform)) % self._k
        return counted(arms[:, None] * self._rows + self._row, uniform < rates[arms], rates.shape)


@dataclass(frozen=True, slots=True)
class EmailPolicy:
    """A policy that plays.

    Parameters
    ----------
    kind : by which it was chosen
    policy : what the service decides with; None is the even split
    """

    kind: str
    policy: Policy | None

    @property
    def by_value(self) -> bool:
        """Whether it decides by what an e-mail earns."""
        return self.policy is not None and self.kind != ORIGINAL and needs_value(self.kind)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter with its value, defaults included; tuples as lists."""
        if self.policy is None:
            return {}
        named = {f.metadata.get("name") or f.name: getattr(self.policy, f.name) for f in _fields(self.policy)}
        return {name: np.asarray(number, dtype=np.float64).tolist() for name, number in named.items()}

    @property
    def name(self) -> str:
        """The name of its stream: the kind and every parameter."""
        return self.kind + "".join(f" {name}={number!r}" for name, number in sorted(self.parameters.items()))

    def sequence(
        self, k: int, rows: int, rng: np.random.Generator, value: Floats, cost: Floats
    ) -> SequentialPolicy:
        """It at work, one e-mail after the other."""
        if self.policy is None:
            return RoundRobin(k, rows)
        if isinstance(self.policy, OriginalEpsilonGreedy):
            return SequentialEpsilonGreedy(self.policy.epsilon, (0, 1e-6), False, k, rows, rng)
        return as_sequential(self.policy, k, rows, rng, value, cost)


EVEN_SPLIT = EmailPolicy("even_split", None)


def build_policy_to_play(kind: str, parameters: Mapping[str, Any], prior: Prior) -> EmailPolicy:
    """The policy of that kind.

    Raises
    ------
    ValueError
        An unknown kind or parameter, or a value out of bounds.
    """
    if kind != ORIGINAL:
        return EmailPolicy(kind, build_policy(kind, parameters, prior))
    epsilon = build_policy("epsilon_greedy", parameters, prior)
    assert isinstance(epsilon, EpsilonGreedy)
    return EmailPolicy(kind, OriginalEpsilonGreedy(epsilon.epsilon))


def _fields(policy: Policy) -> tuple[Any, ...]:
    """The dataclass fields of a policy; a custom one may have none."""
    return fields(policy) if hasattr(policy, "__dataclass_fields__") else ()  # type: ignore[arg-type]
