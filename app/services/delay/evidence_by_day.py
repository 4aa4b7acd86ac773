"""What reports say of the delay, stored by day: only the days that changed since are read and computed again.

A change of a day's reports deletes what is stored of the day, under the lock of the experiment; what is missing is
stored under it, too, before the shares of a date are recorded. Elsewhere it is computed and not stored.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.arrays import Floats
from app.bandits.delay.by_day import evidence_by_day, in_order_of_days
from app.bandits.delay.differs import Difference, difference_of
from app.bandits.delay.estimate import DelayEstimate, reported_delay
from app.bandits.delay.snapshots import LinkedReports, Snapshots, linked_reports
from app.services.delay import evidence_rows
from app.services.delay.evidence_rows import SEPARATOR, EvidenceDays, MissingDay, StoredDay
from app.services.delay.reports import REPORT, Reports, read_reports

NUMBER, LENGTH = np.dtype("<f8"), np.dtype(">i2")


@dataclass(frozen=True)
class ReportedEvidence:
    """What the reports of some days say.

    Parameters
    ----------
    variant_ids : (k,), the variants that have any
    sums : of the days' conversions, by the ages they were reported at
    excess, variance : (k,), of the comparison of the variants' delays
    read_reports : reads all of them, for each variant's own curve
    """

    variant_ids: tuple[str, ...]
    sums: LinkedReports
    excess: Floats
    variance: Floats
    read_reports: Callable[[], Reports | None]

    @cached_property
    def common(self) -> DelayEstimate:
        """Return the delay of all variants together."""
        return reported_delay(self.sums)

    def own(self) -> dict[str, DelayEstimate]:
        """Return each variant's own delay, shrunk to the common one."""
        reports = self.read_reports()
        return {} if reports is None else reports.own(self.common.curve)

    def difference(self) -> Difference:
        """Return how the variants' delays compare."""
        return difference_of(self.excess, self.variance)


def read_evidence_by_day(
    session: Session, experiment_id: str, date: dt.date, days: int, oldest: int, zone: str
) -> ReportedEvidence | None:
    """Return what the reports of the last days before a date say; None where none was reported again."""
    window = EvidenceDays(experiment_id, date - dt.timedelta(days=days), days, oldest + 1, zone)
    stored, missing = evidence_rows.read_days(session, window)
    stored += _computed(missing, window)
    sums = in_order_of_days(LinkedReports(*_nothing(window)), _sums(stored, window))
    if not len(sums.cohort):
        return None
    variant_ids = tuple(sorted({name for day in stored for name in day.variant_ids.split(SEPARATOR)}))
    return ReportedEvidence(
        variant_ids,
        sums,
        *_compared(stored, variant_ids, window),
        lambda: read_reports(session, experiment_id, date, days, oldest, zone),
    )


def store_missing(
    session: Session, experiment_id: str, date: dt.date, days: int, oldest: int, zone: str
) -> None:
    """Store what is missing of the days before a date; the caller holds the experiment's lock.

    Days of totals that an earlier version wrote, without the day they are known through, are not stored.
    """
    window = EvidenceDays(experiment_id, date - dt.timedelta(days=days), days, oldest + 1, zone)
    missing = evidence_rows.read_missing(session, window)
    evidence_rows.store_days(session, window, _computed(missing, window))


def _computed(rows: Sequence[MissingDay], window: EvidenceDays) -> list[StoredDay]:
    """Return the evidence of days that is not stored, from their reports as ``MISSING`` returns them."""
    if not rows:
        return []
    names = [row[1].split(SEPARATOR) for row in rows]
    variant_ids = sorted({name for of_day in names for name in of_day})
    place = {name: at for at, name in enumerate(variant_ids)}
    days, k = len(rows), len(variant_ids)
    cohort = np.array([place[name] * days + day for day, of_day in enumerate(names) for name in of_day])
    lengths = np.frombuffer(b"".join(row[3] for row in rows), LENGTH)
    report = np.frombuffer(b"".join(row[4] for row in rows), REPORT)
    snapshots = Snapshots(
        np.repeat(cohort, lengths // REPORT.itemsize),
        report["age"].astype(np.intp),
        report["impressions"].astype(np.float64),
        report["successes"].astype(np.float64),
    )
    found = evidence_by_day(linked_reports(snapshots, window.ages - 1), days, k)
    known = np.packbits(found.sums.known, axis=1)
    return [
        StoredDay(
            row[0],
            SEPARATOR.join(variant_ids),
            known[of_day].tobytes(),
            found.sums.conversions[of_day].astype(NUMBER).tobytes(),
            found.excess[day].astype(NUMBER).tobytes(),
            found.variance[day].astype(NUMBER).tobytes(),
            row[-1],
        )
        for day, row in enumerate(rows)
        for of_day in [found.sums.cohort == day]
    ]


def _nothing(window: EvidenceDays) -> tuple[Any, ...]:
    return np.empty(0, np.intp), np.empty((0, window.ages)), np.empty((0, window.ages), np.bool_)


def _sums(stored: Sequence[StoredDay], window: EvidenceDays) -> LinkedReports:
    width = (window.ages + 7) // 8
    packed = np.frombuffer(b"".join(day.known for day in stored), np.uint8).reshape(-1, width)
    known = np.unpackbits(packed, axis=1, count=window.ages).astype(np.bool_)
    conversions = np.frombuffer(b"".join(day.conversions for day in stored), NUMBER)
    rows = [len(day.known) // width for day in stored]
    day = np.repeat(np.array([window.day(day.date) for day in stored], np.intp), rows)
    return LinkedReports(day, conversions.reshape(-1, window.ages), known)


def _compared(
    stored: Sequence[StoredDay], variant_ids: Sequence[str], window: EvidenceDays
) -> tuple[Floats, Floats]:
    """Return the sums of O - E and its variance over the days, (k,), in their order."""
    place = {name: at for at, name in enumerate(variant_ids)}
    table = np.zeros((2, window.days, len(variant_ids)))
    alike: dict[str, list[StoredDay]] = defaultdict(list)
    for day in stored:
        alike[day.variant_ids].append(day)
    for names, days in alike.items():
        at = np.array([place[name] for name in names.split(SEPARATOR)])
        of_days = np.array([window.day(day.date) for day in days])[:, None]
        for which, column in enumerate(("excess", "variance")):
            packed = b"".join(getattr(day, column) for day in days)
            table[which, of_days, at] = np.frombuffer(packed, NUMBER).reshape(len(days), -1)
    excess, variance = table.sum(axis=1)
    return excess, variance
