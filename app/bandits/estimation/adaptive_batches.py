"""What the units of an experiment did, batch by batch: everything that estimates from adaptive data need."""

from dataclasses import dataclass, fields

import numpy as np

from app.bandits.arrays import Booleans, Floats

ROUNDING = 1e-6
"""What the propensities of a batch may be off 1 in sum: they are rounded to 0.0001 %."""


@dataclass(frozen=True, slots=True)
class AdaptiveBatches:
    """Sufficient statistics of j batches of k arms; leading axes are separate experiments.

    A batch holds the units that were assigned under one split, that is with the same propensities; batches stand
    in the order of their splits. Only units drawn at random count: no overrides, no hold-out.

    Parameters
    ----------
    propensities : (..., j, k), probabilities with which a unit of the batch got each arm, summing to 1 per batch
    units : (..., j, k), exposed units
    sums, squares : (..., j, k), sum over the units of their outcome (1 or 0, or their value) and of its square

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite or impossible, or an arm has units though it was never drawn.
    """

    propensities: Floats
    units: Floats
    sums: Floats
    squares: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            given = np.asarray(getattr(self, field.name), dtype=np.float64)
            if given.shape != np.shape(self.units) or given.ndim < 2 or given.shape[-1] == 0:
                raise ValueError("propensities, units, sums and squares must have one shape (..., j, k)")
            if not np.isfinite(given).all():
                raise ValueError(f"{field.name} must be finite")
            object.__setattr__(self, field.name, given)
        self._check_propensities()
        self._check_counts()

    @property
    def supported(self) -> Booleans:
        """(..., j, k), whether the arm could be drawn in the batch."""
        return self.propensities > 0

    @property
    def sizes(self) -> Floats:
        """(..., j, 1), the units of each batch, whatever their arm."""
        sizes: Floats = self.units.sum(axis=-1, keepdims=True)
        return sizes

    def support(self) -> Floats:
        """(..., k), the part of the units that came while the arm could be drawn; 0 without any unit."""
        among = (self.sizes * self.supported).sum(axis=-2)
        total = self.sizes.sum(axis=-2)
        part: Floats = np.divide(among, total, out=np.zeros_like(among), where=total > 0)
        return part

    def _check_propensities(self) -> None:
        if (self.propensities < 0).any() or (np.abs(self.propensities.sum(axis=-1) - 1) > ROUNDING).any():
            raise ValueError("the propensities of a batch must be >= 0 and sum to 1")

    def _check_counts(self) -> None:
        if (self.units < 0).any() or (self.squares < 0).any():
            raise ValueError("units and squares cannot be negative")
        if ((self.units > 0) & ~self.supported).any():
            raise ValueError("an arm with propensity 0 has no units")
        if ((self.units == 0) & ((self.sums != 0) | (self.squares != 0))).any():
            raise ValueError("outcomes need units")
