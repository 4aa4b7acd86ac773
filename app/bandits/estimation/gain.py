"""What giving traffic to better arms has earned, against an even split of the same traffic."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats
from app.bandits.numerics.normal import normal_quantile
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms


@dataclass(frozen=True, slots=True)
class GainEstimate:
    """A value that is known up to what is known of the arms: its posterior mean and standard deviation."""

    mean: float
    deviation: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the equal-tailed interval of the Normal with this mean and deviation."""
        reach = normal_quantile(level) * self.deviation
        return self.mean - reach, self.mean + reach


def moved_trials(trials: Floats, live: Booleans) -> Floats:
    """Return how many more trials each arm had than under an even split of every day among its live arms.

    Parameters
    ----------
    trials : (t, k)
    live : (t, k), the arms that took part in a day; every day with trials has one

    Returns
    -------
    (k,), summing to 0: sum_t (n_ti - N_t / k_t) over the days an arm was live
    """
    even = trials.sum(axis=1) / np.maximum(live.sum(axis=1), 1)
    moved: Floats = (trials - np.where(live, even[:, None], 0.0)).sum(axis=0)
    return moved


def extra_conversions(moved: Floats, rates: BetaArms) -> GainEstimate:
    r"""Return the conversions that moved trials have earned in expectation, given what is known of the rates.

    With independent rates theta_i ~ Beta(a_i, b_i), the same on all days, the gain is :math:`\sum_i m_i \theta_i`:

    .. math:: E = \sum_i m_i \frac{a_i}{a_i + b_i}, \quad
              Var = \sum_i m_i^2 \frac{a_i b_i}{(a_i + b_i)^2 (a_i + b_i + 1)}

    Luck of the day is no part of it. Where good days meet large shares, constant rates are an approximation.

    Parameters
    ----------
    moved : (k,), trials more than under an even split
    """
    return _weighted(moved, rates.mean, _rate_variance(rates))


def extra_value(moved: Floats, arms: ValueArms) -> GainEstimate | None:
    r"""Return the currency units that moved trials have earned in expectation, costs subtracted.

    As for conversions, with w_i = theta_i M_i - c_i in place of theta_i; M_i is Student-t with variance
    :math:`s_i^2 \nu_i / (\nu_i - 2)` and independent of theta_i. None where an arm that traffic was moved to
    or from has no success yet: then its mean value has no variance.

    Parameters
    ----------
    moved : (k,), trials more than under an even split
    """
    value, rates = arms.value, arms.rates
    unknown = value.freedom <= 2
    if (unknown & (moved != 0)).any():
        return None
    spread = value.scale**2 * value.freedom / np.where(unknown, 1.0, value.freedom - 2)
    rate_sq, value_sq = rates.mean**2, value.location**2
    variance = (rate_sq + _rate_variance(rates)) * (value_sq + spread) - rate_sq * value_sq
    return _weighted(moved, arms.mean, variance)


def _rate_variance(rates: BetaArms) -> Floats:
    total = rates.a + rates.b
    variance: Floats = rates.a * rates.b / (total**2 * (total + 1))
    return variance


def _weighted(moved: Floats, mean: Floats, variance: Floats) -> GainEstimate:
    return GainEstimate(float((moved * mean).sum()), float(np.sqrt((moved**2 * variance).sum())))
