"""The reports of an experiment's days that were reported more than once."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.arrays import Integers
from app.bandits.delay.curve import DelayCurve
from app.bandits.delay.estimate import DelayEstimate, reported_delay
from app.bandits.delay.snapshots import LinkedReports, Snapshots, linked_reports


def known_through(zone: str) -> str:
    """Return in SQL the last day whose conversions the totals in force, ``m``, hold.

    Totals of a version that did not know it were sent the day after.

    Parameters
    ----------
    zone : the placeholder of the experiment's time zone
    """
    return f"coalesce(m.as_of, greatest(m.date, cast(m.updated_at at time zone {zone} as date) - 1))"


COHORT_DAYS = 90
"""A curve is estimated from so many of the last days."""

PACKED = "int2send(cast(as_of - date as smallint)) || int8send(impressions) || int8send(successes)"
REPORT = np.dtype([("age", ">i2"), ("impressions", ">i8"), ("successes", ">i8")])
"""An earlier report as ``reports_by_day`` has it, written by ``PACKED``."""

IN_FORCE = f"""
    int2send(cast(least({known_through("%(zone)s")} - m.date, 32767) as smallint))
    || int8send(m.impressions) || int8send(m.successes)"""
REPORTS_SQL = f"""
    select variant_id,
           string_agg(int2send(cast(date - %(first)s::date as smallint))
                      || int2send(cast(octet_length(reports) as smallint)), '' order by date),
           string_agg(reports, '' order by date)
    from (
        select d.variant_id, d.date, d.reports || {IN_FORCE} as reports
        from reports_by_day d
        join experiment_metrics m
            on m.experiment_id = %(experiment_id)s and m.variant_id = d.variant_id and m.date = d.date
            and m.date between %(first)s and %(last)s
        where d.experiment_id = %(experiment_id)s and d.date between %(first)s and %(last)s
        order by d.variant_id, d.date
    ) report
    group by variant_id
    order by variant_id
"""  # noqa: S608  a constant of this module
"""One row per variant with its days, each with the bytes of its reports, and these."""
DAY = np.dtype([("cohort", ">i2"), ("bytes", ">i2")])


@dataclass(frozen=True)
class Reports:
    """The reports of days that were reported again.

    Parameters
    ----------
    variant_ids : (k,), the variants that have any
    seen : the reports, linked; cohorts are numbered ``days`` to a variant
    days : of cohorts
    """

    variant_ids: tuple[str, ...]
    seen: LinkedReports
    days: int

    def own(self, common: DelayCurve) -> dict[str, DelayEstimate]:
        """Return each variant's own delay, shrunk to the common one."""
        return {
            variant_id: reported_delay(self.seen.only(self._variant == place), common)
            for place, variant_id in enumerate(self.variant_ids)
        }

    @property
    def _variant(self) -> Integers:
        return self.seen.cohort // self.days


def read_reports(
    session: Session, experiment_id: str, date: dt.date, days: int, oldest: int, zone: str
) -> Reports | None:
    """Return the reports of the last days before a date; None where none of them was reported again."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    values = {
        "experiment_id": experiment_id,
        "first": date - dt.timedelta(days=days),
        "last": date - dt.timedelta(days=1),
        "zone": zone,
    }
    with driver.cursor(binary=True) as cursor:
        rows = cursor.execute(REPORTS_SQL, values).fetchall()
    if not rows:
        return None
    days_of = [np.frombuffer(packed, DAY) for _, packed, _ in rows]
    variant = np.repeat(np.arange(len(rows)), [len(found) for found in days_of])
    day = np.concatenate(days_of)
    report = np.frombuffer(b"".join(packed for _, _, packed in rows), REPORT)
    snapshots = Snapshots(
        np.repeat(variant * days + day["cohort"], day["bytes"] // REPORT.itemsize),
        report["age"].astype(np.intp),
        report["impressions"].astype(np.float64),
        report["successes"].astype(np.float64),
    )
    seen = linked_reports(snapshots, oldest)
    return Reports(tuple(name for name, *_ in rows), seen, days) if len(seen.cohort) else None
