"""Sending events in batches from an asyncio task."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from groundhog_client._decisions.decision import Decision
from groundhog_client._deprecated import warn
from groundhog_client._errors import BufferFull, EventsNotSent, GroundhogError
from groundhog_client._events.event_buffer import CLOSING_RETRY, EventBuffer
from groundhog_client._events.event_sender import (
    OnRejected,
    SendBatch,
    report_rejections,
    unexpected_failure,
)
from groundhog_client._events.final_delivery import deliver_remaining
from groundhog_client._operations.events import Event, EventsTaken
from groundhog_client._process.exit import call_at_exit, forget_at_exit
from groundhog_client._process.fork import renew_after_fork

logger = logging.getLogger("groundhog_client")

AsyncSendBatch = Callable[[Sequence[bytes]], Awaitable[EventsTaken]]


class AsyncEventSender:
    """Accepts events immediately and sends them in batches: by number, by age, on `flush` and on `aclose`.

    While the service is away they are held, and sent again with the same ids until it takes them; when no more
    can be held, adding one waits. It works in one event loop after another, but not in two at once. A program that
    ends without closing it delivers first; a forked child has it without its parent's events.

    Parameters
    ----------
    send_last : sends by blocking what is held when the process ends; None where nothing can
    """

    def __init__(
        self,
        buffer: EventBuffer,
        send: AsyncSendBatch,
        on_rejected: OnRejected,
        send_last: SendBatch | None = None,
    ) -> None:
        self._buffer, self._send, self._on_rejected = buffer, send, on_rejected
        self._send_last = send_last
        self._goal, self._closed = 0, False
        self._loop: asyncio.AbstractEventLoop | None
        self._task: asyncio.Task[None] | None
        self._leave_loop()
        renew_after_fork(self)
        call_at_exit(self._at_exit)

    def _after_fork(self) -> None:
        """Leave the parent's events and its loop behind."""
        self._leave_loop()
        self._buffer.clear()
        self._goal = self._buffer.settled

    def _leave_loop(self) -> None:
        self._loop, self._task = None, None
        self._changed = asyncio.Condition()

    def _enter_loop(self) -> None:
        """Work in the running loop from now on.

        Raises
        ------
        GroundhogError: the sender works in another loop that still runs
        """
        here = asyncio.get_running_loop()
        if self._loop is here:
            return
        if self._loop is not None and self._loop.is_running():
            raise GroundhogError(
                "this sender works in another event loop, which still runs: make one for each loop"
                " (AsyncClient.event_sender)"
            )
        if self._task is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._leave_loop()
        self._loop = here

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def last_error(self) -> GroundhogError | None:
        """Why the last batch failed; None once one was taken."""
        return self._buffer.last_error

    @property
    def trouble(self) -> GroundhogError | None:
        """Deprecated: `last_error`."""
        warn("AsyncEventSender.trouble", "AsyncEventSender.last_error")
        return self.last_error

    async def record_exposure(self, decision: Decision) -> None:
        """Send that a unit was shown what was decided; a fallback is no exposure and sends nothing."""
        if decision.assignment is not None:
            await self.exposure(decision.experiment_id, decision.unit_id, decision.assignment.revision)

    async def shown(self, decision: Decision) -> None:
        """Deprecated: `record_exposure`."""
        warn("AsyncEventSender.shown", "AsyncEventSender.record_exposure")
        await self.record_exposure(decision)

    async def exposure(self, experiment_id: str, unit_id: str, revision: str | None = None) -> None:
        """Send that a unit was shown its variant, and the revision of the shares it was drawn with."""
        await self.add(Event(experiment_id, unit_id, "exposure", revision=revision))

    async def conversion(self, experiment_id: str, unit_id: str) -> None:
        """Send that a unit converted."""
        await self.add(Event(experiment_id, unit_id, "conversion"))

    async def value(self, experiment_id: str, unit_id: str, value: float) -> None:
        """Send what a unit was worth; values of a unit add up."""
        await self.add(Event(experiment_id, unit_id, "value", value))

    async def add(self, event: Event) -> None:
        """Send an event.

        Raises
        ------
        BufferFull: there was no room in time; the event was not accepted
        ValueError, TypeError: the event cannot be sent; its field is named
        """
        pending = self._buffer.pending(event)
        self._enter_loop()
        async with self._changed:
            if self._closed:
                raise GroundhogError("the sender is closed")
            if not await self._becomes(lambda: not self._buffer.full, self._buffer.batching.room_within):
                raise BufferFull(f"{len(self._buffer)} events wait, because of: {self.last_error}")
            self._buffer.add(pending)
            self._run()
            self._changed.notify_all()

    async def flush(self, within: float | None = None) -> None:
        """Return once all events added so far were answered; some may have to be sent again (`Batching`).

        Raises
        ------
        EventsNotSent: they were not ``within`` so many seconds; they are held, and sent later
        """
        seconds = self._buffer.batching.deliver_within if within is None else within
        self._enter_loop()
        async with self._changed:
            self._goal = goal = self._buffer.added
            self._run()
            self._changed.notify_all()
            if not await self._becomes(lambda: self._buffer.settled >= goal, seconds):
                raise self._not_sent()

    async def aclose(self) -> None:
        """Deliver what is held, then stop.

        Raises
        ------
        EventsNotSent: the service did not take all in time; the error has the remaining ones
        """
        if self._closed:
            return
        until = time.monotonic() + self._buffer.batching.deliver_within
        try:
            await self.flush()
            await self._deliver_deferred(until)
        finally:
            self._closed = True
            forget_at_exit(self._at_exit)
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _deliver_deferred(self, until: float) -> None:
        async with self._changed:
            self._buffer.close_within(CLOSING_RETRY)
            self._changed.notify_all()
            if not await self._becomes(lambda: not len(self._buffer), until - time.monotonic()):
                raise self._not_sent()

    def _not_sent(self) -> EventsNotSent:
        remaining = self._buffer.remaining()
        return EventsNotSent(
            f"{len(remaining)} events were not taken, because of: {self.last_error}", remaining
        )

    def _at_exit(self) -> None:
        """Deliver what is held: the process ends, and with it the loop."""
        if self._send_last is not None:
            deliver_remaining(self._buffer, self._send_last, self._on_rejected)
        if len(self._buffer):
            logger.error("the program ends: %s", self._not_sent())

    async def _becomes(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds; return whether it did within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._changed.wait_for(condition)
        except TimeoutError:
            return False

    async def _notified(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _run(self) -> None:
        if len(self._buffer) and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._deliver(), name="groundhog-events")

    async def _deliver(self) -> None:
        while True:
            batch = await self._next_batch()
            outcome = await self._outcome(batch)
            report_rejections(self._on_rejected, self._buffer.settle(batch, outcome))
            async with self._changed:
                self._changed.notify_all()

    async def _next_batch(self) -> list[bytes]:
        """Wait for the next batch."""
        async with self._changed:
            while (seconds := self._buffer.seconds_until_due(hurry=self._buffer.settled < self._goal)) > 0:
                await self._notified(seconds)
            return self._buffer.batch()

    async def _outcome(self, batch: Sequence[bytes]) -> EventsTaken | GroundhogError:
        try:
            return await self._send(batch)
        except GroundhogError as error:
            return error
        except Exception as error:
            return unexpected_failure(error)
