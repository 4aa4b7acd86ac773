"""The queue of customers waiting for a contact, one per replication."""

import numpy as np

from app.bandits.arrays import Booleans, Integers


class Queue:
    """Customers in the order in which they have waited, longest first; r queues side by side.

    Parameters
    ----------
    order : (n,), the first order
    replications : r
    wait : days after which a contacted customer may be contacted again; None is never
    """

    def __init__(self, order: Integers, replications: int, wait: int | None) -> None:
        self._wait, self._n = wait, order.size
        self._rows = np.arange(replications)[:, None]
        self._head = np.zeros((replications, 1), dtype=np.intp)
        self._length = np.full((replications, 1), order.size)
        shape = (replications, order.size)
        # contacts at most once never write to the queue, so all replications share one
        self._ring = np.broadcast_to(order, shape) if wait is None else np.tile(order, (replications, 1))
        self._ready = None if wait is None else np.full(shape, np.iinfo(np.int64).min)

    def first(self, m: int, day: int) -> tuple[Integers, Booleans]:
        """The first m in line, (r, m), and whether each is there and may be contacted on that day."""
        place = (self._head + np.arange(min(m, self._n))) % self._n
        waiting = np.arange(place.shape[1]) < self._length
        if self._ready is not None:
            waiting &= self._ready[self._rows, place] <= day
        return self._ring[self._rows, place], waiting

    def leave(self, customers: Integers, seen: Booleans, contacted: Booleans, day: int) -> None:
        """Take those seen, a first part of each row, out of line; those contacted may line up again.

        Parameters
        ----------
        customers, seen, contacted : (r, m), as `first` gave them
        """
        gone = seen.sum(axis=1, keepdims=True)
        self._head = (self._head + gone) % self._n
        self._length = self._length - gone
        if self._wait is None or self._ready is None:
            return
        row, column = np.nonzero(contacted)
        behind = contacted.cumsum(axis=1)[row, column] - 1
        place = (self._head[row, 0] + self._length[row, 0] + behind) % self._n
        self._ring[row, place] = customers[row, column]
        self._ready[row, place] = day + self._wait
        self._length = self._length + contacted.sum(axis=1, keepdims=True)
