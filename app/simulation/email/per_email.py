"""Every e-mail is decided with what is known by then."""

from collections import deque

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.sequential.unit_loop import UnitCounts, play_units
from app.simulation.email.policies import EmailPolicy
from app.simulation.email.scenario import EmailScenario


class PerEmailPlay:
    """A policy that decides e-mail by e-mail in r replications.

    A conversion that takes `delay` e-mails to be known is a failure until then.
    """

    def __init__(
        self, scenario: EmailScenario, contestant: EmailPolicy, rows: int, rng: np.random.Generator
    ) -> None:
        self._policy = contestant.sequence(scenario.k, rows, rng, scenario.value, scenario.cost)
        self._delay, self._nothing = scenario.delay_in_emails, np.zeros(rows, dtype=np.bool_)
        self._coming: deque[Integers] = deque()

    def begin_day(self, sent: Floats, won: Floats) -> None:
        """Days mean nothing to it."""

    def decide(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """What becomes of the next e-mails, each decided after the outcomes before it."""
        if self._delay:
            return play_units(self._policy.choose, self._show_late, uniform, rates)
        return self._policy.play(uniform, rates)

    def end_day(self, sent: Floats, won: Floats) -> None:
        """Days mean nothing to it."""

    def known(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Trials and successes (k, r) without the conversions that are still to come."""
        late = np.zeros(won.size)
        for cells in self._coming:
            late[cells] += 1
        return sent, won - late.reshape(won.shape)

    def _show_late(self, cells: Integers, won: Booleans) -> None:
        self._coming.append(cells[won])
        self._policy.learn(cells, self._nothing)
        if len(self._coming) > self._delay:
            self._policy.succeed(self._coming.popleft())
