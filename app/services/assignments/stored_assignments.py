"""Stored assignments: read them, force a unit, merge two, forget one. No total ever changes by it.

Every change holds the experiment's lock, as the writers of events do. The hot path (`assigner`) needs no lock: it
only adds units, and what it added meanwhile is found by looking again.
"""

import datetime as dt
import secrets
from collections.abc import Sequence

from sqlalchemy import case, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound, Unavailable
from app.schemas.assignments.assignments import Forgotten, MergeIn, OverrideIn
from app.services.access import principal
from app.services.assignments.assignment_context import AssignmentContext, read_context
from app.services.experiments import version_lock
from app.storage.tables import Assignment, Event, Experiment, ExperimentVersion, Split

MAX_ATTEMPTS = 5
ERASED_PREFIX = "forgotten:"
AS_DRAWN = ("variant_id", "kind", "split", "propensity", "revision")
PREVIOUS_COLUMNS = {
    former: case((Assignment.kind == "forced", before), else_=present)
    for former, before, present in (
        ("former_kind", Assignment.former_kind, Assignment.kind),
        ("former_variant_id", Assignment.former_variant_id, Assignment.variant_id),
    )
}
"""What a row was before it was first forced, for the statement that forces it."""


def read(session: Session, experiment_id: str, unit_id: str) -> Assignment:
    """Return the stored assignment of a unit.

    Raises
    ------
    NotFound: it has none, or there is no such experiment
    """
    row = session.get(Assignment, (experiment_id, unit_id))
    if row is None:
        raise NotFound(f"the unit has no stored assignment in experiment {experiment_id!r}")
    return row


def read_page(session: Session, experiment_id: str, after: str | None, limit: int) -> Sequence[Assignment]:
    """Return up to ``limit`` stored assignments by unit id, those behind ``after``.

    Raises
    ------
    NotFound: there is no such experiment
    """
    if session.get(ExperimentVersion, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    query = select(Assignment).where(Assignment.experiment_id == experiment_id)
    if after is not None:
        query = query.where(Assignment.unit_id > after)
    return session.scalars(query.order_by(Assignment.unit_id).limit(limit)).all()


def override(session: Session, sent: OverrideIn, now: dt.datetime) -> None:
    """Force a unit to a variant, or take that back; repeating it changes nothing.

    A forced unit counts no more: its events are rejected and it leaves the estimates. Taken back, it is again what
    it was: drawn, with the very split it was drawn with, or held out; who had no assignment has none again.

    Raises
    ------
    NotFound: there is no such experiment or variant
    Conflict: the variant is not active; or there is no way back: its own was deleted, others were merged into it
    """
    version_lock.lock(session, sent.experiment_id)
    context = read_context(session, sent.experiment_id, now)
    row = _deciding(session, sent.experiment_id, sent.unit_id)
    if sent.variant_id is None:
        if row is not None and row.kind == "forced":
            _take_back(session, context, row)
        return
    _check_active(context, sent.variant_id)
    forced = {"variant_id": sent.variant_id, "kind": "forced", "propensity": None, "revision": None}
    session.execute(
        insert(Assignment)
        .values(
            experiment_id=sent.experiment_id,
            unit_id=sent.unit_id if row is None else row.unit_id,
            assigned_at=now,
            **forced,
        )
        .on_conflict_do_update(index_elements=["experiment_id", "unit_id"], set_=forced | PREVIOUS_COLUMNS)
    )


def _check_active(context: AssignmentContext, variant_id: str) -> None:
    if variant_id not in context.values:
        raise NotFound(f"experiment {context.experiment_id!r} has no variant {variant_id!r}")
    if variant_id not in context.active:
        raise Conflict(f"variant {variant_id!r} is not active on {context.date}")


def _take_back(session: Session, context: AssignmentContext, row: Assignment) -> None:
    if row.former_kind is not None and row.former_variant_id is not None:
        if row.former_variant_id not in context.values:
            raise Conflict(f"its variant {row.former_variant_id!r} was deleted: force it to another instead")
        _restore(session, row, row.former_kind, row.former_variant_id)
    elif _has_followers(session, row):
        raise Conflict("other units were merged into this one: force it to another variant instead")
    else:
        session.delete(row)
    session.flush()


def _restore(session: Session, row: Assignment, kind: str, variant_id: str) -> None:
    if row.split is not None:
        split = session.get_one(Split, (row.experiment_id, row.split))
        row.propensity, row.revision = split.shares[variant_id] / 100, split.revision
    row.kind, row.variant_id = kind, variant_id
    row.former_kind = row.former_variant_id = None


def _has_followers(session: Session, row: Assignment) -> bool:
    points_here = Assignment.merged_into == row.unit_id
    return bool(
        session.scalar(select(exists().where(Assignment.experiment_id == row.experiment_id, points_here)))
    )


def merge(session: Session, sent: MergeIn, now: dt.datetime) -> dict[str, str]:
    """Let two ids have one assignment, the earliest, and return its variant by experiment.

    Safe to repeat. The other unit's row points to the deciding one and leaves the analysis; chains are shortened,
    so that every row points to one that decides.

    Raises
    ------
    NotFound: the experiment that was named does not exist
    """
    ids = [sent.unit_id, sent.into_unit_id]
    merged = {}
    for experiment_id in _experiments_of(session, ids, sent.experiment_id):
        version_lock.lock(session, experiment_id)
        variant_id = _merge_in(session, experiment_id, sent.unit_id, sent.into_unit_id, now)
        if variant_id is not None:
            merged[experiment_id] = variant_id
    return merged


def _merge_in(
    session: Session, experiment_id: str, unit_id: str, into_unit_id: str, now: dt.datetime
) -> str | None:
    for _ in range(MAX_ATTEMPTS):
        one = _deciding(session, experiment_id, unit_id)
        other = _deciding(session, experiment_id, into_unit_id)
        if one is not None and other is not None:
            return _merge_rows(session, one, other)
        known, missing = (other, unit_id) if one is None else (one, into_unit_id)
        if known is None:
            return None
        if _alias(session, missing, known, now):
            return known.variant_id
    raise Unavailable("these units are being changed by others; try again shortly")


def _merge_rows(session: Session, one: Assignment, other: Assignment) -> str:
    first, second = sorted((one, other), key=lambda row: (row.assigned_at, row.unit_id))
    if first is not second:
        session.execute(
            update(Assignment)
            .where(
                Assignment.experiment_id == second.experiment_id,
                or_(Assignment.unit_id == second.unit_id, Assignment.merged_into == second.unit_id),
            )
            .values(merged_into=first.unit_id)
        )
    return first.variant_id


def _alias(session: Session, unit_id: str, known: Assignment, now: dt.datetime) -> bool:
    """Give a unit a row that points to a known one; return False if it has just been given one of its own."""
    stored = session.scalar(
        insert(Assignment)
        .values(
            experiment_id=known.experiment_id,
            unit_id=unit_id,
            assigned_at=now,
            merged_into=known.unit_id,
            **{name: getattr(known, name) for name in AS_DRAWN},
        )
        .on_conflict_do_nothing()
        .returning(Assignment.unit_id)
    )
    return stored is not None


def erase(session: Session, unit_id: str, experiment_id: str | None) -> Forgotten:
    """Replace a unit's id wherever it stands by a tombstone, another one in every experiment.

    Rows, counts and the digests of event ids stay: an event that is sent again still counts no more. Should the
    unit come back, it is a new one.

    Raises
    ------
    NotFound: the experiment that was named does not exist
    """
    assignments = events = 0
    for found_in in _experiments_of(session, [unit_id], experiment_id):
        version_lock.lock(session, found_in)
        tombstone = ERASED_PREFIX + secrets.token_hex(16)
        assignments += _rename(session, Assignment, found_in, unit_id, tombstone)
        events += _rename(session, Event, found_in, unit_id, tombstone)
        session.execute(
            update(Assignment)
            .where(Assignment.experiment_id == found_in, Assignment.merged_into == unit_id)
            .values(merged_into=tombstone)
        )
    return Forgotten(assignments=assignments, events=events)


def _rename(
    session: Session, table: type[Assignment] | type[Event], experiment_id: str, unit_id: str, to: str
) -> int:
    renamed = session.scalars(
        update(table)
        .where(table.experiment_id == experiment_id, table.unit_id == unit_id)
        .values(unit_id=to)
        .returning(table.experiment_id)
        .execution_options(synchronize_session=False)
    )
    return len(renamed.all())


def _experiments_of(session: Session, unit_ids: Sequence[str], named: str | None) -> Sequence[str]:
    """Return the experiment that was named, or all in which one of the units has a row, in the order of locks."""
    if named is not None:
        return [named]
    has_row = exists().where(
        Assignment.experiment_id == Experiment.experiment_id, Assignment.unit_id.in_(unit_ids)
    )
    found = session.scalars(select(Experiment.experiment_id).where(has_row)).all()
    return sorted(filter(principal.current_principal.get().can_access, found))


def _deciding(session: Session, experiment_id: str, unit_id: str) -> Assignment | None:
    """Return the row that decides for a unit, as it is now: its own, or the one it points to."""
    row = session.get(Assignment, (experiment_id, unit_id), populate_existing=True)
    if row is None or row.merged_into is None:
        return row
    return session.get_one(Assignment, (experiment_id, row.merged_into), populate_existing=True)
