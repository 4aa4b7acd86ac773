"""Whole histories summed by PostgreSQL for each age, where conversions are still to come but days count alike."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.arrays import Floats
from app.services.allocations.inputs import summed_totals
from app.services.allocations.inputs.daily_totals import RECEIVED_SINCE, TotalsTable
from app.services.allocations.inputs.summed_totals import VariantSums
from app.services.delay.reports import known_through

COUNTS = "impressions", "successes"
IMMATURE_DAY = np.dtype([("age", ">i2"), ("impressions", ">i8"), ("successes", ">i8")])


def _statement(tracked: bool, received_before: bool) -> str:
    age = "%(date)s::date - 1 - m.date" if tracked else f"{known_through('%(zone)s')} - m.date"
    counts, since = ", ".join(f"m.{name}" for name in COUNTS), ""
    if received_before:
        counts = ", ".join(f"m.{name} - coalesce(since.{name}, 0) as {name}" for name in COUNTS)
        since = RECEIVED_SINCE
    return f"""
        select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on,
               (
                   select min(t.date) from experiment_metrics t
                   where t.experiment_id = %(experiment_id)s and t.variant_id = v.variant_id
                     and t.date <= %(date)s
               ) as first_day,
               m.last_day, m.first_shown, m.last_shown,
               coalesce(m.reported, 0) as reported, coalesce(m.days, 0) as days,
               coalesce(m.impressions, 0) as impressions, coalesce(m.successes, 0) as successes,
               coalesce(m.immature, '') as immature
        from variants v
        left join (
            select variant_id, max(date) as last_day, count(*) as reported,
                   min(date) filter (where impressions > 0) as first_shown,
                   max(date) filter (where impressions > 0) as last_shown,
                   count(*) filter (where impressions > 0) as days,
                   cast(sum(impressions) as float8) as impressions, cast(sum(successes) as float8) as successes,
                   string_agg(
                       int2send(cast(age as smallint)) || int8send(impressions) || int8send(successes), ''
                   ) filter (where age < %(oldest)s) as immature
            from (
                select m.variant_id, m.date, {age} as age, {counts}
                from experiment_metrics m{since}
                where m.experiment_id = %(experiment_id)s and m.date <= %(last)s
            ) counted
            {"where impressions <> 0 or successes <> 0" if received_before else ""}
            group by variant_id
        ) m on m.variant_id = v.variant_id
        where v.experiment_id = %(experiment_id)s
        order by v.position
    """  # noqa: S608  all parts are constants


STATEMENTS = {
    (tracked, before): _statement(tracked, before)
    for tracked, before in ((False, False), (True, False), (True, True))
}
"""All days are summed as where no conversion is late; only those of which some are to come are sent one by one."""


@dataclass(frozen=True, slots=True)
class SumsByAge(VariantSums):
    """A variant with the sums of its days, and each of these of which conversions are still to come.

    Parameters
    ----------
    immature : the days known through a younger age than that from which on all have come, as ``IMMATURE_DAY``
    """

    immature: NDArray[np.void]


def read_sums(
    session: Session,
    experiment_id: str,
    date: dt.date,
    last: dt.date,
    *,
    oldest: int,
    zone: str,
    tracked: bool,
    received_before: bool,
) -> list[SumsByAge]:
    """Return every variant in the order of registration, with the sums of its days up to ``last``.

    Parameters
    ----------
    oldest : the age from which on days are summed together
    zone : of the experiment
    received_before : leave out what was received on the date or later, of a tracked experiment
    """
    driver = session.connection().connection.driver_connection
    assert driver is not None
    values = {"experiment_id": experiment_id, "date": date, "last": last, "oldest": oldest, "zone": zone}
    with driver.cursor(binary=True) as cursor:
        rows = cursor.execute(STATEMENTS[tracked, received_before], values).fetchall()
    return [SumsByAge(*(*row[:-1], np.frombuffer(row[-1], IMMATURE_DAY))) for row in rows]


def without_gaps(variants: Sequence[VariantSums]) -> bool:
    """Return whether each variant had impressions on every day between its first and its last with some."""
    return all(len(variant.shown_range) == variant.days for variant in variants)


def table_of(
    variants: Sequence[SumsByAge], shown_days: Mapping[str, NDArray[np.int64]], oldest: int
) -> TotalsTable:
    """Return the sums as a row (1, k) for each age up to ``oldest``, all of the last day, with these ages."""
    counts = _by_age(variants, oldest)
    ages = np.flatnonzero(counts[0].any(axis=1))
    if not len(ages):
        return summed_totals.table_of(variants, shown_days)
    reported, days, trials, successes = counts[:, ages]
    totals = DailyTotals(
        np.full(len(ages), summed_totals.last_day_number(variants)),
        reported > 0,
        trials,
        successes,
        summed_days=days,
        summed_shown=summed_totals.shown_table(variants, shown_days),
    )
    of_all = np.repeat(ages[:, None], len(variants), axis=1)
    return TotalsTable(totals, (0,) * len(variants), of_all)


def _by_age(variants: Sequence[SumsByAge], oldest: int) -> Floats:
    """Return reports, days with impressions, impressions and successes of each age and variant, (4, a, k)."""
    k = len(variants)
    rows = np.concatenate([np.empty(0, IMMATURE_DAY), *(variant.immature for variant in variants)])
    arm = np.repeat(np.arange(k), [len(variant.immature) for variant in variants])
    cell = rows["age"].astype(np.intp) * k + arm

    def summed(of_day: NDArray[Any]) -> Floats:
        return np.bincount(cell, of_day, (oldest + 1) * k).reshape(-1, k).astype(np.float64)

    impressions, successes = (rows[name].astype(np.float64) for name in COUNTS)
    counts = np.array(
        [summed(np.ones(len(cell))), summed(impressions > 0), summed(impressions), summed(successes)]
    )
    together = [(v.reported, v.days, v.impressions, v.successes) for v in variants]
    counts[:, oldest] = np.array(together, np.float64).reshape(k, 4).T - counts.sum(axis=1)
    return counts
