"""What can go wrong, in the domain's words; nothing here knows HTTP (app.api.problem_details has the statuses).

GroundhogError
├── Invalid               the client must change the message
├── NotFound              what the message names does not exist
├── Conflict              the message is valid, the current state forbids it
├── PreconditionFailed    the client's copy (If-Match) is no longer the current one
├── UnsupportedMediaType  the body has a format that is not supported
├── TooLarge              the message exceeds a configured limit
├── Unauthorized          the client is not known: no API key, or one that is not valid
├── Forbidden             the API key does not permit this
├── TooManyRequests       the API key exceeds its requests per minute
├── MethodNotAllowed      what the message names exists, but does not support the method
├── Unavailable           the database cannot answer now; a retry may succeed
└── InternalError         a bug; the log has it
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error of a message: where (``body.0.successes``, or a line number) and what to change."""

    field: str
    message: str
    line: int | None = None


def field_path(location: Iterable[object]) -> str:
    """Return a place in a message as ``body.0.successes``, without the tags of unions, which are in brackets."""
    return ".".join(part for part in map(str, location) if not part.startswith("("))


class GroundhogError(Exception):
    """Base of every error that this project raises on purpose.

    Parameters
    ----------
    detail : a sentence for the person who sent the message
    errors : the fields that have to change, where there are some
    """

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class Invalid(GroundhogError):
    """The client must change the message."""


def invalid_field(field: str, message: str) -> Invalid:
    """Return the error of one field of the body."""
    return Invalid(f"{field}: {message}", [FieldError(f"body.{field}", message)])


class NotFound(GroundhogError):
    """What the message names does not exist."""


class Conflict(GroundhogError):
    """The current state forbids what the message asks for."""


class PreconditionFailed(GroundhogError):
    """It has changed since the client read it."""


class UnsupportedMediaType(GroundhogError):
    """The body has a format that is not supported."""


class TooLarge(GroundhogError):
    """The message exceeds a configured limit."""


class Unauthorized(GroundhogError):
    """The client is not known."""


class Forbidden(GroundhogError):
    """The client is known, and may not do this."""


class TooManyRequests(GroundhogError):
    """The client sends more requests than it may.

    ``retry_after`` is in whole seconds.
    """

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(GroundhogError):
    """The database cannot answer now.

    ``retry_after`` is in whole seconds.
    """

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class MethodNotAllowed(GroundhogError):
    """What the message names exists, but supports other methods (``allowed``)."""

    def __init__(self, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class InternalError(GroundhogError):
    """A bug; the code that raises this has logged it."""

    def __init__(self) -> None:
        super().__init__("an internal error occurred; the log has it under this request_id")
