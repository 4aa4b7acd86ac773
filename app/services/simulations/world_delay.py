"""The delay of a simulated world, from a request."""

from app.schemas.simulations.delay import FixedDelay, GeometricDelay, NoDelay
from app.simulation.delay.distribution import AT_ONCE, ConversionDelay


def in_days(asked: int | NoDelay | FixedDelay | GeometricDelay) -> ConversionDelay:
    """Return the distribution that was asked for; a number is that of days, exactly."""
    match asked:
        case GeometricDelay():
            return ConversionDelay("geometric", asked.mean, asked.at_once)
        case FixedDelay():
            return ConversionDelay("fixed", asked.days, asked.at_once)
        case int():
            return ConversionDelay("fixed", asked)
    return AT_ONCE


def in_days_or_emails(asked: int | NoDelay | FixedDelay | GeometricDelay) -> ConversionDelay | int:
    """Return the same; a number stays what it is, as the cadence knows what it counts."""
    return asked if isinstance(asked, int) else in_days(asked)
