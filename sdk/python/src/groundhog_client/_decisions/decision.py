"""Which variant to show a unit: the service's, or the default while the service is away."""

from dataclasses import dataclass
from typing import Any

from groundhog_client._errors import GroundhogError
from groundhog_client._operations.assignments.assignments import Assignment


@dataclass(frozen=True, slots=True)
class Decision:
    """The variant to show a unit.

    ``assignment`` is the service's answer. Where it is None this is a fallback: ``fallback`` says why, nothing was
    assigned, and no exposure should be sent.
    """

    experiment_id: str
    unit_id: str
    variant_id: str
    value: Any
    assignment: Assignment | None
    fallback: GroundhogError | None

    @property
    def is_fallback(self) -> bool:
        """Whether the default is shown because the service is away."""
        return self.assignment is None


def decided(experiment_id: str, unit_id: str, default: str, outcome: Assignment | GroundhogError) -> Decision:
    """Return the decision of the service, or the default after an error."""
    if isinstance(outcome, GroundhogError):
        return Decision(experiment_id, unit_id, default, None, assignment=None, fallback=outcome)
    return Decision(experiment_id, unit_id, outcome.variant_id, outcome.value, outcome, fallback=None)
