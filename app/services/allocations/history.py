"""The recorded revisions of an experiment's allocations, listed or read one by one."""

import datetime as dt

from sqlalchemy import Text, cast, select, tuple_
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.allocations import Revision
from app.services.experiments.settings_history import read_with_version
from app.storage.tables import RecordedAllocation


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
    read_with_version(session, experiment_id)
    rows = RecordedAllocation
    query = (
        select(rows)
        .where(rows.experiment_id == experiment_id)
        .order_by(rows.for_date.desc(), rows.sequence.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(rows.for_date, rows.sequence) < before)
    return [to_schema(row) for row in session.scalars(query)]


def to_schema(row: RecordedAllocation) -> Revision:
    """Return a recorded row as the API shows it."""
    answer = row.answer
    return Revision(
        date=row.for_date,
        sequence=row.sequence,
        revision=row.revision,
        inputs_digest=row.inputs_digest,
        recorded_at=row.recorded_at,
        allocations=answer["allocations"],
        p_best={variant["variant_id"]: variant["p_best"] for variant in answer["variants"]},
        expected_loss={variant["variant_id"]: variant["expected_loss"] for variant in answer["variants"]},
        value_remaining=answer["value_remaining"],
        gates=[gate["gate"] for gate in answer["gates"]],
    )
