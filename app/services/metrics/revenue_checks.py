"""Whether a day's sum of squared values is possible for its sum of values (Cauchy-Schwarz inequality)."""

from decimal import Decimal

from app.schemas.metrics import DailyTotal

SLACK = Decimal("1e-9")
"""Relative tolerance, for clients that sum floating-point numbers."""

CAUCHY_SCHWARZ_SQL = (
    f"successes > 0 and (revenue_sq + 0.5 * power(10::numeric, -scale(revenue_sq))) * successes * (1 + {SLACK})"
    " < power(greatest(abs(revenue) - 0.5 * power(10::numeric, -scale(revenue)), 0), 2)"
)
"""``violates_cauchy_schwarz`` of a row in SQL."""


def violates_cauchy_schwarz(total: DailyTotal) -> bool:
    """Return whether no values of so many converting units have these sums, however they were rounded.

    n values with the sum V have squares that sum to V^2 / n at least. Either sum may be off by half a unit of its
    last decimal place. Without a success the value belongs to units that converted earlier, whose number is not
    known.
    """
    if total.revenue is None or total.revenue_sq is None or total.successes == 0:
        return False
    largest_squares = total.revenue_sq + _half_a_place(total.revenue_sq)
    smallest_sum = max(abs(total.revenue) - _half_a_place(total.revenue), Decimal(0))
    return largest_squares * total.successes * (1 + SLACK) < smallest_sum**2


def _half_a_place(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    return Decimal(5).scaleb(min(int(exponent), 0) - 1)
