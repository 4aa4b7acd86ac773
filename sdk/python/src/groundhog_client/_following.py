"""What has been heard of a simulation that is followed, and whether to go on listening."""

import json
from collections.abc import Callable

from httpx2 import ServerSentEvent

from groundhog_client._errors import ConnectionLost, GroundhogError, UnreadableAnswer
from groundhog_client._patience import Chance, Patience, worth_repeating
from groundhog_client._reading import read
from groundhog_client._simulations import SimulationEvent
from groundhog_client._wire import Request, nothing, path


class Following:
    """The state of following one simulation over any number of connections.

    Each connection begins with the present state, so a lost one loses nothing but repeats it.

    Parameters
    ----------
    within : seconds until TimeoutError; None is no limit
    """

    def __init__(
        self,
        simulation_id: str,
        patience: Patience,
        clock: Callable[[], float],
        chance: Chance,
        within: float | None,
    ) -> None:
        where = path("simulations", simulation_id, "events")
        self.request: Request[None] = Request("GET", where, nothing, headers={"Accept": "text/event-stream"})
        self.over = False
        self._patience, self._clock, self._chance = patience, clock, chance
        self._until = float("inf") if within is None else clock() + within
        self._last: SimulationEvent | None = None
        self._failures = 0

    def seconds(self) -> float:
        """Return how long to wait for the next event on a connection.

        Raises
        ------
        TimeoutError: it is not over, and the time is
        """
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("the simulation is not over yet; it goes on")
        return min(self._patience.timeout, left)

    def heard(self, said: ServerSentEvent) -> SimulationEvent | None:
        """Take note of what the service said; return it where it is news."""
        event = _event(said)
        known, self._last = event == self._last, event
        self.over, self._failures = event.over, 0
        return None if known else event

    def ended(self) -> None:
        """Take note that a connection ended.

        Raises
        ------
        ConnectionLost: it ended too early
        """
        if not self.over:
            raise ConnectionLost("the service ended the connection before the simulation was over")

    def wait_after(self, error: GroundhogError) -> float:
        """Return the seconds until the next connection.

        Raises
        ------
        GroundhogError: the error, where another connection is of no use
        """
        self._failures += 1
        if self._failures > self._patience.attempts or not worth_repeating(error, repeatable=True):
            raise error
        return self._patience.wait_after(self._failures, error, self._chance)


def _event(said: ServerSentEvent) -> SimulationEvent:
    try:
        data = dict(json.loads(said.data))
    except (TypeError, ValueError) as error:
        raise UnreadableAnswer(f"a simulation's event is not JSON: {said.data[:80]!r}") from error
    return read(SimulationEvent, data | {"state": said.event})
