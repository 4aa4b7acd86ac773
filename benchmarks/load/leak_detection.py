"""How fast something grows, with the interval that its ups and downs leave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCKS = 10
T_95 = 2.306
"""The 97.5 % point of Student's t with BLOCKS - 2 degrees of freedom."""
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Growth:
    """A slope per hour, and its 95 % interval."""

    per_hour: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.per_hour:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def growth(seconds: Sequence[float], values: Sequence[float]) -> Growth:
    """Return the slope per hour of something that was looked at now and then.

    Looks that follow each other depend on each other, so the line goes through the means of ten stretches of time,
    which nearly do not, and the interval is that of a regression on ten points (Student's t).
    """
    at = np.array([part.mean() for part in np.array_split(np.asarray(seconds, float), BLOCKS)])
    means = np.array([part.mean() for part in np.array_split(np.asarray(values, float), BLOCKS)])
    centred = at - at.mean()
    slope = centred @ means / (centred @ centred)
    left = means - means.mean() - slope * centred
    error = T_95 * np.sqrt(left @ left / (BLOCKS - 2) / (centred @ centred))
    return Growth(*(float(HOUR * value) for value in (slope, slope - error, slope + error)))
