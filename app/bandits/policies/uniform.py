"""Equal shares: the even split that the others are measured against."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.policies.sampling import sample_arms
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class Uniform:
    """Give every arm 1 / k, whatever the data: an A/B/n test.

    References
    ----------
    .. [1] R. A. Fisher, The Design of Experiments, Oliver and Boyd, 1935, chapter 2.
    """

    def shares(self, totals: Totals) -> Floats:
        """1 / k each, (..., k)."""
        return np.full(totals.trials.shape, 1 / totals.k)

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units); all arms equally likely."""
        return sample_arms(self.shares(totals), rng, units)
