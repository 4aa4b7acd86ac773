"""Totals: everything a policy knows about the arms."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from app.bandits.arrays import Booleans, Floats


@dataclass(frozen=True, slots=True)
class Totals:
    """Sufficient statistics of k arms, or of k arms in each of several bandits (leading axes).

    Effective totals (after a window, a half-life, day effects) may be fractional.

    Parameters
    ----------
    trials : (..., k), impressions >= 0
    successes : (..., k), conversions, 0 <= successes <= trials
    value : (..., k), summed value of the successes in currency units; None when it is not measured
    value_sq : (..., k), sum over successes of the value squared; None when it is not measured
    cost : (k,), currency units per trial, >= 0; None when trials are free

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite, or counts are impossible.
    """

    trials: Floats
    successes: Floats
    value: Floats | None = None
    value_sq: Floats | None = None
    cost: Floats | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if given is not None:
                object.__setattr__(self, field.name, _finite(field.name, given))
        self._check_shapes()
        self._check_counts()

    @property
    def k(self) -> int:
        """The number of arms."""
        return int(self.trials.shape[-1])

    def select(self, arms: Booleans) -> "Totals":
        """Return the totals of the arms ``(k,)`` that are marked."""
        return Totals(
            self.trials[..., arms],
            self.successes[..., arms],
            None if self.value is None else self.value[..., arms],
            None if self.value_sq is None else self.value_sq[..., arms],
            None if self.cost is None else self.cost[arms],
        )

    def _check_shapes(self) -> None:
        if self.trials.ndim == 0 or self.k == 0:
            raise ValueError("totals need at least one arm")
        for name in ("successes", "value", "value_sq"):
            given = getattr(self, name)
            if given is not None and given.shape != self.trials.shape:
                raise ValueError(f"{name} has shape {given.shape}, trials {self.trials.shape}")
        if self.cost is not None and self.cost.shape != (self.k,):
            raise ValueError(f"cost has shape {self.cost.shape}, expected ({self.k},)")

    def _check_counts(self) -> None:
        if (self.successes < 0).any() or (self.successes > self.trials).any():
            raise ValueError("successes must lie between 0 and trials")
        if self.value_sq is not None and (self.value_sq < 0).any():
            raise ValueError("value_sq is a sum of squares and cannot be negative")
        if self.value_sq is not None and self.value is None:
            raise ValueError("value_sq needs value")
        if self.cost is not None and (self.cost < 0).any():
            raise ValueError("cost cannot be negative")


def _finite(name: str, given: ArrayLike) -> Floats:
    array = np.asarray(given, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array
