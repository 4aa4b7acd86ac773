"""What policies without learning are worth in this very world, exactly: no draws but those of the base."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.clv.world.world import World


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Expected cumulative delta CLV over the whole run, EUR, on the contacts of a policy that never abstains.

    Parameters
    ----------
    arms : (k,), always that arm
    uniform : any arm, equally likely
    oracle : the best arm for each customer on the day of the contact
    choice : (n,), the oracle's arm for each customer; that of the best single arm where never contacted
    able : the part of the base that could buy something on sale
    """

    arms: Floats
    uniform: float
    oracle: float
    choice: Integers
    able: float

    @property
    def best(self) -> int:
        """The best single arm; the first of identical ones."""
        return int(self.arms.argmax())


def enumerated(world: World) -> Enumeration | None:
    """All of it, or None where contacts depend on decisions (quotas per channel, re-contact)."""
    scenario = world.scenario
    if scenario.channel_quotas is not None or scenario.recontact_days is not None:
        return None
    contacted = world.base.order[: scenario.days * scenario.quota]
    day = np.arange(contacted.size) // scenario.quota
    worth = np.stack([contact_worth(world, arm, contacted, day) for arm in range(world.arms.k)], axis=1)
    totals = worth.sum(axis=0)
    choice = np.full(scenario.customers, totals.argmax())
    choice[contacted] = worth.argmax(axis=1)
    able = np.any(world.response.eligible, axis=1)[world.base.product].mean()
    return Enumeration(totals, float(totals.mean()), float(worth.max(axis=1).sum()), choice, float(able))


def contact_worth(world: World, arm: int, customer: Integers, day: Integers) -> Floats:
    """Expected delta less cost of contacting customers on those days, (n,), EUR; late sales count nothing."""
    product, start = world.base.product[customer], world.base.start[customer]
    worth = np.full(customer.shape, -world.arms.cost[arm])
    able = np.flatnonzero(world.response.eligible[product, arm])
    when = day[able, None] + np.arange(world.response.window)
    delta = world.delta(np.array(arm), product[able, None], start[able, None], when)
    chance = world.response.chance[world.arms.channel[arm]] * (when < world.scenario.days)
    worth[able] += (chance * delta).sum(axis=1)
    return worth
