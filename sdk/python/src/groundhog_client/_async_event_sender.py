"""Sending events in batches from a task of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from groundhog_client._deciding import Decision
from groundhog_client._errors import BufferFull, EventsNotSent, GroundhogError
from groundhog_client._event_sender import OnRefused, broken, tell
from groundhog_client._events import Event, EventsTaken
from groundhog_client._outbox import Outbox
from groundhog_client._wire import encode

AsyncSend = Callable[[Sequence[bytes]], Awaitable[EventsTaken]]


class AsyncEventSender:
    """Takes events at once and sends them in batches: when enough wait, when some wait long enough, when closed.

    While the service is away they are held, and sent again with the same ids until it takes them; when no more can
    be held, adding one waits. Close it (``async with``): a loop that ended delivers nothing.
    """

    def __init__(self, outbox: Outbox, send: AsyncSend, on_refused: OnRefused) -> None:
        self._outbox, self._send, self._on_refused = outbox, send, on_refused
        self._changed = asyncio.Condition()
        self._goal, self._closed = 0, False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def trouble(self) -> GroundhogError | None:
        """Why events are held at present; None while all is well."""
        return self._outbox.trouble

    def __len__(self) -> int:
        return len(self._outbox)

    async def shown(self, decision: Decision) -> None:
        """Send that a unit was shown what was decided; a fallback is no exposure and sends nothing."""
        if decision.assignment is not None:
            await self.exposure(decision.experiment_id, decision.unit_id, decision.assignment.revision)

    async def exposure(self, experiment_id: str, unit_id: str, revision: str | None = None) -> None:
        """Send that a unit was shown its variant, and by which revision's shares it was drawn."""
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
        BufferFull: there was no room in time; the event was not taken
        """
        written = encode(event)
        async with self._changed:
            if self._closed:
                raise GroundhogError("the sender is closed")
            if not await self._comes(lambda: not self._outbox.full, self._outbox.batching.room_within):
                raise BufferFull(f"{len(self._outbox)} events wait, because of: {self.trouble}")
            self._outbox.add(written)
            self._run()
            self._changed.notify_all()

    async def flush(self, within: float | None = None) -> None:
        """Return once all events added so far were answered.

        Raises
        ------
        EventsNotSent: they were not ``within`` so many seconds; they are held, and sent on
        """
        seconds = self._outbox.batching.deliver_within if within is None else within
        async with self._changed:
            self._goal = goal = self._outbox.added
            self._run()
            self._changed.notify_all()
            if not await self._comes(lambda: self._outbox.settled >= goal, seconds):
                left = self._outbox.left()
                raise EventsNotSent(f"{len(left)} events were not taken, because of: {self.trouble}", left)

    async def aclose(self) -> None:
        """Deliver what is held, then stop.

        Raises
        ------
        EventsNotSent: the service did not take all in time; the error has those that are left
        """
        if self._closed:
            return
        try:
            await self.flush()
        finally:
            self._closed = True
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _comes(self, wished: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; return whether it came within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._changed.wait_for(wished)
        except TimeoutError:
            return False

    async def _notified(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _run(self) -> None:
        if len(self._outbox) and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._deliver(), name="groundhog-events")

    async def _deliver(self) -> None:
        while True:
            batch = await self._next_batch()
            outcome = await self._outcome(batch)
            tell(self._on_refused, self._outbox.settle(batch, outcome))
            async with self._changed:
                self._changed.notify_all()

    async def _next_batch(self) -> list[bytes]:
        """Wait for the next batch."""
        async with self._changed:
            while (seconds := self._outbox.wait(hurry=self._outbox.settled < self._goal)) > 0:
                await self._notified(seconds)
            return self._outbox.batch()

    async def _outcome(self, batch: Sequence[bytes]) -> EventsTaken | GroundhogError:
        try:
            return await self._send(batch)
        except GroundhogError as error:
            return error
        except Exception as error:
            return broken(error)
