"""The posterior of conversion rates: one Beta distribution per arm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.numerics.quantiles import quantiles
from app.bandits.posteriors.logit_beta import LogitBeta
from app.bandits.totals import Totals

Prior = tuple[float, float]


def check_prior(prior: Prior) -> None:
    """Reject a prior Beta(a, b) that is improper.

    Raises
    ------
    ValueError
        a or b is not finite and positive.
    """
    if not all(0 < parameter < np.inf for parameter in prior):
        raise ValueError(f"the prior's a and b must be finite and positive, not {prior}")


@dataclass(frozen=True, slots=True)
class BetaArms:
    """Independent posteriors theta_i ~ Beta(a_i, b_i) of the arms' conversion rates.

    Parameters
    ----------
    a, b : (..., k), > 0, in (pseudo-)conversions and (pseudo-)failures

    Raises
    ------
    ValueError
        Shapes differ, or a parameter is not finite and positive (an improper posterior).
    """

    a: Floats
    b: Floats

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.a.shape != self.b.shape or self.a.ndim == 0 or self.a.shape[-1] == 0:
            raise ValueError(
                f"a and b must be arrays of one shape (..., k), not {self.a.shape}, {self.b.shape}"
            )
        if not all((np.isfinite(v) & (v > 0)).all() for v in (self.a, self.b)):
            raise ValueError("a and b must be finite and positive")

    @classmethod
    def from_totals(cls, totals: Totals, prior: Prior = (1.0, 1.0)) -> "BetaArms":
        """The conjugate posterior Beta(a + successes, b + trials - successes)."""
        check_prior(prior)
        return cls(prior[0] + totals.successes, prior[1] + (totals.trials - totals.successes))

    @property
    def k(self) -> int:
        """The number of arms."""
        return int(self.a.shape[-1])

    @property
    def mean(self) -> Floats:
        """(..., k), E[theta] = a / (a + b)."""
        return self.a / (self.a + self.b)

    def interval(self, level: float = 0.95) -> Floats:
        """The equal-tailed posterior interval of every rate.

        Returns
        -------
        (..., k, 2), the quantiles (1 - level) / 2 and (1 + level) / 2; relative error <= 1e-10.

        Raises
        ------
        ValueError
            The level is not strictly between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError("level must lie strictly between 0 and 1")
        tail = (1 - level) / 2
        upper = np.repeat([False, True], self.a.size)
        twice = LogitBeta(np.tile(self.a.ravel(), 2)[:, None], np.tile(self.b.ravel(), 2)[:, None])
        ends = quantiles(twice, tail, upper).reshape(2, -1).T
        return twice.value(ends)[0].reshape(*self.a.shape, 2)

    def density(self, theta: ArrayLike) -> Floats:
        """The densities f_i(theta) of every arm at rates strictly between 0 and 1, (g,) -> (..., k, g)."""
        rates = np.asarray(theta, dtype=np.float64)
        if rates.ndim != 1 or not ((rates > 0) & (rates < 1)).all():
            raise ValueError("theta must be a row of rates strictly between 0 and 1")
        arms = LogitBeta(self.a.reshape(-1, 1), self.b.reshape(-1, 1))
        y = np.broadcast_to(np.log(rates) - np.log1p(-rates), (self.a.size, rates.size))
        return (arms.density(y)[:, 0] / (rates * (1 - rates))).reshape(*self.a.shape, rates.size)
