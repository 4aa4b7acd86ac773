"""The latest recorded revision of a date: read, never written here."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.storage.pipeline import Statement, together

RECORDED = text("""
    select distinct on (for_date) for_date, answer -> 'allocations' as shares
    from allocations where experiment_id = :experiment_id and for_date = any(:dates)
    order by for_date, sequence desc
""")


SERVED = text("""
    select answer -> 'allocations' as shares from allocations
    where experiment_id = :experiment_id and for_date = :date
      and not exists (
          select from json_array_elements(answer -> 'gates') as held
          where held ->> 'gate' in ('paused', 'archived')
      )
    order by sequence desc limit 1
""")


def served_before_halt(session: Session, experiment_id: str, date: dt.date) -> dict[str, float] | None:
    """Return the percentages recorded last for a date before a pause or archival began on it, if any were."""
    shares: dict[str, float] | None = session.scalar(SERVED, {"experiment_id": experiment_id, "date": date})
    return shares


LAST = """
    select sequence, revision, version, cast(answer as text) from allocations
    where experiment_id = %(experiment_id)s and for_date = %(date)s
    order by sequence desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded revision."""

    sequence: int
    revision: str
    version: int
    body: str


def last_recorded(session: Session, experiment_id: str, date: dt.date) -> Recorded | None:
    """Return the revision last in force on a date, or None where nothing was recorded."""
    return _recorded(*together(session, _asking_last(experiment_id, date)))


def _asking_last(experiment_id: str, date: dt.date) -> Statement:
    return LAST, {"experiment_id": experiment_id, "date": date}


def _recorded(rows: Sequence[tuple[Any, ...]]) -> Recorded | None:
    return Recorded(*rows[0]) if rows else None
