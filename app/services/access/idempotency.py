"""Idempotency keys: a request sent twice is carried out once and answered twice with the same words."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Invalid, Unavailable
from app.services.access import audit_log
from app.storage.tables import IdempotencyKey


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What a request was answered: a status, a JSON text, and where the made thing lives."""

    status: int
    body: str
    location: str | None = None
    replayed: bool = False

    @classmethod
    def of(cls, message: BaseModel, status: int = 200, location: str | None = None) -> "StoredResponse":
        """Return the answer that carries a message."""
        return cls(status, message.model_dump_json(), location)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """What makes a request the same one: who sent it where (``scope``), its key, and its body's digest."""

    scope: str
    key: str
    body_sha256: bytes


def run_once(
    session: Session, request: IdempotentRequest | None, work: Callable[[], StoredResponse], now: dt.datetime
) -> StoredResponse:
    """Do the work unless this request was answered before; then return that answer.

    The key is stored in the transaction of the work: either both are there or neither is. A duplicate that runs
    at the same time waits in PostgreSQL for the first to end. Failed requests leave no key.

    Raises
    ------
    Invalid: the key came before with another body
    """
    if request is None:
        return work()
    if reserve_key(session, request.scope, request.key, now):
        answer = work()
        store_response(session, request, answer)
        return answer
    audit_log.discard()
    return read_response(session, request)


def find_response(session: Session, request: IdempotentRequest | None) -> StoredResponse | None:
    """Return what this request was answered before, if it was; for work that must not wait inside a transaction.

    Raises
    ------
    Invalid: the key came before with another body
    """
    if request is None or session.get(IdempotencyKey, (request.scope, request.key)) is None:
        return None
    return read_response(session, request)


def reserve_key(session: Session, scope: str, key: str, now: dt.datetime) -> bool:
    """Reserve a key for this transaction; wait for one that holds it, and return False if that one kept it."""
    claimed = session.scalar(
        insert(IdempotencyKey)
        .values(scope=scope, key=key, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return claimed is not None


def store_response(session: Session, request: IdempotentRequest, answer: StoredResponse) -> None:
    """Keep the answer under the claimed key."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key)
        .values(
            body_sha256=request.body_sha256,
            status=answer.status,
            answer=answer.body,
            location=answer.location,
        )
    )


def read_response(session: Session, request: IdempotentRequest) -> StoredResponse:
    """Return the answer kept under a key.

    Raises
    ------
    Invalid: the key came before with another body
    Unavailable: the key expired in this very moment
    """
    row = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key)
    ).one_or_none()
    if row is None:  # pruned since it was found
        raise Unavailable("the Idempotency-Key has just expired; send the request again")
    if row.body_sha256 != request.body_sha256 or row.status is None or row.answer is None:
        raise Invalid("this Idempotency-Key came before with another body; use a new key for a new request")
    return StoredResponse(row.status, row.answer, row.location, replayed=True)


def delete_older_than(session: Session, now: dt.datetime, hours: int) -> int:
    """Forget keys older than ``hours``; return how many."""
    return len(
        session.scalars(
            delete(IdempotencyKey)
            .where(IdempotencyKey.created_at < now - dt.timedelta(hours=hours))
            .returning(IdempotencyKey.key)
        ).all()
    )
