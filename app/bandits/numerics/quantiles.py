"""Quantiles of single arms from the running integral of their density."""

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.numerics.maximum import Density
from app.bandits.numerics.quadrature import Grid, gauss_legendre, grid

NEWTON_STEPS = 60

SETTLED = 1e-12
"""Relative size of the last Newton step; the one before it was its square root."""


def quantiles(arms: Density, tail: float, upper: Booleans) -> Floats:
    """The y below (or, where `upper`, above) which each single arm has the probability `tail`.

    The panel that holds the quantile is found from the panels' masses, summed from the tail's own side so that
    small probabilities keep their digits; inside it Newton's method, held in its bracket by bisection, solves
    F(y) = tail with F integrated from the panel's edge.

    Parameters
    ----------
    arms : (r, 1), one arm per row, in any coordinate y
    tail : probability, in (0, 1)
    upper : (r,), at which end of the arm

    Returns
    -------
    (r,), y (of a rate logit(theta)); absolute error about 1e-14 + 1e-15 / f(y).
    """
    low, high = arms.window()
    cells = grid(low, high, arms.breaks, arms.first_step(), arms.step)
    before, inside = _bracket(arms, cells, tail, upper)
    rows = np.arange(low.size)
    left = cells.left[rows, inside]
    right = left + cells.width[rows, inside]
    return _solved(arms, left, right, tail - before, upper)


def _bracket(arms: Density, cells: Grid, tail: float, upper: Booleans) -> tuple[Floats, Integers]:
    """The mass between the tail's end and the panel with the quantile, and which panel that is."""
    rule = gauss_legendre()
    density = arms.density(cells.nodes).reshape(*cells.width.shape, -1)
    mass = (density @ rule.weights) * cells.width
    mass = np.where(upper[:, None], mass[:, ::-1], mass)
    reached = np.cumsum(mass, axis=1)
    panel = (reached >= tail).argmax(axis=1)
    rows = np.arange(len(mass))
    before = reached[rows, panel] - mass[rows, panel]
    return before, np.where(upper, mass.shape[1] - 1 - panel, panel)


def _solved(arms: Density, left: Floats, right: Floats, wanted: Floats, upper: Booleans) -> Floats:
    """The y in each panel with the mass `wanted` between it and the panel's edge nearest the tail's end."""
    rule = gauss_legendre()
    edge = np.where(upper, right, left)
    y = (left + right) / 2
    settled = np.zeros(y.shape, dtype=np.bool_)
    for _ in range(NEWTON_STEPS):
        length = np.abs(y - edge)
        nodes = edge[:, None] + (y - edge)[:, None] * rule.nodes
        excess = (arms.density(nodes)[:, 0] @ rule.weights) * length - wanted
        beyond = (excess > 0) != upper
        left, right = np.where(beyond, left, y), np.where(beyond, y, right)
        slope = arms.density(y[:, None])[:, 0, 0]
        step = np.divide(excess, slope, out=np.full_like(y, np.inf), where=slope > 0)
        newton = np.where(upper, y + step, y - step)
        better = np.where((newton >= left) & (newton <= right), newton, (left + right) / 2)
        # an arm that has settled keeps its value: it must not depend on how long the others take
        moved, y = np.abs(better - y), np.where(settled, y, better)
        settled |= moved <= SETTLED * np.maximum(np.abs(y), 1e-3)
        if settled.all():
            break
    return y
