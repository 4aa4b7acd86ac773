"""The value objective: what an impression of each arm earns, and which arm earns most."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats
from app.bandits.numerics.quantiles import quantiles
from app.bandits.posteriors.beta import BetaArms, Prior
from app.bandits.posteriors.rate_times_value import ValuePerTrialPosterior
from app.bandits.posteriors.student_t import StudentT
from app.bandits.totals import Totals

PRIOR_SUCCESSES = 2.0
NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class ValueArms:
    r"""Posteriors of what a trial earns, w_i = theta_i M_i - c_i, in currency units.

    theta_i is the rate, Beta as for conversions. M_i, the mean value of a success, has a Normal-inverse-gamma
    prior worth two successes at the pooled mean m and variance sigma^2 of all arms. With S successes of summed
    value V and summed squares Q its posterior is Student's t with

    .. math:: \mu = \frac{V + 2 m}{S + 2}, \quad \nu = S + 2, \quad
              s^2 = \frac{2 \sigma^2 + (Q - V^2 / S) + \frac{2 S}{S + 2} (V / S - m)^2}{(S + 2)^2}

    Without Q the mean value is taken as known (s = 0): too sure of itself, and the answer says so.

    Parameters
    ----------
    rates : (..., k)
    value : Student-t posteriors of the mean values, (..., k), currency units per success
    cost : (..., k), currency units per trial
    known : (..., 1), bool, whether any success or value was seen; a bandit without any knows nothing of values

    References
    ----------
    .. [1] K. P. Murphy, Conjugate Bayesian analysis of the Gaussian distribution, 2007, section 4.
    """

    rates: BetaArms
    value: StudentT
    cost: Floats
    known: Booleans

    @classmethod
    def from_totals(cls, totals: Totals, prior: Prior = (1.0, 1.0)) -> "ValueArms":
        """The posteriors given the totals.

        Raises
        ------
        ValueError
            No value was measured.
        """
        value = mean_values(totals)
        cost = np.zeros(totals.k) if totals.cost is None else totals.cost
        known: Booleans = np.any((totals.successes > 0) | (value.location != 0), axis=-1, keepdims=True)
        rates = BetaArms.from_totals(totals, prior)
        return cls(rates, value, np.broadcast_to(cost, totals.trials.shape), known)

    @property
    def mean(self) -> Floats:
        """(..., k), E[w] = E[theta] E[M] - c."""
        return self.rates.mean * self.value.location - self.cost

    def interval(self, level: float = 0.95) -> Floats:
        """The equal-tailed posterior interval of what a trial of every arm earns.

        Returns
        -------
        (..., k, 2), the quantiles (1 - level) / 2 and (1 + level) / 2, each the quantile of a probability within
        1e-6; NaN where nothing is known of values.

        Raises
        ------
        ValueError
            The level is not strictly between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError("level must lie strictly between 0 and 1")
        value, shape = self.value, self.rates.a.shape
        values = (self.rates.a, self.rates.b, value.location, value.scale, value.freedom, self.cost)
        twice = np.tile(np.stack(values).reshape(6, -1), 2)[..., None]
        posterior = ValuePerTrialPosterior(twice[0], twice[1], StudentT(*twice[2:5]), twice[5])
        upper = np.repeat([False, True], self.rates.a.size)
        ends = quantiles(posterior, (1 - level) / 2, upper).reshape(2, -1).T.reshape(*shape, 2)
        return np.where(self.known[..., None], ends, np.nan)


def mean_values(totals: Totals) -> StudentT:
    """The posteriors of the mean value of a success, (..., k); equal values without any success.

    Raises
    ------
    ValueError
        No value was measured.
    """
    if totals.value is None:
        raise ValueError("the value objective needs the value of the successes")
    s, v = totals.successes, totals.value
    pooled = _ratio(v.sum(axis=-1, keepdims=True), s.sum(axis=-1, keepdims=True))
    location = (v + PRIOR_SUCCESSES * pooled) / (s + PRIOR_SUCCESSES)
    scale = np.zeros_like(location)
    if totals.value_sq is not None:
        scale = np.sqrt(_squares(s, v, totals.value_sq, pooled)) / (s + PRIOR_SUCCESSES)
    # neither a value nor an uncertainty: the least of both, so that such arms are tied rather than undefined
    least = NEGLIGIBLE * np.abs(location).max(axis=-1, keepdims=True)
    nothing = (scale == 0) & (np.abs(location) <= least)
    return StudentT(
        location, np.where(nothing, np.where(least > 0, least, NEGLIGIBLE), scale), s + PRIOR_SUCCESSES
    )


def _squares(s: Floats, v: Floats, q: Floats, pooled: Floats) -> Floats:
    """2 sigma^2 + (Q - V^2 / S) + 2 S / (S + 2) (V / S - m)^2; differences that are rounding count as 0."""
    total, mean = s.sum(axis=-1, keepdims=True), _ratio(v, s)
    variance = _difference(_ratio(q.sum(axis=-1, keepdims=True), total), pooled**2)
    shift = PRIOR_SUCCESSES * s / (s + PRIOR_SUCCESSES) * (mean - pooled) ** 2
    squares: Floats = PRIOR_SUCCESSES * variance + _difference(q, v * mean) + shift
    return squares


def _difference(larger: Floats, smaller: Floats) -> Floats:
    difference = larger - smaller
    return np.where(difference > 1e-12 * np.abs(larger), difference, 0)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
