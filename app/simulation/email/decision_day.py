"""The day on which a campaign knows its best subject."""

from statistics import NormalDist

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.best_arm.best_arm import best_arm
from app.bandits.posteriors.beta import BetaArms, Prior
from app.bandits.totals import Totals

P_BEST_DECIDED = 0.95
CLEARLY_UNSURE = ((30.0, 1.5), (1.0, 1.0))
"""With at least so many conversions and failures each, pseudo-counts included, and the two best arms' log odds so
few standard deviations apart, P(best) is below 0.95; it takes 1.645 of a Normal. A test looks for exceptions."""


def decision_day(trials: Floats, successes: Floats, prior: Prior) -> Integers:
    """The arm with P(best) >= 0.95 in each row, (r,), or -1.

    The quadrature is done only for the rows in which the two best means lie far enough apart.

    Parameters
    ----------
    trials, successes : (r, k)
    prior : (a, b), both > 0
    """
    arms = BetaArms.from_totals(Totals(trials, successes), prior)
    found = np.full(len(trials), -1)
    near = np.flatnonzero(maybe_sure(arms))
    if near.size:
        p_best = best_arm(BetaArms(arms.a[near], arms.b[near])).p_best
        found[near] = np.where(p_best.max(axis=-1) >= P_BEST_DECIDED, p_best.argmax(axis=-1), -1)
    return found


def maybe_sure(arms: BetaArms) -> Booleans:
    """(r,), whether some arm of a row may have P(best) >= 0.95: that of the best two alone is no smaller."""
    log_odds, variance = np.log(arms.a / arms.b), 1 / arms.a + 1 / arms.b
    rows, (first, second) = np.arange(len(arms.a)), np.argsort(log_odds, axis=-1)[:, :-3:-1].T
    gap = log_odds[rows, first] - log_odds[rows, second]
    distance = gap / np.sqrt(variance[rows, first] + variance[rows, second])
    least = np.minimum(arms.a, arms.b)
    count = np.minimum(least[rows, first], least[rows, second])
    needed = np.select(
        [count >= enough for enough, _ in CLEARLY_UNSURE], [far for _, far in CLEARLY_UNSURE], 0.0
    )
    maybe: Booleans = distance >= needed
    return maybe


def fixed_horizon(
    one: float, other: float, comparisons: int = 1, level: float = 0.05, power: float = 0.8
) -> float:
    r"""Trials per arm of the classical test of two rates, fixed beforehand; infinite for equal rates.

    .. math:: n = \Bigl(\frac{z_{1-\alpha/2m} \sqrt{2 \bar p (1-\bar p)}
              + z_{power} \sqrt{p_1 (1-p_1) + p_2 (1-p_2)}}{p_1 - p_2}\Bigr)^2

    Parameters
    ----------
    one, other : true rates, in [0, 1]
    comparisons : m, among which the level alpha is divided (Bonferroni)
    level : two-sided, in (0, 1)
    power : in (0, 1)

    References
    ----------
    .. [1] J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions, 3rd ed., Wiley,
       2003, eq. (4.14). doi:10.1002/0471445428
    """
    if one == other:
        return np.inf
    mean = (one + other) / 2
    at_level = NormalDist().inv_cdf(1 - level / (2 * comparisons)) * np.sqrt(2 * mean * (1 - mean))
    at_power = NormalDist().inv_cdf(power) * np.sqrt(one * (1 - one) + other * (1 - other))
    return float(((at_level + at_power) / (one - other)) ** 2)
