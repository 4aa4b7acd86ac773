"""Recorded allocations: the latest revision of a date and the one before it; read, never written here."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.schemas.allocations import StoredAllocation
from app.storage.pipeline import Statement, run_pipelined

SHARES_SQL = text("""
    select distinct on (for_date) for_date, answer -> 'allocations' as shares
    from allocations where experiment_id = :experiment_id and for_date = any(:dates)
    order by for_date, sequence desc
""")


SHARES_BEFORE_HALT_SQL = text("""
    select answer -> 'allocations' as shares from allocations
    where experiment_id = :experiment_id and for_date = :date
      and not exists (
          select from json_array_elements(answer -> 'gates') as held
          where held ->> 'gate' in ('paused', 'archived')
      )
    order by sequence desc limit 1
""")


LATEST_SQL = """
    select sequence, revision, version, cast(answer as text), recorded_at from allocations
    where experiment_id = %(experiment_id)s and for_date = %(date)s
    order by sequence desc limit 1
"""


PREVIOUS_SQL = text("""
    select cast(answer as text) from allocations
    where experiment_id = :experiment_id and for_date < :date
    order by for_date desc, sequence desc limit 1
""")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded revision; ``body`` is served as it is."""

    sequence: int
    revision: str
    version: int
    body: str
    recorded_at: dt.datetime

    @property
    def allocation(self) -> StoredAllocation:
        """Return its fields, read from the body."""
        return parse_body(self.body)


def parse_body(body: str) -> StoredAllocation:
    """Return the fields of a recorded body, whichever version recorded it."""
    return StoredAllocation.model_validate_json(body)


def shares_before_halt(session: Session, experiment_id: str, date: dt.date) -> dict[str, float] | None:
    """Return the percentages recorded last for a date before a pause or archival began on it, if any were."""
    shares: dict[str, float] | None = session.scalar(
        SHARES_BEFORE_HALT_SQL, {"experiment_id": experiment_id, "date": date}
    )
    return shares


def latest_recorded(session: Session, experiment_id: str, date: dt.date) -> Recorded | None:
    """Return the revision last in force on a date, or None where nothing was recorded."""
    return parse_record(*run_pipelined(session, latest_query(experiment_id, date)))


def latest_before(session: Session, experiment_id: str, date: dt.date) -> StoredAllocation | None:
    """Return the revision last in force before a date, or None where nothing was recorded."""
    body = session.connection().scalar(PREVIOUS_SQL, {"experiment_id": experiment_id, "date": date})
    return None if body is None else parse_body(body)


def latest_query(experiment_id: str, date: dt.date) -> Statement:
    """Return the query for the revision last in force on a date, to be sent in a pipeline."""
    return LATEST_SQL, {"experiment_id": experiment_id, "date": date}


def parse_record(rows: Sequence[tuple[Any, ...]]) -> Recorded | None:
    """Return the answer to `latest_query` as a record."""
    return Recorded(*rows[0]) if rows else None
