"""One telco world: everything about it that no policy can change."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.clv.world.base import Base
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.lifetime import Lifetime
from app.simulation.clv.world.products import Arms
from app.simulation.clv.world.response import Response
from app.simulation.clv.world.scenario import Scenario


@dataclass(frozen=True, slots=True)
class World:
    """The base, the arms, how customers respond and what that is worth.

    Parameters
    ----------
    scenario : what all of it was made from
    margin : (p,), EUR per year of each product
    """

    scenario: Scenario
    arms: Arms
    base: Base
    response: Response
    lifetime: Lifetime
    margin: Floats

    @classmethod
    def of(cls, scenario: Scenario) -> "World":
        """The same scenario gives the same world in any process."""
        arms = Arms.of(scenario.products, scenario.channels, scenario.templates)
        margin = np.array([product.margin for product in scenario.products], dtype=np.float64)
        response, lifetime = Response.of(scenario, arms), Lifetime.of(scenario)
        return cls(scenario, arms, Base.of(scenario), response, lifetime, margin)

    def hlv(self, product: Integers, start: Integers, day: int | Integers) -> Floats:
        """Lifetime value in EUR on a day of contracts that began on `start`; shapes broadcast."""
        return self.margin[product] * self.lifetime.annuity(np.asarray(day - start))

    def hlv_of(self, customers: Customers) -> Floats:
        """Lifetime value of customers as they are, (r, m), EUR."""
        return self.hlv(customers.product, customers.start, customers.day)

    def hlv_of_base(self) -> Floats:
        """Lifetime value of everybody on day 0, (n,), EUR."""
        return self.hlv(self.base.product, self.base.start, 0)

    def delta(self, arm: Integers, product: Integers, start: Integers, day: Integers) -> Floats:
        """What a sale on `day` adds to a customer's lifetime value, EUR: a new contract for the old one's rest."""
        return self.hlv(self.arms.product[arm], day, day) - self.hlv(product, start, day)

    def quota_groups(self) -> tuple[Integers, Integers]:
        """Which quota each arm uses up, (k,), and the quotas of a day, (g,)."""
        quotas = self.scenario.channel_quotas
        if quotas is None:
            return np.zeros(self.arms.k, dtype=np.intp), np.array([self.scenario.quota])
        return self.arms.channel, np.array(quotas)
