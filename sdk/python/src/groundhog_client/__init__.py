"""The Python client of Groundhog: each variant's share of traffic, and a variant for each unit.

    with Client("http://localhost:8000") as client:
        print(client.read_allocation("homepage_test").allocations)

`Client` is synchronous, `AsyncClient` asynchronous; both have a method for each operation of the service, with its
name. The errors are below `GroundhogError`; ``groundhog_client._errors`` shows the tree.
"""

from groundhog_client import _deprecated
from groundhog_client._async_client import AsyncClient
from groundhog_client._client import Client
from groundhog_client._decisions.decision import Decision
from groundhog_client._errors import (
    BufferFull,
    Conflict,
    ConnectionLost,
    Defect,
    EventsNotSent,
    FieldError,
    Forbidden,
    GroundhogError,
    Invalid,
    NoAnswer,
    NotFound,
    PreconditionFailed,
    Problem,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
    UnreadableAnswer,
    UnsupportedMediaType,
)
from groundhog_client._events.async_event_sender import AsyncEventSender
from groundhog_client._events.batching import Batching, Rejection
from groundhog_client._events.event_sender import EventSender
from groundhog_client._operations.allocations import (
    Allocation,
    AssumedZero,
    DelayUsed,
    GateHolding,
    History,
    Revision,
    StopAdvice,
    VariantAllocation,
)
from groundhog_client._operations.analysis.delay import DelayCurveEstimate, DelayReport
from groundhog_client._operations.analysis.estimates import (
    Estimated,
    Estimates,
    Holdout,
    HoldoutDay,
    Immature,
    VariantEstimates,
)
from groundhog_client._operations.analysis.impact import (
    AgainstControl,
    Comparison,
    Gain,
    IntervalEstimate,
    VariantTraffic,
)
from groundhog_client._operations.analysis.posterior import Curve, Posterior
from groundhog_client._operations.assignments.assignments import Assignment, Unassigned
from groundhog_client._operations.assignments.flags import EvaluatedFlag, FlagFailure
from groundhog_client._operations.assignments.splits import Split
from groundhog_client._operations.assignments.units import (
    AssignmentsPage,
    Forgotten,
    Merged,
    Override,
    StoredAssignment,
)
from groundhog_client._operations.events import Event, EventResult, EventsTaken
from groundhog_client._operations.experiments.experiments import (
    Deletion,
    Experiment,
    ExperimentsPage,
    NewVariant,
    Variant,
)
from groundhog_client._operations.experiments.settings import Changes, Delay, Settings, VariantChanges
from groundhog_client._operations.metrics import (
    BulkStored,
    DailyTotal,
    LineError,
    Registered,
    Stored,
    StoredTotal,
    TotalsPage,
    TotalsUsed,
    VariantEvidence,
    VariantTotals,
)
from groundhog_client._operations.service import Alive, Policies, PolicyKind, Ready
from groundhog_client._operations.simulations.plans import Plan, Spread
from groundhog_client._operations.simulations.settings import ClvSimulation, EmailSimulation, PlanSettings
from groundhog_client._operations.simulations.simulations import (
    Progress,
    Simulation,
    SimulationEvent,
    SimulationHead,
    SimulationsPage,
)
from groundhog_client._operations.transfer import Imported
from groundhog_client._protocol.retry_policy import RetryPolicy
from groundhog_client._rendezvous_hashing import draw, is_held_out
from groundhog_client._version import __version__

__all__ = [
    "AgainstControl",
    "Alive",
    "Allocation",
    "Assignment",
    "AssignmentsPage",
    "AssumedZero",
    "AsyncClient",
    "AsyncEventSender",
    "Batching",
    "BufferFull",
    "BulkStored",
    "Changes",
    "Client",
    "ClvSimulation",
    "Comparison",
    "Conflict",
    "ConnectionLost",
    "Curve",
    "DailyTotal",
    "Decision",
    "Defect",
    "Delay",
    "DelayCurveEstimate",
    "DelayReport",
    "DelayUsed",
    "Deletion",
    "EmailSimulation",
    "Estimated",
    "Estimates",
    "EvaluatedFlag",
    "Event",
    "EventResult",
    "EventSender",
    "EventsNotSent",
    "EventsTaken",
    "Experiment",
    "ExperimentsPage",
    "FieldError",
    "FlagFailure",
    "Forbidden",
    "Forgotten",
    "Gain",
    "GateHolding",
    "GroundhogError",
    "History",
    "Holdout",
    "HoldoutDay",
    "Immature",
    "Imported",
    "IntervalEstimate",
    "Invalid",
    "LineError",
    "Merged",
    "NewVariant",
    "NoAnswer",
    "NotFound",
    "Override",
    "Plan",
    "PlanSettings",
    "Policies",
    "PolicyKind",
    "Posterior",
    "PreconditionFailed",
    "Problem",
    "Progress",
    "Ready",
    "Registered",
    "Rejection",
    "RetryPolicy",
    "Revision",
    "Settings",
    "Simulation",
    "SimulationEvent",
    "SimulationHead",
    "SimulationsPage",
    "Split",
    "Spread",
    "StopAdvice",
    "Stored",
    "StoredAssignment",
    "StoredTotal",
    "TooLarge",
    "TooManyRequests",
    "TotalsPage",
    "TotalsUsed",
    "Unassigned",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "UnreadableAnswer",
    "UnsupportedMediaType",
    "Variant",
    "VariantAllocation",
    "VariantChanges",
    "VariantEstimates",
    "VariantEvidence",
    "VariantTotals",
    "VariantTraffic",
    "__version__",
    "draw",
    "is_held_out",
]

_RENAMED = {"Figure": IntervalEstimate, "Patience": RetryPolicy, "Refusal": Rejection}
"""Public names of version 0.1.0 and what they are called now."""


def __getattr__(name: str) -> type:
    """Return what a deprecated name stands for."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _deprecated.warn(f"groundhog_client.{name}", _RENAMED[name].__name__)
    return _RENAMED[name]
