"""Idempotency-Key on writes: what makes a request the same one, and the stored response as HTTP."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session

from app.services.access import idempotency, principal
from app.services.access.idempotency import StoredResponse
from app.storage.database import Database

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
) -> idempotency.IdempotentRequest | None:
    digest = hashlib.sha256(await request.body()).digest() if idempotency_key is not None else b""
    return idempotent_request(request, idempotency_key, digest)


def idempotent_request(
    request: Request, key: str | None, body_sha256: bytes
) -> idempotency.IdempotentRequest | None:
    """Return what makes a request the same one, or None where it carries no Idempotency-Key."""
    if key is None:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    route = f"{request.method} {request.url.path.rstrip('/')}{query}"
    key_id = principal.current_principal.get().key_id  # one client's key must not read another's answer
    return idempotency.IdempotentRequest(route if key_id is None else f"{key_id} {route}", key, body_sha256)


IdempotencyDep = Annotated[idempotency.IdempotentRequest | None, Depends(_idempotent_request)]


def execute_write(
    database: Database,
    request: idempotency.IdempotentRequest | None,
    work: Callable[[Session], StoredResponse],
    now: dt.datetime,
) -> Response:
    """Do a write in one transaction, at most once per Idempotency-Key, and answer it."""
    with database.transaction() as session:
        answer = idempotency.run_once(session, request, lambda: work(session), now)
    return to_response(answer)


def to_response(answer: StoredResponse) -> Response:
    """Return the HTTP form of an answer."""
    response = Response(answer.body, answer.status, media_type="application/json")
    if answer.location is not None:
        response.headers["Location"] = answer.location
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
