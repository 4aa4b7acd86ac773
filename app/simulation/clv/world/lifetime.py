"""Customer lifetime value: what the rest of a contract is worth."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.clv.world.scenario import Scenario

YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Lifetime:
    r"""The worth of the remaining years y of a contract, per EUR of yearly margin.

    .. math:: y = \max\Bigl(\frac{horizon - age}{365.25}, least\Bigr), \qquad
              A(y) = \int_0^y e^{-\lambda s} ds = \frac{1 - e^{-\lambda y}}{\lambda}

    with lambda = log(1 + discount) - log(1 - churn) per year, A(y) = y in the base preset. Exact days, where the
    original counted calendar years (a sale in early January was worth 20 % less).

    Parameters
    ----------
    horizon_days : the age up to which a contract's margin counts
    least_years : what always counts
    intensity : lambda, per year, >= 0
    """

    horizon_days: int
    least_years: float
    intensity: float = 0.0

    @classmethod
    def of(cls, scenario: Scenario) -> "Lifetime":
        """As the scenario says; churn shrinks the value as a discount does, customers do not leave the base."""
        intensity = float(np.log1p(scenario.discount) - np.log1p(-scenario.churn))
        return cls(scenario.horizon_days, scenario.least_years, intensity)

    def annuity(self, age: Integers) -> Floats:
        """A(y), in years, for contracts of that age in days (any shape)."""
        years = np.maximum((self.horizon_days - np.asarray(age)) / YEAR, self.least_years)
        if self.intensity == 0:
            return years
        discounted: Floats = -np.expm1(-self.intensity * years) / self.intensity
        return discounted
