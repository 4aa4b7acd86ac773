"""The log of one replication: every contact with the probability with which its arm was chosen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Booleans, Floats
from app.simulation.clv.play import campaign_of, outcomes_of
from app.simulation.clv.race.contacts import Contacts
from app.simulation.clv.race.race import BLOCK, Race
from app.simulation.clv.results.propensities import Propensities, propensities
from app.simulation.clv.world.world import World

COLUMNS = ("contact", "day", "segment", "arm", "propensity", "delay", "reward")


@dataclass(frozen=True, slots=True)
class Export:
    """n contacts of one policy in one replication.

    Parameters
    ----------
    contacts : as they were made
    chosen : the probabilities behind them
    observed : (n,), whether the contact led to a sale within the days played
    reward : (n,), delta less cost in EUR; a sale after the last day is not observed
    """

    contacts: Contacts
    chosen: Propensities
    observed: Booleans
    reward: Floats

    def rows(self) -> Iterator[dict[str, Any]]:
        """One per contact, by `COLUMNS`; the delay in days is None without an observed sale."""
        made, propensity = self.contacts, self.chosen.of_contacts(self.contacts)
        for i in range(made.arm.size):
            delay = int(made.delay[i]) if self.observed[i] else None
            counts = (i, int(made.day[i]), int(made.segment[i]), int(made.arm[i]))
            values = (*counts, float(propensity[i]), delay, float(self.reward[i]))
            yield dict(zip(COLUMNS, values, strict=True))


def export(race: Race, place: int) -> Export:
    """The exported replication of the policy at `place` in the race's list, played again: the same contacts."""
    block, row = divmod(race.exported, BLOCK)
    world, policy = World.of(race.scenario), race.policies[place]
    campaign = campaign_of(race, world, outcomes_of(race, block), block, policy)
    made = [contacts.of_row(row) for contacts in campaign.days()]
    contacts = Contacts.joined(made, world.arms.k)
    observed = _observed(world, contacts)
    reward = np.where(observed, contacts.delta, 0) - world.arms.cost[contacts.arm]
    chosen = propensities(world, policy.enter(world), contacts, race.delay_correction)
    return Export(contacts, chosen, observed, reward)


def _observed(world: World, contacts: Contacts) -> Booleans:
    sold: Booleans = contacts.delay < world.response.window
    within: Booleans = contacts.day + contacts.delay < world.scenario.days
    return sold & within
