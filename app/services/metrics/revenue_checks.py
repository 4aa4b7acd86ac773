"""Whether a day's sum of squared values can be true beside its sum of values (Cauchy and Schwarz)."""

from decimal import Decimal

from app.schemas.metrics import DailyTotal

SLACK = Decimal("1e-9")
"""Relative, for senders that sum floating-point numbers."""

CAUCHY_SCHWARZ_SQL = (
    f"successes > 0 and (revenue_sq + 0.5 * power(10::numeric, -scale(revenue_sq))) * successes * (1 + {SLACK})"
    " < power(greatest(abs(revenue) - 0.5 * power(10::numeric, -scale(revenue)), 0), 2)"
)
"""``violates_cauchy_schwarz`` of a row in SQL."""


def violates_cauchy_schwarz(total: DailyTotal) -> bool:
    """Return whether no values of so many converting units have these sums, however they were rounded.

    n values with the sum V have squares that sum to V^2 / n at least. Either figure may be off by half a unit of
    its last decimal place. Without a success the value is that of units that converted earlier, whose number is
    not known.
    """
    if total.revenue is None or total.revenue_sq is None or total.successes == 0:
        return False
    most = total.revenue_sq + _half_a_place(total.revenue_sq)
    least = max(abs(total.revenue) - _half_a_place(total.revenue), Decimal(0))
    return most * total.successes * (1 + SLACK) < least**2


def _half_a_place(figure: Decimal) -> Decimal:
    exponent = figure.as_tuple().exponent
    return Decimal(5).scaleb(min(int(exponent), 0) - 1)
