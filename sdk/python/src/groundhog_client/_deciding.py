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


class Decider:
    """Decides from answers and errors, and spares a service that is away: it is asked once a second at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._away: GroundhogError | None = None
        self._rests_until = 0.0

    def rest(self) -> GroundhogError | None:
        """Return why the service is not to be asked now; of several callers one is let through now and then."""
        if self._away is None:
            return None
        if self._clock() < self._rests_until:
            return self._away
        self._rests_until = self._clock() + REST_SECONDS
        return None

    def answered(self, assignment: Assignment) -> Decision:
        """Return the decision that the service made."""
        self._away = None
        found = assignment
        return Decision(
            found.experiment_id, found.unit_id, found.variant_id, found.value, assignment, fallback=None
        )

    def failed(self, experiment_id: str, unit_id: str, default: str, error: GroundhogError) -> Decision:
        """Return the fallback where the service is away.

        Raises
        ------
        GroundhogError: the error, where it is not because the service is away
        """
        if not isinstance(error, AWAY):
            raise error
        if error is not self._away:
            asked = error.retry_after or 0 if isinstance(error, Problem) else 0
            self._away, self._rests_until = error, self._clock() + max(REST_SECONDS, asked)
        return Decision(experiment_id, unit_id, default, None, assignment=None, fallback=error)


def hasty(patience: Patience, within: float) -> Patience:
    """Return the patience of somebody who waits for a page."""
    return replace(patience, deadline=within, timeout=min(within, patience.timeout))
