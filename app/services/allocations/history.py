"""The recorded revisions of an experiment's allocations, listed or read one by one."""

import datetime as dt

from sqlalchemy import Row, Text, cast, select, tuple_
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.allocations import Revision
from app.services.allocations.recorded import parse_body
from app.storage.tables import Experiment, RecordedAllocation


def read_revision(session: Session, experiment_id: str, date: dt.date, revision: str) -> str:
    """Return a recorded answer by its revision, whether or not it is the last one of its date.

    Raises
    ------
    NotFound: that revision was not recorded for the date
    """
    body = session.scalar(
        select(cast(RecordedAllocation.answer, Text))
        .where(
            RecordedAllocation.experiment_id == experiment_id,
            RecordedAllocation.for_date == date,
            RecordedAllocation.revision == revision,
        )
        .order_by(RecordedAllocation.sequence)
        .limit(1)
    )
    if body is None:
        raise NotFound(f"no revision {revision!r} is recorded for {experiment_id!r} on {date}")
    return body


def history(
    session: Session, experiment_id: str, before: tuple[dt.date, int] | None, limit: int
) -> list[Revision]:
    """Return recorded revisions, the newest date and revision first.

    Raises
    ------
    NotFound: there is no such experiment
    """
    if session.get(Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    table = RecordedAllocation
    query = (
        select(table.sequence, table.inputs_digest, table.recorded_at, cast(table.answer, Text))
        .where(table.experiment_id == experiment_id)
        .order_by(table.for_date.desc(), table.sequence.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(table.for_date, table.sequence) < before)
    return [to_schema(row) for row in session.execute(query)]


def to_schema(row: Row[int, str, dt.datetime, str]) -> Revision:
    """Return a recorded row (sequence, digest, moment, body) as the API shows it."""
    sequence, inputs_digest, recorded_at, body = row
    allocation = parse_body(body)
    return Revision(
        date=allocation.date,
        sequence=sequence,
        revision=allocation.revision,
        inputs_digest=inputs_digest,
        recorded_at=recorded_at,
        allocations=allocation.allocations,
        p_best={variant.variant_id: variant.p_best for variant in allocation.variants},
        expected_loss={variant.variant_id: variant.expected_loss for variant in allocation.variants},
        value_remaining=allocation.value_remaining,
        gates=allocation.gate_names,
    )
