"""Deleting reports and receptions of days so old that no current date's delay is estimated from them.

Receptions by hour are the totals, too: they are added up instead.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.experiments.full_hours import end_of_day, hour_of
from app.services.experiments.settings_history import SettingsHistory, read_histories

OLD_SQL = text("""
    select experiment_id from metric_snapshots where date < :before
    union
    select experiment_id from received_metrics where date < :before and received_on < :before
    union
    select experiment_id from received_hours where received_hour < :hour and hour < received_hour
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

ADD_HOURS_UP_SQL = text("""
    with later as (
        delete from received_hours
        where experiment_id = :experiment_id and received_hour < :hour and hour < received_hour
        returning variant_id, hour, impressions, successes, revenue, revenue_sq
    ), added as (
        insert into received_hours as stored
            (experiment_id, variant_id, hour, received_hour, impressions, successes, revenue, revenue_sq)
        select :experiment_id, variant_id, hour, hour,
               sum(impressions), sum(successes), sum(revenue), sum(revenue_sq)
        from later group by variant_id, hour
        on conflict (experiment_id, variant_id, hour, received_hour) do update set
            impressions = stored.impressions + excluded.impressions,
            successes = stored.successes + excluded.successes,
            revenue = stored.revenue + excluded.revenue,
            revenue_sq = stored.revenue_sq + excluded.revenue_sq
    )
    select count(*) from later
""")
"""Rows by hour are the totals: what came later is added to its hour of first exposure, as if it had come in it."""


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
    before = latest - dt.timedelta(days=days)
    hour = hour_of(dt.datetime.combine(before, dt.time(), dt.UTC) + dt.timedelta(days=1))
    old = session.scalars(OLD_SQL, {"before": before, "hour": hour}).all()
    deleted = Deleted()
    for experiment_id, history in read_histories(session, old).items():
        values = {"experiment_id": experiment_id, **_first_stored(history, now, days)}
        session.execute(DELETE_PACKED_SQL, values)
        session.execute(DELETE_EVIDENCE_SQL, values)
        deleted += Deleted(
            len(session.execute(DELETE_SNAPSHOTS_SQL, values).all()),
            len(session.execute(DELETE_RECEIVED_SQL, values).all())
            + session.execute(ADD_HOURS_UP_SQL, values).scalar_one(),
        )
    return deleted


def _first_stored(history: SettingsHistory, now: dt.datetime, days: int) -> dict[str, object]:
    """Return the first day that stays as it is, and the number of the hour in which it begins."""
    today = history.today(now)
    halt = history.halt_on(today)
    decided_on = today if halt is None else halt.shares_of
    before = decided_on - dt.timedelta(days=days)
    midnight = end_of_day(before - dt.timedelta(days=1), history.at(decided_on).settings.time_zone)
    return {"before": before, "hour": hour_of(midnight)}
