"""Sending events in batches from a thread of its own."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from groundhog_client._deciding import Decision
from groundhog_client._errors import BufferFull, EventsNotSent, GroundhogError
from groundhog_client._events import Event, EventsTaken
from groundhog_client._outbox import Outbox, Refusal
from groundhog_client._wire import encode

logger = logging.getLogger("groundhog_client")

Send = Callable[[Sequence[bytes]], EventsTaken]
OnRefused = Callable[[Refusal], None]


def log_refusal(refusal: Refusal) -> None:
    """Say in the log what was refused: what is done where nothing else was asked for."""
    logger.warning("an event was refused (%s): %s %s", refusal.reason, refusal.detail, refusal.event)


def tell(on_refused: OnRefused, refusals: Iterable[Refusal]) -> None:
    """Tell what was refused; an error of the program's own in hearing it must not stop the sending."""
    for refusal in refusals:
        try:
            on_refused(refusal)
        except Exception:
            logger.exception("on_refused failed, so that nobody heard of %s", refusal)


def broken(error: Exception) -> GroundhogError:
    """Return what stands for an attempt that broke as nobody foresaw: it is made again, like any that failed."""
    logger.error("an attempt to send events broke, and will be made again", exc_info=error)
    return GroundhogError(f"the attempt broke: {error!r}")


class EventSender:
    """Takes events at once and sends them in batches: when enough wait, when some wait long enough, when closed.

    While the service is away they are held, and sent again with the same ids until it takes them; when no more can
    be held, adding one waits. A program that ends without closing it delivers first. Threads may share it; a
    process that forks should make its own.
    """

    def __init__(self, outbox: Outbox, send: Send, on_refused: OnRefused) -> None:
        self._outbox, self._send, self._on_refused = outbox, send, on_refused
        self._changed = threading.Condition()
        self._goal, self._told, self._closed = 0, 0, False
        self._thread: threading.Thread | None = None
        atexit.register(self._at_exit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def trouble(self) -> GroundhogError | None:
        """Why events are held at present; None while all is well."""
        return self._outbox.trouble

    def __len__(self) -> int:
        return len(self._outbox)

    def shown(self, decision: Decision) -> None:
        """Send that a unit was shown what was decided; a fallback is no exposure and sends nothing."""
        if decision.assignment is not None:
            self.exposure(decision.experiment_id, decision.unit_id, decision.assignment.revision)

    def exposure(self, experiment_id: str, unit_id: str, revision: str | None = None) -> None:
        """Send that a unit was shown its variant, and by which revision's shares it was drawn."""
        self.add(Event(experiment_id, unit_id, "exposure", revision=revision))

    def conversion(self, experiment_id: str, unit_id: str) -> None:
        """Send that a unit converted."""
        self.add(Event(experiment_id, unit_id, "conversion"))

    def value(self, experiment_id: str, unit_id: str, value: float) -> None:
        """Send what a unit was worth; values of a unit add up."""
        self.add(Event(experiment_id, unit_id, "value", value))

    def add(self, event: Event) -> None:
        """Send an event.

        Raises
        ------
        BufferFull: there was no room in time; the event was not taken
        """
        written = encode(event)
        with self._changed:
            if self._closed:
                raise GroundhogError("the sender is closed")
            if not self._changed.wait_for(lambda: not self._outbox.full, self._outbox.batching.room_within):
                raise BufferFull(f"{len(self._outbox)} events wait, because of: {self.trouble}")
            self._outbox.add(written)
            self._run()
            self._changed.notify_all()

    def flush(self, within: float | None = None) -> None:
        """Return once all events added so far were answered.

        Raises
        ------
        EventsNotSent: they were not ``within`` so many seconds; they are held, and sent on
        """
        seconds = self._outbox.batching.deliver_within if within is None else within
        with self._changed:
            self._goal = goal = self._outbox.added
            self._run()
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._told >= goal, seconds):
                raise self._not_sent()

    def close(self) -> None:
        """Deliver what is held, then stop.

        Raises
        ------
        EventsNotSent: the service did not take all in time; the error has those that are left
        """
        atexit.unregister(self._at_exit)
        if self._closed:
            return
        try:
            self.flush()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _not_sent(self) -> EventsNotSent:
        left = self._outbox.left()
        return EventsNotSent(f"{len(left)} events were not taken, because of: {self.trouble}", left)

    def _at_exit(self) -> None:
        try:
            self.close()
        except EventsNotSent as error:
            logger.error("the program ends: %s", error)  # noqa: TRY400 - its trace says nothing more

    def _run(self) -> None:
        if len(self._outbox) and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._deliver, name="groundhog-events", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while (batch := self._next_batch()) is not None:
            outcome = self._outcome(batch)
            with self._changed:
                refusals = self._outbox.settle(batch, outcome)
            tell(self._on_refused, refusals)
            with self._changed:
                self._told = self._outbox.settled  # only now: who flushes and ends the program hears of all
                self._changed.notify_all()

    def _next_batch(self) -> list[bytes] | None:
        """Wait for the next batch; None once the sender is closed."""
        with self._changed:
            while not self._closed:
                seconds = self._outbox.wait(hurry=self._outbox.settled < self._goal)
                if seconds <= 0:
                    return self._outbox.batch()
                self._changed.wait(None if seconds == float("inf") else seconds)
        return None

    def _outcome(self, batch: Sequence[bytes]) -> EventsTaken | GroundhogError:
        try:
            return self._send(batch)
        except GroundhogError as error:
            return error
        except Exception as error:
            return broken(error)
