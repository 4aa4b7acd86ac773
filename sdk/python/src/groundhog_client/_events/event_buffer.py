"""Events that wait to be sent, without I/O: what is sent next, what a failure means."""

import json
import re
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from groundhog_client._errors import GroundhogError, Problem, UnreadableAnswer
from groundhog_client._operations.events import EventsTaken
from groundhog_client._protocol.retry_policy import Chance, RetryPolicy

FIELD_OF_EVENT = re.compile(r"body\.(\d+)(?:\.|$)")
NOT_ABOUT_EVENTS = frozenset({401, 407, 408, 425, 429})
"""Statuses of 4xx that another key, or time, resolves: the events are not at fault."""
REASONS = {403: "forbidden", 404: "not_found", 409: "conflict"}
"""The reason given when a whole message is rejected; for any other status it is ``invalid``."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How events are put into batches and how long they may wait.

    Parameters
    ----------
    size : events that are sent at once, at most 5,000
    interval : seconds after which fewer are sent
    capacity : events that are held at most, while the service is away
    room_within : seconds that adding one waits for room, before BufferFull
    deliver_within : seconds that closing waits for the last ones to be taken, before EventsNotSent
    """

    size: int = 500
    interval: float = 1.0
    capacity: int = 10_000
    room_within: float = 30.0
    deliver_within: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.size <= min(self.capacity, 5_000):
            raise ValueError("size should lie between 1 and 5,000, and capacity be no less")


DEFAULT_BATCHING = Batching()


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that the service does not take, and why; it may be sent again once the cause is gone."""

    event: Mapping[str, Any]
    reason: str
    detail: str


class EventBuffer:
    """Events in the order they were added; the first ones are sent as a batch and stay until the service has them.

    An event leaves only when it was taken, or was itself rejected. A batch that failed is sent again unchanged,
    with the same event ids, so that what was taken before the connection broke counts once. A batch that was
    rejected as a whole is sent in halves, so that no event keeps the ones behind it from the service.
    """

    def __init__(
        self, batching: Batching, retries: RetryPolicy, clock: Callable[[], float], chance: Chance
    ) -> None:
        self.batching = batching
        self.added = self.settled = 0
        self.last_error: GroundhogError | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = batching.size
        self._failures, self._again_at = 0, 0.0
        self._retries, self._clock, self._chance = retries, clock, chance

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether another event has to wait for room."""
        return len(self._waiting) >= self.batching.capacity

    def add(self, event: bytes) -> None:
        """Put an event at the end."""
        self._waiting.append((self._clock(), event))
        self.added += 1

    def clear(self) -> None:
        """Drop all events without an answer."""
        self._drop(len(self._waiting))
        self._recovered()

    def remaining(self) -> list[dict[str, Any]]:
        """Return the events that wait."""
        return [json.loads(event) for _, event in self._waiting]

    def seconds_until_due(self, hurry: bool) -> float:
        """Return the seconds until the next batch should be sent; infinity without one.

        Parameters
        ----------
        hurry : whether not to wait for more events
        """
        if not self._waiting:
            return float("inf")
        now, oldest = self._clock(), self._waiting[0][0]
        complete = hurry or len(self._waiting) >= self._size
        due = now if complete else oldest + self.batching.interval
        return max(0.0, due - now, self._again_at - now)

    def batch(self) -> list[bytes]:
        """Return the next batch."""
        return [event for _, event in islice(self._waiting, self._size)]

    def settle(self, batch: Sequence[bytes], outcome: EventsTaken | GroundhogError) -> list[Rejection]:
        """Record what became of a batch, and return what was rejected."""
        if isinstance(outcome, EventsTaken) and len(outcome.items) != len(batch):
            outcome = UnreadableAnswer("the answer does not say of every event what became of it")
        if isinstance(outcome, EventsTaken):
            return self._taken(batch, outcome)
        if isinstance(outcome, Problem) and _is_about_events(outcome):
            return self._rejected(batch, outcome)
        self._failed(outcome)
        return []

    def _taken(self, batch: Sequence[bytes], taken: EventsTaken) -> list[Rejection]:
        self._drop(len(batch))
        self._recovered()
        self._size = min(self.batching.size, self._size * 2)
        results = zip(batch, taken.items, strict=True)
        return [
            Rejection(json.loads(event), result.reason or "", result.detail or "")
            for event, result in results
            if result.status == "refused"
        ]

    def _rejected(self, batch: Sequence[bytes], problem: Problem) -> list[Rejection]:
        errors = _errors_by_place(problem, len(batch))
        if not errors:  # the answer does not say which event it is: smaller batches will show
            self._size, self.last_error = len(batch) // 2, problem
            return []
        self._recovered()
        self._remove(batch, errors)
        reason = REASONS.get(problem.status, "invalid")
        return [Rejection(json.loads(batch[place]), reason, detail) for place, detail in errors.items()]

    def _remove(self, batch: Sequence[bytes], places: Container[int]) -> None:
        """Remove the events at these places; the others are sent again."""
        times = [added for added, _ in islice(self._waiting, len(batch))]
        self._drop(len(batch))
        sound = [
            (at, event) for i, (at, event) in enumerate(zip(times, batch, strict=True)) if i not in places
        ]
        self._waiting.extendleft(reversed(sound))
        self.settled -= len(sound)

    def _failed(self, error: GroundhogError) -> None:
        self.last_error = error
        self._failures += 1
        self._again_at = self._clock() + self._retries.wait_after(self._failures, error, self._chance)

    def _recovered(self) -> None:
        self._failures, self._again_at, self.last_error = 0, 0.0, None

    def _drop(self, number: int) -> None:
        for _ in range(number):
            self._waiting.popleft()
        self.settled += number


def _is_about_events(problem: Problem) -> bool:
    """Return whether a message is rejected for what it holds, not for its sender or for the moment."""
    return 400 <= problem.status < 500 and problem.status not in NOT_ABOUT_EVENTS


def _errors_by_place(problem: Problem, sent: int) -> dict[int, str]:
    """Return the places of the events at fault, each with a sentence; none where the answer does not say."""
    if sent == 1:
        return {0: problem.errors[0].message if problem.errors else problem.detail}
    found = ((FIELD_OF_EVENT.match(error.field), error.message) for error in problem.errors)
    places = {int(match[1]): message for match, message in found if match}
    return {place: message for place, message in places.items() if place < sent}
