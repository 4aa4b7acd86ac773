"""Totals of cohorts whose conversions have not all arrived yet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats

LEAST_FRACTION = 1e-200
"""Of conversions that have come; a smaller one is none, because its products underflow."""


@dataclass(frozen=True, slots=True)
class MaturedTotals:
    """What k arms' cohorts are worth so far.

    Parameters
    ----------
    trials, successes : (..., k), effective; trials are at least the successes
    scale : (..., k), in (0, 1], what the successes were scaled by; values and their squares are scaled alike
    matured : (..., k), the fraction of the conversions that has come, sum w n F / sum w n; 1 without impressions
    """

    trials: Floats
    successes: Floats
    scale: Floats
    matured: Floats


def matured_totals(trials: ArrayLike, successes: ArrayLike, fractions: ArrayLike) -> MaturedTotals:
    r"""Return the totals of arms whose cohorts count as far as their conversions have come.

    .. math:: m_i = \sum_c w_c n_{ic} F(J_{ic}), \quad S_i = \sum_c w_c s_{ic}, \quad r_i = S_i / m_i, \quad
              q_i = \frac{1}{m_i} \sum_c w_c n_{ic} F(J_{ic}) \frac{1 - r_i}{1 - r_i F(J_{ic})}

    and the totals are q m trials, at least the successes, and q S successes. The rate stays S / m; q makes
    Beta(q S, q (m - S)) as certain of it as the cohorts are, of which one of n impressions has Bin(n, r F)
    conversions, with the information n F / (r (1 - r F)) on r, where m trials would have m / (r (1 - r)).
    In q the rate is at most S / (S + 1/2), so that an arm with more conversions than m still counts.
    Where every F is 1, q is exactly 1 and the totals are the plain sums.

    Parameters
    ----------
    trials, successes : (..., t, k), by cohort and arm, with the weights of a window, a half-life or day effects in
    fractions : (..., t, 1) or (..., t, k), F at each cohort's age
    """
    n, s, f = (np.asarray(table, np.float64) for table in (trials, successes, fractions))
    f = np.broadcast_to(np.where(f < LEAST_FRACTION, 0.0, f), n.shape)
    matured = n * f
    effective, came, reached = (sums.sum(axis=-2) for sums in (matured, s, n))
    rate = np.divide(came, np.maximum(effective, came + 0.5), out=np.zeros_like(came), where=came > 0)
    r = rate[..., None, :]
    informed = np.divide(matured * (1 - r), 1 - r * f, out=matured.copy(), where=f < 1).sum(axis=-2)
    scale = np.divide(informed, effective, out=np.ones_like(effective), where=effective > 0)
    return MaturedTotals(
        trials=scale * np.maximum(effective, came),
        successes=scale * came,
        scale=scale,
        matured=np.divide(effective, reached, out=np.ones_like(effective), where=reached > 0),
    )
