"""The audit: who changed what, and when, written in the transaction of the change itself.

A change begins where its operation is admitted (``begin``), gathers the experiments it locks (``touch``), and is
written by the transaction that commits it (``write``, which `storage.database.Database` calls).
"""

import datetime as dt
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.services import callers
from app.storage.tables import AuditEntry


@dataclass(slots=True)
class Change:
    """An operation under way that changes something; settled once it is written, or turned out to change nothing.

    One object for all threads of a request: each of them sees a context of its own.
    """

    operation: str
    at: dt.datetime
    subjects: dict[str, None] = field(default_factory=dict)
    settled: bool = False


_under_way: ContextVar[Change | None] = ContextVar("change", default=None)


def begin(operation: str, at: dt.datetime, *subjects: str) -> None:
    """Expect a change from the present request."""
    _under_way.set(Change(operation, at, dict.fromkeys(subjects)))


def settle() -> None:
    """Expect nothing more: the request changes nothing after all."""
    change = _under_way.get()
    if change is not None:
        change.settled = True


def touch(subject: str) -> None:
    """Count an experiment, or a simulation, among what the present change is about."""
    change = _under_way.get()
    if change is not None:
        change.subjects[subject] = None


def write(session: Session) -> None:
    """Write the present change down, if it is about anything, with the transaction that makes it."""
    change = _under_way.get()
    if change is not None and change.subjects and not change.settled:
        change.settled = True
        note(session, change.operation, change.at, list(change.subjects))


def note(session: Session, operation: str, at: dt.datetime, subjects: list[str]) -> None:
    """Write one entry."""
    caller = callers.acting.get()
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


def prune(session: Session, now: dt.datetime, days: int) -> int:
    """Forget entries older than ``days``; return how many."""
    old = delete(AuditEntry).where(AuditEntry.at < now - dt.timedelta(days=days))
    return len(session.scalars(old.returning(AuditEntry.audit_id)).all())
