"""One event that waits to be sent, or to be sent again."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from groundhog_client._operations.events import Event
from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.service_clock import HostTime


@dataclass(slots=True)
class Pending:
    """An event as JSON, its time apart where the service's clock may correct it.

    Parameters
    ----------
    added_at : seconds of a monotonic clock
    host_time : when it happened by this host's clock; None where the body has the time
    rejections : how often it was rejected for a reason that passes with time, since ``rejected_at``
    due : when it should be sent again
    """

    body: bytes
    added_at: float
    host_time: HostTime | None = None
    rejections: int = 0
    rejected_at: float = 0.0
    due: float = 0.0

    @classmethod
    def of(cls, event: Event, added_at: float) -> "Pending":
        """Return an event that begins to wait.

        Raises
        ------
        ValueError, TypeError: it cannot be sent as JSON; the field is named
        """
        if not isinstance(event.occurred_at, HostTime):
            return cls(encode(event), added_at)
        fields = {name: getattr(event, name) for name in Event.__dataclass_fields__ if name != "occurred_at"}
        given = {name: value for name, value in fields.items() if value is not None}
        return cls(encode(given), added_at, event.occurred_at)

    def written(self, offset: dt.timedelta) -> bytes:
        """Return the event as it is sent while the service's clock is so far from this host's."""
        if self.host_time is None:
            return self.body
        moment = (self.host_time + offset).isoformat()
        return b'%s,"occurred_at":"%s"}' % (self.body[:-1], moment.encode())

    def fields(self, offset: dt.timedelta) -> dict[str, Any]:
        """Return the event's fields, as they are sent."""
        found: dict[str, Any] = json.loads(self.written(offset))
        return found
