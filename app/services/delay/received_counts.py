"""Conversions of a tracked experiment by the day of first exposure and the day they were received."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.chain_ladder import AgeCounts
from app.bandits.delay.differs import Difference, by_age, compare
from app.bandits.delay.estimate import DelayEstimate, tracked_delay

COUNTS_SQL = text("""
    select variant_id, date - :first as cohort, received_on - date as age, successes from (
        select r.variant_id, r.date, r.received_on, r.successes, m.successes as booked,
               sum(r.successes) over (partition by r.variant_id, r.date) as received
        from variants v
        cross join lateral (
            select * from received_metrics
            where experiment_id = :experiment_id and variant_id = v.variant_id and date between :first and :last
        ) r
        join experiment_metrics m
            on m.experiment_id = :experiment_id and m.variant_id = r.variant_id and m.date = r.date
        where v.experiment_id = :experiment_id
    ) counted
    where received = booked and received_on <= :last and successes > 0
    order by variant_id, date, received_on
""")
"""Days with conversions booked before receptions were counted separately are left out: they would look late."""

HOURS_SQL = text("""
    select r.variant_id, r.hour - :first as cohort, r.received_hour - r.hour as age, r.successes
    from variants v
    cross join lateral (
        select * from received_hours
        where experiment_id = :experiment_id and variant_id = v.variant_id and hour between :first and :last
    ) r
    where v.experiment_id = :experiment_id and r.received_hour <= :last and r.successes > 0
    order by r.variant_id, r.hour, r.received_hour
""")


@dataclass(frozen=True)
class ReceivedCounts:
    """Conversions by cohort and age, in any order.

    Parameters
    ----------
    variant_ids : (k,), the variants that have any
    variant, cohort, age : (m,), the variant's place, the cohort's day (or hour) and the conversions' age, from 0
    counts : (m,)
    days : of cohorts; the last one, ``days - 1``, is known through age 0
    oldest : the largest age that is looked at
    """

    variant_ids: tuple[str, ...]
    variant: Integers
    cohort: Integers
    age: Integers
    counts: Floats
    days: int
    oldest: int

    @cached_property
    def common(self) -> DelayEstimate:
        """Return the delay of all variants together."""
        return tracked_delay(self._counts(np.ones(len(self.variant), np.bool_)))

    def own(self) -> dict[str, DelayEstimate]:
        """Return each variant's own delay, shrunk to the common one."""
        return {
            variant_id: tracked_delay(self._counts(self.variant == place), self.common.curve)
            for place, variant_id in enumerate(self.variant_ids)
        }

    def difference(self) -> Difference:
        """Return how the variants' delays compare."""
        seen = self.age <= self.oldest
        table = by_age(
            self.cohort[seen], self.age[seen], self.variant[seen], self.counts[seen], len(self.variant_ids)
        )
        return compare(*table)

    def _counts(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> AgeCounts:
        known_through = self.days - 1 - self.cohort[chosen]
        return AgeCounts.of_ages(self.age[chosen], known_through, self.counts[chosen], self.oldest)


def read_received_counts(
    session: Session, experiment_id: str, date: dt.date, days: int, oldest: int
) -> ReceivedCounts | None:
    """Return the conversions of the last cohorts before a date that were received before it; None without any."""
    values = {
        "experiment_id": experiment_id,
        "first": date - dt.timedelta(days=days),
        "last": date - dt.timedelta(days=1),
    }
    return _counts_of(session.execute(COUNTS_SQL, values).all(), days, oldest)


def read_received_hours(
    session: Session, experiment_id: str, hour: int, hours: int, oldest: int
) -> ReceivedCounts | None:
    """Return the conversions of the last cohorts before an hour that were received before it; None without any."""
    values = {"experiment_id": experiment_id, "first": hour - hours, "last": hour - 1}
    return _counts_of(session.execute(HOURS_SQL, values).all(), hours, oldest)


def _counts_of(rows: Sequence[Row[Any]], days: int, oldest: int) -> ReceivedCounts | None:
    if not rows:
        return None
    names, cohort, age, counts = zip(*rows, strict=True)
    variant_ids = tuple(dict.fromkeys(names))
    place = {variant_id: at for at, variant_id in enumerate(variant_ids)}
    variant = np.array([place[name] for name in names], np.intp)
    return ReceivedCounts(
        variant_ids,
        variant,
        np.array(cohort, np.intp),
        np.array(age, np.intp),
        np.array(counts, np.float64),
        days,
        oldest,
    )
