"""How many days after its impression a conversion comes."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from app.bandits.arrays import Floats

Kind = Literal["none", "fixed", "geometric"]


@dataclass(frozen=True, slots=True)
class ConversionDelay:
    r"""The distribution of the age, in whole days, at which a conversion comes; the same for all arms.

    .. math:: P(j) = a [j = 0] + (1 - a) f(j), \qquad f(j) = [j = d] \quad\text{or}\quad
              f(j) = \frac{1}{1 + d} \Bigl(\frac{d}{1 + d}\Bigr)^j

    Parameters
    ----------
    kind : none, all come at once; fixed, exactly d days later; geometric, at ages 0, 1, 2, ... with the mean d
    days : d, in days, >= 0; whole for a fixed delay
    at_once : a, the fraction of the conversions that comes at once whatever the kind, in [0, 1]

    Raises
    ------
    ValueError
        The kind is unknown, or a value is out of its bounds.
    """

    kind: Kind = "none"
    days: float = 0.0
    at_once: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if not (np.isfinite(self.days) and self.days >= 0):
            raise ValueError(f"days must be finite and at least 0, not {self.days}")
        if self.kind == "fixed" and self.days != int(self.days):
            raise ValueError(f"a fixed delay is a whole number of days, not {self.days}")
        if not 0 <= self.at_once <= 1:
            raise ValueError(f"at_once must be in [0, 1], not {self.at_once}")

    @property
    def is_none(self) -> bool:
        """Whether all conversions come at once."""
        return self.kind == "none" or self.days == 0 or self.at_once == 1

    def masses(self, ages: int) -> Floats:
        """Return P(j) for j = 0, ..., ages - 1, (ages,); what comes later is missing from 1."""
        later = np.zeros(ages)
        if self.kind == "geometric":
            later[:] = (self.days / (1 + self.days)) ** np.arange(ages) / (1 + self.days)
        elif self.days < ages:
            later[int(self.days)] = 1.0
        first: Floats = np.eye(1, ages)[0]
        return self.at_once * first + (1 - self.at_once) * later

    def drawn(self, conversions: Floats, ages: int, rng: np.random.Generator) -> Floats:
        """Return how many of the conversions (...) come at each age, (ages, ...); the others come later."""
        masses = self.masses(ages)
        chances = np.append(masses, max(1 - masses.sum(), 0.0))
        drawn = rng.multinomial(conversions.astype(np.int64), chances)
        return np.moveaxis(drawn[..., :-1], -1, 0).astype(np.float64)


AT_ONCE = ConversionDelay()
"""All conversions come on the day of their impression."""
