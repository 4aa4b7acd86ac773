"""What can go wrong, in the domain's words; nothing here knows HTTP (api/problems.py gives the statuses).

GroundhogError
├── Invalid          the message must be changed by the caller
├── NotFound         the thing named does not exist
├── Conflict         the message is fine, the present state forbids it
├── PreconditionFailed  the caller's copy (If-Match) is no longer the current one
├── UnsupportedMediaType  the body is in a format that is not read here
├── TooLarge         the message is over a limit
├── Unauthorized     it is not known who asks: no API key, or one that is not valid
├── Forbidden        the API key may not do this
├── TooManyRequests  the API key asks more often than it may
├── NotAllowed       the thing named exists, but nothing of that kind can be done with it
├── Unavailable      the database cannot answer now; trying again may help
└── Defect           something of ours is broken; the log says what
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
    """The message itself must be changed."""


class NotFound(GroundhogError):
    """The thing named does not exist."""


class Conflict(GroundhogError):
    """The present state forbids what was asked."""


class PreconditionFailed(GroundhogError):
    """Somebody changed the thing since the caller read it."""


class UnsupportedMediaType(GroundhogError):
    """The body is in a format that is not read here."""


class TooLarge(GroundhogError):
    """The message is over a configured limit."""


class Unauthorized(GroundhogError):
    """It is not known who asks."""


class Forbidden(GroundhogError):
    """Who asks is known, and may not do this."""


class TooManyRequests(GroundhogError):
    """Who asks does so more often than allowed.

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
    """The thing named exists, but what was asked is not among what can be done with it (``allowed``)."""

    def __init__(self, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class InternalError(GroundhogError):
    """Something of ours is broken; who raises it has logged what."""

    def __init__(self) -> None:
        super().__init__("something went wrong on our side; the log has it under this request_id")
