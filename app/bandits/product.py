"""The density of a rate times a mean value, minus a cost: what an impression is worth."""

import numpy as np

from app.bandits.logit_beta import LogitBeta
from app.bandits.quadrature import Booleans, Floats, Integers
from app.bandits.student import StudentT

TAIL = 23.0
"""Supports end where a density's body has dropped by exp(-23) = 1e-10."""

SPACING = 0.5
"""Between the nodes of the inner integral, in standard deviations."""

VAGUE = 0.15
"""From this relative uncertainty of the rate on, panels narrow towards worth zero."""

FLOOR = 0.03
"""Panels near worth zero are no narrower than this part of the usual."""


class WorthPosterior:
    r"""r rows of k independent densities of w = theta M - c, theta ~ Beta(a, b), M ~ Student t.

    One of the two factors is integrated over nodes nu_q with weights omega_q (the trapezoidal rule, in a
    coordinate where the factor decays smoothly), the other keeps its density g:

    .. math:: f(x) = \sum_q \omega_q \, g\bigl((x + c) / \nu_q\bigr) / |\nu_q|

    The relatively narrower factor gets the nodes, so that the sum of stretched g is smooth: theta where the
    value's relative uncertainty is the larger one, else the mean value (a single node where it is known).

    Parameters
    ----------
    a, b : (r, k), of the rates
    value : Student-t posteriors of the mean values (r, k), scale 0 where they are taken as known
    cost : (r, k), per trial
    """

    def __init__(self, a: Floats, b: Floats, value: StudentT, cost: Floats) -> None:
        self._value, self._cost = value, cost
        rate = a / (a + b)
        from_value, from_rate = (
            rate * value.scale,
            np.abs(value.location) * rate * np.sqrt(b / a / (a + b + 1)),
        )
        self._spread = np.hypot(from_value, from_rate)
        self._vague = b / a / (a + b + 1) > VAGUE**2
        self.mean = rate * value.location - cost
        self._rates = LogitBeta(a.reshape(-1, 1), b.reshape(-1, 1), TAIL + 5)
        self._parts = self._split(from_value.ravel() >= from_rate.ravel(), a.ravel(), b.ravel())
        self.low, self.high = self._support()
        # a vague rate has mass at 0, where what a trial earns changes its sign
        self.breaks = np.where(self._vague, -cost, self.low[:, :1])
        self.open_above = np.zeros(a.shape, dtype=np.bool_)

    def window(self) -> tuple[Floats, Floats]:
        """(r,), (r,), from where the last arm's support begins to where the last one's ends."""
        return self.low.max(axis=1), self.high.max(axis=1)

    def worth(self, y: Floats) -> tuple[Floats, Floats]:
        """The coordinate is the worth itself."""
        return y, np.ones_like(y)

    def density(self, y: Floats) -> Floats:
        """f(y), (r, n) -> (r, k, n)."""
        shape = (*self.low.shape, y.shape[-1])
        earned = (y[:, None, :] + self._cost[:, :, None]).reshape(-1, y.shape[-1])
        density = np.empty_like(earned)
        for part in self._parts:
            density[part.arms] = part.density(earned[part.arms])
        return density.reshape(shape)

    def first_step(self) -> Floats:
        """(r,), the width that most of a row's panels will have."""
        first: Floats = np.maximum(self._spread.min(axis=1), self._spread.max(axis=1) / 3)
        return first

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """(n,), the least spread among the arms present: less towards worth zero, more along Student's tails."""
        left, right = left[:, None], right[:, None]
        mean, spread = self.mean[row], self._spread[row]
        zero = -self._cost[row]
        size = np.abs(mean - zero)
        nearness = np.divide(
            np.abs(np.clip(zero, left, right) - zero), size, out=np.ones_like(mean), where=size > 0
        )
        width = spread * np.where(self._vague[row], np.clip(nearness, FLOOR, 1), 1)
        z = (np.clip(mean, left, right) - mean) / spread
        width = width * np.sqrt(1 + 4 * z * z / self._value.freedom[row])
        meets = (self.low[row] < right) & (self.high[row] > left)
        narrowest: Floats = np.where(meets, width, np.inf).min(axis=1)
        return narrowest

    def _split(self, by_rate: Booleans, a: Floats, b: Floats) -> "list[NodesOfRate | NodesOfValue]":
        flat = StudentT(*(v.ravel() for v in (self._value.location, self._value.scale, self._value.freedom)))
        parts: list[NodesOfRate | NodesOfValue] = []
        if by_rate.any():
            parts.append(NodesOfRate(np.flatnonzero(by_rate), self._rates, flat))
        if not by_rate.all():
            parts.append(NodesOfValue(np.flatnonzero(~by_rate), self._rates, flat, a, b))
        return parts

    def _support(self) -> tuple[Floats, Floats]:
        shape, reach = self.mean.shape, self._value.reach(TAIL)
        rates = [self._rates.worth(end.reshape(shape))[0] for end in (self._rates.low, self._rates.high)]
        ends = [rate * (self._value.location + side * reach) for rate in rates for side in (-1, 1)]
        return np.minimum.reduce(ends) - self._cost, np.maximum.reduce(ends) - self._cost


class NodesOfRate:
    """Arms whose rate has the nodes, equal steps in its logit; their mean value keeps Student's density."""

    def __init__(self, arms: Integers, rates: LogitBeta, value: StudentT) -> None:
        self.arms = arms
        low, high = rates.low[arms], rates.high[arms]
        count = int(np.ceil(((high - low) / (SPACING * np.minimum(rates.sd[arms], 1))).max())) + 1
        y = low + (high - low) * np.linspace(0, 1, count)
        weights = rates.density(_scattered(arms, y, len(rates.low)))[arms, 0]
        self._nodes = rates.worth(y)[0][:, None, :]
        self._weights = weights / weights.sum(axis=1, keepdims=True)
        self._value = StudentT(*(v[arms, None, None] for v in (value.location, value.scale, value.freedom)))

    def density(self, earned: Floats) -> Floats:
        """The density of theta M at `earned`, (g, n) -> (g, n)."""
        kernel = self._value.density(earned[:, :, None] / self._nodes) / self._nodes
        mixed: Floats = (kernel @ self._weights[:, :, None])[..., 0]
        return mixed


class NodesOfValue:
    """Arms whose mean value has the nodes, equal steps in an inverse hyperbolic sine; the rate keeps its Beta."""

    def __init__(self, arms: Integers, rates: LogitBeta, value: StudentT, a: Floats, b: Floats) -> None:
        self.arms = arms
        location, scale, freedom = (v[arms, None] for v in (value.location, value.scale, value.freedom))
        bend = np.clip(np.sqrt(freedom), 1, 6)
        reach = np.divide(value.reach(TAIL)[arms, None], scale, out=np.zeros_like(scale), where=scale > 0)
        longest = bend * np.arcsinh(reach / bend)
        count = 2 * int(np.ceil(longest.max() / SPACING)) + 1
        v = longest * np.linspace(-1, 1, count)
        z = bend * np.sinh(v / bend)
        weights = np.cosh(v / bend) * (1 + z * z / freedom) ** (-(freedom + 1) / 2)
        self._nodes = (location + scale * z)[:, None, :]
        self._weights = weights / weights.sum(axis=1, keepdims=True)
        self._a, self._b = a[arms, None, None], b[arms, None, None]
        self._p = self._a / (self._a + self._b)
        self._log_peak = rates.log_peak[arms, :, None] - np.log(self._p) - np.log1p(-self._p)

    def density(self, earned: Floats) -> Floats:
        """The density of theta M at `earned`, (g, n) -> (g, n)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = earned[:, :, None] / self._nodes
            inside = (theta > 0) & (theta < 1)
            off = np.where(inside, theta, self._p) - self._p
            log_density = (
                self._log_peak
                + (self._a - 1) * np.log1p(off / self._p)
                + (self._b - 1) * np.log1p(-off / (1 - self._p))
            )
            kernel = np.where(inside, np.exp(log_density) / np.abs(self._nodes), 0)
        mixed: Floats = (kernel @ self._weights[:, :, None])[..., 0]
        return mixed


def _scattered(arms: Integers, y: Floats, size: int) -> Floats:
    """Rows of y at the places of their arms; the other rows are not used."""
    rows = np.repeat(y[:1], size, axis=0)
    rows[arms] = y
    return rows
