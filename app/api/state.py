"""What one application has for all of its requests, typed, and how a request reaches it."""

import datetime as dt
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.services.access.authenticator import Authenticator
from app.services.allocations.replica_reader import ReplicaReader
from app.services.allocations.serving import AllocationServer
from app.services.assignments.assigner import Assigner
from app.services.assignments.feature_flags import FlagDirectory
from app.services.events.recorder import EventRecorder
from app.services.metrics.recorder import MetricsRecorder
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
    """

    settings: ServiceSettings
    clock: Clock
    database: Database
    replica_reader: ReplicaReader
    assigner: Assigner
    event_recorder: EventRecorder
    metrics_recorder: MetricsRecorder
    flags: FlagDirectory
    prometheus: PrometheusExporter
    authenticator: Authenticator
    simulation_workers: WorkerPool
    allocation_server: AllocationServer

    async def close(self) -> None:
        """Close all connections, threads and processes, those first that use others; each can be used again."""
        async with AsyncExitStack() as resources:
            resources.callback(self.database.close)
            resources.callback(self.replica_reader.close)
            resources.push_async_callback(self.allocation_server.close)
            resources.push_async_callback(self.assigner.close)
            resources.push_async_callback(self.flags.close)
            resources.push_async_callback(self.prometheus.close)
            resources.push_async_callback(self.authenticator.close)
            resources.push_async_callback(run_in_threadpool, self.simulation_workers.close)


def state_of(request: Request) -> ApplicationState:
    """Return the state of the application that serves a request."""
    state: ApplicationState = request.app.state
    return state
