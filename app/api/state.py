"""What one application has for all of its requests, typed, and how a request reaches it."""

import datetime as dt
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.requests import Request

from app.services.access.authenticator import Authenticator
from app.services.allocations.replica_reader import ReplicaReader
from app.services.allocations.serving import AllocationServer
from app.services.assignments.assigner import Assigner
from app.services.assignments.feature_flags import FlagDirectory
from app.services.prometheus import PrometheusExporter
from app.services.simulations.worker_pool import WorkerPool
from app.settings import ServiceSettings
from app.storage.database import Database

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the present moment."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True, repr=False)
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
    assigner: Assigner
    flags: FlagDirectory
    prometheus: PrometheusExporter
    authenticator: Authenticator
    simulation_workers: WorkerPool
    allocation_server: AllocationServer


def state_of(request: Request) -> ApplicationState:
    """Return the state of the application that serves a request."""
    state: ApplicationState = request.app.state
    return state
