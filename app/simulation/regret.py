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
