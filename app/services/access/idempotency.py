"""Idempotency keys: a request sent twice is carried out once, and its second response repeats the first."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Invalid, Unavailable
from app.services.access import audit_log
from app.storage.tables import IdempotencyKey


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to a request: a status, a JSON text, and the address of what was created."""

    status: int
    body: str
    location: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """What makes a request the same one: who sent it where (``scope``), its key, and its body's digest."""

    scope: str
    key: str
    body_sha256: bytes


def reserve_or_read(
    session: Session, request: IdempotentRequest | None, now: dt.datetime
) -> StoredResponse | None:
    """Return the response to the same request of before; None where this transaction has to do the work.

    The key is reserved in the transaction of the work: either both are stored or neither is. A duplicate that runs
    at the same time waits in PostgreSQL for the first to end. Failed requests leave no key.

    Raises
    ------
    Invalid: the key was sent before with another body
    """
    if request is None or _reserve_key(session, request, now):
        return None
    audit_log.discard()
    return _read_response(session, request)


def find_response(session: Session, request: IdempotentRequest | None) -> StoredResponse | None:
    """Return the response to the same request of before, if it is stored; reserves nothing.

    Raises
    ------
    Invalid: the key was sent before with another body
    """
    if request is None or session.get(IdempotencyKey, (request.scope, request.key)) is None:
        return None
    return _read_response(session, request)


def store_response(session: Session, request: IdempotentRequest | None, response: StoredResponse) -> None:
    """Store the response under the reserved key, if there is one."""
    if request is None:
        return
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key)
        .values(
            body_sha256=request.body_sha256,
            status=response.status,
            answer=response.body,
            location=response.location,
        )
    )


def _reserve_key(session: Session, request: IdempotentRequest, now: dt.datetime) -> bool:
    """Reserve a key for this transaction; wait for one that has it, and return False if that one committed."""
    reserved = session.scalar(
        insert(IdempotencyKey)
        .values(scope=request.scope, key=request.key, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return reserved is not None


def _read_response(session: Session, request: IdempotentRequest) -> StoredResponse:
    """Return the response stored under a key.

    Raises
    ------
    Invalid: the key was sent before with another body
    Unavailable: the key has expired since it was found
    """
    row = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key)
    ).one_or_none()
    if row is None:  # deleted since it was found
        raise Unavailable("the Idempotency-Key has just expired; send the request again")
    if row.body_sha256 != request.body_sha256 or row.status is None or row.answer is None:
        raise Invalid(
            "this Idempotency-Key was sent before with another body; use a new key for a new request"
        )
    return StoredResponse(row.status, row.answer, row.location, replayed=True)


def delete_older_than(session: Session, now: dt.datetime, hours: int) -> int:
    """Delete keys older than ``hours``; return how many."""
    return len(
        session.scalars(
            delete(IdempotencyKey)
            .where(IdempotencyKey.created_at < now - dt.timedelta(hours=hours))
            .returning(IdempotencyKey.key)
        ).all()
    )
