"""The audit log: who changed what, and when, written in the transaction of the change itself.

An entry starts where its operation is authorized (``start``), collects the experiments that it locks
(``add_subject``), and is written by the transaction that commits it (``flush``, called by the database).
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.services.access import principal
from app.storage.pipeline import Statement
from app.storage.tables import AuditEntry

INSERT_SQL = """
    insert into audit (audit_id, at, key_id, who, operation, subjects)
    select audit_id, at, key_id, who, operation, array[subject] from unnest(
        %(ids)s::text[], %(at)s::timestamptz[], %(key_id)s::text[], %(who)s::text[], %(operation)s::text[],
        %(subject)s::text[]
    ) as entry (audit_id, at, key_id, who, operation, subject)
"""


@dataclass(slots=True)
class PendingEntry:
    """The current operation, and the subjects of its changes that are not written yet.

    One object for all threads of a request, as each thread has a context of its own.
    """

    operation: str
    at: dt.datetime
    subjects: dict[str, None] = field(default_factory=dict)


_pending: ContextVar[PendingEntry | None] = ContextVar("pending_entry", default=None)


def start(operation: str, at: dt.datetime, *subjects: str) -> None:
    """Start the entry of the current request or command."""
    _pending.set(PendingEntry(operation, at, dict.fromkeys(subjects)))


def discard() -> None:
    """Remove the subjects: the request changes nothing after all."""
    entry = _pending.get()
    if entry is not None:
        entry.subjects.clear()


def add_subject(subject: str) -> None:
    """Add an experiment or a simulation to the subjects of the current entry."""
    entry = _pending.get()
    if entry is not None:
        entry.subjects[subject] = None


def flush(session: Session) -> None:
    """Write the current entry in the transaction of its changes, if there are any."""
    entry = _pending.get()
    if entry is not None and entry.subjects:
        record(session, entry.operation, entry.at, list(entry.subjects))
        entry.subjects.clear()


def record(session: Session, operation: str, at: dt.datetime, subjects: list[str]) -> None:
    """Write one entry."""
    who = principal.current_principal.get()
    session.add(
        AuditEntry(
            audit_id=uuid.uuid4().hex,
            at=at,
            key_id=who.key_id,
            who=who.name,
            operation=operation,
            subjects=subjects,
        )
    )


class AuditRow(NamedTuple):
    """An entry of one subject, ready to be stored."""

    at: dt.datetime
    key_id: str | None
    who: str
    operation: str
    subject: str


def row_of(subject: str) -> AuditRow | None:
    """Return the current entry, for a change of one subject that a transaction of several requests writes."""
    entry = _pending.get()
    if entry is None:
        return None
    who = principal.current_principal.get()
    return AuditRow(entry.at, who.key_id, who.name, entry.operation, subject)


def insert_query(rows: Sequence[AuditRow]) -> Statement:
    """Return the statement that writes entries, to be sent in a pipeline."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in AuditRow._fields)
    return INSERT_SQL, {
        "ids": [uuid.uuid4().hex for _ in rows],
        **{name: list(column) for name, column in zip(AuditRow._fields, columns, strict=True)},
    }


def read(session: Session, about: str | None, limit: int) -> list[AuditEntry]:
    """Return the newest entries, the newest first; with ``about`` those of one experiment, simulation or key."""
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.audit_id.desc()).limit(limit)
    if about is not None:
        query = query.where(AuditEntry.subjects.contains([about]))
    return list(session.scalars(query))


def delete_older_than(session: Session, now: dt.datetime, days: int) -> int:
    """Delete entries older than ``days``; return how many."""
    old = delete(AuditEntry).where(AuditEntry.at < now - dt.timedelta(days=days))
    return len(session.scalars(old.returning(AuditEntry.audit_id)).all())
