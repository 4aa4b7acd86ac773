"""How likely some other arm beats the champion by a given relative margin."""

import numpy as np

from app.bandits.beta import BetaArms
from app.bandits.contest import integrate
from app.bandits.logit_beta import WIDEST, LogitBeta
from app.bandits.quadrature import Floats, Integers

MOST_STEPS = 100


class RaisedChampion:
    r"""The champion's rate multiplied by 1 + v, against the other arms, in y = logit of the product.

    With x = (1 + v) theta and y = logit(x), logit(theta) = y - log(1 + v (1 + e^y)): the champion's density is its
    own Beta at that place times the derivative (1 + v) / (1 + v (1 + e^y)). What it has at x >= 1 lies beyond
    every y and has surely won.

    Parameters
    ----------
    arms : posteriors (k,), k >= 2
    champion : index; the other arms come first here, the champion last
    v : >= 0
    """

    def __init__(self, arms: BetaArms, champion: int, v: float) -> None:
        self._v = v
        self._others = LogitBeta(np.delete(arms.a, champion)[None], np.delete(arms.b, champion)[None])
        self._champion = LogitBeta(arms.a[None, [champion]], arms.b[None, [champion]])
        self._begins = self._raised(float(self._champion.low[0, 0]))
        self.low = np.append(self._others.low, [[self._begins]], axis=1)
        self.breaks = self._others.breaks
        self.open_above = np.arange(arms.k)[None] == arms.k - 1

    def window(self) -> tuple[Floats, Floats]:
        """From where both the champion's and the others' distribution functions begin."""
        low, high = self._others.window()
        return np.minimum(low, self._begins), high

    def density(self, y: Floats) -> Floats:
        """(1, n) -> (1, k, n)."""
        odds = np.exp(np.minimum(y, 600))
        bend = self._v * (1 + odds)
        raised = self._champion.density(y - np.log1p(bend)) * ((1 + self._v) / (1 + bend))[:, None]
        return np.append(self._others.density(y), raised, axis=1)

    def first_step(self) -> Floats:
        """As the others alone ask."""
        return self._others.first_step()

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """The smaller of what the others and the champion ask; raising only widens the champion."""
        own = np.minimum(self._champion.first_step(), WIDEST)
        return np.minimum(self._others.step(left, right, row), np.where(right > self._begins, own, np.inf))

    def worth(self, y: Floats) -> tuple[Floats, Floats]:
        """Theta and its derivative."""
        return self._others.worth(y)

    def _raised(self, y: float) -> float:
        """The coordinate of (1 + v) theta for theta at y; infinite from (1 + v) theta = 1 on."""
        rest = self._v * np.exp(min(y, 600.0))
        return y + float(np.log1p(self._v) - np.log1p(-rest)) if rest < 1 else np.inf


def p_champion_beaten(arms: BetaArms, champion: int, v: float) -> float:
    """P(max_{j != c} theta_j > (1 + v) theta_c), the sum of the others' P(best); absolute error <= 1e-9."""
    if arms.k == 1:
        return 0.0
    p_best, _ = integrate(RaisedChampion(arms, champion, v))
    return float(p_best[0, :-1].sum())


def quantile_of(arms: BetaArms, champion: int, tail: float) -> float:
    """The v with P(champion beaten by more than v) = tail, 0 where that is too little already at v = 0.

    The Illinois variant of the false position on log P, which is nearly a parabola in v.
    """
    low, at_low = 0.0, _log_excess(arms, champion, 0.0, tail)
    if at_low <= 0:
        return 0.0
    high = float(2 * np.sqrt(arms.b[champion] / arms.a[champion] / (arms.a + arms.b)[champion]))
    while (at_high := _log_excess(arms, champion, high, tail)) > 0:
        low, at_low, high = high, at_high, 2 * high
    for _ in range(MOST_STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        at_middle = _log_excess(arms, champion, middle, tail)
        if at_middle * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low /= 2
        high, at_high = middle, at_middle
        if abs(high - low) <= 1e-10 * abs(high) or abs(at_high) < 1e-12:
            break
    return high


def _log_excess(arms: BetaArms, champion: int, v: float, tail: float) -> float:
    return float(np.log(max(p_champion_beaten(arms, champion, v), 1e-300) / tail))
