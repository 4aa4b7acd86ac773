"""The synchronous client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx2

from groundhog_client._decisions.circuit_breaker import CircuitBreaker, quick_retry
from groundhog_client._decisions.decision import Decision, decided
from groundhog_client._decisions.split_cache import SplitCache
from groundhog_client._deprecated import deprecated_arguments, warn
from groundhog_client._errors import Conflict, GroundhogError, NotFound
from groundhog_client._events.batching import DEFAULT_BATCHING, Batching
from groundhog_client._events.event_buffer import EventBuffer
from groundhog_client._events.event_sender import EventSender, OnRejected, log_rejection
from groundhog_client._operations.assignments.assignments import assign
from groundhog_client._operations.assignments.splits import Split, read_split
from groundhog_client._operations.events import EventsTaken, record_encoded
from groundhog_client._operations.experiments.experiments import Experiment, NewVariant
from groundhog_client._operations.experiments.settings import Settings
from groundhog_client._operations.simulations.simulations import Simulation, SimulationEvent
from groundhog_client._operations.sync_operations import SyncOperations
from groundhog_client._protocol.call import Calls
from groundhog_client._protocol.request import Request
from groundhog_client._protocol.response_cache import ResponseCache
from groundhog_client._protocol.retry_policy import DEFAULT_RETRIES, RetryPolicy
from groundhog_client._simulation_stream import SimulationStream
from groundhog_client._transport.transport import Transport

T = TypeVar("T")


class Client(SyncOperations):
    """A connection to a Groundhog service, with a method for each of its operations. Threads may share it.

    Parameters
    ----------
    url : where the service is, as in http://localhost:8000
    api_key : sent as ``Authorization: Bearer``
    retries : how long a call may take and how often a request is sent
    cache_size : how many allocations are cached by their ETag
    http : an httpx2.Client of your own, for proxies, certificates or tests; it stays yours to close
    """

    @deprecated_arguments(patience="retries", kept_answers="cache_size")
    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retries: RetryPolicy = DEFAULT_RETRIES,
        cache_size: int = 256,
        http: httpx2.Client | None = None,
    ) -> None:
        calls = Calls(retries, ResponseCache(cache_size))
        self._transport = Transport(url, api_key, calls, http)
        self._event_transport = Transport(url, api_key, calls, http)  # no lock of it is ever held by a caller
        self._breaker = CircuitBreaker(calls.clock)
        self._splits = SplitCache(calls.clock, calls.service_clock)
        self._senders: list[EventSender] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Deliver the events that senders hold, then close the connections.

        Raises
        ------
        EventsNotSent: the service did not take all of them in time
        """
        with ExitStack() as stack:
            stack.callback(self._transport.close)
            stack.callback(self._event_transport.close)
            for sender in self._senders:
                stack.callback(sender.close)

    @deprecated_arguments(patience="retries")
    def call(self, request: Request[T], /, retries: RetryPolicy | None = None) -> T:
        """Send the request of an operation, perhaps with another retry policy."""
        return self._transport.call(request, retries)

    def read_telemetry(self) -> str:
        """Return what `read_prometheus_metrics` returns; the name of version 0.1.0."""
        warn("read_telemetry", "read_prometheus_metrics")
        return self.read_prometheus_metrics()

    def ensure_experiment(
        self,
        experiment_id: str,
        variants: Sequence[NewVariant | Mapping[str, Any] | str] = (),
        **settings: Unpack[Settings],
    ) -> Experiment:
        """Return an experiment; where there is none, create it with these settings and first variants.

        Safe to repeat and to race. An experiment that exists is returned as it is, whatever is given here.
        """
        with suppress(NotFound):
            return self.read_experiment(experiment_id)
        with suppress(Conflict):  # another program created it meanwhile
            self.create_experiment(experiment_id, variants, **settings)
        return self.read_experiment(experiment_id)

    def decide(
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
        outcome = self._quickly(assign(experiment_id, unit_id), within)
        return decided(experiment_id, unit_id, default, outcome)

    def decide_locally(
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
            outcome = self._quickly(read_split(experiment_id), within)
            split = self._splits.put(experiment_id, outcome)
        drawn = split.draw(unit_id) if isinstance(split, Split) else split
        return decided(experiment_id, unit_id, default, drawn)

    def _quickly(self, request: Request[T], within: float) -> T | GroundhogError:
        """Return what the answer holds, or why the service is away; any other error is raised."""
        error = self._breaker.open_because()
        if error is not None:
            return error
        try:
            found = self.call(request, quick_retry(self._transport.calls.retries, within))
        except GroundhogError as failure:
            return self._breaker.record_failure(failure)
        self._breaker.record_success()
        return found

    def follow_simulation(
        self, simulation_id: str, *, within: float | None = None
    ) -> Iterator[SimulationEvent]:
        """Return a simulation's changes as they happen, the last one when it is over.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        calls = self._transport.calls
        stream = SimulationStream(simulation_id, calls.retries, calls.clock, calls.chance, within)
        while not stream.over:
            try:
                with self._transport.stream(stream.request, stream.seconds()) as received:
                    for one in received:
                        event = stream.receive(one)
                        if event is not None:
                            yield event
                stream.connection_ended()
            except GroundhogError as error:
                time.sleep(stream.wait_after(error))

    def wait_for_simulation(self, simulation_id: str, *, within: float | None = None) -> Simulation:
        """Return a simulation once it is over: done, failed or cancelled.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        for _ in self.follow_simulation(simulation_id, within=within):
            pass
        return self.read_simulation(simulation_id)

    @deprecated_arguments(on_refused="on_rejected")
    def event_sender(
        self, batching: Batching = DEFAULT_BATCHING, *, on_rejected: OnRejected = log_rejection
    ) -> EventSender:
        """Return a sender of events in batches, which is closed with this client at the latest.

        Parameters
        ----------
        on_rejected : called with every event the service does not take, and why; an error in it is logged
        """
        calls = self._transport.calls
        buffer = EventBuffer(batching, calls.retries, calls.clock, calls.chance, calls.service_clock)
        sender = EventSender(buffer, self._send_once, on_rejected)
        self._senders.append(sender)
        return sender

    def _send_once(self, events: Sequence[bytes]) -> EventsTaken:
        """Send a batch once: the sender repeats it."""
        once = replace(self._transport.calls.retries, attempts=1)
        return self._event_transport.call(record_encoded(events), once)
