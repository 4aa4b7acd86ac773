"""What a followed simulation has reported so far, and whether to connect again."""

import json
from collections.abc import Callable

from httpx2 import ServerSentEvent

from groundhog_client._errors import ConnectionLost, GroundhogError, UnreadableAnswer
from groundhog_client._operations.simulations.simulations import SimulationEvent
from groundhog_client._protocol.decoding import read
from groundhog_client._protocol.request import Request, nothing, path
from groundhog_client._protocol.retry_policy import Chance, RetryPolicy, is_retryable


class SimulationStream:
    """The state of following one simulation over any number of connections.

    Each connection begins with the present state, so a lost one loses nothing but repeats it.

    Parameters
    ----------
    within : seconds until TimeoutError; None is no limit
    """

    def __init__(
        self,
        simulation_id: str,
        retries: RetryPolicy,
        clock: Callable[[], float],
        chance: Chance,
        within: float | None,
    ) -> None:
        where = path("simulations", simulation_id, "events")
        self.request: Request[None] = Request("GET", where, nothing, headers={"Accept": "text/event-stream"})
        self.over = False
        self._retries, self._clock, self._chance = retries, clock, chance
        self._until = float("inf") if within is None else clock() + within
        self._last: SimulationEvent | None = None
        self._failures = 0

    def seconds(self) -> float:
        """Return how long to wait for the next event on a connection.

        Raises
        ------
        TimeoutError: time is up and the simulation is not over
        """
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("the simulation is not over yet; it continues")
        return min(self._retries.timeout, left)

    def receive(self, received: ServerSentEvent) -> SimulationEvent | None:
        """Record an event and return it; None where it repeats the last one."""
        event = _event(received)
        known, self._last = event == self._last, event
        self.over, self._failures = event.over, 0
        return None if known else event

    def connection_ended(self) -> None:
        """Record that a connection ended.

        Raises
        ------
        ConnectionLost: the simulation was not over
        """
        if not self.over:
            raise ConnectionLost("the service ended the connection before the simulation was over")

    def wait_after(self, error: GroundhogError) -> float:
        """Return the seconds until the next connection.

        Raises
        ------
        GroundhogError: the error, where another connection is useless
        """
        self._failures += 1
        if self._failures > self._retries.attempts or not is_retryable(error, repeatable=True):
            raise error
        return self._retries.wait_after(self._failures, error, self._chance)


def _event(received: ServerSentEvent) -> SimulationEvent:
    try:
        data = dict(json.loads(received.data))
    except (TypeError, ValueError) as error:
        raise UnreadableAnswer(f"a simulation's event is not JSON: {received.data[:80]!r}") from error
    return read(SimulationEvent, data | {"state": received.event})
