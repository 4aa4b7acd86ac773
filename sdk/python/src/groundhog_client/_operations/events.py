"""Events: the exposures, conversions and values of assigned units."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from groundhog_client._errors import UnreadableAnswer
from groundhog_client._protocol.decoding import read
from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import JSON, Answer, Request, Timed
from groundhog_client._protocol.service_clock import HostTime


@dataclass(frozen=True, slots=True)
class Event:
    """Something a unit did: it was shown its variant, it converted, or it brought a value.

    ``revision`` goes with an exposure: the one the unit was drawn with, where no assignment is stored yet.
    The id and the time are set when it is created, so that it can be sent any number of times and counts once. A
    time of this host's clock is corrected when it is sent, should the service's clock differ by more than 5 s; a
    time that you give is sent as it is.
    """

    experiment_id: str
    unit_id: str
    type: Literal["exposure", "conversion", "value"]
    value: Decimal | float | None = None
    revision: str | None = None
    event_id: str = field(default_factory=lambda: uuid4().hex)
    occurred_at: dt.datetime = field(default_factory=HostTime.read)

    def _by_service_clock(self, offset: dt.timedelta) -> "Event":
        """Return the event with its time corrected, if it is of this host's clock."""
        if not offset or not isinstance(self.occurred_at, HostTime):
            return self
        return replace(self, occurred_at=self.occurred_at + offset)


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event: ``counted``, ``known``, ``duplicate`` or ``refused``, with the reason."""

    event_id: str
    status: str
    reason: str | None
    detail: str | None
    counted_on: dt.date | None


@dataclass(frozen=True, slots=True)
class EventsTaken:
    """What became of the events that were sent, in their order."""

    received: int
    counted: int
    known: int
    duplicate: int
    refused: int
    items: tuple[EventResult, ...]


Sent = Event | Mapping[str, Any]


def record_events(
    events: Sent | Iterable[Sent], *, history: bool | None = None, idempotency_key: str | None = None
) -> Request[EventsTaken]:
    """Send exposures and rewards, up to 5,000, each counted exactly once: their ids make repeating safe.

    Parameters
    ----------
    history : the events are loaded afterwards: each counts as received when it happened
    """
    headers = JSON if idempotency_key is None else JSON | {"Idempotency-Key": idempotency_key}
    one = isinstance(events, Event | Mapping)
    listed = [events] if isinstance(events, Event | Mapping) else list(events)
    encode(listed)  # what cannot be sent is an error here, and not later
    reader = partial(_results, [_id(event) for event in listed])

    def written(offset: dt.timedelta) -> bytes:
        corrected = [_by_service_clock(event, offset) for event in listed]
        return encode(corrected[0] if one else corrected)

    asked = {"history": "true"} if history else {}
    return Request("POST", "/events", reader, asked, headers, Timed(written), repeatable=True)


def record_encoded(events: Sequence[bytes]) -> Request[EventsTaken]:
    """Send events that are already JSON."""
    body = b"[" + b",".join(events) + b"]"
    reader = partial(_results, [_id(event) for event in json.loads(body)])
    return Request("POST", "/events", reader, {}, JSON, body, repeatable=True)


def _id(event: Sent) -> Any:
    return event.event_id if isinstance(event, Event) else event.get("event_id")


def _by_service_clock(event: Sent, offset: dt.timedelta) -> Sent:
    return event._by_service_clock(offset) if isinstance(event, Event) else event


def _results(sent: Sequence[Any], answer: Answer) -> EventsTaken:
    """Read the answer to events with these ids.

    Raises
    ------
    UnreadableAnswer: it is about other events
    """
    taken = read(EventsTaken, answer.json())
    if len(taken.items) != len(sent):
        raise UnreadableAnswer("the answer does not say of every event what became of it")
    if any(asked not in (None, result.event_id) for asked, result in zip(sent, taken.items, strict=True)):
        raise UnreadableAnswer("the answer is about other events than were sent")
    return taken
