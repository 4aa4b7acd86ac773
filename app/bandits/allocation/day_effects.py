"""Totals freed from good and bad days, which would otherwise favour arms by when they had their traffic."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats
from app.bandits.totals import Totals

MAX_ROUNDS = 2000
CONVERGED = 1e-10


@dataclass(frozen=True, slots=True)
class DayEffects:
    """The fit rate_it = rates_i * days_t: rates (..., k), and days (..., t) with the traffic-weighted mean 1."""

    rates: Floats
    days: Floats


def fit_day_effects(trials: ArrayLike, successes: ArrayLike) -> DayEffects:
    r"""The rates of the arms and the effects of the days, by iterative scaling.

    .. math:: r_i = \frac{\sum_t s_{it}}{\sum_t n_{it} d_t}, \qquad
              d_t = \frac{\sum_i s_{it}}{\sum_i n_{it} r_i}

    in turn, from d = 1 until no day moves by more than 1e-10: the maximum of the Poisson likelihood. A day
    without impressions of an arm drops out of that arm's sums. Where no day had a success, d = 1.

    Parameters
    ----------
    trials, successes : (..., t, k)

    Notes
    -----
    Arms that share no day, directly or through others, cannot be distinguished from their days; each such group
    stays at the level it starts with.

    References
    ----------
    .. [1] W. E. Deming, F. F. Stephan, Ann. Math. Statist. 11 (1940) 427-444. doi:10.1214/aoms/1177731829
    .. [2] J. N. Darroch, D. Ratcliff, Ann. Math. Statist. 43 (1972) 1470-1480. doi:10.1214/aoms/1177692379
    """
    n, s = (np.asarray(v, dtype=np.float64) for v in (trials, successes))
    by_arm, by_day = s.sum(axis=-2), s.sum(axis=-1)
    weights = n.sum(axis=-1)
    days = np.ones_like(by_day)
    for _ in range(MAX_ROUNDS):
        rates = _ratio(by_arm, _over_days(n, days))
        fitted = _normed(_ratio(by_day, (n * rates[..., None, :]).sum(axis=-1)), weights)
        moved = np.abs(fitted - days).max(initial=0)
        days = fitted
        if moved <= CONVERGED:
            break
    return DayEffects(_ratio(by_arm, _over_days(n, days)), days)


def without_day_effects(trials: ArrayLike, successes: ArrayLike) -> Totals:
    """The totals as if every day had been an average one: the same successes, trials sum_t n_it d_t.

    Parameters
    ----------
    trials, successes : (..., t, k)

    Returns
    -------
    Totals (..., k). Where the fitted rate exceeds 1 the effective trials are raised to the successes.

    Raises
    ------
    ValueError
        The totals themselves are impossible.
    """
    n, s = (np.asarray(v, dtype=np.float64) for v in (trials, successes))
    effective = _over_days(n, fit_day_effects(n, s).days)
    return Totals(np.maximum(effective, s.sum(axis=-2)), s.sum(axis=-2))


def _over_days(n: Floats, days: Floats) -> Floats:
    """sum_t n_it d_t, (..., k), added day by day: einsum's order, and so its digits, are the processor's."""
    summed: Floats = (n * days[..., None]).sum(axis=-2)
    return summed


def _ratio(successes: Floats, trials: Floats) -> Floats:
    return np.divide(successes, trials, out=np.zeros_like(successes), where=trials > 0)


def _normed(days: Floats, weights: Floats) -> Floats:
    """Days with the traffic-weighted mean 1; all 1 where there was no success."""
    traffic, weighed = weights.sum(axis=-1), (weights * days).sum(axis=-1)
    scale = np.divide(traffic, weighed, out=np.zeros_like(traffic), where=weighed > 0)
    return np.where((weighed > 0)[..., None], days * scale[..., None], 1.0)
