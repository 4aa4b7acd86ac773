"""The application: its parts put together, its start and its end."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from app import __version__
from app.api import (
    access,
    allocations,
    assignments,
    events,
    experiments,
    exports,
    metrics,
    ofrep,
    openapi,
    operations,
    plans,
    policies,
    problems,
    simulation_results,
    simulations,
    splits,
)
from app.api.access import KeyCheck
from app.api.cors import FlagCors
from app.api.deps import Clock, utc_now
from app.api.joined import Joined
from app.api.limits import BodyLimit
from app.bandits import custom
from app.services import audit
from app.services.assigner import Assigner
from app.services.figures import Figures
from app.services.flags import FlagList
from app.services.keyring import KeyRing
from app.services.players import Players
from app.services.reading import Reader
from app.settings import Settings
from app.storage.database import Database
from app.storage.versions import VersionReader
from app.telemetry import RequestTelemetry
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
    simulations,
    simulation_results,
    operations,
    web,
)
"""Modules with routes; the first one that matches a path answers."""


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Return the service for a database that is there and migrated (``settings.database_url``).

    Parameters
    ----------
    clock : returns the present moment, with a zone; tests put their own in its place
    """
    custom.load()
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
    app.state.database = Database(settings, before_commit=audit.write)
    app.state.keys = KeyRing(
        app.state.database,
        settings.key_cache_seconds,
        open_without_keys=settings.on_loopback,
        notes_uses=not settings.read_only,
    )
    app.state.reader = Reader(app.state.database, settings)
    app.state.versions = VersionReader(app.state.database)
    app.state.assigner = Assigner(app.state.database, settings)
    app.state.flags = FlagList(app.state.database, settings)
    app.state.figures = Figures(app.state.database, settings)
    app.state.players = Players(app.state.database, settings.simulation_workers, clock)
    app.state.kept = allocations.Kept(settings.allocation_cache_bytes)
    app.state.computing = Joined()
    app.add_middleware(
        BodyLimit, settings.max_body_bytes, unlimited=frozenset({"/metrics/bulk", "/experiments/import"})
    )
    app.add_middleware(KeyCheck, app.state.keys, clock, access.open_paths(settings))
    if settings.cors_origins:
        app.add_middleware(FlagCors, settings.cors_origins)
    problems.install(app)
    web.mount_assets(app)
    return app


class Groundhog(FastAPI):
    """FastAPI with telemetry around everything, error answers included, and our own OpenAPI."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the whole application, so that a 500 carries its request id too."""
        return RequestTelemetry(super().build_middleware_stack(), problems.answer_stop)

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
    await app.state.versions.close()
    app.state.reader.close()
    app.state.database.close()
