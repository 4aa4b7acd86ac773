"""What can go wrong, and what the caller can do about it.

GroundhogError
├── NoAnswer                   nothing came back in time: trying again may help
│   ├── Unreachable            the request never left
│   └── ConnectionLost         it may have been carried out; also a timeout
├── Problem                    the service answered an error: status, detail, errors, request_id
│   ├── Invalid                422  the message must be changed: see ``errors``
│   ├── Unauthorized           401  no API key, or one that is not valid
│   ├── Forbidden              403  the API key may not do this
│   ├── NotFound               404
│   ├── Conflict               409  the present state forbids it
│   ├── PreconditionFailed     412  somebody changed it since it was read
│   ├── TooLarge               413
│   ├── UnsupportedMediaType   415
│   ├── TooManyRequests        429  ``retry_after`` says when to try again
│   ├── Defect                 500 and others: the service's own fault; ``request_id`` finds it in its log
│   └── Unavailable            503, and 502 and 504 of a gateway: ``retry_after``
├── UnreadableAnswer           what came back is not what Groundhog answers: is the address right?
├── BufferFull                 no room for another event: the service has been away for long
└── EventsNotSent              the sender was closed and could not deliver: ``events`` are they
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a message: where (``body.0.successes``) and what to change."""

    field: str
    message: str
    line: int | None = None


class GroundhogError(Exception):
    """Base of every error this package raises."""


class NoAnswer(GroundhogError):
    """No answer came, so nobody can say here what became of the request."""


class Unreachable(NoAnswer):
    """No connection could be made: the request was not carried out."""


class ConnectionLost(NoAnswer):
    """The connection broke, or time ran out, before the answer came: the request may have been carried out."""


class UnreadableAnswer(GroundhogError):
    """What came back is not an answer of Groundhog."""


class BufferFull(GroundhogError):
    """The sender holds as many events as it may, and could not get rid of any in time."""


class EventsNotSent(GroundhogError):
    """A sender was closed before the service had taken all events.

    Parameters
    ----------
    events : those that are left, as they would have been sent: keep them, and send them again as they are
    """

    def __init__(self, detail: str, events: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(detail)
        self.events = tuple(events)


class Problem(GroundhogError):
    """The service answered an error (RFC 9457, application/problem+json)."""

    def __init__(
        self,
        status: int,
        detail: str,
        title: str = "",
        errors: Sequence[FieldError] = (),
        request_id: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Return the sentence, the fields at fault and the request id: what a log should show."""
        faults = "".join(f"\n  {fault.field}: {fault.message}" for fault in self.errors)
        found_by = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.title}: {self.detail}{found_by}{faults}"


class Invalid(Problem):
    """The message must be changed; ``errors`` says where."""


class Unauthorized(Problem):
    """No API key came, or one that is not valid."""


class Forbidden(Problem):
    """The API key may not do this."""


class NotFound(Problem):
    """The thing named does not exist."""


class Conflict(Problem):
    """The present state forbids what was asked."""


class PreconditionFailed(Problem):
    """Somebody changed the thing since it was read."""


class TooLarge(Problem):
    """The body is over a limit of the service."""


class UnsupportedMediaType(Problem):
    """The body is in a format that the service does not read there."""


class TooManyRequests(Problem):
    """The API key asks more often than it may."""


class Defect(Problem):
    """Something went wrong on the service's side."""


class Unavailable(Problem):
    """The service, or what it stands on, is away for the moment."""


OF_STATUS: dict[int, type[Problem]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Return the error that an answer stands for; a gateway's own page is one too."""
    said = _object(body)
    detail = said.get("detail") or said.get("errorDetails") or f"the service answered {status}"
    kind = OF_STATUS.get(status, Problem if status < 500 else Defect)
    return kind(
        status,
        str(detail),
        str(said.get("title") or said.get("errorCode") or ""),
        [_fault(fault) for fault in said.get("errors") or () if isinstance(fault, dict)],
        said.get("request_id") or headers.get("x-request-id"),
        _seconds(headers.get("retry-after")),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _fault(fault: dict[str, Any]) -> FieldError:
    return FieldError(str(fault.get("field", "")), str(fault.get("message", "")), fault.get("line"))


def _seconds(retry_after: str | None) -> int | None:
    """Return the whole seconds of Retry-After; its other form, a date, is of no use between two clocks."""
    return int(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
