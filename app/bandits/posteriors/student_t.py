"""Student's t: the posterior of a mean of which only sums and sums of squares are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.numerics.normal import normal_quantile
from app.bandits.numerics.quantiles import quantiles
from app.bandits.numerics.stirling import stirling_remainder
from app.bandits.posteriors.logit_beta import LogitBeta

EXPANSION_FROM = 1e6
"""Degrees of freedom from which the quantile is expanded about the normal one: the rest is below 1e-12."""


@dataclass(frozen=True, slots=True)
class StudentT:
    r"""location + scale * t with `freedom` degrees of freedom; a known value where scale = 0.

    .. math:: f(m) = \frac{\Gamma((\nu + 1) / 2)}{\Gamma(\nu / 2) \sqrt{\pi \nu} \, s}
              \Bigl(1 + \frac{z^2}{\nu}\Bigr)^{-(\nu + 1) / 2}, \quad z = (m - \mu) / s

    Parameters
    ----------
    location, scale, freedom : one shape, scale >= 0, freedom > 0
    """

    location: Floats
    scale: Floats
    freedom: Floats

    def at(self, index: Any) -> "StudentT":
        """The same for some of the entries, as numpy indexes."""
        return StudentT(self.location[index], self.scale[index], self.freedom[index])

    def reach(self, tail: float) -> Floats:
        """How far (in units of m) from the location (1 + z^2 / nu)^(-nu / 2) has dropped to exp(-tail)."""
        return self.scale * np.sqrt(self.freedom * np.expm1(2 * tail / self.freedom))

    def density(self, m: Floats) -> Floats:
        """f(m), for m that broadcasts against the parameters; the scale must be positive."""
        half = self.freedom / 2
        # log Gamma(half + 1/2) - log Gamma(half) - log(half) / 2, without the terms that cancel
        gammas = half * np.log1p(0.5 / half) - 0.5 + stirling_remainder(half + 0.5) - stirling_remainder(half)
        peak = gammas - np.log(2 * np.pi) / 2 - np.log(self.scale)
        z = (m - self.location) / self.scale
        density: Floats = np.exp(peak - (half + 0.5) * np.log1p(z * z / self.freedom))
        return density


def student_t_quantile(freedom: ArrayLike, level: float) -> Floats:
    r"""The t with P(|T| < t) = level for Student's T, (...); NaN where `freedom` is.

    X = T^2 / (nu + T^2) is Beta(1/2, nu / 2), and T^2 = nu X / (1 - X); relative error <= 1e-10. From
    `EXPANSION_FROM` degrees of freedom on it is z + (z^3 + z) / (4 nu).

    Raises
    ------
    ValueError
        The level is not strictly between 0 and 1.

    References
    ----------
    .. [1] M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 1964, eq. 26.5.27 and 26.7.5.
    """
    z = normal_quantile(level)
    nu = np.asarray(freedom, dtype=np.float64)
    small = nu < EXPANSION_FROM
    rows = np.where(small, nu, EXPANSION_FROM).reshape(-1, 1)
    logit = quantiles(LogitBeta(np.full_like(rows, 0.5), rows / 2), 1 - level, np.full(rows.size, True))
    by_beta = np.sqrt(rows[:, 0] * np.exp(logit)).reshape(nu.shape)
    return np.where(small, by_beta, z + (z**3 + z) / (4 * nu))
