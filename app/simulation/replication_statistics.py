"""Statistics over replications: a mean, its uncertainty, and how single runs spread."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.posteriors.student_t import student_t_quantile

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """One value over r replications.

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


def summary(values: ArrayLike) -> Summary:
    """The summary of a value in each replication, (r,) with r >= 1."""
    runs = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(runs, [0.025, 0.975]).tolist()
    mean, n = float(runs.mean()), len(runs)
    if n == 1:
        return Summary(mean, None, None, (low, high))
    sd = float(runs.std(ddof=1))
    half = half_width(sd, n)
    return Summary(mean, sd, (mean - half, mean + half), (low, high))


def band(curves: Floats) -> tuple[list[float], list[float], list[float]]:
    """The mean of curves (steps, r) over their replications, and the 2.5 % and 97.5 % quantiles around it."""
    low, high = np.quantile(curves, [0.025, 0.975], axis=1)
    return curves.mean(axis=1).tolist(), low.tolist(), high.tolist()


def ratio(values: Floats, yardstick: Floats) -> dict[str, Any] | None:
    """The ratio of two means over the same replications, with its 95 % interval (delta method, paired).

    None where the yardstick's mean is not positive.
    """
    below = float(yardstick.mean())
    if below <= 0:
        return None
    quotient, n = float(values.mean()) / below, len(values)
    if n == 1:
        return {"mean": quotient, "interval_95": None}
    half = half_width(float((values - quotient * yardstick).std(ddof=1)) / below, n)
    return {"mean": quotient, "interval_95": [quotient - half, quotient + half]}


def half_width(sd: float, n: int) -> float:
    """Half the 95 % interval of a mean of n >= 2 values with this standard deviation, by Student's t."""
    return _t_quantile(n - 1) * sd / math.sqrt(n)


@lru_cache(maxsize=256)
def _t_quantile(freedom: int) -> float:
    quantile: float = student_t_quantile(freedom, 0.95).item()
    return quantile
