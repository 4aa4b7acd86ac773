"""Epsilon-greedy one unit after the other."""

from itertools import pairwise

import numpy as np

from app.bandits.quadrature import Booleans, Floats, Integers

CHUNK = 64
"""Rounds whose explorations are drawn at once."""


class GreedySequence:
    """The arm with the best mean so far but for epsilon of the units, which go to any arm.

    The mean is (a + successes) / (m + trials).

    Parameters
    ----------
    epsilon : in [0, 1], the part that explores, over all arms
    start : (a, m), a >= 0 and m > 0
    split_ties : exactly equal means are equally likely; else the lowest index leads
    k, rows : number of arms and of rows
    rng : stream of the draws
    """

    def __init__(
        self,
        epsilon: float,
        start: tuple[float, float],
        split_ties: bool,
        k: int,
        rows: int,
        rng: np.random.Generator,
    ) -> None:
        self._epsilon, self._split_ties, self._k, self._rows, self._rng = epsilon, split_ties, k, rows, rng
        self._cell = np.arange(k * rows).reshape(k, rows)
        self._a, self._m = np.full(k * rows, float(start[0])), np.full(k * rows, float(start[1]))
        self._means = self._a / self._m
        self._explorations: list[tuple[Integers, Integers]] = []

    def choose(self) -> Integers:
        """(r,), the leaders, some of them replaced by any arm."""
        cells = self._leaders()
        if not self._explorations:
            self._explorations = self._drawn_explorations()
        rows, explored = self._explorations.pop()
        cells[rows] = explored
        return cells

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials and renew the means of their cells."""
        a, m = self._a[cells] + won, self._m[cells] + 1
        self._a[cells] = a
        self._m[cells] = m
        self._means[cells] = a / m

    def succeed(self, cells: Integers) -> None:
        """Count late successes."""
        self._a[cells] += 1
        self._means[cells] = self._a[cells] / self._m[cells]

    def _leaders(self) -> Integers:
        means = self._means.reshape(self._k, self._rows)
        leads = means == np.maximum.reduce(means, axis=0)
        # where one arm leads, the sum over arms of cell * leads is its cell: a third of argmax's time
        cells: Integers = np.add.reduce(leads * self._cell, axis=0)
        if np.count_nonzero(leads) > self._rows:
            self._break_ties(leads, cells)
        return cells

    def _break_ties(self, leads: Booleans, cells: Integers) -> None:
        tied = np.flatnonzero(np.add.reduce(leads, axis=0, dtype=np.intp) > 1)
        lots: Floats = leads[:, tied].astype(np.float64)
        if self._split_ties:
            lots *= self._rng.random(lots.shape) + 1
        cells[tied] = lots.argmax(axis=0) * self._rows + tied

    def _drawn_explorations(self) -> list[tuple[Integers, Integers]]:
        """For each of the next rounds the rows that explore and their cells."""
        places = self._exploring(CHUNK * self._rows)
        rows = places % self._rows
        cells = self._rng.integers(self._k, size=places.size) * self._rows + rows
        ends = np.searchsorted(places, np.arange(CHUNK + 1) * self._rows).tolist()
        return [(rows[i:j], cells[i:j]) for i, j in pairwise(ends)]

    def _exploring(self, size: int) -> Integers:
        """Which of so many units explore, by the geometric gaps between them: no draws for the others."""
        if self._epsilon == 0:
            return np.empty(0, dtype=np.intp)
        expected = size * self._epsilon
        enough = int(expected + 10 * np.sqrt(expected) + 50)
        # bounded gaps, so that their sum cannot overflow where epsilon is tiny
        places = np.cumsum(np.minimum(self._rng.geometric(self._epsilon, enough), size)) - 1
        return places[places < size]
