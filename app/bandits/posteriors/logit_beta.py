"""Beta densities in y = logit(theta), where they are smooth and log-concave for every a, b > 0."""

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.numerics.stirling import stirling_remainder

TAIL = 41.0
"""An arm's support ends where its density has dropped by exp(-41) = 1.6e-18."""

FARTHEST = 600.0
"""exp() of more than this is never taken; the log-density is a straight line long before."""

WIDEST = 1.25
"""The logistic function's poles at +-i pi limit the panels of very vague arms near y = 0."""


class LogitBeta:
    r"""r rows of k Beta(a, b) posteriors in the coordinate y = logit(theta).

    With the mode y0 = log(a / b), p = a / (a + b), q = 1 - p and d = y - y0,

    .. math:: \log f(y) = c + a d - (a + b) \log(1 + p (e^d - 1)),
              \quad c = \tfrac12 \log\frac{ab}{2 \pi (a + b)} - D(a) - D(b) + D(a + b)

    with D Stirling's remainder: no log-gamma of large counts. For p > 1/2 the mirrored arm (1 - theta) is
    computed, so that the terms that cancel are never larger than 2 (a + b) p q d.

    Parameters
    ----------
    a, b : (r, k), > 0
    tail : the support ends where the log-density has dropped by so much

    Attributes
    ----------
    sd : (r, k), the standard deviation of y as the curvature at the mode gives it
    low, high : (r, k), the support: outside of it the density is below 1.6e-18 of its peak
    log_peak : (r, k), c
    open_above, breaks : (r, k) all False, (r, 0): nothing lies above the highest support, nothing jumps
    """

    def __init__(self, a: Floats, b: Floats, tail: float = TAIL) -> None:
        self._n = a + b
        self._lesser = np.minimum(a, b)
        self._p = self._lesser / self._n
        self._sign = np.where(a <= b, 1.0, -1.0)
        self._mode = np.log(a / b)
        self._slopes = a, b
        precision = a * (b / self._n)
        self._vague = precision < 1 / WIDEST**2
        self.sd = 1 / np.sqrt(precision)
        of_a, of_b, of_n = stirling_remainder(np.stack([a, b, self._n]))
        self.log_peak = np.log(precision / (2 * np.pi)) / 2 - of_a - of_b + of_n
        self.low, self.high = self._mode + self._sign * self._edges(tail)
        self.breaks = np.empty((len(a), 0))
        self.open_above = np.zeros(a.shape, dtype=np.bool_)
        self._far = bool((self.high.max(axis=1) - self.low.min(axis=1)).max() > FARTHEST)

    def window(self) -> tuple[Floats, Floats]:
        """(r,), (r,), from where the last arm's support begins to where the last one's ends."""
        return self.low.max(axis=1), self.high.max(axis=1)

    def density(self, y: Floats) -> Floats:
        """f(y), (r, n) -> (r, k, n); relative error about 1e-16 * (5 + (a + b) p q |d|)."""
        mode, lesser, p, n, sign, log_peak = (
            v[:, :, None] for v in (self._mode, self._lesser, self._p, self._n, self._sign, self.log_peak)
        )
        d = y[:, None, :] - mode
        d *= sign
        drop = np.expm1(np.minimum(d, FARTHEST) if self._far else d)
        drop *= p
        np.log1p(drop, out=drop)
        if self._far:
            drop += np.maximum(d - FARTHEST, 0)
        drop *= n
        d *= lesser
        d -= drop
        d += log_peak
        density: Floats = np.exp(d, out=d)
        return density

    def value(self, y: Floats) -> tuple[Floats, Floats]:
        """Theta = logistic(y) and d theta / dy = theta (1 - theta), to full relative precision at both ends."""
        odds = np.exp(-np.abs(y))
        return np.where(y < 0, odds, 1.0) / (1 + odds), odds / (1 + odds) ** 2

    def first_step(self) -> Floats:
        """(r,), the width that most of a row's panels will have; unlimited where a vague arm has long tails."""
        widths = np.where(self._vague, np.inf, self.sd)
        first: Floats = np.maximum(widths.min(axis=1), widths.max(axis=1) / 3)
        return first

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """(n,), the smallest standard deviation among the arms with mass in [left, right] of that row."""
        widths = np.minimum(self.sd, WIDEST)[row]
        if self._vague.any():
            widths = np.where(self._vague[row], self._vague_step(left, right, row), widths)
        meets = (self.low[row] < right[:, None]) & (self.high[row] > left[:, None])
        narrowest: Floats = np.where(meets, widths, np.inf).min(axis=1)
        return narrowest

    def _vague_step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """Far from the bend, where a vague arm's density is exp(a y) or exp(-b y), panels may grow."""
        below = np.minimum(self._mode, 0)[row] - right[:, None]
        above = left[:, None] - np.maximum(self._mode, 0)[row]
        slope = np.where(below > 0, self._slopes[0][row], self._slopes[1][row])
        return np.maximum(WIDEST, np.minimum(np.maximum(below, above) / 4, 1 / slope))

    def _edges(self, tail: float) -> Floats:
        """(2, r, k), the mirrored d where the log-density has dropped by `tail`, the lower theta first.

        Outwards until it has, then Newton: the drop is convex, so every step stays outside.
        """
        d: Floats = np.stack([-self._sign, self._sign]) * (np.sqrt(2 * tail) * self.sd)
        while (inside := self._drop(d)[0] < tail).any():
            d = np.where(inside, 1.6 * d, d)
        for _ in range(4):
            drop, slope = self._drop(d)
            d -= (drop - tail) / slope
        return d

    def _drop(self, d: Floats) -> tuple[Floats, Floats]:
        """Log f(mode) - log f at the mirrored d, and its derivative."""
        growth = self._p * np.expm1(np.minimum(d, FARTHEST))
        drop = self._n * (np.log1p(growth) + np.maximum(d - FARTHEST, 0)) - self._lesser * d
        return drop, self._n * (growth + self._p) / (1 + growth) - self._lesser
