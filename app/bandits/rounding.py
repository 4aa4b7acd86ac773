"""Shares as the percentages that are served."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

DECIMALS = 4


def percentages(shares: ArrayLike) -> list[Decimal]:
    """Shares in percent with 4 decimals that sum to exactly 100.

    Largest remainder (Hamilton): every share is rounded down to 0.0001 %, and what is missing from 100 goes, one
    0.0001 % each, to the largest remainders; of equal ones to the lower index, the earlier registered arm.
    The remainders are compared in exact arithmetic on the shares' binary values.

    Parameters
    ----------
    shares : (k,), >= 0, with the sum 1 within 1e-6

    Raises
    ------
    ValueError
        A share is negative or not finite, or they do not sum to 1.
    """
    given = np.asarray(shares, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or (given < 0).any():
        raise ValueError("shares must be a row of finite figures >= 0")
    if abs(given.sum() - 1) > 1e-6:
        raise ValueError(f"shares must sum to 1, not {given.sum()}")
    units = 100 * 10**DECIMALS
    exact = [Fraction(share) for share in given.tolist()]
    total = sum(exact)
    scaled = [units * share / total for share in exact]
    floors = [math.floor(figure) for figure in scaled]
    by_remainder = sorted(range(len(floors)), key=lambda i: (floors[i] - scaled[i], i))
    for i in by_remainder[: units - sum(floors)]:
        floors[i] += 1
    return [Decimal(figure).scaleb(-DECIMALS) for figure in floors]
