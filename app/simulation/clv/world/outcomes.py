"""The customers' side of chance: uniforms that all policies and arms share."""

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.random_streams import stream


class Outcomes:
    """U[r, customer], one per visit to that customer, for one block of replications.

    A customer who would convert within three days for one policy does so for every policy that makes the same
    offer on that visit. Tables are made when a visit is first paid, one visit at a time.

    Parameters
    ----------
    seed, block : name the streams
    replications, customers : r and n of the block
    """

    def __init__(self, seed: int, block: int, replications: int, customers: int) -> None:
        self._seed, self._block, self._shape = seed, block, (replications, customers)
        self._tables: dict[int, Floats] = {}

    def uniforms(self, row: Integers, customer: Integers, visit: Integers) -> Floats:
        """The uniforms of these (replication, customer, visit) triples, (n,)."""
        found = np.empty(row.shape)
        for number in np.unique(visit):
            some = visit == number
            found[some] = self._table(int(number))[row[some], customer[some]]
        return found

    def _table(self, visit: int) -> Floats:
        if visit not in self._tables:
            rng = stream(self._seed, "clv outcomes", self._block, visit)
            self._tables[visit] = rng.random(self._shape)
        return self._tables[visit]
