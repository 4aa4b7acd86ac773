"""Splits: the shares that units are drawn with for a while, an allocation's revision frozen at its first use.

The allocation may get a new revision with every event, but not every one makes a new split. A split is used until
the first of: ``refresh_minutes`` after it was frozen, the end of the experiment's day (with cadence hour: of the
hour), a change of its settings or variants. Its rows are never changed, so that every draw can be explained later.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.services.allocations import allocate
from app.services.assignments.assignment_context import AssignmentContext
from app.services.experiments.full_hours import hour_of, start_of_hour
from app.storage import tables


@dataclass(frozen=True, slots=True)
class FrozenSplit:
    """The shares (percent by variant) of a revision, and until when they are used."""

    number: int
    for_date: dt.date
    revision: str
    shares: Mapping[str, float]
    settings_version: int
    until: dt.datetime

    def is_current(self, context: AssignmentContext, now: dt.datetime) -> bool:
        """Return whether units of this context are drawn with it."""
        same = (self.settings_version, self.for_date) == (context.settings_version, context.date)
        return same and now < self.until


def get_or_renew(session: Session, context: AssignmentContext, now: dt.datetime) -> FrozenSplit:
    """Return the split that units of a running experiment are drawn with now, renewing it when it has expired.

    Safe to repeat. Safe to race: PostgreSQL lets one of several renewals win, the others use what it stored. A
    renewal that would change nothing stores nothing and extends the last split.

    Raises
    ------
    Conflict: no variant is active today
    """
    last = latest(session, context)
    if last is not None and last.is_current(context, now):
        return last
    allocation = allocate.allocate(session, context.experiment_id, None, now).allocation
    fresh = FrozenSplit(
        number=1 if last is None else last.number + 1,
        for_date=context.date,
        revision=allocation.revision,
        shares=allocation.allocations,
        settings_version=context.settings_version,
        until=_renewed_at(context, now),
    )
    if last is not None and replace(last, number=fresh.number, until=fresh.until) == fresh:
        return replace(last, until=fresh.until)
    return _store(session, context, fresh, now)


def latest(session: Session, context: AssignmentContext) -> FrozenSplit | None:
    """Return the split frozen last, whether or not it is current."""
    row = session.scalars(
        select(tables.Split)
        .where(tables.Split.experiment_id == context.experiment_id)
        .order_by(tables.Split.split.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _to_split(row, context)


def for_revision(session: Session, context: AssignmentContext, revision: str, date: dt.date) -> FrozenSplit:
    """Return the last split of a revision up to a date: what a client that had it on that date drew with.

    Raises
    ------
    NotFound: no unit was drawn with that revision by then
    """
    row = session.scalars(
        select(tables.Split)
        .where(
            tables.Split.experiment_id == context.experiment_id,
            tables.Split.revision == revision,
            tables.Split.for_date <= date,
        )
        .order_by(tables.Split.split.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no unit of experiment {context.experiment_id!r} is drawn with revision {revision!r}")
    return _to_split(row, context)


def _store(session: Session, context: AssignmentContext, fresh: FrozenSplit, now: dt.datetime) -> FrozenSplit:
    stored = session.scalar(
        insert(tables.Split)
        .values(
            experiment_id=context.experiment_id,
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
    winner = fresh if stored is not None else latest(session, context)
    assert winner is not None, "the row that was in the way is there"
    return winner


def _to_split(row: tables.Split, context: AssignmentContext) -> FrozenSplit:
    return FrozenSplit(
        number=row.split,
        for_date=row.for_date,
        revision=row.revision,
        shares=row.shares,
        settings_version=row.settings_version,
        until=_renewed_at(context, row.frozen_at),
    )


def _renewed_at(context: AssignmentContext, frozen_at: dt.datetime) -> dt.datetime:
    renewed_at = min(frozen_at + dt.timedelta(minutes=context.settings.refresh_minutes), context.until)
    if context.settings.cadence == "hour":
        return min(renewed_at, start_of_hour(hour_of(frozen_at) + 1))
    return renewed_at
