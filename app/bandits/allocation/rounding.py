"""Shares as the percentages that are served, and other numbers to the digits that are certain."""

from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

DECIMALS = 4

SIGNIFICANT = 10
"""Digits to which numbers are written: processors differ in the last one or two of a float's sixteen."""

EXACT = 2.0**53
"""Below this a float holds every whole number."""


def significant(value: float, digits: int = SIGNIFICANT, beside: float = 0.0) -> float:
    """Return a number to so many significant digits; a whole number below 2^53 counts something and stays.

    Parameters
    ----------
    beside : a number of the size of those whose difference `value` is: its last digit is then the last one of
        `value`, which has inherited its absolute error
    """
    size = Decimal(max(abs(value), abs(beside)))
    if size.is_finite() and not (value.is_integer() and abs(value) < EXACT):
        value = round(value, digits - 1 - size.adjusted())
    return value + 0.0  # never -0.0


def certain_probability(value: float) -> float:
    """Return a probability to 10 decimals: its absolute error is that of 1, however small it is."""
    return significant(value, beside=0.5)


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
        raise ValueError("shares must be a row of finite values >= 0")
    if abs(given.sum() - 1) > 1e-6:
        raise ValueError(f"shares must sum to 1, not {given.sum()}")
    units = 100 * 10**DECIMALS
    exact = _common_multiples(given.tolist())
    parts = [divmod(units * share, sum(exact)) for share in exact]
    floors = [floor for floor, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
    for i in by_remainder[: units - sum(floors)]:
        floors[i] += 1
    return [Decimal(value).scaleb(-DECIMALS) for value in floors]


def _common_multiples(values: list[float]) -> list[int]:
    """The values in the finest power of two among their denominators: whole numbers, in proportion."""
    ratios = [value.as_integer_ratio() for value in values]
    finest = max(denominator for _, denominator in ratios)
    return [numerator * (finest // denominator) for numerator, denominator in ratios]
