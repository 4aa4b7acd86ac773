"""Integrals over independent densities of which the largest wins, with the check that they sum to 1."""

from typing import Protocol

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.numerics.quadrature import grid, leave_one_out, running_integrals

TOLERANCE = 1e-9
FINENESS = (2.0, 1.0, 0.5, 0.25)


class QuadratureError(ArithmeticError):
    """The probabilities of being best did not sum to 1 on the finest grid."""


class Density(Protocol):
    """Independent densities of r rows of k arms in one coordinate y, as the quadrature needs them."""

    low: Floats
    """(r, k), where each arm's mass begins."""
    open_above: Booleans
    """(r, k), whether an arm may have mass above the window (where it has surely won)."""

    breaks: Floats
    """(r, b), where a density may jump."""

    def window(self) -> tuple[Floats, Floats]:
        """(r,), (r,): below the first some arm's mass begins only later, above the second none loses."""

    def density(self, y: Floats) -> Floats:
        """(r, n) -> (r, k, n)."""

    def first_step(self) -> Floats:
        """(r,), the width of panel to start from at fineness 1."""

    def step(self, left: Floats, right: Floats, row: Integers) -> Floats:
        """(n,), the widest panel allowed within [left, right] of that row at fineness 1."""

    def value(self, y: Floats) -> tuple[Floats, Floats]:
        """What an arm at coordinate y is worth, and its derivative; same shape as y."""


def p_best_and_expected_max(
    rivals: Density, tolerance: float = TOLERANCE, acceptable: float | None = None
) -> tuple[Floats, Floats]:
    r"""P(best) (r, k) and E[max] (r,), on finer grids as long as the probabilities do not sum to 1.

    .. math:: P_i = \int f_i \prod_{j \ne i} F_j \, dy, \qquad
              E[\max] = w(L) + \int_L^U \Bigl(1 - \prod_j F_j\Bigr) w'(y) \, dy

    with w the worth at y; F_j is the running integral of f_j on the same nodes.

    Parameters
    ----------
    rivals : the posteriors
    tolerance : of |sum P - 1|, which ends the refining
    acceptable : what the finest grid may be off by, its probabilities then being divided by their sum; by
        default the tolerance itself

    Raises
    ------
    QuadratureError
        The finest grid is off by more than is acceptable.
    """
    for fineness in FINENESS:
        p_best, top, beyond = _integrals(rivals, fineness)
        total = p_best.sum(axis=1) + beyond
        defect = np.abs(total - 1).max()
        if defect <= tolerance:
            return p_best, top
    if defect > (tolerance if acceptable is None else acceptable):
        raise QuadratureError(f"the probabilities of being best sum to 1 only within {defect:.1e}")
    return p_best / total[:, None], top


def _integrals(rivals: Density, fineness: float) -> tuple[Floats, Floats, Floats]:
    low, high = rivals.window()
    scale = fineness / np.sqrt(1 + np.log(rivals.low.shape[1]) / 2)
    cells = grid(
        low,
        high,
        rivals.breaks,
        scale * rivals.first_step(),
        lambda left, right, row: scale * rivals.step(left, right, row),
    )
    weights = cells.weights[:, :, None]
    density = rivals.density(cells.nodes)
    below = running_integrals(density, cells, rivals.low >= low[:, None])
    others = leave_one_out(below)
    start, slope = rivals.value(low)[0], rivals.value(cells.nodes)[1]
    top = start + ((1 - others[:, 0] * below[:, 0]) * slope * cells.weights).sum(axis=1)
    beyond = np.zeros_like(low)
    if rivals.open_above.any():
        beyond = ((1 - (density @ weights)[..., 0]) * rivals.open_above).sum(axis=1)
    others *= density
    return (others @ weights)[..., 0], top, beyond
