"""An order of the arms that does not depend on how they were listed."""

import numpy as np

from app.bandits.arrays import Floats, Integers


class CanonicalOrder:
    """The arms sorted by their values: permuted arms are computed alike, identical ones share one answer.

    Parameters
    ----------
    keys : each (..., k), the most important first; arms that agree in all are identical
    """

    def __init__(self, *keys: Floats) -> None:
        self._order: Integers = np.lexsort(tuple(reversed(keys)), axis=-1)
        k = self._order.shape[-1]
        new = np.zeros(self._order.shape, dtype=np.bool_)
        for key in map(self.sorted, keys):
            new[..., 1:] |= key[..., 1:] != key[..., :-1]
        self._first = np.maximum.accumulate(np.where(new, np.arange(k), 0), axis=-1)

    def sorted(self, values: Floats) -> Floats:
        """Values (..., k) in canonical order."""
        return np.take_along_axis(values, self._order, axis=-1)

    def restored(self, values: Floats) -> Floats:
        """Values of the canonical order in the arms' own, identical arms sharing the first one's."""
        restored = np.empty_like(values)
        np.put_along_axis(restored, self._order, np.take_along_axis(values, self._first, axis=-1), axis=-1)
        return restored
