"""The errors, and what a program can do about each.

GroundhogError
├── NoAnswer                   no answer in time: trying again may help
│   ├── Unreachable            the request never left
│   └── ConnectionLost         it may have been carried out; also after a timeout
├── Problem                    the service answered an error: status, detail, errors, request_id
│   ├── Invalid                422  the message must be changed: see ``errors``
│   ├── Unauthorized           401  no API key, or one that is not valid
│   ├── Forbidden              403  the API key may not do this
│   ├── NotFound               404
│   ├── Conflict               409  the present state does not allow it
│   ├── PreconditionFailed     412  it was changed since it was read
│   ├── TooLarge               413
│   ├── UnsupportedMediaType   415
│   ├── TooManyRequests        429  ``retry_after`` says when to try again
│   ├── Defect                 500 and others: a defect of the service; ``request_id`` finds it in its log
│   └── Unavailable            503, and 502 and 504 of a gateway: ``retry_after``
├── UnreadableAnswer           the answer is not one of Groundhog's: is the address right?
├── BufferFull                 no room for another event: the service has been away for too long
└── EventsNotSent              the sender was closed before it could deliver: ``events`` has them
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in a message: the field (``body.0.successes``) and what to change."""

    field: str
    message: str
    line: int | None = None


class GroundhogError(Exception):
    """Base of every error this package raises; each can be pickled and copied with all its attributes."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Restore it without its constructor, whose arguments are not those of the base class."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[GroundhogError], args: tuple[Any, ...]) -> GroundhogError:
    return kind.__new__(kind, *args)


class NoAnswer(GroundhogError):
    """No answer came, so that it is unknown what became of the request."""


class Unreachable(NoAnswer):
    """No connection could be made: the request was not carried out."""


class ConnectionLost(NoAnswer):
    """The connection broke, or time ran out, before the answer came: the request may have been carried out."""


class UnreadableAnswer(GroundhogError):
    """The answer is not one of Groundhog's."""


class BufferFull(GroundhogError):
    """The sender holds as many events as it may, and could not deliver any in time."""


class EventsNotSent(GroundhogError):
    """A sender was closed before the service had taken all events.

    Parameters
    ----------
    events : the remaining ones, as they would have been sent: store them, and send them again unchanged
    """

    def __init__(self, detail: str, events: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(detail)
        self.events = tuple(events)


class Problem(GroundhogError):
    """The service answered with an error (RFC 9457, application/problem+json)."""

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
        """Return the sentence, the invalid fields and the request id: what a log should show."""
        errors = "".join(f"\n  {one.field}: {one.message}" for one in self.errors)
        found_by = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.title}: {self.detail}{found_by}{errors}"


class Invalid(Problem):
    """The message must be changed; ``errors`` says where."""


class Unauthorized(Problem):
    """No API key came, or one that is not valid."""


class Forbidden(Problem):
    """The API key may not do this."""


class NotFound(Problem):
    """The resource does not exist."""


class Conflict(Problem):
    """The present state does not allow the request."""


class PreconditionFailed(Problem):
    """The resource was changed since it was read."""


class TooLarge(Problem):
    """The body is larger than the service accepts."""


class UnsupportedMediaType(Problem):
    """The body is in a format that this operation does not read."""


class TooManyRequests(Problem):
    """The API key sends more requests than it may."""


class Defect(Problem):
    """The service failed unexpectedly."""


class Unavailable(Problem):
    """The service, or its database, is unavailable for the moment."""


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
    """Return the error that an answer stands for, also where a gateway sent it."""
    problem = _object(body)
    detail = problem.get("detail") or problem.get("errorDetails") or f"the service answered {status}"
    kind = OF_STATUS.get(status, Problem if status < 500 else Defect)
    return kind(
        status,
        str(detail),
        str(problem.get("title") or problem.get("errorCode") or ""),
        [_field_error(one) for one in problem.get("errors") or () if isinstance(one, dict)],
        problem.get("request_id") or headers.get("x-request-id"),
        _seconds(headers.get("retry-after")),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _field_error(one: dict[str, Any]) -> FieldError:
    return FieldError(str(one.get("field", "")), str(one.get("message", "")), one.get("line"))


def _seconds(retry_after: str | None) -> int | None:
    """Return the whole seconds of Retry-After; a date, its other form, is ignored, since clocks differ."""
    return int(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
