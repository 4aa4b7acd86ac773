"""Events: the exposures, conversions and values of assigned units."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from uuid import uuid4

from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import JSON, Request, reads


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """Something a unit did: it was shown its variant, it converted, or it brought a value.

    ``revision`` goes with an exposure: the one the unit was drawn with, where no assignment is stored yet.
    The id and the time are set when it is created, so that it can be sent any number of times and counts once.
    """

    experiment_id: str
    unit_id: str
    type: Literal["exposure", "conversion", "value"]
    value: Decimal | float | None = None
    revision: str | None = None
    event_id: str = field(default_factory=lambda: uuid4().hex)
    occurred_at: dt.datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event: counted, known, duplicate or refused, with the reason."""

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


def record_events(
    events: Event | Mapping[str, Any] | Iterable[Event | Mapping[str, Any]],
    *,
    idempotency_key: str | None = None,
) -> Request[EventsTaken]:
    """Send exposures and rewards, up to 5,000, each counted exactly once: their ids make repeating safe."""
    headers = JSON if idempotency_key is None else JSON | {"Idempotency-Key": idempotency_key}
    body = encode(events if isinstance(events, Event | Mapping) else list(events))
    return Request("POST", "/events", reads(EventsTaken), {}, headers, body, repeatable=True)


def record_encoded(events: Iterable[bytes]) -> Request[EventsTaken]:
    """Send events that are already JSON."""
    body = b"[" + b",".join(events) + b"]"
    return Request("POST", "/events", reads(EventsTaken), {}, JSON, body, repeatable=True)
