"""One write of one request: its transaction, its time, and its Idempotency-Key if it has one."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.api.state import state_of
from app.services.access import idempotency, principal
from app.services.access.idempotency import IdempotentRequest, StoredResponse
from app.storage.database import Database

Message = TypeVar("Message")

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


@dataclass(frozen=True, slots=True)
class WriteOutcome(Generic[Message]):
    """The outcome of a write.

    Parameters
    ----------
    message : what the work returned; None where an earlier request with the same Idempotency-Key did the work
    response : as it is stored under the Idempotency-Key, by this request or by the earlier one
    """

    message: Message | None
    response: StoredResponse

    def to_response(self) -> Response:
        """Return the response as HTTP."""
        return to_response(self.response)


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """A write of one request: all of it in one transaction, or nothing.

    Parameters
    ----------
    now : the time of the request, and of everything it stores
    request : what makes the request the same one, in the scope of its principal; None without an Idempotency-Key
    """

    database: Database
    now: dt.datetime
    request: IdempotentRequest | None = None

    def commit(self, work: Callable[[Session], Message]) -> Message:
        """Do the work, commit it and return its message."""
        with self.database.transaction() as session:
            return work(session)

    def commit_once(
        self,
        work: Callable[[Session], Message],
        status: int = 200,
        location: Callable[[Message], str] | None = None,
    ) -> WriteOutcome[Message]:
        """Do the work and commit it with its response, or return the response committed before.

        Parameters
        ----------
        work : returns the message of the response: a pydantic model, or what JSON can express
        location : returns the address of what the work created

        Raises
        ------
        Invalid: the Idempotency-Key was sent before with another body
        """
        with self.database.transaction() as session:
            stored = idempotency.reserve_or_read(session, self.request, self.now)
            if stored is not None:
                return WriteOutcome(None, stored)
            message = work(session)
            response = StoredResponse(status, _to_json(message), location(message) if location else None)
            idempotency.store_response(session, self.request, response)
        return WriteOutcome(message, response)

    def find_response(self) -> StoredResponse | None:
        """Return the response stored before, for work that must not run inside a transaction.

        Raises
        ------
        Invalid: the Idempotency-Key was sent before with another body
        """
        with self.database.transaction() as session:
            return idempotency.find_response(session, self.request)


def _to_json(message: Any) -> str:
    return message.model_dump_json() if isinstance(message, BaseModel) else json.dumps(message)


def unit_of_work(request: Request, key: str | None, body_sha256: bytes) -> UnitOfWork:
    """Return the unit of work of a request whose body has this digest."""
    state = state_of(request)
    repeatable = None if key is None else IdempotentRequest(_scope(request), key, body_sha256)
    return UnitOfWork(state.database, state.clock(), repeatable)


def _scope(request: Request) -> str:
    """Return what an Idempotency-Key is unique in: a client cannot read another one's stored responses."""
    query = f"?{request.url.query}" if request.url.query else ""
    route = f"{request.method} {request.url.path.rstrip('/')}{query}"
    key_id = principal.current_principal.get().key_id
    return route if key_id is None else f"{key_id} {route}"


async def _idempotent_write(request: Request, idempotency_key: IdempotencyKeyHeader = None) -> UnitOfWork:
    digest = hashlib.sha256(await request.body()).digest() if idempotency_key is not None else b""
    return unit_of_work(request, idempotency_key, digest)


async def _write(request: Request) -> UnitOfWork:
    return unit_of_work(request, None, b"")


IdempotentWriteDep = Annotated[UnitOfWork, Depends(_idempotent_write)]
"""For POST: ``commit_once`` does it once per Idempotency-Key."""
WriteDep = Annotated[UnitOfWork, Depends(_write)]
"""For PATCH and DELETE, which are safe to repeat and take no Idempotency-Key."""


def message_response(message: BaseModel) -> Response:
    """Return the message of a write that is committed as HTTP."""
    return Response(message.model_dump_json(), media_type="application/json")


def to_response(stored: StoredResponse) -> Response:
    """Return a stored response as HTTP."""
    response = Response(stored.body, stored.status, media_type="application/json")
    if stored.location is not None:
        response.headers["Location"] = stored.location
    if stored.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
