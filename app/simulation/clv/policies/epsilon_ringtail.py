"""The arm that has earned most per contact, and a part of the contacts for the other arms."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.bandits.totals import Totals
from app.simulation.clv.policies.described import Described
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


@dataclass(frozen=True)
class EpsilonRingtail(Described):
    r"""Epsilon-greedy on the reward per contact, V_i / n_i - c_i in EUR.

    .. math:: s_i = (1 - \epsilon) \, e_i + \epsilon \, \frac{1 - e_i}{k - 1}

    with e equal shares over the best open arms. Two differences from `ValueEpsilonGreedy`, both the original's:
    exploring is over the *other* arms, and the score is the plain mean reward without any prior (an arm never
    tried scores 0, so what costs nothing is tried first).

    Parameters
    ----------
    epsilon : in [0, 1]
    """

    kind: ClassVar[str] = "epsilon_ringtail"
    segments: ClassVar[int] = 1

    epsilon: float = parameter(0.2, "the part of the contacts that explores the other arms", 0, 1)

    def __post_init__(self) -> None:
        check_parameters(self)

    def enter(self, world: World) -> "EpsilonRingtail":  # noqa: ARG002 - every world is the same to it
        """Itself: it needs to know nothing."""
        return self

    def segment_of(self, customers: Customers) -> Integers:
        """Everybody is alike."""
        return np.zeros_like(customers.index)

    def draw(
        self, shown: Observations, segment: Integers, open_arms: Booleans, rng: np.random.Generator
    ) -> Integers:
        """An arm per customer, (r, m)."""
        return sample_arms(self._shares(shown.pooled(), open_arms), rng, segment.shape[1])

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:  # noqa: ARG002
        """The formula above, (r, k)."""
        return self._shares(shown.pooled(), open_arms)

    def _shares(self, totals: Totals, open_arms: Booleans) -> Floats:
        score = np.where(open_arms, reward_per_contact(totals), -np.inf)
        best = equal_shares((score == score.max(axis=-1, keepdims=True)).astype(np.float64))
        others = open_arms.sum(axis=-1, keepdims=True) - 1
        explored = np.where(open_arms, 1 - best, 0) / np.maximum(others, 1)
        shares: Floats = np.where(others > 0, (1 - self.epsilon) * best + self.epsilon * explored, best)
        return shares


def reward_per_contact(totals: Totals) -> Floats:
    """V / n - c in EUR, (..., k); 0 for an arm without contacts."""
    assert totals.value is not None
    earned = totals.value - totals.trials * (0 if totals.cost is None else totals.cost)
    return np.divide(earned, totals.trials, out=np.zeros_like(earned), where=totals.trials > 0)
