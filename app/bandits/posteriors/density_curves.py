"""Posterior densities on grids, for drawing."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.logit_beta import LogitBeta

DRAWN = 0.9998


@dataclass(frozen=True, slots=True)
class Curves:
    """One curve per arm: rates (k, g), ascending, and the posterior densities there, (k, g)."""

    theta: Floats
    density: Floats


def posterior_curves(arms: BetaArms, points: int = 101) -> Curves:
    """Each arm's density at equal steps over its own 99.98 % interval: narrow arms stay smooth beside vague ones.

    Parameters
    ----------
    arms : posteriors (k,)
    points : g >= 2

    Raises
    ------
    ValueError
        Fewer than two points, or arms with leading axes.
    """
    if points < 2 or arms.a.ndim != 1:
        raise ValueError("curves need at least two points, and the arms of one bandit")
    low, high = (end[:, None] for end in np.moveaxis(arms.interval(DRAWN), -1, 0))
    theta = low + (high - low) * np.linspace(0, 1, points)
    # a vague arm's interval can end where the next number is 0 or 1
    theta = np.clip(theta, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)
    single = LogitBeta(arms.a[:, None], arms.b[:, None])
    density = single.density(np.log(theta) - np.log1p(-theta))[:, 0] / (theta * (1 - theta))
    return Curves(theta, density)
