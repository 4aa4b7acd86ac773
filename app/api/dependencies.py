"""What routes are given: the database, the settings, the time, a request's idempotency, a page's place."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request

from app.schemas.fields import Identifier, IsoDate
from app.services.allocations.replica_reader import ReplicaReader
from app.settings import ServiceSettings
from app.storage.database import Database

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the present moment; tests put another clock in its place."""
    return dt.datetime.now(dt.UTC)


# These are coroutines because FastAPI runs each plain function in a thread: three hops before every request.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _reader(request: Request) -> ReplicaReader:
    reader: ReplicaReader = request.app.state.reader
    return reader


async def _settings(request: Request) -> ServiceSettings:
    settings: ServiceSettings = request.app.state.settings
    return settings


async def _now(request: Request) -> dt.datetime:
    clock: Clock = request.app.state.clock
    return clock()


DatabaseDep = Annotated[Database, Depends(_database)]
ReaderDep = Annotated[ReplicaReader, Depends(_reader)]
SettingsDep = Annotated[ServiceSettings, Depends(_settings)]
CurrentTime = Annotated[dt.datetime, Depends(_now)]
AllocationDate = Annotated[
    IsoDate | None,
    Query(description="YYYY-MM-DD, at most tomorrow; by default today in the experiment's time zone"),
]
ExperimentPath = Identifier
VariantPath = Identifier
