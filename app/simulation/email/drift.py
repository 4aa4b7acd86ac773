"""True rates that do not stay what they are."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats

NEVER_CERTAIN = 1e-12


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """Each morning every rate's logit moves by Normal(0, sd); every replication walks its own way.

    Parameters
    ----------
    sd : of a day's step, in logits, > 0
    """

    sd: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.sd) and self.sd > 0):
            raise ValueError(f"drift: sd must be finite and positive, not {self.sd}")

    def moved(self, rates: Floats, rng: np.random.Generator) -> Floats:
        """Tomorrow's rates, (k, r); 0 and 1 move as 1e-12 and 1 - 1e-12."""
        inside = np.clip(rates, NEVER_CERTAIN, 1 - NEVER_CERTAIN)
        logit = np.log(inside) - np.log1p(-inside) + self.sd * rng.standard_normal(rates.shape)
        moved: Floats = 1 / (1 + np.exp(-logit))
        return moved


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """From e-mail `at` on (the first is 0) the rates are these, (k,)."""

    at: int
    rates: tuple[float, ...]
