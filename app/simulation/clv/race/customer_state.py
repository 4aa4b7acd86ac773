"""What a policy's doings have made of the customers."""

import numpy as np

from app.bandits.arrays import Integers
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


class CustomerState:
    """Current contracts and visits so far of n customers in r replications.

    Where nobody is contacted twice, nothing that changes is ever looked at again: then all replications share
    the base.
    """

    def __init__(self, world: World, replications: int) -> None:
        self._arm_product = world.arms.product
        self._rows = np.arange(replications)[:, None]
        shape = (replications, world.scenario.customers)
        self._product = np.broadcast_to(world.base.product, shape)
        self._start = np.broadcast_to(world.base.start, shape)
        self._visits = None
        if world.scenario.recontact_days is not None:
            self._product, self._start = self._product.copy(), self._start.copy()
            self._visits = np.zeros(shape, dtype=np.intp)

    def customers(self, index: Integers, day: int) -> Customers:
        """Customers (r, m) as they are."""
        return Customers(index, self._product[self._rows, index], self._start[self._rows, index], day)

    def contract(self, row: Integers, customer: Integers) -> tuple[Integers, Integers]:
        """Product and first day of the contract of these customers, (n,), (n,)."""
        return self._product[row, customer], self._start[row, customer]

    def visited(self, row: Integers, customer: Integers) -> Integers:
        """Count a visit to each of these customers; how many there were before, (n,)."""
        if self._visits is None:
            return np.zeros_like(row)
        before = self._visits[row, customer]
        self._visits[row, customer] += 1
        return before

    def sold(self, row: Integers, customer: Integers, arm: Integers, day: Integers) -> None:
        """Give these customers, (n,), the product they bought, from the day of the sale on."""
        if self._visits is not None:
            self._product[row, customer] = self._arm_product[arm]
            self._start[row, customer] = day
