"""Every error the service raises on purpose; api/problem_details.py maps them to HTTP statuses.

GroundhogError
├── Invalid          the message must be changed by the caller
├── NotFound         the thing named does not exist
├── Conflict         the message is fine, the present state forbids it
├── PreconditionFailed  the caller's copy (If-Match) is no longer the current one
├── UnsupportedMediaType  the body is in a format that is not read here
├── TooLarge         the message is over a limit
├── Unauthorized     there is no API key, or it is not valid
├── Forbidden        the API key may not do this
├── TooManyRequests  the API key asks more often than it may
├── MethodNotAllowed  the thing named exists, but nothing of that kind can be done with it
├── Unavailable      the database cannot answer now; trying again may help
└── InternalError    an internal error; the log says what
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a message: where (``body.0.successes``, or a line number) and what to change."""

    field: str
    message: str
    line: int | None = None


def field_path(location: Iterable[object]) -> str:
    """Return a place in a message as ``body.0.successes``; the tags of unions, in brackets, are left out."""
    return ".".join(part for part in map(str, location) if not part.startswith("("))


class GroundhogError(Exception):
    """Base of every error this project raises on purpose.

    Parameters
    ----------
    detail : a sentence for the person who sent the message
    errors : the fields at fault, where there are some
    """

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class Invalid(GroundhogError):
    """The request is invalid and must be changed."""


class NotFound(GroundhogError):
    """The named resource does not exist."""


class Conflict(GroundhogError):
    """The current state does not allow the request."""


class PreconditionFailed(GroundhogError):
    """The resource has changed since the client read it (If-Match)."""


class UnsupportedMediaType(GroundhogError):
    """The body has an unsupported format."""


class TooLarge(GroundhogError):
    """The request exceeds a configured limit."""


class Unauthorized(GroundhogError):
    """There is no valid API key."""


class Forbidden(GroundhogError):
    """The API key lacks the permission."""


class TooManyRequests(GroundhogError):
    """The API key exceeds its rate limit.

    ``retry_after`` is in whole seconds.
    """

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(GroundhogError):
    """The database is unavailable or overloaded; trying again may help.

    ``retry_after`` is in whole seconds.
    """

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class MethodNotAllowed(GroundhogError):
    """The resource exists, but does not support the method (``allowed`` lists those it does)."""

    def __init__(self, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class InternalError(GroundhogError):
    """An internal error; it is logged under the ``request_id``."""

    def __init__(self) -> None:
        super().__init__("something went wrong on our side; the log has it under this request_id")
