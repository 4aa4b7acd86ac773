"""Events on their way, without I/O: what waits, what goes next, what a failure means."""

import json
import re
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from groundhog_client._errors import GroundhogError, Problem, UnreadableAnswer
from groundhog_client._events import EventsTaken
from groundhog_client._patience import Chance, Patience

FAULT = re.compile(r"body\.(\d+)(?:\.|$)")
NOT_OF_EVENTS = frozenset({401, 407, 408, 425, 429})
"""Statuses of 4xx that another key, or time, will mend: no event is at fault."""
REASONS = {403: "forbidden", 404: "not_found", 409: "conflict"}
"""What a refusal of a whole message is called; any other is ``invalid``."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How events are put together and how long they may wait.

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


BATCHING = Batching()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the service does not take, and why; what is refused may be sent again once it fits."""

    event: Mapping[str, Any]
    reason: str
    detail: str


class Outbox:
    """Events in the order they were added; the first ones go as a batch and stay until the service has them.

    Nothing leaves but what was taken, or was refused by itself. A batch that failed goes again as it was, with the
    same event ids, so that what was taken before the connection broke counts once. One that was refused as a whole
    goes in halves, so that no event keeps those behind it from the service.
    """

    def __init__(
        self, batching: Batching, patience: Patience, clock: Callable[[], float], chance: Chance
    ) -> None:
        self.batching = batching
        self.added = self.settled = 0
        self.trouble: GroundhogError | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = batching.size
        self._failures, self._again_at = 0, 0.0
        self._patience, self._clock, self._chance = patience, clock, chance

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

    def left(self) -> list[dict[str, Any]]:
        """Return the events that wait."""
        return [json.loads(event) for _, event in self._waiting]

    def wait(self, hurry: bool) -> float:
        """Return the seconds until the next batch should go; infinity without one.

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
        """Return what goes next."""
        return [event for _, event in islice(self._waiting, self._size)]

    def settle(self, batch: Sequence[bytes], outcome: EventsTaken | GroundhogError) -> list[Refusal]:
        """Take note of what became of a batch, and return what was refused."""
        if isinstance(outcome, EventsTaken) and len(outcome.items) != len(batch):
            outcome = UnreadableAnswer("the answer does not say of every event what became of it")
        if isinstance(outcome, EventsTaken):
            return self._taken(batch, outcome)
        if isinstance(outcome, Problem) and _is_of_events(outcome):
            return self._refused(batch, outcome)
        self._failed(outcome)
        return []

    def _taken(self, batch: Sequence[bytes], taken: EventsTaken) -> list[Refusal]:
        self._drop(len(batch))
        self._well()
        self._size = min(self.batching.size, self._size * 2)
        said = zip(batch, taken.items, strict=True)
        return [
            Refusal(json.loads(event), result.reason or "", result.detail or "")
            for event, result in said
            if result.status == "refused"
        ]

    def _refused(self, batch: Sequence[bytes], problem: Problem) -> list[Refusal]:
        faults = _faults(problem, len(batch))
        if not faults:  # it cannot be told which one: smaller batches will
            self._size, self.trouble = len(batch) // 2, problem
            return []
        self._well()
        self._without(batch, faults)
        reason = REASONS.get(problem.status, "invalid")
        return [Refusal(json.loads(batch[place]), reason, detail) for place, detail in faults.items()]

    def _without(self, batch: Sequence[bytes], faults: Container[int]) -> None:
        """Take out what cannot be sent as it is; the others go again."""
        times = [added for added, _ in islice(self._waiting, len(batch))]
        self._drop(len(batch))
        sound = [
            (at, event) for i, (at, event) in enumerate(zip(times, batch, strict=True)) if i not in faults
        ]
        self._waiting.extendleft(reversed(sound))
        self.settled -= len(sound)

    def _failed(self, error: GroundhogError) -> None:
        self.trouble = error
        self._failures += 1
        self._again_at = self._clock() + self._patience.wait_after(self._failures, error, self._chance)

    def _well(self) -> None:
        self._failures, self._again_at, self.trouble = 0, 0.0, None

    def _drop(self, number: int) -> None:
        for _ in range(number):
            self._waiting.popleft()
        self.settled += number


def _is_of_events(problem: Problem) -> bool:
    """Say whether what was sent is refused for good, and not who sent it, or for the moment."""
    return 400 <= problem.status < 500 and problem.status not in NOT_OF_EVENTS


def _faults(problem: Problem, sent: int) -> dict[int, str]:
    """Return the places of the events at fault, each with a sentence; none where nobody can tell."""
    if sent == 1:
        return {0: problem.errors[0].message if problem.errors else problem.detail}
    found = ((FAULT.match(fault.field), fault.message) for fault in problem.errors)
    places = {int(match[1]): message for match, message in found if match}
    return {place: message for place, message in places.items() if place < sent}
