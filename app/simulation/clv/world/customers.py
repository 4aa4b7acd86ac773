"""Some customers as they are on a day."""

from dataclasses import dataclass

from app.bandits.arrays import Integers


@dataclass(frozen=True, slots=True)
class Customers:
    """The next m customers of each of r replications.

    Parameters
    ----------
    index : (r, m), 0..n-1
    product, start : (r, m), their current product and the day its contract began, counted from day 0
    day : counted from day 0
    """

    index: Integers
    product: Integers
    start: Integers
    day: int
