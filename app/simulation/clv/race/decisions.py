"""A day's decisions: customers in line, quotas to fill, a policy that chooses or leaves in peace."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Integers
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.protocol import NOBODY, PlayingPolicy
from app.simulation.clv.race.customer_state import CustomerState
from app.simulation.clv.race.queue import Queue
from app.simulation.clv.world.world import World


@dataclass(frozen=True, slots=True)
class DailyDecision:
    """Who is contacted with what: row, customer, segment, arm (n,) and the arms that were open (n, k)."""

    row: Integers
    customer: Integers
    segment: Integers
    arm: Integers
    open_arms: Booleans


class DailyDecisions:
    """Fills the quotas of a day, as the morning's totals suggest.

    Customers are asked about in line until every quota is full or nobody waits. While a quota is full its arms
    are closed; decisions from then on are drawn among the others.
    """

    def __init__(self, world: World, contestant: PlayingPolicy, rng: np.random.Generator) -> None:
        self._contestant, self._rng = contestant, rng
        self._group, self._quotas = world.quota_groups()

    def decide(
        self, shown: Observations, queue: Queue, state: CustomerState, day: int
    ) -> Iterator[DailyDecision]:
        """The contacts of a day, a part at a time: one part where nobody abstains and no quota fills early."""
        left = np.tile(self._quotas, (len(shown.trials), 1))
        while left.any():
            index, asked = queue.first(int(left.sum(axis=1).max()), day)
            asked &= left.any(axis=1, keepdims=True)
            if not asked.any():
                return
            open_arms = self._open(left)
            segment = self._contestant.segment_of(state.customers(index, day))
            arm = self._contestant.draw(shown, segment, open_arms, self._rng)
            used = self._used(arm)
            seen = asked & _before_full(used, left)
            contacted = seen & (arm != NOBODY)
            left -= (used & contacted[..., None]).sum(axis=1)
            queue.leave(index, seen, contacted, day)
            row, column = np.nonzero(contacted)
            yield DailyDecision(
                row, index[row, column], segment[row, column], arm[row, column], open_arms[row]
            )

    def _open(self, left: Integers) -> Booleans:
        """The arms whose quota is not full, (r, g) -> (r, k); all of them in rows that are done and not used."""
        closed = left == 0
        closed[closed.all(axis=1)] = False
        open_arms: Booleans = ~closed[:, self._group]
        return open_arms

    def _used(self, arm: Integers) -> Booleans:
        """Whether a decision uses up each quota, (r, m) -> (r, m, g)."""
        groups = np.arange(self._quotas.size)
        used: Booleans = (self._group[arm][..., None] == groups) & (arm != NOBODY)[..., None]
        return used


def _before_full(used: Booleans, left: Integers) -> Booleans:
    """Up to the contact that fills a quota, (r, m, g), (r, g) -> (r, m): those behind it are asked anew."""
    full = (used.cumsum(axis=1) - used >= left[:, None]) & (left > 0)[:, None]
    before: Booleans = np.logical_and.reduce(~full, axis=2)
    return before
