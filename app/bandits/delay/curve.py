"""The delay curve: which fraction of a cohort's conversions has come by which age."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats


@dataclass(frozen=True, slots=True)
class DelayCurve:
    """F(J) = P(age <= J | age <= J_max), the fraction of conversions that has come by age J.

    Parameters
    ----------
    fractions : F(0), ..., F(J_max), in [0, 1], never falling, the last exactly 1

    Raises
    ------
    ValueError
        There is no fraction, one is no number in [0, 1], one falls below the one before, or the last is not 1.
    """

    fractions: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.fractions:
            raise ValueError("a delay curve needs at least one fraction")
        for age, fraction in enumerate(self.fractions):
            if not 0 <= fraction <= 1:
                raise ValueError(f"fraction {age} must be in [0, 1], not {fraction}")
            if age and fraction < self.fractions[age - 1]:
                raise ValueError(f"fraction {age} falls from {self.fractions[age - 1]} to {fraction}")
        if self.fractions[-1] != 1:
            raise ValueError(f"the last fraction must be 1, not {self.fractions[-1]}")

    @classmethod
    def shortest(cls, fractions: Floats) -> "DelayCurve":
        """Return the curve of fractions (J_max + 1,) without the ages after the first at which it is 1."""
        return cls(tuple(fractions[: int(np.argmax(fractions == 1)) + 1].tolist()))

    @property
    def oldest(self) -> int:
        """The age J_max, from which on the curve is exactly 1."""
        return len(self.fractions) - 1

    def at(self, ages: ArrayLike) -> Floats:
        """Return F at ages of any shape: exactly 1 beyond the oldest, 0 before age 0."""
        return fractions_at(np.array(self.fractions), ages)


def fractions_at(fractions: Floats, ages: ArrayLike) -> Floats:
    """Return the fractions (..., J_max + 1) of many curves at ages (a,), as (..., a); 1 beyond J_max, 0 before 0.

    The ages of one curve may have any shape.
    """
    edges = np.ones((*fractions.shape[:-1], 1))
    padded = np.concatenate((0 * edges, fractions, edges), axis=-1)
    found: Floats = padded[..., np.clip(np.asarray(ages, dtype=np.intp), -1, fractions.shape[-1]) + 1]
    return found


def masses(fractions: Sequence[float] | Floats) -> Floats:
    """Return the fraction that comes at each age exactly, (..., J_max + 1), from the fractions that have come."""
    steps = np.array(fractions, dtype=np.float64)
    steps[..., 1:] -= steps[..., :-1].copy()
    return steps
