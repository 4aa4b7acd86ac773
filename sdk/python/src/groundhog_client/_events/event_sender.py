"""Sending events in batches from a background thread."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from groundhog_client._decisions.decision import Decision
from groundhog_client._deprecated import warn
from groundhog_client._errors import BufferFull, EventsNotSent, GroundhogError
from groundhog_client._events.batching import Rejection
from groundhog_client._events.event_buffer import CLOSING_RETRY, EventBuffer
from groundhog_client._operations.events import Event, EventsTaken
from groundhog_client._process.exit import call_at_exit, forget_at_exit
from groundhog_client._process.fork import renew_after_fork

logger = logging.getLogger("groundhog_client")

SendBatch = Callable[[Sequence[bytes]], EventsTaken]
OnRejected = Callable[[Rejection], None]


def log_rejection(rejection: Rejection) -> None:
    """Log a rejected event: the default for ``on_rejected``."""
    logger.warning("an event was rejected (%s): %s %s", rejection.reason, rejection.detail, rejection.event)


def report_rejections(on_rejected: OnRejected, rejections: Iterable[Rejection]) -> None:
    """Report what was rejected; an error in the program's own function must not stop the sending."""
    for rejection in rejections:
        try:
            on_rejected(rejection)
        except Exception:
            logger.exception("on_rejected failed, so that this was not reported: %s", rejection)


def unexpected_failure(error: Exception) -> GroundhogError:
    """Return the error of an attempt that failed in an unexpected way: it is repeated like any that failed."""
    logger.error("an attempt to send events failed unexpectedly, and will be repeated", exc_info=error)
    return GroundhogError(f"the attempt failed: {error!r}")


def outcome_of(send: SendBatch, batch: Sequence[bytes]) -> EventsTaken | GroundhogError:
    """Return the answer to a batch, or the error that came instead."""
    try:
        return send(batch)
    except GroundhogError as error:
        return error
    except Exception as error:
        return unexpected_failure(error)


class EventSender:
    """Accepts events immediately and sends them in batches: by number, by age, on `flush` and on `close`.

    While the service is away they are held, and sent again with the same ids until it takes them; when no more
    can be held, adding one waits. A program that ends without closing it delivers first. Threads may share it; a
    forked child has it without the events of its parent, which the parent sends.
    """

    def __init__(self, buffer: EventBuffer, send: SendBatch, on_rejected: OnRejected) -> None:
        self._buffer, self._send, self._on_rejected = buffer, send, on_rejected
        self._changed = threading.Condition()
        self._goal, self._reported = 0, 0
        self._closed = self._running = self._sending = False
        renew_after_fork(self)
        call_at_exit(self._at_exit)

    def _after_fork(self) -> None:
        """Leave the parent's events to it, and its thread and lock behind."""
        self._changed, self._running, self._sending = threading.Condition(), False, False
        self._buffer.clear()
        self._goal = self._reported = self._buffer.settled

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def last_error(self) -> GroundhogError | None:
        """Why the last batch failed; None once one was taken."""
        return self._buffer.last_error

    @property
    def trouble(self) -> GroundhogError | None:
        """Deprecated: `last_error`."""
        warn("EventSender.trouble", "EventSender.last_error")
        return self.last_error

    def record_exposure(self, decision: Decision) -> None:
        """Send that a unit was shown what was decided; a fallback is no exposure and sends nothing."""
        if decision.assignment is not None:
            self.exposure(decision.experiment_id, decision.unit_id, decision.assignment.revision)

    def shown(self, decision: Decision) -> None:
        """Deprecated: `record_exposure`."""
        warn("EventSender.shown", "EventSender.record_exposure")
        self.record_exposure(decision)

    def exposure(self, experiment_id: str, unit_id: str, revision: str | None = None) -> None:
        """Send that a unit was shown its variant, and the revision of the shares it was drawn with."""
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
        BufferFull: there was no room in time; the event was not accepted
        ValueError, TypeError: the event cannot be sent; its field is named
        """
        pending = self._buffer.pending(event)
        with self._changed:
            if self._closed:
                raise GroundhogError("the sender is closed")
            if not self._changed.wait_for(lambda: not self._buffer.full, self._buffer.batching.room_within):
                raise BufferFull(f"{len(self._buffer)} events wait, because of: {self.last_error}")
            self._buffer.add(pending)
            self._run()
            self._changed.notify_all()

    def flush(self, within: float | None = None) -> None:
        """Return once all events added so far were answered; some may have to be sent again (`Batching`).

        Raises
        ------
        EventsNotSent: they were not ``within`` so many seconds; they are held, and sent later
        """
        seconds = self._buffer.batching.deliver_within if within is None else within
        with self._changed:
            self._goal = goal = self._buffer.added
            self._run()
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._reported >= goal, seconds):
                raise self._not_sent()

    def close(self) -> None:
        """Deliver what is held, then stop.

        Raises
        ------
        EventsNotSent: the service did not take all in time; the error has the remaining ones
        """
        if self._closed:
            return
        until = time.monotonic() + self._buffer.batching.deliver_within
        try:
            self.flush()
            self._deliver_deferred(until)
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            forget_at_exit(self._at_exit)

    def _deliver_deferred(self, until: float) -> None:
        with self._changed:
            self._buffer.close_within(CLOSING_RETRY)
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: not len(self._buffer) and not self._sending, until - time.monotonic()
            )
            if not done:
                raise self._not_sent()

    def _not_sent(self) -> EventsNotSent:
        remaining = self._buffer.remaining()
        return EventsNotSent(
            f"{len(remaining)} events were not taken, because of: {self.last_error}", remaining
        )

    def _at_exit(self) -> None:
        try:
            self.close()
        except EventsNotSent as error:
            logger.error("the program ends: %s", error)  # noqa: TRY400 - its trace adds nothing

    def _run(self) -> None:
        """Start the thread, where there is none yet in this process."""
        if self._running or not len(self._buffer):
            return
        self._running = True  # first: a signal's handler may come here before the thread has started
        try:
            threading.Thread(target=self._deliver, name="groundhog-events", daemon=True).start()
        except RuntimeError:
            self._running = False
            raise

    def _deliver(self) -> None:
        while (batch := self._next_batch()) is not None:
            outcome = outcome_of(self._send, batch)
            with self._changed:
                rejections = self._buffer.settle(batch, outcome)
            report_rejections(self._on_rejected, rejections)
            with self._changed:
                self._reported = self._buffer.settled  # only now: `flush` returns after the last report
                self._sending = False
                self._changed.notify_all()

    def _next_batch(self) -> list[bytes] | None:
        """Wait for the next batch; None once the sender is closed."""
        with self._changed:
            while not self._closed:
                seconds = self._buffer.seconds_until_due(hurry=self._buffer.settled < self._goal)
                if seconds <= 0:
                    self._sending = True
                    return self._buffer.batch()
                self._changed.wait(None if seconds == float("inf") else seconds)
        return None
