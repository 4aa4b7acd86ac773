"""One policy's year in a block of replications: mornings, decisions, outcomes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.protocol import PlayingPolicy
from app.simulation.clv.race.contacts import Contacts
from app.simulation.clv.race.customer_state import CustomerState
from app.simulation.clv.race.decisions import DailyDecision, DailyDecisions
from app.simulation.clv.race.delayed_outcomes import DelayedOutcomes
from app.simulation.clv.race.queue import Queue
from app.simulation.clv.world.outcomes import Outcomes
from app.simulation.clv.world.world import World
from app.simulation.delay.cohorts import Correction

COLUMNS = ("delta", "cost", "contacts", "conversions")


@dataclass(frozen=True, slots=True)
class Booked:
    """What a block of r replications came to over t days.

    Parameters
    ----------
    delta : (r, t), sales less costs of each day, EUR
    cost, contacts, conversions : (r,); cost in EUR, conversions up to the last day
    actions : (t, k), contacts by day and arm, summed over the replications
    """

    delta: Floats
    cost: Floats
    contacts: Integers
    conversions: Integers
    actions: Integers

    @classmethod
    def nothing(cls, replications: int, days: int, k: int) -> "Booked":
        """Before the first day."""
        none = np.zeros(replications, dtype=np.intp)
        actions = np.zeros((days, k), dtype=np.intp)
        return cls(np.zeros((replications, days)), np.zeros(replications), none, none.copy(), actions)

    @classmethod
    def joined(cls, blocks: "Sequence[Booked]") -> "Booked":
        """One block of replications after another."""
        columns = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in COLUMNS}
        return cls(**columns, actions=np.sum([block.actions for block in blocks], axis=0))

    @property
    def cumulative(self) -> Floats:
        """Delta CLV so far by the end of each day, (r, t), EUR."""
        return np.cumsum(self.delta, axis=1)


class Campaign:
    """Plays one contestant day by day.

    Parameters
    ----------
    world : the same for all replications
    contestant : decides
    outcomes : the block's uniforms, which the other policies meet too
    rng : the policy's own stream in this block
    replications : r
    correction : what the contestant makes of outstanding sales
    """

    def __init__(
        self,
        world: World,
        contestant: PlayingPolicy,
        outcomes: Outcomes,
        rng: np.random.Generator,
        replications: int,
        correction: Correction = "none",
    ) -> None:
        k = world.arms.k
        self._world, self._outcomes = world, outcomes
        self._deciding = DailyDecisions(world, contestant, rng)
        self._queue = Queue(world.base.order, replications, world.scenario.recontact_days)
        self._state = CustomerState(world, replications)
        shown = Observations.nothing(replications, contestant.segments, world.arms.cost)
        self._reports = DelayedOutcomes(shown, world.response.window, correction)
        self.booked = Booked.nothing(replications, world.scenario.days, k)

    def days(self) -> Iterator[Contacts]:
        """Play the days one by one; each gives the contacts made on it, as they will turn out."""
        for day in range(self._world.scenario.days):
            self._reports.morning(day)
            decided = self._deciding.decide(self._reports.known(), self._queue, self._state, day)
            # all of a day's decisions precede its outcomes
            contacts = Contacts.joined(
                [self._outcome(part, day) for part in list(decided)], self._world.arms.k
            )
            self._reports.made(contacts, day)
            self._book(contacts, day)
            yield contacts

    def _outcome(self, made: DailyDecision, day: int) -> Contacts:
        """Who will buy, when, and what that is worth."""
        world, (product, start) = self._world, self._state.contract(made.row, made.customer)
        visit = self._state.visited(made.row, made.customer)
        delay = np.full(made.row.shape, world.response.window)
        able = np.flatnonzero(world.response.eligible[product, made.arm])
        uniform = self._outcomes.uniforms(made.row[able], made.customer[able], visit[able])
        delay[able] = world.response.delay(uniform, world.arms.channel[made.arm[able]])
        sold = able[delay[able] < world.response.window]
        delta = np.zeros(made.row.shape)
        when = day + delay[sold]
        delta[sold] = world.delta(made.arm[sold], product[sold], start[sold], when)
        self._state.sold(made.row[sold], made.customer[sold], made.arm[sold], when)
        days = np.full(made.row.shape, day)
        return Contacts(made.row, days, made.customer, made.segment, made.arm, made.open_arms, delay, delta)

    def _book(self, contacts: Contacts, day: int) -> None:
        """Book costs today and sales on their days; a sale after the last day is not booked."""
        booked, cost = self.booked, self._world.arms.cost[contacts.arm]
        r, t = booked.delta.shape
        spent = np.bincount(contacts.row, cost, r)
        booked.cost[:] += spent
        booked.delta[:, day] -= spent
        booked.contacts[:] += np.bincount(contacts.row, minlength=r)
        booked.actions[day] += np.bincount(contacts.arm, minlength=booked.actions.shape[1])
        when = day + contacts.delay
        sold = np.flatnonzero((contacts.delay < self._world.response.window) & (when < t))
        np.add.at(booked.delta, (contacts.row[sold], when[sold]), contacts.delta[sold])
        booked.conversions[:] += np.bincount(contacts.row[sold], minlength=r)
