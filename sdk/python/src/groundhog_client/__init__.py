"""The Python client of Groundhog: each variant's share of traffic, and a variant for each unit.

    with Client("http://localhost:8000") as client:
        print(client.read_allocation("homepage_test").allocations)

`Client` blocks and `AsyncClient` awaits; both have a method for each operation of the service, named as it is.
What can go wrong is drawn in ``groundhog_client._errors``, below `GroundhogError`.
"""

from groundhog_client._allocations import (
    Allocation,
    GateHolding,
    History,
    Revision,
    StopAdvice,
    VariantAllocation,
)
from groundhog_client._assignments import Assignment, Unassigned
from groundhog_client._async_client import AsyncClient
from groundhog_client._async_event_sender import AsyncEventSender
from groundhog_client._client import Client
from groundhog_client._deciding import Decision
from groundhog_client._effects import AgainstControl, Comparison, Figure, Gain, VariantTraffic
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
from groundhog_client._estimates import Estimated, Estimates, Holdout, HoldoutDay, VariantEstimates
from groundhog_client._event_sender import EventSender
from groundhog_client._events import Event, EventResult, EventsTaken
from groundhog_client._experiments import (
    Curve,
    Experiment,
    ExperimentsPage,
    NewVariant,
    Posterior,
    Variant,
)
from groundhog_client._exports import Imported
from groundhog_client._flags import EvaluatedFlag, FlagFailure
from groundhog_client._metrics import (
    BulkStored,
    DailyTotal,
    LineError,
    Stored,
    StoredTotal,
    TotalsPage,
    TotalsUsed,
    VariantEvidence,
    VariantTotals,
)
from groundhog_client._outbox import Batching, Refusal
from groundhog_client._patience import Patience
from groundhog_client._plans import Plan, Spread
from groundhog_client._rendezvous import draw, is_held_out
from groundhog_client._service import Alive, Policies, PolicyKind, Ready
from groundhog_client._settings import (
    Changes,
    ClvSimulation,
    EmailSimulation,
    PlanSettings,
    Settings,
    VariantChanges,
)
from groundhog_client._simulations import (
    Progress,
    Simulation,
    SimulationEvent,
    SimulationHead,
    SimulationsPage,
)
from groundhog_client._splits import Split
from groundhog_client._units import AssignmentsPage, Forgotten, Merged, Override, StoredAssignment
from groundhog_client._version import __version__

__all__ = [
    "AgainstControl",
    "Alive",
    "Allocation",
    "Assignment",
    "AssignmentsPage",
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
    "Figure",
    "FlagFailure",
    "Forbidden",
    "Forgotten",
    "Gain",
    "GateHolding",
    "GroundhogError",
    "History",
    "Holdout",
    "HoldoutDay",
    "Imported",
    "Invalid",
    "LineError",
    "Merged",
    "NewVariant",
    "NoAnswer",
    "NotFound",
    "Override",
    "Patience",
    "Plan",
    "PlanSettings",
    "Policies",
    "PolicyKind",
    "Posterior",
    "PreconditionFailed",
    "Problem",
    "Progress",
    "Ready",
    "Refusal",
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
