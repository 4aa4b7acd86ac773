"""What routes are given: the database, the settings, the time, the application's state, parts of paths."""

import datetime as dt
from typing import Annotated

from fastapi import Depends, Query, Request

from app.api.state import ApplicationState, state_of
from app.schemas.fields import Identifier, IsoDate
from app.services.allocations.replica_reader import ReplicaReader
from app.settings import ServiceSettings
from app.storage.database import Database


# These are coroutines because FastAPI runs each plain function in a thread: three hops before every request.
async def _state(request: Request) -> ApplicationState:
    return state_of(request)


async def _database(request: Request) -> Database:
    return state_of(request).database


async def _replica_reader(request: Request) -> ReplicaReader:
    return state_of(request).replica_reader


async def _settings(request: Request) -> ServiceSettings:
    return state_of(request).settings


async def _now(request: Request) -> dt.datetime:
    return state_of(request).clock()


StateDep = Annotated[ApplicationState, Depends(_state)]
DatabaseDep = Annotated[Database, Depends(_database)]
ReaderDep = Annotated[ReplicaReader, Depends(_replica_reader)]
SettingsDep = Annotated[ServiceSettings, Depends(_settings)]
CurrentTime = Annotated[dt.datetime, Depends(_now)]
AllocationDate = Annotated[
    IsoDate | None,
    Query(description="YYYY-MM-DD, at most tomorrow; by default today in the experiment's time zone"),
]
ExperimentPath = Identifier
VariantPath = Identifier
