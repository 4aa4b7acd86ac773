"""A circuit breaker: while the service is away it is asked once a second at most."""

from collections.abc import Callable
from dataclasses import replace

from groundhog_client._errors import (
    Defect,
    GroundhogError,
    NoAnswer,
    Problem,
    TooManyRequests,
    Unavailable,
    UnreadableAnswer,
)
from groundhog_client._protocol.retry_policy import RetryPolicy

AWAY = (NoAnswer, Unavailable, TooManyRequests, Defect, UnreadableAnswer)
"""Errors that say that the service is away; all others are for the program to see."""
OPEN_SECONDS = 1.0
"""How long the service is not asked after a failure."""


class CircuitBreaker:
    """Open after a failure: then one call a second is let through, and its success closes it again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._error: GroundhogError | None = None
        self._until = 0.0

    def open_because(self) -> GroundhogError | None:
        """Return why the service should not be asked now; None where it may be, by this call."""
        if self._error is None:
            return None
        if self._clock() < self._until:
            return self._error
        self._until = self._clock() + OPEN_SECONDS
        return None

    def record_success(self) -> None:
        """Close: the service answered."""
        self._error = None

    def record_failure(self, error: GroundhogError) -> GroundhogError:
        """Open because of an error, and return it.

        Raises
        ------
        GroundhogError: the error, where it does not say that the service is away
        """
        if not isinstance(error, AWAY):
            raise error
        asked = error.retry_after or 0 if isinstance(error, Problem) else 0
        self._error, self._until = error, self._clock() + max(OPEN_SECONDS, asked)
        return error


def quick_retry(policy: RetryPolicy, within: float) -> RetryPolicy:
    """Return a retry policy for a page that waits: the given one, ending ``within`` so many seconds."""
    return replace(policy, deadline=within, timeout=min(within, policy.timeout))
