"""The density of a rate times a mean value, minus a cost: what an impression is worth."""

from typing import Protocol

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.posteriors.logit_beta import LogitBeta
from app.bandits.posteriors.student_t import StudentT

TAIL = 23.0
"""Supports end where a density's body has dropped by exp(-23) = 1e-10."""

SPACING = 0.5
"""Between the nodes of the inner integral, in standard deviations."""

VAGUE = 0.15
"""From this relative uncertainty of the rate on, panels narrow towards worth zero."""

MIN_FAILURES = 20.0
"""Below this b the density of a rate may end abruptly at 1."""

MIN_SUCCESSES = 14.0
"""Below these degrees of freedom Student's tails reach across a mean value of zero."""

FINEST = 16.0
"""How much finer than its own sd asks the nodes of a rate may lie."""

FLOOR = 0.03
"""Panels near worth zero are no narrower than this part of the usual."""


class ValuePerTrialPosterior:
    r"""r rows of k independent densities of w = theta M - c, theta ~ Beta(a, b), M ~ Student t.

    One of the two factors is integrated over nodes nu_q with weights omega_q (the trapezoidal rule, in a
    coordinate where the factor decays smoothly), the other keeps its density g:

    .. math:: f(x) = \sum_q \omega_q \, g\bigl((x + c) / \nu_q\bigr) / |\nu_q|

    The relatively narrower factor gets the nodes, so that the sum of stretched g is smooth: theta where the
    value's relative uncertainty is the larger one, else the mean value (a single node where it is known). With
    few successes or failures, where the rate's density ends abruptly or the mean value may be below zero, theta
    keeps them even if it is the wider one, at a finer spacing.

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
        self._parts = self._split(from_value.ravel(), from_rate.ravel(), a.ravel(), b.ravel())
        self.low, self.high = self._support()
        # a vague rate has mass at 0, where what a trial earns changes its sign
        zero = np.where(self._vague, -cost, self.low[:, :1])
        # and one with hardly a failure has mass at 1, where it earns the mean value itself
        one = np.where(b < MIN_FAILURES, value.location - cost, self.low[:, :1])
        self.breaks = np.concatenate((zero, one), axis=1)
        self.open_above = np.zeros(a.shape, dtype=np.bool_)

    def window(self) -> tuple[Floats, Floats]:
        """(r,), (r,), from where the last arm's support begins to where the last one's ends."""
        return self.low.max(axis=1), self.high.max(axis=1)

    def value(self, y: Floats) -> tuple[Floats, Floats]:
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

    def _split(self, from_value: Floats, from_rate: Floats, a: Floats, b: Floats) -> "list[Nodes]":
        """The arms by which factor has the nodes, and how much finer these must lie than its own sd asks."""
        flat = StudentT(*(v.ravel() for v in (self._value.location, self._value.scale, self._value.freedom)))
        ratio = np.divide(from_rate, from_value, out=np.full_like(from_rate, np.inf), where=from_value > 0)
        rough = (b < MIN_FAILURES) | (flat.freedom < MIN_SUCCESSES)
        by_rate = ratio <= np.where(rough, FINEST, 1)
        finer = np.where(by_rate, np.exp2(np.ceil(np.log2(np.clip(ratio, 1, FINEST)))), 0)
        parts: list[Nodes] = []
        for fineness in np.unique(finer):
            arms = np.flatnonzero(finer == fineness)
            if fineness:
                parts.append(NodesOfRate(arms, self._rates, flat, SPACING / fineness))
            else:
                parts.append(NodesOfValue(arms, self._rates, flat, a, b))
        return parts

    def _support(self) -> tuple[Floats, Floats]:
        shape, reach = self.mean.shape, self._value.reach(TAIL)
        rates = [self._rates.value(end.reshape(shape))[0] for end in (self._rates.low, self._rates.high)]
        ends = [rate * (self._value.location + side * reach) for rate in rates for side in (-1, 1)]
        return np.minimum.reduce(ends) - self._cost, np.maximum.reduce(ends) - self._cost


class Nodes(Protocol):
    """Some arms (by their place in the flattened rows) and the density of theta M for them."""

    arms: Integers

    def density(self, earned: Floats) -> Floats:
        """(g, n) -> (g, n)."""


class NodesOfRate:
    """Arms whose rate has the nodes, equal steps in its logit; their mean value keeps Student's density."""

    def __init__(self, arms: Integers, rates: LogitBeta, value: StudentT, spacing: float) -> None:
        self.arms = arms
        low, high = rates.low[arms], rates.high[arms]
        count = int(np.ceil(((high - low) / (spacing * np.minimum(rates.sd[arms], 1))).max())) + 1
        y = low + (high - low) * np.linspace(0, 1, count)
        weights = rates.density(_scattered(arms, y, len(rates.low)))[arms, 0]
        self._nodes = rates.value(y)[0][:, None, :]
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
        bend = np.minimum(np.sqrt(freedom), 6)
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
