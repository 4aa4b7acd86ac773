"""Whole histories summed by PostgreSQL for each age, where conversions are still to come but days count alike."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from app.services.allocations.inputs import summed_totals
from app.services.allocations.inputs.daily_totals import RECEIVED_SINCE, TotalsTable
from app.services.allocations.inputs.summed_totals import VariantSums
from app.services.delay.reports import known_through

COUNTS = "impressions", "successes"

AgeCounts = tuple[int, int, float, float]


def _statement(tracked: bool, received_before: bool) -> TextClause:
    age = "cast(:date as date) - 1 - m.date" if tracked else f"{known_through(':zone')} - m.date"
    counts, since = ", ".join(f"m.{name}" for name in COUNTS), ""
    if received_before:
        counts = ", ".join(f"m.{name} - coalesce(since.{name}, 0) as {name}" for name in COUNTS)
        since = RECEIVED_SINCE.replace("%(experiment_id)s", ":experiment_id").replace("%(date)s", ":date")
    return text(f"""
        with counted as (
            select m.variant_id, m.date, least({age}, :oldest) as age, {counts}
            from experiment_metrics m{since}
            where m.experiment_id = :experiment_id and m.date <= :last
        )
        select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on,
               (
                   select min(t.date) from experiment_metrics t
                   where t.experiment_id = :experiment_id and t.variant_id = v.variant_id and t.date <= :date
               ) as first_day,
               m.last_day, m.first_shown, m.last_shown,
               coalesce(m.reported, 0) as reported, coalesce(m.days, 0) as days,
               coalesce(m.impressions, 0) as impressions, coalesce(m.successes, 0) as successes, m.age
        from variants v
        left join (
            select variant_id, age, max(date) as last_day, count(*) as reported,
                   min(date) filter (where impressions > 0) as first_shown,
                   max(date) filter (where impressions > 0) as last_shown,
                   count(*) filter (where impressions > 0) as days,
                   cast(sum(impressions) as float8) as impressions, cast(sum(successes) as float8) as successes
            from counted {"where impressions <> 0 or successes <> 0" if received_before else ""}
            group by variant_id, age
        ) m on m.variant_id = v.variant_id
        where v.experiment_id = :experiment_id
        order by v.position, m.age
    """)  # noqa: S608  all parts are constants


STATEMENTS = {
    (tracked, before): _statement(tracked, before)
    for tracked, before in ((False, False), (True, False), (True, True))
}


@dataclass(frozen=True, slots=True)
class SumsByAge(VariantSums):
    """A variant with the sums of its days, all together and of each age through which their conversions are known.

    Parameters
    ----------
    of_ages : by age, on how many days it was reported and had impressions, its impressions and successes
    """

    of_ages: Mapping[int, AgeCounts]


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
    values = {"experiment_id": experiment_id, "date": date, "last": last, "oldest": oldest, "zone": zone}
    rows = session.connection().execute(STATEMENTS[tracked, received_before], values)
    return [_together(list(group)) for _, group in groupby(map(tuple, rows), key=itemgetter(0))]


def _together(rows: Sequence[Any]) -> SumsByAge:
    """Return the rows of one variant, one for each age, as one."""
    last_days, first_shown, last_shown, *counts, ages = list(zip(*rows, strict=True))[6:]
    variant_id, is_control, registered_on, active_from, retired_on, first_day = rows[0][:6]
    reported, days, impressions, successes = (sum(of_ages) for of_ages in counts)
    return SumsByAge(
        variant_id,
        is_control,
        registered_on,
        active_from,
        retired_on,
        first_day,
        max(filter(None, last_days), default=None),
        min(filter(None, first_shown), default=None),
        max(filter(None, last_shown), default=None),
        reported,
        days,
        impressions,
        successes,
        {} if ages == (None,) else dict(zip(ages, zip(*counts, strict=True), strict=True)),
    )


def without_gaps(variants: Sequence[VariantSums]) -> bool:
    """Return whether each variant had impressions on every day between its first and its last with some."""
    return all(len(variant.shown_range) == variant.days for variant in variants)


def table_of(variants: Sequence[SumsByAge], shown_days: Mapping[str, NDArray[np.int64]]) -> TotalsTable:
    """Return the sums as a row (1, k) for each age, all of the last day, with these ages."""
    ages = sorted({age for variant in variants for age in variant.of_ages})
    table = summed_totals.table_of(variants, shown_days)
    if not ages:
        return table
    counts = np.zeros((4, len(ages), len(variants)))
    for arm, variant in enumerate(variants):
        for age, of_age in variant.of_ages.items():
            counts[:, ages.index(age), arm] = of_age
    reported, days, trials, successes = counts
    totals = replace(
        table.totals,
        day=np.repeat(table.totals.day, len(ages)),
        reported=reported > 0,
        trials=trials,
        successes=successes,
        summed_days=days,
    )
    return replace(
        table, totals=totals, ages=np.repeat(np.array(ages, np.intp)[:, None], len(variants), axis=1)
    )
