"""A figure over replications: its mean, how sure that is, and how single runs spread."""

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.posteriors.beta import BetaArms

Described = dict[str, float | list[float] | None]


def spread(figures: ArrayLike) -> Described:
    """Mean, sd, 95 % interval of the mean (Student's t) and 2.5-97.5 % range of single runs.

    Parameters
    ----------
    figures : (r,); with a single run sd and interval are None
    """
    runs = np.asarray(figures, dtype=np.float64)
    mean, ends = float(runs.mean()), np.percentile(runs, [2.5, 97.5])
    sd = float(runs.std(ddof=1)) if runs.size > 1 else None
    reach = None if sd is None else t_quantile(runs.size - 1) * sd / runs.size**0.5
    interval = None if reach is None else [mean - reach, mean + reach]
    return {"mean": mean, "sd": sd, "interval_95": interval, "range_95": ends.tolist()}


def ratio(figures: Floats, yardstick: Floats) -> Described | None:
    """Ratio of two means over the same replications, with its 95 % interval (delta method, paired).

    None where the yardstick's mean is not positive.
    """
    below = float(yardstick.mean())
    if below <= 0:
        return None
    quotient = float(figures.mean()) / below
    if figures.size < 2:
        return {"mean": quotient, "interval_95": None}
    sd = float((figures - quotient * yardstick).std(ddof=1)) / below
    reach = t_quantile(figures.size - 1) * sd / figures.size**0.5
    return {"mean": quotient, "interval_95": [quotient - reach, quotient + reach]}


def t_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: nu / (nu + t^2) ~ Beta(nu / 2, 1 / 2), relative error <= 1e-8."""
    low = BetaArms(np.array([freedom / 2]), np.array([0.5])).interval(0.90)[0, 0]
    return float(np.sqrt(freedom * (1 - low) / low))
