"""The best arm so far, and a fixed part of the traffic for exploring."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.bandits.posteriors.beta import BetaArms, Prior, check_prior
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    r"""Give the arm with the largest posterior mean all but epsilon, and epsilon to all arms equally.

    .. math:: s_i = (1 - \epsilon) \frac{[i \in best]}{|best|} + \frac{\epsilon}{k}

    Exploring is over all k arms, the best one included. Arms with exactly equal means share the exploitation
    equally (Sutton and Barto break ties arbitrarily), so that no arm gains by its place in the list. The mean is
    the posterior's, which makes an untried arm worth the prior's mean.

    Parameters
    ----------
    epsilon : in [0, 1], always the exploration
    prior : (a, b), both > 0

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
        """1 - epsilon for the best mean and epsilon / k for everyone, (..., k)."""
        return greedy_shares(BetaArms.from_totals(totals, self.prior).mean, self.epsilon)

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""
        return sample_arms(self.shares(totals), rng, units)


def greedy_shares(means: Floats, epsilon: float) -> Floats:
    """All but epsilon for the largest of the means (..., k), equally where several are largest."""
    best = (means == means.max(axis=-1, keepdims=True)).astype(np.float64)
    shares: Floats = (1 - epsilon) * equal_shares(best) + epsilon / means.shape[-1]
    return shares
