"""Deleting reports and receptions of days so old that no current date's delay is estimated from them."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.experiments.settings_history import read_histories

OLD_SQL = text("""
    select experiment_id from metric_snapshots where date < :before
    union
    select experiment_id from received_metrics where date < :before and received_on < :before
    order by experiment_id
""")
DELETE_SNAPSHOTS_SQL = text(
    "delete from metric_snapshots where experiment_id = :experiment_id and date < :before returning 1"
)
DELETE_PACKED_SQL = text("delete from reports_by_day where experiment_id = :experiment_id and date < :before")
DELETE_EVIDENCE_SQL = text(
    "delete from delay_evidence where experiment_id = :experiment_id and date < :before"
)
DELETE_RECEIVED_SQL = text(
    "delete from received_metrics"
    " where experiment_id = :experiment_id and date < :before and received_on < :before returning 1"
)
"""What was received since is subtracted from the totals of earlier dates, however old its day is."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many snapshots of reported totals, and counts of received conversions, were deleted."""

    snapshots: int = 0
    received_counts: int = 0

    def __add__(self, other: "Deleted") -> "Deleted":
        return Deleted(self.snapshots + other.snapshots, self.received_counts + other.received_counts)


def delete_older_than(session: Session, now: dt.datetime, days: int) -> Deleted:
    """Delete what is known of the delay of days more than ``days`` ago; totals in force stay.

    Days are counted back from the one that the shares of today are decided on: of a paused or archived experiment
    the day it stopped. So allocations of the present day are the same before and after.

    Parameters
    ----------
    days : at least 90, the days that a delay is estimated from
    """
    latest = now.date() + dt.timedelta(days=1)  # somewhere it is tomorrow already
    old = session.scalars(OLD_SQL, {"before": latest - dt.timedelta(days=days)}).all()
    deleted = Deleted()
    for experiment_id, history in read_histories(session, old).items():
        today = history.today(now)
        halt = history.halt_on(today)
        decided_on = today if halt is None else halt.shares_of
        values = {"experiment_id": experiment_id, "before": decided_on - dt.timedelta(days=days)}
        session.execute(DELETE_PACKED_SQL, values)
        session.execute(DELETE_EVIDENCE_SQL, values)
        deleted += Deleted(
            len(session.execute(DELETE_SNAPSHOTS_SQL, values).all()),
            len(session.execute(DELETE_RECEIVED_SQL, values).all()),
        )
    return deleted
