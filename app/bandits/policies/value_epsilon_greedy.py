"""The arm that has earned most per trial, and a fixed part of the traffic for exploring."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.epsilon_greedy import greedy_shares
from app.bandits.policies.sampling import sample_arms
from app.bandits.posteriors.beta import Prior, check_prior
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class ValueEpsilonGreedy:
    """Give the arm with the largest expected earning per trial all but epsilon, and epsilon to all arms equally.

    The expected earning is E[theta_i] E[M_i] - c_i (see `ValueArms`); exactly equal ones share. A bandit that
    knows nothing of values gives equal shares.

    Parameters
    ----------
    epsilon : in [0, 1], always the exploration
    prior : (a, b), both > 0, of the rates

    References
    ----------
    .. [1] R. S. Sutton, A. G. Barto, Reinforcement Learning, 2nd ed., MIT Press, 2018, section 2.2.
    """

    epsilon: float = parameter(0.1, "the part of the traffic that explores, spread over all arms", 0, 1)
    prior: Prior = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_parameters(self)
        check_prior(self.prior)

    def shares(self, totals: Totals) -> Floats:
        """1 - epsilon for the largest expected earning and epsilon / k for everyone, (..., k)."""
        arms = ValueArms.from_totals(totals, self.prior)
        return np.where(arms.known, greedy_shares(arms.mean, self.epsilon), 1 / totals.k)

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""
        return sample_arms(self.shares(totals), rng, units)
