"""Units decided one after the other, each with all that came of those before it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers


class UnitCounts(NamedTuple):
    """What came of some units.

    Parameters
    ----------
    trials, successes : (k, r), of each arm in each row
    """

    trials: Floats
    successes: Floats


def play_units(
    choose: Callable[[], Integers],
    learn: Callable[[Integers, Booleans], None],
    uniform: Floats,
    rates: Floats,
) -> UnitCounts:
    """Choose a cell for every row, show what came of it, n times over.

    Parameters
    ----------
    choose, learn : as in `SequentialPolicy`
    uniform : (n, r); a unit is a success where its uniform is below the rate of its arm
    rates : (k, r)
    """
    cells, won = np.empty(uniform.shape, dtype=np.intp), np.empty(uniform.shape, dtype=np.bool_)
    rate_of = rates.ravel()
    for t, u in enumerate(uniform):
        cells[t] = chosen = choose()
        won[t] = converts = u < rate_of[chosen]
        learn(chosen, converts)
    return counted(cells, won, rates.shape)


def counted(cells: Integers, won: Booleans, shape: tuple[int, ...]) -> UnitCounts:
    """The trials and successes (k, r) of units with these cells, of which some were successes."""
    k, rows = shape
    trials = np.bincount(cells.ravel(), minlength=k * rows).astype(np.float64)
    successes = np.bincount(cells.ravel(), won.ravel(), minlength=k * rows).astype(np.float64)
    return UnitCounts(trials.reshape(shape), successes.reshape(shape))
