"""How likely some other arm beats the champion by a given relative margin."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.numerics.maximum import TOLERANCE, p_best_and_expected_max
from app.bandits.numerics.quadrature import grid, running_integrals
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.logit_beta import WIDEST, LogitBeta

MAX_STEPS = 100
MAX_PANELS = 200
CLOSE = 1e-9
MIN_EXCESS = 1e-300
ROWS = 256
"""Rows that are integrated at once, for the sake of memory."""


class RaisedChampion:
    r"""The champion's rate multiplied by 1 + v, against the other arms, in y = logit of the product.

    With x = (1 + v) theta and y = logit(x), logit(theta) = y - log(1 + v (1 + e^y)): the champion's density is its
    own Beta at that place times the derivative (1 + v) / (1 + v (1 + e^y)). What it has at x >= 1 lies beyond
    every y and has surely won.

    Parameters
    ----------
    others, champion : posteriors (r, k - 1) and (r, 1); the champion comes last here
    v : >= 0
    """

    def __init__(self, others: LogitBeta, champion: LogitBeta, v: float) -> None:
        self._v, self._others, self._champion = v, others, champion
        self._begins, self._ends = self._raised(champion.low[:, 0]), self._raised(champion.high[:, 0])
        self.low = np.append(others.low, self._begins[:, None], axis=1)
        self.open_above = np.append(others.open_above, np.full(champion.low.shape, True), axis=1)
        self.breaks = others.breaks

    def window(self) -> tuple[Floats, Floats]:
        """From where both the champion's and the others' distribution functions begin."""
        low, high = self._others.window()
        return np.minimum(low, self._begins), high

    def density(self, y: Floats) -> Floats:
        """(r, n) -> (r, k, n)."""
        return np.append(self._others.density(y), self.own_density(y), axis=1)

    def own_density(self, y: Floats) -> Floats:
        """The raised champion's alone, (r, n) -> (r, 1, n)."""
        odds = np.exp(np.minimum(y, 600))
        bend = self._v * (1 + odds)
        raised: Floats = self._champion.density(y - np.log1p(bend)) * ((1 + self._v) / (1 + bend))[:, None]
        return raised

    def first_step(self) -> Floats:
        """As the others alone ask."""
        return self._others.first_step()

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """The smaller of what the others ask and, where it has mass, the champion; raising only widens it."""
        own = np.minimum(self._champion.first_step(), WIDEST)[row]
        present = (right > self._begins[row]) & (left < self._ends[row])
        return np.minimum(self._others.step(left, right, row), np.where(present, own, np.inf))

    def value(self, y: Floats) -> tuple[Floats, Floats]:
        """Theta and its derivative."""
        return self._others.value(y)

    def _raised(self, y: Floats) -> Floats:
        """The coordinates of (1 + v) theta for theta at y; infinite from (1 + v) theta = 1 on."""
        rest = self._v * np.exp(np.minimum(y, 600))
        raised: Floats = y + np.log1p(self._v) - np.log1p(-np.where(rest < 1, rest, 0))
        return np.where(rest < 1, raised, np.inf)


_probit = NormalDist().inv_cdf


class Challenge:
    """A champion (an index) against the other arms (k,), k >= 2."""

    def __init__(self, arms: BetaArms, champion: int) -> None:
        self._others = LogitBeta(np.delete(arms.a, champion)[None], np.delete(arms.b, champion)[None])
        self._champion = LogitBeta(arms.a[None, [champion]], arms.b[None, [champion]])
        relative = np.sqrt(arms.b / arms.a / (arms.a + arms.b))
        rival = np.delete(relative, champion)[np.delete(arms.mean, champion).argmax()]
        self.spread = float(np.hypot(relative[champion], rival))

    def p_beaten(self, v: float) -> float:
        """P(max_{j != c} theta_j > (1 + v) theta_c), the sum of the others' P(best); absolute error <= 1e-9."""
        p_best, _ = p_best_and_expected_max(RaisedChampion(self._others, self._champion, v))
        return float(p_best[0, :-1].sum())

    def on_one_grid(self, beaten: float) -> Callable[[float], float]:
        """`p_beaten` on a grid that serves every v: only the champion's density is computed anew.

        Where champion and others differ so much in scale that one grid would be too long, or it does not agree
        with `beaten` at v = 0, `p_beaten` itself is returned.
        """
        low, high = self._champion.low[:, 0], self._others.window()[1]
        if not low < high or (high - low) > MAX_PANELS * min(self._least_step(), 1.0):
            return self.p_beaten
        cells = grid(low, high, self._others.breaks, self._champion.first_step(), self._step)
        below = running_integrals(self._others.density(cells.nodes), cells, self._others.low >= low[:, None])
        lost = (1 - below.prod(axis=1)) * cells.weights

        def p_beaten(v: float) -> float:
            raised = RaisedChampion(self._others, self._champion, v).own_density(cells.nodes)
            return float((raised[:, 0] * lost).sum())

        return p_beaten if abs(p_beaten(0.0) - beaten) <= TOLERANCE else self.p_beaten

    def _least_step(self) -> float:
        return float(min(self._champion.first_step()[0], self._others.first_step()[0]))

    def _step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        own = np.minimum(self._champion.first_step(), WIDEST)[row]
        return np.minimum(self._others.step(left, right, row), own)


def _excess(probability: float, tail: float) -> float:
    """Probit(P) - probit(tail), which is nearly a straight line in v."""
    return _probit(min(max(probability, MIN_EXCESS), 1 - 1e-16)) - _probit(tail)


def p_champion_beaten(arms: BetaArms, champion: int, v: float) -> float:
    """P(max_{j != c} theta_j > (1 + v) theta_c); absolute error <= 1e-9."""
    return 0.0 if arms.k == 1 else Challenge(arms, champion).p_beaten(v)


def p_champions_beaten(arms: BetaArms, champion: Integers, v: float) -> Floats:
    """P(max_{j != c} theta_j > (1 + v) theta_c) in each of r rows, (r,); absolute error <= 1e-9.

    Parameters
    ----------
    arms : posteriors (r, k), k >= 2
    champion : (r,), indices
    """
    own = np.arange(arms.k) == champion[:, None]
    other: Booleans = np.not_equal(np.arange(arms.k), champion[:, None])
    beaten = np.empty(len(champion))
    for i in range(0, len(champion), ROWS):
        some = slice(i, i + ROWS)
        a, b, n = arms.a[some], arms.b[some], len(champion[some])
        others = LogitBeta(a[other[some]].reshape(n, -1), b[other[some]].reshape(n, -1))
        raised = RaisedChampion(others, LogitBeta(a[own[some]][:, None], b[own[some]][:, None]), v)
        beaten[some] = p_best_and_expected_max(raised)[0][:, :-1].sum(axis=1)
    return beaten


def quantile_of(arms: BetaArms, champion: int, tail: float, beaten: float) -> float:
    """The v with P(champion beaten by more than v) = tail, 0 where that is too little already at v = 0.

    The secant method on the probit of P, held between a v that is too small and one that is too large.

    Parameters
    ----------
    beaten : P(champion beaten), at v = 0
    """
    before, at_before = 0.0, _excess(beaten, tail)
    if arms.k == 1 or at_before <= 0:
        return 0.0
    challenge = Challenge(arms, champion)
    p_beaten = challenge.on_one_grid(beaten)
    low, high, v = 0.0, np.inf, at_before * challenge.spread
    for _ in range(MAX_STEPS):
        at_v = _excess(p_beaten(v), tail)
        low, high = (v, high) if at_v > 0 else (low, v)
        if abs(at_v) < CLOSE or high - low <= CLOSE * v:
            break
        secant = v - at_v * (v - before) / (at_v - at_before) if at_v != at_before else np.inf
        before, at_before = v, at_v
        v = secant if low < secant < high else (low + high) / 2 if high < np.inf else 2 * v
    return v
