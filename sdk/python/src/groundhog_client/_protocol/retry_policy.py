"""How long a call may take, how often a request is sent, and how long to wait between attempts."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from groundhog_client._errors import GroundhogError, NoAnswer, Problem, Unreachable

NOT_DONE = frozenset({429, 503})
"""Statuses by which the service says that it did nothing: any request may be sent again."""
MAYBE_DONE = frozenset({502, 504})
"""Statuses of gateways, which do not know: only a request that is safe to repeat may be sent again."""

Chance = Callable[[], float]
"""Returns a random number in [0, 1)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The limits of one call.

    Parameters
    ----------
    timeout : seconds one attempt may take
    deadline : seconds all attempts and the waits between them may take; None is no limit
    attempts : how often a request is sent at most
    first_wait, longest_wait : seconds; the wait doubles from the first to the longest, less a random part of up
        to half
    """

    timeout: float = 20.0
    deadline: float | None = 60.0
    attempts: int = 5
    first_wait: float = 0.1
    longest_wait: float = 5.0

    def wait_after(self, attempt: int, error: GroundhogError, chance: Chance) -> float:
        """Return the seconds to wait after the given attempt failed; never less than Retry-After asks for."""
        wait = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 30))
        asked = error.retry_after or 0 if isinstance(error, Problem) else 0
        return asked + wait * (1 - chance() / 2)


DEFAULT_RETRIES = RetryPolicy()
chance: Chance = random.random


def is_retryable(error: GroundhogError, repeatable: bool) -> bool:
    """Return whether the same request may be sent again after an error, and may then succeed."""
    if isinstance(error, NoAnswer):
        return repeatable or isinstance(error, Unreachable)
    if isinstance(error, Problem):
        return error.status in NOT_DONE or (repeatable and error.status in MAYBE_DONE)
    return False
