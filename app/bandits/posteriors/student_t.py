"""Student's t: the posterior of a mean of which only sums and sums of squares are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.numerics.stirling import stirling_remainder


@dataclass(frozen=True, slots=True)
class StudentT:
    r"""location + scale * t with `freedom` degrees of freedom; a known figure where scale = 0.

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
