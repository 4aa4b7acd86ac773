"""The remainder of Stirling's formula: what makes densities with 1e8 trials exact without a log-gamma."""

import numpy as np

from app.bandits.arrays import Floats

SHIFT_TO = 12.0
COEFFICIENTS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
STEP_TERMS = 16
"""Of the series of one step from z >= 1: the first one left out is below 2e-18."""


def stirling_remainder(z: Floats) -> Floats:
    r"""D(z) = log Gamma(z) - [(z - 1/2) log z - z + log(2 pi) / 2], for z > 0.

    Normalising constants are differences of log-gammas of the size of the counts; written with D the large
    terms cancel in the algebra instead of in floating point.

    Parameters
    ----------
    z : any shape, > 0

    Returns
    -------
    Same shape; absolute error <= 2e-16 for z >= 1, where every processor gives the same bits, and 2e-14 relative
    below.

    Notes
    -----
    z is moved to at least 12 by D(z) = D(z + 1) + (z + 1/2) log(1 + 1/z) - 1; seven terms of the series
    sum_i B_{2i} / (2i (2i - 1) z^{2i - 1}) then leave less than 2e-17. With x = 1 / (2z + 1) such a step is
    artanh(x) / x - 1 = x^2 / 3 + x^4 / 5 + ..., which needs no logarithm (whose last digits differ between
    processors) and cancels nothing: at most 11 steps, in all <= 0.06, each to 5 units of 2^-53, and as many
    additions come to less than 1.2e-16. Below 1 the series is too long, and the logarithm is taken once.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions, 5.11.1. https://dlmf.nist.gov/5.11
    """
    z = np.array(z, dtype=np.float64)
    shifted = np.zeros_like(z)
    while (small := z < SHIFT_TO).any():
        low = z[small]
        shifted[small] += _step(low)
        z[small] = low + 1
    inverse = 1 / z
    square, series = inverse * inverse, np.full_like(z, COEFFICIENTS[-1])
    for coefficient in reversed(COEFFICIENTS[:-1]):
        series *= square
        series += coefficient
    return shifted + inverse * series


def _step(z: Floats) -> Floats:
    """D(z) - D(z + 1), (n,)."""
    x_squared = 1 / (2 * z + 1) ** 2
    step = np.zeros_like(z)
    for term in range(STEP_TERMS, 0, -1):
        step = (step + 1 / (2 * term + 1)) * x_squared
    below = z < 1
    if below.any():
        step[below] = (z[below] + 0.5) * np.log1p(1 / z[below]) - 1
    return step
