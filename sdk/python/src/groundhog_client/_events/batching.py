"""How events are batched, and what is reported of an event that was rejected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    retry_rejected_for : seconds for which an event is sent again that was rejected for a reason that passes with
        time (another process has not yet sent the exposure; a clock is off), before it is reported; 5 at most
        once the sender is being closed
    """

    size: int = 500
    interval: float = 1.0
    capacity: int = 10_000
    room_within: float = 30.0
    deliver_within: float = 30.0
    retry_rejected_for: float = 60.0

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
