"""With which probability each arm was chosen, from the log alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.protocol import PlayingPolicy
from app.simulation.clv.race.contacts import Contacts
from app.simulation.clv.race.delayed_outcomes import DelayedOutcomes
from app.simulation.clv.world.world import World
from app.simulation.delay.cohorts import Correction

TOGETHER = 400
"""Rows computed in one call."""


@dataclass(frozen=True, slots=True)
class Propensities:
    """Shares of the arms for every distinct day, segment and set of open arms in a log.

    Parameters
    ----------
    day, segment : (d,)
    open_arms : (d, k)
    shares : (d, k); what is missing from 1 is the probability of no contact
    row : (n,), which of the d belongs to each contact
    """

    day: Integers
    segment: Integers
    open_arms: Booleans
    shares: Floats
    row: Integers

    def to_dict(self) -> dict[str, Any]:
        """The table by column, JSON-able; `open` and `shares` have a row per day and segment."""
        return {
            "day": self.day.tolist(),
            "segment": self.segment.tolist(),
            "open": self.open_arms.tolist(),
            "shares": self.shares.tolist(),
        }

    def of_contacts(self, contacts: Contacts) -> Floats:
        """The propensity of each contact's arm given that there was a contact, (n,)."""
        shares = self.shares[self.row]
        chosen: Floats = shares[np.arange(self.row.size), contacts.arm] / shares.sum(axis=1)
        return chosen


def propensities(
    world: World, contestant: PlayingPolicy, contacts: Contacts, correction: Correction = "none"
) -> Propensities:
    """The contestant's exact shares, given what it had been shown on each morning of one replication.

    Parameters
    ----------
    contacts : the whole log of the replication, `row` 0; it is shown again as it was then
    correction : what the contestant made of outstanding sales
    """
    keys = np.column_stack((contacts.day, contacts.segment, contacts.open_arms)).astype(np.intp)
    distinct, row = np.unique(keys, axis=0, return_inverse=True)
    day, segment, open_arms = distinct[:, 0], distinct[:, 1], distinct[:, 2:].astype(np.bool_)
    shares = np.empty(open_arms.shape)
    for some, shown in _mornings(world, contestant, contacts, day, correction):
        shares[some] = contestant.shares(shown, segment[some], open_arms[some])
    return Propensities(day, segment, open_arms, shares, row.reshape(-1))


def _mornings(
    world: World, contestant: PlayingPolicy, contacts: Contacts, day: Integers, correction: Correction
) -> Iterator[tuple[Integers, Observations]]:
    """What was shown on the morning of each of these days (ascending), a few days at a time."""
    shown = Observations.nothing(1, contestant.segments, world.arms.cost)
    reports = DelayedOutcomes(shown, world.response.window, correction)
    waiting: list[Observations] = []
    first = 0
    for today in range(world.scenario.days):
        reports.morning(today)
        if (used := int((day == today).sum())) > 0:
            waiting += [reports.known().copy()] * used
        if len(waiting) >= TOGETHER or today == world.scenario.days - 1:
            if waiting:
                yield np.arange(first, first + len(waiting)), Observations.stacked(waiting)
            first, waiting = first + len(waiting), []
        reports.made(contacts.where(contacts.day == today), today)
