"""What one application has for all of its requests, typed, and how a request reaches it."""

import datetime as dt
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.requests import Request

from app.services.access.authenticator import Authenticator
from app.services.allocations.cache import AllocationCache, CachedAllocation
from app.services.allocations.replica_reader import ReplicaReader
from app.services.assignments.assigner import Assigner
from app.services.assignments.feature_flags import FlagDirectory
from app.services.prometheus import PrometheusExporter
from app.services.simulations.worker_pool import WorkerPool
from app.services.single_flight import SingleFlight
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.versions import VersionReader

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the present moment."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """The resources of one application; ``app.main.create_app`` makes them.

    Parameters
    ----------
    clock : returns the present moment, with a zone
    exit_stack : closes what was opened, the last first; the application's lifespan closes it
    """

    settings: ServiceSettings
    clock: Clock
    exit_stack: AsyncExitStack
    database: Database
    replica_reader: ReplicaReader
    versions: VersionReader
    assigner: Assigner
    flags: FlagDirectory
    prometheus: PrometheusExporter
    authenticator: Authenticator
    simulation_workers: WorkerPool
    allocation_cache: AllocationCache
    single_flight: SingleFlight[CachedAllocation]


def state_of(request: Request) -> ApplicationState:
    """Return the state of the application that serves a request."""
    state: ApplicationState = request.app.state
    return state
