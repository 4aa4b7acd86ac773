"""Softmax (Boltzmann) exploration: better arms get larger shares, how much larger is one parameter."""

from dataclasses import dataclass

import numpy as np

from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import sample_arms
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class Softmax:
    """Give each arm a share in proportion to exp(mean / temperature), mean being its posterior mean rate.

    Parameters
    ----------
    temperature : > 0; the lower, the larger the best arm's share
    prior : (a, b) of Beta, both > 0; the experiment's, because the field is called `prior`
    """

    temperature: float = parameter(0.02, "how large a difference of rates matters", 1e-6, 1e6)
    prior: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        """Raise ValueError for parameters out of bounds."""
        check_parameters(self)

    def shares(self, totals: Totals) -> np.ndarray:
        """Return the share of each arm, (..., k); each row sums to 1."""
        a, b = self.prior
        means = (a + totals.successes) / (a + b + totals.trials)
        weights = np.exp((means - means.max(axis=-1, keepdims=True)) / self.temperature)
        return weights / weights.sum(axis=-1, keepdims=True)

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> np.ndarray:
        """Return an arm per row of totals, (...), or for `units` of each, (..., units)."""
        return sample_arms(self.shares(totals), rng, units)
