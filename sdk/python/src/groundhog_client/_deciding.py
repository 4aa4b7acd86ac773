"""Which variant to show, whatever happens: the service's answer, or the control while there is none."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from groundhog_client._assignments import Assignment
from groundhog_client._errors import (
    Defect,
    GroundhogError,
    NoAnswer,
    Problem,
    TooManyRequests,
    Unavailable,
    UnreadableAnswer,
)
from groundhog_client._patience import Patience

AWAY = (NoAnswer, Unavailable, TooManyRequests, Defect, UnreadableAnswer)
"""Errors that are nobody's mistake here; all others are the caller's to see."""
REST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The variant to show a unit.

    ``assignment`` is what the service said; where it is None, this is a fallback, and ``fallback`` says why.
    Nothing was assigned then: send no exposure of it.
    """

    experiment_id: str
    unit_id: str
    variant_id: str
    value: Any
    assignment: Assignment | None
    fallback: GroundhogError | None

    @property
    def is_fallback(self) -> bool:
        """Whether the service had no part in it."""
        return self.assignment is None


def decided(experiment_id: str, unit_id: str, default: str, outcome: Assignment | GroundhogError) -> Decision:
    """Return the decision that the service made, or the default where it could not."""
    if isinstance(outcome, GroundhogError):
        return Decision(experiment_id, unit_id, default, None, assignment=None, fallback=outcome)
    return Decision(experiment_id, unit_id, outcome.variant_id, outcome.value, outcome, fallback=None)


class Away:
    """Knows whether the service is away, and spares it then: it is asked once a second at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._why: GroundhogError | None = None
        self._until = 0.0

    def rest(self) -> GroundhogError | None:
        """Return why the service is not to be asked now; of several callers one is let through now and then."""
        if self._why is None:
            return None
        if self._clock() < self._until:
            return self._why
        self._until = self._clock() + REST_SECONDS
        return None

    def over(self) -> None:
        """Take note that the service answered."""
        self._why = None

    def noted(self, error: GroundhogError) -> GroundhogError:
        """Take note that the service is away, and return why.

        Raises
        ------
        GroundhogError: the error, where it does not say that the service is away
        """
        if not isinstance(error, AWAY):
            raise error
        asked = error.retry_after or 0 if isinstance(error, Problem) else 0
        self._why, self._until = error, self._clock() + max(REST_SECONDS, asked)
        return error


def hasty(patience: Patience, within: float) -> Patience:
    """Return the patience of somebody who waits for a page."""
    return replace(patience, deadline=within, timeout=min(within, patience.timeout))
