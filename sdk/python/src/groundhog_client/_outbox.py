"""Events on their way, without I/O: what waits, what goes next, what a failure means."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from groundhog_client._errors import GroundhogError, Invalid, TooLarge, UnreadableAnswer
from groundhog_client._events import EventsTaken
from groundhog_client._patience import Chance, Patience

FAULT = re.compile(r"body\.(\d+)(?:\.|$)")


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

    Nothing leaves but what was taken, or was refused by name. A batch that failed goes again as it was, with the
    same event ids, so that what was taken before the connection broke counts once.
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
        faults = _faults(outcome, len(batch))
        if faults:
            return self._without(batch, faults)
        self._failed(outcome)
        return []

    def _taken(self, batch: Sequence[bytes], taken: EventsTaken) -> list[Refusal]:
        self._drop(len(batch))
        self._failures, self._again_at, self.trouble = 0, 0.0, None
        self._size = min(self.batching.size, self._size * 2)
        said = zip(batch, taken.items, strict=True)
        return [
            Refusal(json.loads(event), result.reason or "", result.detail or "")
            for event, result in said
            if result.status == "refused"
        ]

    def _without(self, batch: Sequence[bytes], faults: Mapping[int, str]) -> list[Refusal]:
        """Take out what cannot be sent as it is; the others go again."""
        times = [added for added, _ in islice(self._waiting, len(batch))]
        self._drop(len(batch))
        sound = [
            (at, event) for i, (at, event) in enumerate(zip(times, batch, strict=True)) if i not in faults
        ]
        self._waiting.extendleft(reversed(sound))
        self.settled -= len(sound)
        return [Refusal(json.loads(batch[i]), "invalid", detail) for i, detail in faults.items()]

    def _failed(self, error: GroundhogError) -> None:
        if isinstance(error, TooLarge | Invalid):  # it cannot be told which one: smaller batches will
            self._size = max(1, self._size // 2)
            return
        self.trouble = error
        self._failures += 1
        self._again_at = self._clock() + self._patience.wait_after(self._failures, error, self._chance)

    def _drop(self, number: int) -> None:
        for _ in range(number):
            self._waiting.popleft()
        self.settled += number


def _faults(error: GroundhogError, sent: int) -> dict[int, str]:
    """Return the places of the events at fault, each with a sentence; none where nobody can tell."""
    if not isinstance(error, TooLarge | Invalid):
        return {}
    if sent == 1:
        return {0: error.detail if not error.errors else error.errors[0].message}
    found = ((FAULT.match(fault.field), fault.message) for fault in error.errors)
    places = {int(match[1]): message for match, message in found if match}
    return {place: message for place, message in places.items() if place < sent}
