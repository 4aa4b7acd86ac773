"""Quadrature on panels: grids, running integrals and leave-one-out products, for many bandits at once.

Every array has a leading axis of rows: one row is one bandit (or one arm, where arms are integrated singly).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers

Step = Callable[[Floats, Floats, Integers], Floats]

NODES = 12
MAX_AT_FIRST = 64
MAX_PARTS = 4
MAX_LEVELS = 60


class Rule(NamedTuple):
    """Gauss-Legendre on [0, 1].

    ``nodes`` and ``weights`` are (m,); ``running`` (m, m) holds integral_0^{x_i} l_j, l_j Lagrange's polynomials.
    """

    nodes: Floats
    weights: Floats
    running: Floats


@lru_cache
def gauss_legendre(m: int = NODES) -> Rule:
    """The m-point rule, exact for polynomials of degree 2m - 1 (its running integrals for degree m - 1).

    Notes
    -----
    The Lagrange polynomials are expanded in Legendre's, l_j = sum_n (2n + 1) w_j P_n(x_j) P_n, and
    integral P_n = (P_{n+1} - P_{n-1}) / (2n + 1): stable, no Vandermonde matrix is inverted.
    """
    x, w = np.polynomial.legendre.leggauss(m)
    legendre = np.polynomial.legendre.legvander(x, m)
    order = np.arange(1, m)
    integrals = np.empty((m, m))
    integrals[:, 0] = (x + 1) / 2
    integrals[:, 1:] = (legendre[:, 2:] - legendre[:, :-2]) / (2 * (2 * order + 1))
    expansion = (legendre[:, :m] * w[:, None] / 2).T * (2 * np.arange(m) + 1)[:, None]
    return Rule((x + 1) / 2, w / 2, integrals @ expansion)


@dataclass(frozen=True, slots=True)
class Grid:
    """Panels of r rows, padded at the right with panels of no width to the longest row.

    ``left`` and ``width`` are (r, p); ``nodes`` and ``weights`` are (r, p * m).
    """

    left: Floats
    width: Floats
    nodes: Floats
    weights: Floats


def grid(low: Floats, high: Floats, breaks: Floats, first_step: Floats, step: Step) -> Grid:
    """Panels that cover [low, high] of each row and are nowhere wider than `step` allows.

    Parameters
    ----------
    low, high : (r,), the window of each row
    breaks : (r, b), places where a density may jump: they become edges of panels; b may be 0
    first_step : (r,), the width to start from; narrower places are found by splitting
    step : (left, right, row), each (n,) -> (n,), the largest width allowed within that piece of that row
    """
    edges = np.concatenate((low[:, None], breaks.clip(low[:, None], high[:, None]), high[:, None]), axis=1)
    edges.sort(axis=1)
    row = np.repeat(np.arange(low.size), edges.shape[1] - 1)
    left, right = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    some = right > left
    left, right, row = left[some], right[some], row[some]
    left, right, row = _split(
        left, right, row, np.clip(np.ceil((right - left) / first_step[row]), 1, MAX_AT_FIRST)
    )
    done: list[tuple[Floats, Floats, Integers]] = []
    for _ in range(MAX_LEVELS):
        parts = np.minimum(np.ceil((right - left) / step(left, right, row) - 1e-9), MAX_PARTS)
        fits = parts <= 1
        done.append((left[fits], right[fits], row[fits]))
        if fits.all():
            break
        left, right, row = _split(left[~fits], right[~fits], row[~fits], parts[~fits])
    return _padded(high, *(np.concatenate(pieces) for pieces in zip(*done, strict=True)))


def _split(low: Floats, high: Floats, row: Integers, parts: Floats) -> tuple[Floats, Floats, Integers]:
    count = parts.astype(np.intp)
    piece = np.repeat(np.arange(row.size), count)
    offset = np.arange(piece.size) - np.repeat(np.cumsum(count) - count, count)
    low, width, last = low[piece], ((high - low) / parts)[piece], offset + 1 == count[piece]
    # the right edge is computed as the next panel's left edge is, so that neighbours touch exactly
    return low + offset * width, np.where(last, high[piece], low + (offset + 1) * width), row[piece]


def _padded(high: Floats, left: Floats, right: Floats, row: Integers) -> Grid:
    order = np.lexsort((left, row))
    left, right, row = left[order], right[order], row[order]
    count = np.bincount(row, minlength=high.size)
    column = np.arange(row.size) - (np.cumsum(count) - count)[row]
    starts = np.repeat(high[:, None], count.max(), axis=1)
    width = np.zeros_like(starts)
    starts[row, column] = left
    width[row, column] = right - left
    rule = gauss_legendre()
    nodes = starts[:, :, None] + width[:, :, None] * rule.nodes
    weights = width[:, :, None] * rule.weights
    return Grid(starts, width, nodes.reshape(high.size, -1), weights.reshape(high.size, -1))


def running_integrals(density: Floats, cells: Grid, starts_inside: Booleans) -> Floats:
    """F, the distribution function of each arm on the nodes of its own density values.

    Parameters
    ----------
    density : (r, k, n), the arms' densities on the grid's nodes
    cells : the grid of n nodes per row
    starts_inside : (r, k), whether an arm's mass begins inside the window; mass missing from the window then
        lies above it, otherwise below it

    Returns
    -------
    (r, k, n) in [0, 1]. Summed from the right where 1 - F < 1/2, so that the upper tail keeps its digits.
    """
    rule = gauss_legendre()
    r, k, n = density.shape
    panels = density.reshape(r, k, -1, rule.nodes.size)
    mass = (panels @ rule.weights) * cells.width[:, None]
    within = (panels @ rule.running.T) * cells.width[:, None, :, None]
    missing = np.maximum(1 - mass.sum(axis=2), 0)
    before = np.cumsum(mass, axis=2) - mass + np.where(starts_inside, 0, missing)[..., None]
    after = np.cumsum(mass[..., ::-1], axis=2)[..., ::-1] + np.where(starts_inside, missing, 0)[..., None]
    lower = before[..., None] + within
    upper = after[..., None] - within
    # interpolation within a panel can undershoot by its rounding: a probability must not
    return np.where(upper < 0.5, 1 - upper, lower).clip(0, 1).reshape(r, k, n)


def leave_one_out(factors: Floats) -> Floats:
    """prod_{j != i} factors_j along axis 1, (r, k, n) -> (r, k, n), by products from both ends: no division."""
    products = np.ones_like(factors)
    np.cumprod(factors[:, :-1], axis=1, out=products[:, 1:])
    from_the_end = np.ones_like(factors[:, 0])
    for i in range(factors.shape[1] - 2, -1, -1):
        from_the_end *= factors[:, i + 1]
        products[:, i] *= from_the_end
    return products
