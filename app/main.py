"""The application: its resources, middleware and routes put together, and closed again in reverse order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, cached_property
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__
from app.api import openapi, problem_details
from app.api.middleware import authentication
from app.api.middleware.authentication import ApiKeyMiddleware
from app.api.middleware.body_limit import BodySizeLimitMiddleware
from app.api.middleware.browser_cors import BrowserCorsMiddleware
from app.api.middleware.head import HeadMiddleware
from app.api.routes import (
    allocations,
    assignments,
    events,
    experiments,
    exports,
    metrics,
    ofrep,
    operations,
    plans,
    policies,
    splits,
)
from app.api.routes.simulations import results, runs
from app.api.routing import RouteIndex
from app.api.state import ApplicationState, Clock, utc_now
from app.bandits.policies import plugins
from app.observability.middleware import RequestMetricsMiddleware
from app.services.access import audit_log
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
from app.web import routes as web

PARTS = (
    metrics,
    allocations,
    assignments,
    splits,
    ofrep,
    events,
    experiments,
    exports,
    policies,
    plans,
    runs,
    results,
    operations,
    web,
)
"""Modules with routes; the first one that matches a path answers."""

ROUTES = [route for part in PARTS for route in part.router.routes]
"""They are complete already; ``include_router`` would build each again, at the first request."""


UNLIMITED_BODIES = frozenset({"/metrics/bulk", "/experiments/import"})
"""The paths whose routes have a limit of their own."""


def create_app(settings: ServiceSettings, clock: Clock = utc_now) -> FastAPI:
    """Return the service for a database that exists and is migrated (``settings.database_url``).

    Parameters
    ----------
    clock : returns the present moment, with a zone; tests pass their own
    """
    _load_plugins()
    state = _create_state(settings, clock)
    app = Groundhog(
        state,
        title=openapi.TITLE,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        routes=ROUTES,
    )
    problem_details.register_exception_handlers(app)
    web.mount_assets(app)
    return app


@cache
def _load_plugins() -> None:
    """Register the installed policies, once per process: finding them reads the metadata of every package."""
    plugins.load_plugins()


def _create_state(settings: ServiceSettings, clock: Clock) -> ApplicationState:
    """Create the resources; none of them connects before it is used."""
    database = Database(settings, before_commit=audit_log.flush)
    replica_reader = ReplicaReader(database, settings)
    allocation_server = AllocationServer(database, replica_reader, settings)
    assigner = Assigner(database, settings)
    flags = FlagDirectory(database, settings)
    prometheus = PrometheusExporter(database, settings)
    authenticator = Authenticator(
        database,
        settings.key_cache_seconds,
        open_without_keys=settings.on_loopback,
        track_last_used=not settings.read_only,
    )
    simulation_workers = WorkerPool(database, settings.simulation_workers, clock)
    return ApplicationState(
        settings=settings,
        clock=clock,
        database=database,
        replica_reader=replica_reader,
        assigner=assigner,
        event_recorder=EventRecorder(database, settings),
        metrics_recorder=MetricsRecorder(database, settings),
        flags=flags,
        prometheus=prometheus,
        authenticator=authenticator,
        simulation_workers=simulation_workers,
        allocation_server=allocation_server,
    )


class Groundhog(FastAPI):
    """FastAPI with typed state, metrics around everything, error responses included, and its own OpenAPI."""

    state: ApplicationState  # type: ignore[assignment]  # in place of Starlette's bag of attributes

    def __init__(self, state: ApplicationState, **options: Any) -> None:
        super().__init__(**options)
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the framework asks for OpenTelemetry at each, here it is asked once."""
        if scope["type"] != "http" or self._is_observed:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self._stack(scope, receive, send)

    @cached_property
    def _is_observed(self) -> bool:
        return self._native_telemetry.enabled()

    @cached_property
    def _stack(self) -> ASGIApp:
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        return self.middleware_stack

    def build_middleware_stack(self) -> ASGIApp:
        """Return all that is around the routes, outermost first; the framework has what `RouteIndex` leaves it."""
        settings, authenticator = self.state.settings, self.state.authenticator
        app: ASGIApp = RouteIndex(self.router, super().build_middleware_stack())
        app = BodySizeLimitMiddleware(app, settings.max_body_bytes, UNLIMITED_BODIES)
        app = HeadMiddleware(app)
        app = ApiKeyMiddleware(app, authenticator, self.state.clock, authentication.public_paths(settings))
        app = BrowserCorsMiddleware(app, settings.cors_origins, authenticator)
        return RequestMetricsMiddleware(
            app, problem_details.respond_shutting_down, problem_details.respond_unexpected_error
        )

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description."""
        return _description()


@cache
def _description() -> dict[str, Any]:
    """Return the description, made once per process: every application has the same routes."""
    return openapi.describe(__version__, ROUTES)


@asynccontextmanager
async def _lifespan(app: Groundhog) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await app.state.close()
