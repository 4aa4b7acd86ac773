"""The application: its parts put together, its start and its end."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from app import __version__
from app.api import openapi, problem_details
from app.api.dependencies import Clock, utc_now
from app.api.middleware import authentication
from app.api.middleware.authentication import ApiKeyMiddleware
from app.api.middleware.body_limit import BodySizeLimitMiddleware
from app.api.middleware.flag_cors import OfrepCorsMiddleware
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
from app.bandits.policies import plugins
from app.observability.middleware import RequestMetricsMiddleware
from app.services.access import audit_log
from app.services.access.authenticator import Authenticator
from app.services.allocations.replica_reader import ReplicaReader
from app.services.allocations.serving import AllocationServer
from app.services.assignments.assigner import Assigner
from app.services.assignments.feature_flags import FlagDirectory
from app.services.prometheus import PrometheusExporter
from app.services.simulations.worker_pool import WorkerPool
from app.settings import ServiceSettings
from app.storage.database import Database
from app.web import pages

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
    pages,
)
"""Modules with routes; the first one that matches a path answers."""


def create_app(settings: ServiceSettings, clock: Clock = utc_now) -> FastAPI:
    """Return the service for a database that is there and migrated (``settings.database_url``).

    Parameters
    ----------
    clock : returns the present moment, with a zone; tests put their own in its place
    """
    plugins.load_plugins()
    app = Groundhog(
        title="Groundhog",
        version=__version__,
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        # they are whole already; `include_router` would build each once more, at the first request
        routes=[route for part in PARTS for route in part.router.routes],
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.database = Database(settings, before_commit=audit_log.flush)
    app.state.keys = Authenticator(
        app.state.database,
        settings.key_cache_seconds,
        open_without_keys=settings.on_loopback,
        track_last_used=not settings.read_only,
    )
    app.state.reader = ReplicaReader(app.state.database, settings)
    app.state.allocation_server = AllocationServer(app.state.database, app.state.reader, settings)
    app.state.assigner = Assigner(app.state.database, settings)
    app.state.flags = FlagDirectory(app.state.database, settings)
    app.state.figures = PrometheusExporter(app.state.database, settings)
    app.state.players = WorkerPool(app.state.database, settings.simulation_workers, clock)
    app.add_middleware(
        BodySizeLimitMiddleware,
        settings.max_body_bytes,
        unlimited=frozenset({"/metrics/bulk", "/experiments/import"}),
    )
    app.add_middleware(ApiKeyMiddleware, app.state.keys, clock, authentication.public_paths(settings))
    if settings.cors_origins:
        app.add_middleware(OfrepCorsMiddleware, settings.cors_origins)
    problem_details.register_exception_handlers(app)
    pages.mount_assets(app)
    return app


class Groundhog(FastAPI):
    """FastAPI with telemetry around everything, error answers included, and our own OpenAPI."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the whole application, so that a 500 carries its request id too."""
        return RequestMetricsMiddleware(
            super().build_middleware_stack(), problem_details.respond_shutting_down
        )

    def openapi(self) -> dict[str, object]:
        """Return the OpenAPI description."""
        if not self.openapi_schema:
            self.openapi_schema = openapi.describe(super().openapi())
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    gc.collect()
    gc.freeze()  # what is there now stays: full collections would stop the server for 30 ms each
    yield
    await run_in_threadpool(app.state.players.close)
    await app.state.keys.close()
    await app.state.figures.close()
    await app.state.flags.close()
    await app.state.assigner.close()
    await app.state.allocation_server.close()
    app.state.reader.close()
    app.state.database.close()
