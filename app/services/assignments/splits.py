"""Splits: the shares that units are drawn with for a while, an allocation's revision frozen at its first use.

The allocation may get a new revision with every event; units are not drawn anew each time. A split serves until
the first of: ``refresh_minutes`` after it was frozen, the end of the experiment's day, a change of its settings
or variants. Its rows are never changed, so that every draw can be explained later.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.services.allocations import allocate
from app.services.assignments.assignment_context import AssignmentContext
from app.storage import tables


@dataclass(frozen=True, slots=True)
class Split:
    """The shares (percent by variant) of a revision, and until when they are used."""

    number: int
    for_date: dt.date
    revision: str
    shares: Mapping[str, float]
    settings_version: int
    until: dt.datetime

    def is_current(self, terms: AssignmentContext, now: dt.datetime) -> bool:
        """Say whether units are drawn with it on these terms."""
        same = (self.settings_version, self.for_date) == (terms.settings_version, terms.date)
        return same and now < self.until


def get_or_renew(session: Session, terms: AssignmentContext, now: dt.datetime) -> Split:
    """Return the split that units of a running experiment are drawn with now, renewing it where it is time.

    Safe to repeat. Safe to race: PostgreSQL lets one of several renewals win, the others use what it stored. A
    renewal that would change nothing stores nothing and lets the last split serve on.

    Raises
    ------
    Conflict: no variant is active today
    """
    last = latest(session, terms)
    if last is not None and last.is_current(terms, now):
        return last
    answer = json.loads(allocate.allocate(session, terms.experiment_id, None, now).body)
    fresh = Split(
        number=1 if last is None else last.number + 1,
        for_date=terms.date,
        revision=answer["revision"],
        shares=answer["allocations"],
        settings_version=terms.settings_version,
        until=_renewed_at(terms, now),
    )
    if last is not None and replace(last, number=fresh.number, until=fresh.until) == fresh:
        return replace(last, until=fresh.until)
    return _store(session, terms, fresh, now)


def latest(session: Session, terms: AssignmentContext) -> Split | None:
    """Return the split frozen last, whether or not it still serves."""
    found = session.scalars(
        select(tables.Split)
        .where(tables.Split.experiment_id == terms.experiment_id)
        .order_by(tables.Split.split.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else _to_split(found, terms)


def for_revision(session: Session, terms: AssignmentContext, revision: str, date: dt.date) -> Split:
    """Return the last split of a revision by a date: what a client that was shown it on that date drew with.

    Raises
    ------
    NotFound: no unit was drawn with that revision by then
    """
    found = session.scalars(
        select(tables.Split)
        .where(
            tables.Split.experiment_id == terms.experiment_id,
            tables.Split.revision == revision,
            tables.Split.for_date <= date,
        )
        .order_by(tables.Split.split.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound(f"no unit of experiment {terms.experiment_id!r} is drawn with revision {revision!r}")
    return _to_split(found, terms)


def _store(session: Session, terms: AssignmentContext, fresh: Split, now: dt.datetime) -> Split:
    stored = session.scalar(
        insert(tables.Split)
        .values(
            experiment_id=terms.experiment_id,
            split=fresh.number,
            for_date=fresh.for_date,
            revision=fresh.revision,
            shares=fresh.shares,
            settings_version=fresh.settings_version,
            frozen_at=now,
        )
        .on_conflict_do_nothing()
        .returning(tables.Split.split)
    )
    winner = fresh if stored is not None else latest(session, terms)
    assert winner is not None, "the row that was in the way is there"
    return winner


def _to_split(row: tables.Split, terms: AssignmentContext) -> Split:
    return Split(
        number=row.split,
        for_date=row.for_date,
        revision=row.revision,
        shares=row.shares,
        settings_version=row.settings_version,
        until=_renewed_at(terms, row.frozen_at),
    )


def _renewed_at(terms: AssignmentContext, frozen_at: dt.datetime) -> dt.datetime:
    return min(frozen_at + dt.timedelta(minutes=terms.settings.refresh_minutes), terms.until)
