"""Events that wait to be sent, without I/O: what is sent next, what a failure means."""

import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import islice
from typing import Any

from groundhog_client._errors import GroundhogError, Problem, UnreadableAnswer
from groundhog_client._events.batching import Batching, Rejection
from groundhog_client._events.pending import Pending
from groundhog_client._operations.events import Event, EventResult, EventsTaken
from groundhog_client._protocol.retry_policy import Chance, RetryPolicy
from groundhog_client._protocol.service_clock import ServiceClock

FIELD_OF_EVENT = re.compile(r"body\.(\d+)(?:\.|$)")
NOT_ABOUT_EVENTS = frozenset({401, 407, 408, 425, 429})
"""Statuses of 4xx that another key, or time, resolves: the events are valid."""
REASONS = {403: "forbidden", 404: "not_found", 409: "conflict"}
"""The reason given when a whole message is rejected; for any other status it is ``invalid``."""
PASSING = frozenset({"no_exposure", "before_assignment", "in_future"})
"""Reasons that pass with time: another process sends the exposure, the difference of the clocks is learned."""
FIRST_RETRY, LONGEST_RETRY = 1.0, 16.0
"""Seconds until an event is sent again that was rejected for a reason that passes; they double each time."""
CLOSING_RETRY = 5.0
"""Seconds for which such events are sent again once the sender is closed."""


class EventBuffer:
    """Events in the order they were added; the first ones are sent as a batch and stay until the service has them.

    An event leaves only when it was taken, or was itself rejected. A batch that failed is sent again unchanged,
    with the same event ids, so that what was taken before the connection broke counts once. A batch that was
    rejected as a whole is sent in halves, so that no event keeps the ones behind it from the service. An event
    that was rejected for a reason that passes with time is deferred, and sent again for a while.

    ``added`` and ``settled`` count events: all, and those that were answered at least once.
    """

    def __init__(
        self,
        batching: Batching,
        retries: RetryPolicy,
        clock: Callable[[], float],
        chance: Chance,
        service_clock: ServiceClock | None = None,
    ) -> None:
        self.batching = batching
        self.added = self.settled = 0
        self.last_error: GroundhogError | None = None
        self._waiting: deque[Pending] = deque()
        self._deferred: list[Pending] = []
        self._size = batching.size
        self._failures, self._again_at, self._close_at = 0, 0.0, float("inf")
        self._retries, self._clock, self._chance = retries, clock, chance
        self._service_clock = service_clock or ServiceClock()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._deferred)

    @property
    def full(self) -> bool:
        """Whether another event has to wait for room."""
        return len(self) >= self.batching.capacity

    def pending(self, event: Event) -> Pending:
        """Return an event in the form that is added.

        Raises
        ------
        ValueError, TypeError: it cannot be sent as JSON; the field is named
        """
        return Pending.of(event, self._clock())

    def add(self, event: Pending) -> None:
        """Put an event at the end."""
        self._waiting.append(event)
        self.added += 1

    def clear(self) -> None:
        """Drop all events without an answer."""
        self._waiting.clear()
        self._deferred.clear()
        self.settled = self.added
        self._recovered()

    def close_within(self, seconds: float) -> None:
        """Send deferred events again soon, and report those that are still rejected after so many seconds."""
        self._close_at = min(self._close_at, self._clock() + seconds)
        for one in self._deferred:
            one.due = min(one.due, self._clock() + FIRST_RETRY)

    def remaining(self) -> list[dict[str, Any]]:
        """Return the events that wait."""
        return [one.fields(self._service_clock.offset) for one in [*self._deferred, *self._waiting]]

    def seconds_until_due(self, hurry: bool) -> float:
        """Return the seconds until the next batch should be sent; infinity without one.

        Parameters
        ----------
        hurry : whether not to wait for more events
        """
        if not len(self):
            return float("inf")
        due = min([one.due for one in self._deferred], default=float("inf"))
        if self._waiting:
            complete = hurry or len(self._waiting) >= self._size
            due = 0.0 if complete else min(due, self._waiting[0].added_at + self.batching.interval)
        return max(0.0, max(due, self._again_at) - self._clock())

    def batch(self) -> list[bytes]:
        """Return the next batch, which begins with the deferred events that are due."""
        due = [one for one in self._deferred if one.due <= self._clock()]
        self._deferred = [one for one in self._deferred if one.due > self._clock()]
        self._waiting.extendleft(reversed(due))
        return [one.written(self._service_clock.offset) for one in islice(self._waiting, self._size)]

    def settle(self, batch: Sequence[bytes], outcome: EventsTaken | GroundhogError) -> list[Rejection]:
        """Record what became of a batch, and return what was rejected."""
        if isinstance(outcome, EventsTaken) and len(outcome.items) != len(batch):
            outcome = UnreadableAnswer("the answer does not say of every event what became of it")
        if isinstance(outcome, EventsTaken):
            return self._taken(outcome)
        if isinstance(outcome, Problem) and _is_about_events(outcome):
            return self._rejected(len(batch), outcome)
        self._failed(outcome)
        return []

    def _taken(self, taken: EventsTaken) -> list[Rejection]:
        sent = self._leave(len(taken.items))
        self._recovered()
        self._size = min(self.batching.size, self._size * 2)
        results = zip(sent, taken.items, strict=True)
        rejected = [(one, result) for one, result in results if result.status == "refused"]
        final = [(one, result) for one, result in rejected if not self._defer(one, result)]
        return [self._rejection(one, result.reason or "", result.detail or "") for one, result in final]

    def _defer(self, one: Pending, result: EventResult) -> bool:
        """Have an event sent again later, if the reason passes with time and there is time left."""
        now = self._clock()
        if not one.rejections:
            one.rejected_at = now
        wait = min(LONGEST_RETRY, FIRST_RETRY * 2.0**one.rejections)
        until = min(one.rejected_at + self.batching.retry_rejected_for, self._close_at)
        wait = FIRST_RETRY if self._close_at < float("inf") else wait
        if result.reason not in PASSING or now + wait > until:
            return False
        one.rejections, one.due = one.rejections + 1, now + wait
        self._deferred.append(one)
        return True

    def _rejected(self, sent: int, problem: Problem) -> list[Rejection]:
        errors = _errors_by_place(problem, sent)
        if not errors:  # the answer does not say which event it is: smaller batches will show
            self._size, self.last_error = sent // 2, problem
            return []
        self._recovered()
        reason = REASONS.get(problem.status, "invalid")
        removed = self._remove(sent, errors)
        return [
            self._rejection(one, reason, detail) for one, detail in zip(removed, errors.values(), strict=True)
        ]

    def _remove(self, sent: int, places: Container[int]) -> list[Pending]:
        """Remove the events at these places of a batch and return them; the others are sent again."""
        batch = [self._waiting.popleft() for _ in range(sent)]
        removed = [one for place, one in enumerate(batch) if place in places]
        self._waiting.extendleft(
            one for place, one in reversed(list(enumerate(batch))) if place not in places
        )
        self._count(removed)
        return removed

    def _leave(self, number: int) -> list[Pending]:
        batch = [self._waiting.popleft() for _ in range(number)]
        self._count(batch)
        return batch

    def _count(self, answered: Iterable[Pending]) -> None:
        """Count events as settled; those that were deferred are already."""
        self.settled += sum(not one.rejections for one in answered)

    def _failed(self, error: GroundhogError) -> None:
        self.last_error = error
        self._failures += 1
        self._again_at = self._clock() + self._retries.wait_after(self._failures, error, self._chance)

    def _recovered(self) -> None:
        self._failures, self._again_at, self.last_error = 0, 0.0, None

    def _rejection(self, one: Pending, reason: str, detail: str) -> Rejection:
        return Rejection(one.fields(self._service_clock.offset), reason, detail)


def _is_about_events(problem: Problem) -> bool:
    """Return whether a message is rejected for what it holds, not for its sender or for the moment."""
    return 400 <= problem.status < 500 and problem.status not in NOT_ABOUT_EVENTS


def _errors_by_place(problem: Problem, sent: int) -> dict[int, str]:
    """Return the places of the rejected events, each with a sentence; none where the answer does not say."""
    if sent == 1:
        return {0: problem.errors[0].message if problem.errors else problem.detail}
    found = ((FIELD_OF_EVENT.match(error.field), error.message) for error in problem.errors)
    places = {int(match[1]): message for match, message in found if match}
    return {place: places[place] for place in sorted(places) if place < sent}
