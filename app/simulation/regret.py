"""Regret: what not knowing the best arm has cost."""

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Floats


def pseudo_regret(sent: ArrayLike, rates: ArrayLike) -> Floats:
    r"""The conversions that were given up in expectation, :math:`\sum_i n_i (p^* - p_i)`.

    Parameters
    ----------
    sent : (k, ...), trials of each arm while the rates were these
    rates : (k, ...), true rates, in [0, 1]

    Returns
    -------
    (...), conversions, >= 0
    """
    true = np.asarray(rates, dtype=np.float64)
    given_up: Floats = ((true.max(axis=0) - true) * np.asarray(sent, dtype=np.float64)).sum(axis=0)
    return given_up


def lai_robbins(rates: ArrayLike) -> float:
    r"""How fast the regret of any uniformly good policy must grow: regret >= (this + o(1)) ln n.

    .. math:: \sum_{i: p_i < p^*} \frac{p^* - p_i}{KL(p_i, p^*)}

    Parameters
    ----------
    rates : (k,), strictly between 0 and 1

    References
    ----------
    .. [1] T. L. Lai, H. Robbins, Adv. Appl. Math. 6 (1985) 4-22, theorem 2. doi:10.1016/0196-8858(85)90002-8
    """
    p = np.asarray(rates, dtype=np.float64)
    best = p.max()
    worse = p[p < best]
    divergence = worse * np.log(worse / best) + (1 - worse) * np.log((1 - worse) / (1 - best))
    return float(((best - worse) / divergence).sum())
