"""The audit: who changed what, and when, written in the transaction of the change itself.

An entry begins where its operation is authorized (``start``), gathers the experiments that it locks
(``add_subject``), and is written by the transaction that commits it (``flush``, called by the database).
"""

import datetime as dt
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.services.access import principal
from app.storage.tables import AuditEntry


@dataclass(slots=True)
class PendingEntry:
    """An operation under way, and what it changed that is not written yet.

    One object for all threads of a request: each of them sees a context of its own.
    """

    operation: str
    at: dt.datetime
    subjects: dict[str, None] = field(default_factory=dict)


_pending: ContextVar[PendingEntry | None] = ContextVar("change", default=None)


def start(operation: str, at: dt.datetime, *subjects: str) -> None:
    """Expect changes from the present request or command."""
    _pending.set(PendingEntry(operation, at, dict.fromkeys(subjects)))


def discard() -> None:
    """Take back what was touched: the request changes nothing after all."""
    change = _pending.get()
    if change is not None:
        change.subjects.clear()


def add_subject(subject: str) -> None:
    """Count an experiment, or a simulation, among what the present change is about."""
    change = _pending.get()
    if change is not None:
        change.subjects[subject] = None


def flush(session: Session) -> None:
    """Write down what was changed, if anything was, with the transaction that does it."""
    change = _pending.get()
    if change is not None and change.subjects:
        record(session, change.operation, change.at, list(change.subjects))
        change.subjects.clear()


def record(session: Session, operation: str, at: dt.datetime, subjects: list[str]) -> None:
    """Write one entry."""
    caller = principal.current_principal.get()
    session.add(
        AuditEntry(
            audit_id=uuid.uuid4().hex,
            at=at,
            key_id=caller.key_id,
            who=caller.name,
            operation=operation,
            subjects=subjects,
        )
    )


def read(session: Session, about: str | None, limit: int) -> list[AuditEntry]:
    """Return the newest entries, the newest first; ``about`` keeps those on one experiment, simulation or key."""
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.audit_id.desc()).limit(limit)
    if about is not None:
        query = query.where(AuditEntry.subjects.contains([about]))
    return list(session.scalars(query))


def delete_older_than(session: Session, now: dt.datetime, days: int) -> int:
    """Forget entries older than ``days``; return how many."""
    old = delete(AuditEntry).where(AuditEntry.at < now - dt.timedelta(days=days))
    return len(session.scalars(old.returning(AuditEntry.audit_id)).all())
