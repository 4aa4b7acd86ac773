"""The asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx2

from groundhog_client._decisions.circuit_breaker import CircuitBreaker, quick_retry
from groundhog_client._decisions.decision import Decision, decided
from groundhog_client._decisions.split_cache import SplitCache
from groundhog_client._deprecated import deprecated_arguments, warn
from groundhog_client._errors import Conflict, GroundhogError, NotFound
from groundhog_client._events.async_event_sender import AsyncEventSender
from groundhog_client._events.batching import DEFAULT_BATCHING, Batching
from groundhog_client._events.event_buffer import EventBuffer
from groundhog_client._events.event_sender import OnRejected, log_rejection
from groundhog_client._operations.assignments.assignments import assign
from groundhog_client._operations.assignments.splits import Split, read_split
from groundhog_client._operations.async_operations import AsyncOperations
from groundhog_client._operations.events import EventsTaken, record_encoded
from groundhog_client._operations.experiments.experiments import Experiment, NewVariant
from groundhog_client._operations.experiments.settings import Settings
from groundhog_client._operations.simulations.simulations import Simulation, SimulationEvent
from groundhog_client._protocol.call import Calls
from groundhog_client._protocol.request import Request
from groundhog_client._protocol.response_cache import ResponseCache
from groundhog_client._protocol.retry_policy import DEFAULT_RETRIES, RetryPolicy
from groundhog_client._simulation_stream import SimulationStream
from groundhog_client._transport.async_transport import AsyncTransport
from groundhog_client._transport.transport import Transport

T = TypeVar("T")


class AsyncClient(AsyncOperations):
    """A connection to a Groundhog service, with an awaitable method for each operation. It runs on asyncio.

    Parameters
    ----------
    url : where the service is, as in http://localhost:8000
    api_key : sent as ``Authorization: Bearer``
    retries : how long a call may take and how often a request is sent
    cache_size : how many allocations are cached by their ETag
    http : an httpx2.AsyncClient of your own, for proxies, certificates or tests; it stays yours to close
    """

    @deprecated_arguments(patience="retries", kept_answers="cache_size")
    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retries: RetryPolicy = DEFAULT_RETRIES,
        cache_size: int = 256,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        calls = Calls(retries, ResponseCache(cache_size))
        self._transport = AsyncTransport(url, api_key, calls, http)
        self._last_transport = partial(Transport, url, api_key, calls, http=None)
        self._can_send_last = http is None  # else the program's own client is needed, and its event loop
        self._breaker = CircuitBreaker(calls.clock)
        self._splits = SplitCache(calls.clock, calls.service_clock)
        self._senders: list[AsyncEventSender] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Deliver the events that senders hold, then close the connections.

        Raises
        ------
        EventsNotSent: the service did not take all of them in time
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._transport.aclose)
            for sender in self._senders:
                stack.push_async_callback(sender.aclose)

    @deprecated_arguments(patience="retries")
    async def call(self, request: Request[T], /, retries: RetryPolicy | None = None) -> T:
        """Send the request of an operation, perhaps with another retry policy."""
        return await self._transport.call(request, retries)

    async def read_telemetry(self) -> str:
        """Return what `read_prometheus_metrics` returns; the name of version 0.1.0."""
        warn("read_telemetry", "read_prometheus_metrics")
        return await self.read_prometheus_metrics()

    async def ensure_experiment(
        self,
        experiment_id: str,
        variants: Sequence[NewVariant | Mapping[str, Any] | str] = (),
        **settings: Unpack[Settings],
    ) -> Experiment:
        """Return an experiment; where there is none, create it with these settings and first variants.

        Safe to repeat and to race. An experiment that exists is returned as it is, whatever is given here.
        """
        with suppress(NotFound):
            return await self.read_experiment(experiment_id)
        with suppress(Conflict):  # another program created it meanwhile
            await self.create_experiment(experiment_id, variants, **settings)
        return await self.read_experiment(experiment_id)

    async def decide(
        self, experiment_id: str, unit_id: str, *, default: str = "control", within: float = 1.0
    ) -> Decision:
        """Return the variant to show a unit, the service's or, while it is away, ``default``.

        Parameters
        ----------
        within : seconds until the default is shown; for a second after a failure it is shown at once

        Raises
        ------
        Problem: the service rejects the request: no such experiment, no such unit id, no valid API key
        """
        outcome = await self._quickly(assign(experiment_id, unit_id), within)
        return decided(experiment_id, unit_id, default, outcome)

    async def decide_locally(
        self, experiment_id: str, unit_id: str, *, default: str = "control", within: float = 1.0
    ) -> Decision:
        """Return the variant the service would draw for a unit, with at most one request a minute.

        For experiments of assignment_mode rendezvous. While the service is away units are drawn with the
        last known shares. Only `decide` knows forced and merged units, and those exposed with other shares.

        Raises
        ------
        Problem: the service rejects the request: no such experiment, or one that keeps what it assigned (sticky)
        """
        split: Split | GroundhogError | None = self._splits.get(experiment_id)
        if split is None:
            outcome = await self._quickly(read_split(experiment_id), within)
            split = self._splits.put(experiment_id, outcome)
        drawn = split.draw(unit_id) if isinstance(split, Split) else split
        return decided(experiment_id, unit_id, default, drawn)

    async def _quickly(self, request: Request[T], within: float) -> T | GroundhogError:
        """Return what the answer holds, or why the service is away; any other error is raised."""
        error = self._breaker.open_because()
        if error is not None:
            return error
        try:
            found = await self.call(request, quick_retry(self._transport.calls.retries, within))
        except GroundhogError as failure:
            return self._breaker.record_failure(failure)
        self._breaker.record_success()
        return found

    async def follow_simulation(
        self, simulation_id: str, *, within: float | None = None
    ) -> AsyncIterator[SimulationEvent]:
        """Return a simulation's changes as they happen, the last one when it is over.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        calls = self._transport.calls
        stream = SimulationStream(simulation_id, calls.retries, calls.clock, calls.chance, within)
        while not stream.over:
            try:
                async with self._transport.stream(stream.request, stream.seconds()) as received:
                    async for one in received:
                        event = stream.receive(one)
                        if event is not None:
                            yield event
                stream.connection_ended()
            except GroundhogError as error:
                await asyncio.sleep(stream.wait_after(error))

    async def wait_for_simulation(self, simulation_id: str, *, within: float | None = None) -> Simulation:
        """Return a simulation once it is over: done, failed or cancelled.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        async for _ in self.follow_simulation(simulation_id, within=within):
            pass
        return await self.read_simulation(simulation_id)

    @deprecated_arguments(on_refused="on_rejected")
    def event_sender(
        self, batching: Batching = DEFAULT_BATCHING, *, on_rejected: OnRejected = log_rejection
    ) -> AsyncEventSender:
        """Return a sender of events in batches, which is closed with this client at the latest.

        Parameters
        ----------
        on_rejected : called with every event the service does not take, and why; an error in it is logged
        """
        calls = self._transport.calls
        buffer = EventBuffer(batching, calls.retries, calls.clock, calls.chance, calls.service_clock)
        send_last = self._send_last if self._can_send_last else None
        sender = AsyncEventSender(buffer, self._send_once, on_rejected, send_last)
        self._senders.append(sender)
        return sender

    async def _send_once(self, events: Sequence[bytes]) -> EventsTaken:
        """Send a batch once: the sender repeats it."""
        once = replace(self._transport.calls.retries, attempts=1)
        return await self.call(record_encoded(events), once)

    def _send_last(self, events: Sequence[bytes]) -> EventsTaken:
        """Send a batch by blocking, when the process ends."""
        once = replace(self._transport.calls.retries, attempts=1)
        with closing(self._last_transport()) as transport:
            return transport.call(record_encoded(events), once)
