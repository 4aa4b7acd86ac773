"""Figures over replications: their mean, its uncertainty, and how single runs spread."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """A figure of r replications.

    Parameters
    ----------
    mean : over the replications
    sd : of single replications; None for one
    interval_95 : of the mean, by Student's t; None for one replication
    range_95 : the 2.5 % and 97.5 % quantiles of single replications
    """

    mean: float
    sd: float | None
    interval_95: Interval | None
    range_95: Interval

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        interval = None if self.interval_95 is None else list(self.interval_95)
        return {"mean": self.mean, "sd": self.sd, "interval_95": interval, "range_95": list(self.range_95)}


def summary(figures: ArrayLike) -> Summary:
    """The summary of figures (r,), r >= 1."""
    values = np.asarray(figures, dtype=np.float64)
    low, high = np.quantile(values, [0.025, 0.975]).tolist()
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Summary(mean, None, None, (low, high))
    sd = float(values.std(ddof=1))
    half = t_quantile(0.975, n - 1) * sd / n**0.5
    return Summary(mean, sd, (mean - half, mean + half), (low, high))


def band(curves: Floats) -> tuple[list[float], list[float], list[float]]:
    """The mean of curves (steps, r) over their replications, and the 2.5 % and 97.5 % quantiles around it."""
    low, high = np.quantile(curves, [0.025, 0.975], axis=1)
    return curves.mean(axis=1).tolist(), low.tolist(), high.tolist()


def t_quantile(p: float, freedom: float) -> float:
    """Student's t quantile; exact for 1 and 2 degrees of freedom, within 0.5 % of it from 3 on.

    References
    ----------
    .. [1] M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 1964, eq. 26.7.5.
    """
    if freedom == 1:
        return float(np.tan(np.pi * (p - 0.5)))
    if freedom == 2:
        return float((2 * p - 1) * np.sqrt(2 / (4 * p * (1 - p))))
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (i + 1) for i, term in enumerate(terms))
