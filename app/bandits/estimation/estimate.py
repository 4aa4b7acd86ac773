"""An estimate: a value, its standard error, and the interval that follows from both."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.numerics.normal import normal_quantile

ROUNDING = 1e-12
"""Relative to a sum of squares: outcomes that differ by less are equal."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the data say of some values, each with its uncertainty.

    Parameters
    ----------
    mean : (...), NaN where nothing is known
    standard_error : (...), > 0, NaN where the data tell no spread: no two units, or all with equal scores
    """

    mean: Floats
    standard_error: Floats

    def interval(self, level: float = 0.95) -> Floats:
        """The normal interval mean +- z standard_error, (..., 2); NaN where a value is.

        Raises
        ------
        ValueError
            The level is not strictly between 0 and 1.
        """
        reach = normal_quantile(level) * self.standard_error
        return np.stack((self.mean - reach, self.mean + reach), axis=-1)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, NaN where the denominator is not above 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    quotient: Floats = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return quotient


def squares_about(centre: Floats, units: Floats, total: Floats, squares: Floats) -> Floats:
    """The sum over units of (y - centre)^2, from the sums of 1, y and y^2; 0 where it is only rounding."""
    about = squares - 2 * centre * total + centre**2 * units
    return np.where(about > ROUNDING * squares, about, 0)


def standard_error(variance: Floats) -> Floats:
    """The root of a variance, NaN where that is not above 0."""
    root: Floats = np.sqrt(np.where(variance > 0, variance, np.nan))
    return root
