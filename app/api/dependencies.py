"""What routes are given: the database, the settings, the time, a request's idempotency, a page's place."""

import base64
import binascii
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Response
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from app.errors import FieldError, Invalid
from app.schemas.fields import Count, Identifier, IsoDate
from app.services.access import idempotency, principal
from app.services.access.idempotency import Answer
from app.services.allocations.replica_reader import Reader
from app.settings import Settings
from app.storage.database import Database

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the present moment; tests put another clock in its place."""
    return dt.datetime.now(dt.UTC)


# These are coroutines because FastAPI runs each plain function in a thread: three hops before every request.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _reader(request: Request) -> Reader:
    reader: Reader = request.app.state.reader
    return reader


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _now(request: Request) -> dt.datetime:
    clock: Clock = request.app.state.clock
    return clock()


IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A text of your own, unique to this request: sent again within a day, it is carried out once",
    ),
]


async def _idempotent_request(
    request: Request, idempotency_key: IdempotencyKeyHeader = None
) -> idempotency.Request | None:
    digest = hashlib.sha256(await request.body()).digest() if idempotency_key is not None else b""
    return same_request(request, idempotency_key, digest)


def same_request(request: Request, key: str | None, body_sha256: bytes) -> idempotency.Request | None:
    """Return what makes a request the same one, or None where it carries no Idempotency-Key."""
    if key is None:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    route = f"{request.method} {request.url.path.rstrip('/')}{query}"
    key_id = principal.acting.get().key_id  # one client's key must not read another's answer
    return idempotency.Request(route if key_id is None else f"{key_id} {route}", key, body_sha256)


DatabaseDep = Annotated[Database, Depends(_database)]
ReaderDep = Annotated[Reader, Depends(_reader)]
SettingsDep = Annotated[Settings, Depends(_settings)]
Now = Annotated[dt.datetime, Depends(_now)]
IdempotencyDep = Annotated[idempotency.Request | None, Depends(_idempotent_request)]
ForDate = Annotated[
    IsoDate | None,
    Query(description="YYYY-MM-DD, at most tomorrow; by default today in the experiment's time zone"),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Items per page")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the page before")]
ExperimentPath = Identifier
VariantPath = Identifier


def carry_out(
    database: Database,
    request: idempotency.Request | None,
    work: Callable[[Session], Answer],
    now: dt.datetime,
) -> Response:
    """Do a write in one transaction, at most once per Idempotency-Key, and answer it."""
    with database.transaction() as session:
        answer = idempotency.once(session, request, lambda: work(session), now)
    return as_response(answer)


def as_response(answer: Answer) -> Response:
    """Return the HTTP form of an answer."""
    response = Response(answer.body, answer.status, media_type="application/json")
    if answer.location is not None:
        response.headers["Location"] = answer.location
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def cursor_after(*place: Any) -> str:
    """Return the opaque cursor of the page that follows ``place``."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


identifier: Callable[[Any], str] = TypeAdapter(Identifier).validate_python
iso_date: Callable[[Any], dt.date] = TypeAdapter(IsoDate).validate_python
sequence_number: Callable[[Any], int] = TypeAdapter(Count).validate_python


def place_of(cursor: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """Return the place a cursor stands for, each part read by its kind.

    Raises
    ------
    Invalid: the cursor is not one of ours
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fault = FieldError("query.cursor", "Input should be the next_cursor of an earlier page")
        raise Invalid("the cursor is not one of ours", [fault]) from None
    return place
