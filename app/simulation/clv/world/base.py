"""The customer base: who has which product since when, and in which order they are contacted."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Integers
from app.simulation.clv.world.scenario import Scenario
from app.simulation.random_streams import stream


@dataclass(frozen=True, slots=True)
class Base:
    """n customers on day 0; the same for all replications and policies.

    Parameters
    ----------
    product : (n,), index into the catalogue
    start : (n,), first day of the contract, counted from day 0 (negative)
    order : (n,), customers in the order in which they are contacted
    """

    product: Integers
    start: Integers
    order: Integers

    @classmethod
    def of(cls, scenario: Scenario) -> "Base":
        """Products by their shares; starts uniform over the last `contract_days` of each product's sale."""
        rng = stream(scenario.base_seed, "clv base")
        n, shares = scenario.customers, np.array([product.share for product in scenario.products])
        product = rng.choice(len(shares), size=n, p=shares / shares.sum())
        age = rng.integers(0, scenario.contract_days, n)
        last = np.array([_last_sale(scenario, i) for i in range(len(shares))])
        return cls(product, last[product] - age, rng.permutation(n))


def _last_sale(scenario: Scenario, product: int) -> int:
    """The last day of a product's sale before day 0, counted from day 0."""
    ended = scenario.products[product].sold_until
    return -1 if ended is None else (ended - scenario.start).days
