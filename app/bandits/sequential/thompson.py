"""Thompson sampling one unit after the other, with the draws of several units prepared at once."""

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.numerics.gamma_variates import MAX_SHAPE, Singles, gamma_variates
from app.bandits.posteriors.beta import Prior, check_prior
from app.bandits.sequential.unit_loop import UnitCounts, counted, play_units

AHEAD = 6
"""Units whose draws are prepared at once: more save calls, and cost more additions."""
MIN_CELLS = 16
"""For so few in all, drawing singly is faster than numpy's calls for whole arrays."""


class SequentialThompson:
    """Draw a rate for every arm of every row and take the largest.

    A rate theta ~ Beta(a, b) is in the order of its odds, the quotient of two gamma variates of shapes a and b.
    Those of the next `AHEAD` units are drawn at once, with the shapes of now. A unit's outcome then raises one
    shape of its row by 1, and a variate of shape a + 1 is one of shape a and an independent exponential: that is
    added for each unit still to come. So every unit is decided with fresh draws from the posterior of all that
    came before it, at a fraction of the calls.

    `gamma_variates` needs shapes of at least 1. With less in the prior the rates themselves are drawn.

    Parameters
    ----------
    prior : (a, b), both > 0, of every arm
    k, rows : number of arms and of rows
    rng : stream of the draws
    """

    def __init__(self, prior: Prior, k: int, rows: int, rng: np.random.Generator) -> None:
        check_prior(prior)
        self._rng, self._cells, self._row = rng, k * rows, np.arange(rows)
        self._arm = np.arange(k, dtype=np.int16)[:, None]
        self._shapes = np.empty((2, k, rows))  # every a, then every b
        self._shapes.T[:] = prior
        self._plainly = min(prior) < 1 or max(prior) > MAX_SHAPE

    def choose(self) -> Integers:
        """(r,), the cell with the largest rate."""
        if self._cells <= MIN_CELLS:
            drawn = list(map(self._rng.beta, *self._shapes.reshape(2, -1).tolist()))
            return self._largest(np.array(drawn).reshape(-1, self._row.size))
        if self._plainly:
            a, b = self._shapes
            return self._largest(self._rng.beta(a, b))
        of_a, of_b = gamma_variates(self._shapes, 1, self._rng)[0]
        return self._largest(of_a / of_b)

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials."""
        self._shapes.ravel()[self._places(cells, won)] += 1

    def succeed(self, cells: Integers) -> None:
        """Count late successes, which were failures until now."""
        shapes = self._shapes.ravel()
        shapes[cells] += 1
        shapes[cells + self._cells] -= 1

    def play(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """Decide the next units, each shown before the next, and count them; see `Sequence`."""
        if self._cells <= MIN_CELLS:
            return self._played_singly(uniform, rates)
        if self._plainly:
            return play_units(self.choose, self.learn, uniform, rates)
        total = UnitCounts(np.zeros(rates.shape), np.zeros(rates.shape))
        for start in range(0, len(uniform), AHEAD):
            counts = self._played_ahead(uniform[start : start + AHEAD], rates)
            for sum_, of_these in zip(total, counts, strict=True):
                sum_ += of_these
        return total

    def _places(self, cells: Integers, won: Booleans) -> Integers:
        """Where in the flat table of shapes these trials count: a for a success, b for a failure."""
        return cells + self._cells * ~won

    def _largest(self, rates: Floats | Singles) -> Integers:
        """(r,), the cell of each row with the largest of the rates (k, r); a sixth of argmax's time."""
        leads = rates == rates.max(axis=0)
        arms = np.maximum.reduce(leads * self._arm, axis=0)
        cells: Integers = np.multiply(arms, self._row.size, dtype=np.intp)
        cells += self._row
        return cells

    def _played_ahead(self, uniform: Floats, rates: Floats) -> UnitCounts:
        n, rows = uniform.shape
        cells, won = np.empty((n, rows), dtype=np.intp), np.empty((n, rows), dtype=np.bool_)
        variates = gamma_variates(self._shapes, n, self._rng)
        exponentials = iter(self._rng.standard_exponential((n * (n - 1) // 2, rows), dtype=np.float32))
        flat, rate_of = variates.reshape(n, -1), rates.ravel()
        for t, (a, b) in enumerate(variates):
            cells[t] = chosen = self._largest(np.divide(a, b, out=a))
            won[t] = uniform[t] < rate_of[chosen]
            places = self._places(chosen, won[t])
            for later in flat[t + 1 :]:
                later[places] += next(exponentials)
        counts = counted(cells, won, rates.shape)
        self._shapes += counts.successes, counts.trials - counts.successes
        return counts

    def _played_singly(self, uniform: Floats, rates: Floats) -> UnitCounts:
        counts = [
            self._played_row(row, uniform[:, row].tolist(), rates[:, row].tolist())
            for row in self._row.tolist()
        ]
        trials, successes = np.array(counts, dtype=np.float64).transpose(1, 2, 0)
        self._shapes += successes, trials - successes
        return UnitCounts(trials, successes)

    def _played_row(self, row: int, uniform: list[float], rates: list[float]) -> tuple[list[int], list[int]]:
        """The trials and successes of each arm in one row."""
        a, b = self._shapes[:, :, row].tolist()
        trials, successes, beta = [0] * len(a), [0] * len(a), self._rng.beta
        for u in uniform:
            drawn = list(map(beta, a, b))
            arm = drawn.index(max(drawn))
            trials[arm] += 1
            if u < rates[arm]:
                successes[arm] += 1
                a[arm] += 1
            else:
                b[arm] += 1
        return trials, successes
