"""The probability of being worth most where the mean values are known: Beta rates, stretched and shifted."""

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.numerics.maximum import p_best_and_expected_max
from app.bandits.posteriors.logit_beta import WIDEST, LogitBeta

TAIL = 27.0
"""Supports end where a density has dropped by exp(-27) = 2e-12."""

TOGETHER = 25
"""Rows in memory at once."""

TOLERANCE = 1e-6


class KnownValueShares:
    r"""r rows of k independent densities of w = theta v - c, theta ~ Beta(a, b), in y = log(w + c_0).

    c_0 is the least cost of a row: the winner is worth more than -c_0, the worth of the cheapest arm without
    sales. With Delta = c - c_0 >= 0

    .. math:: \theta = \frac{e^y + \Delta}{v}, \qquad
              f(y) = f_{logit}(logit \, \theta) \, \frac{e^y}{(e^y + \Delta)(1 - \theta)}

    smooth for every a > 0: where the density of theta itself is infinite at 0 (a < 1), that of y decays.
    `ValuePerTrialPosterior` of the service, made for uncertain values and a >= 1, is not.

    Parameters
    ----------
    a, b : (r, k), of the rates; b >= 1
    value : (r, k), EUR, > 0
    cost : (r, k), EUR
    above_nothing : whether only worths above 0 count
    """

    def __init__(self, a: Floats, b: Floats, value: Floats, cost: Floats, above_nothing: bool) -> None:
        self._rates = LogitBeta(a.reshape(-1, 1), b.reshape(-1, 1), TAIL)
        least = cost.min(axis=1)
        with np.errstate(divide="ignore"):
            self._log_shift = np.log(cost - least[:, None])
            self._nothing = np.log(least) if above_nothing else np.full(least.shape, -np.inf)
            self.breaks = np.log(np.maximum(value - cost + least[:, None], 1e-300))
        self._log_value = np.log(value)
        self._sd = np.minimum(self._rates.sd.reshape(a.shape), WIDEST)
        # a part of the mass is missing on purpose above nothing, so no sum tells when to refine
        self._fineness = 0.5 if above_nothing else 1.0
        self.low, self.high = (
            self._y_of(end.reshape(a.shape)) for end in (self._rates.low, self._rates.high)
        )
        self.open_above = np.zeros(a.shape, dtype=np.bool_)

    def window(self) -> tuple[Floats, Floats]:
        """(r,), (r,), from where the last arm's support begins to where the last one's ends."""
        low = np.maximum(self.low.max(axis=1), self._nothing)
        return low, np.maximum(self.high.max(axis=1), low)

    def value(self, y: Floats) -> tuple[Floats, Floats]:
        """W + c_0 and its derivative."""
        return np.exp(y), np.exp(y)

    def density(self, y: Floats) -> Floats:
        """f(y), (r, n) -> (r, k, n)."""
        r, k = self.low.shape
        log_earned = np.logaddexp(y[:, None, :], self._log_shift[:, :, None])
        log_theta = log_earned - self._log_value[:, :, None]
        possible = log_theta < 0
        log_theta = np.where(possible, log_theta, -1.0)
        log_rest = np.log(-np.expm1(log_theta))
        density = self._rates.density((log_theta - log_rest).reshape(r * k, -1)).reshape(r, k, -1)
        stretch = np.exp(y[:, None, :] - log_earned - log_rest)
        return np.where(possible, density * stretch, 0)

    def first_step(self) -> Floats:
        """(r,), the width that most of a row's panels will have."""
        first: Floats = np.maximum(self._sd.min(axis=1), self._sd.max(axis=1) / 3) * self._fineness
        return first

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """(n,), the least spread in y among the arms present: a shift by Delta widens it by 1 + Delta / e^y."""
        with np.errstate(over="ignore"):
            wider = 1 + np.exp(np.minimum(self._log_shift[row] - right[:, None], 50))
        meets = (self.low[row] < right[:, None]) & (self.high[row] > left[:, None])
        widths = np.where(meets, np.minimum(self._sd[row] * wider, WIDEST), WIDEST)
        narrowest: Floats = widths.min(axis=1) * self._fineness
        return narrowest

    def _y_of(self, logit: Floats) -> Floats:
        """The coordinate of a rate, (r, k); minus infinity for worths no arm can win with."""
        log_earned = self._log_value - np.logaddexp(0, -logit)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = log_earned + np.log(-np.expm1(self._log_shift - log_earned))
        return np.where(log_earned > self._log_shift, y, -np.inf)


def known_value_shares(
    a: Floats, b: Floats, value: Floats, cost: Floats, open_arms: Booleans, abstain: bool
) -> Floats:
    """The probability that each open arm is worth most (and, to abstain, more than nothing), (r, k).

    Raises
    ------
    QuadratureError
        The probabilities do not sum to 1 within 1e-6 on the finest grid.
    """
    shares = np.zeros(a.shape)
    for pattern in np.unique(open_arms, axis=0):
        rows = np.flatnonzero((open_arms == pattern).all(axis=1))
        for i in range(0, rows.size, TOGETHER):
            part = np.ix_(rows[i : i + TOGETHER], pattern)
            arms = KnownValueShares(a[part], b[part], value[part], cost[part], abstain)
            shares[part] = p_best_and_expected_max(arms, np.inf if abstain else TOLERANCE)[0]
    return shares
