"""The totals of an experiment of cadence hour: one row per hour of first exposure, as received before an hour."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.arrays import Booleans
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations.inputs.daily_totals import Reading, TotalsTable, VariantDays, table_of
from app.services.allocations.inputs.delayed_totals import DelayedTotals
from app.services.delay.delay_in_force import DelayInForce, read_hourly_delay
from app.services.experiments.full_hours import day_of, end_of_day, hour_of
from app.services.experiments.variant_queries import eligible_variants

HOURS_SQL = """
    select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on,
           (
               select min(m.date) from experiment_metrics m
               where m.experiment_id = %(experiment_id)s and m.variant_id = v.variant_id and m.date <= %(date)s
           ) as first_day,
           h.hours
    from variants v
    left join (
        select variant_id, string_agg({packed}, '') as hours
        from (
            select variant_id, hour, cast(sum(impressions) as bigint) as impressions,
                   cast(sum(successes) as bigint) as successes,
                   cast(sum(revenue) as float8) as revenue, cast(sum(revenue_sq) as float8) as revenue_sq
            from received_hours
            where experiment_id = %(experiment_id)s and received_hour < %(hour)s
            group by variant_id, hour
        ) r
        group by variant_id
    ) h on h.variant_id = v.variant_id
    where v.experiment_id = %(experiment_id)s
    order by v.position
"""
COUNTS = ["int4send(hour)", "int8send(impressions)", "int8send(successes)"]
MONEY = ["float8send(revenue)", "float8send(revenue_sq)"]


@dataclass(frozen=True, slots=True)
class HourlyTotals:
    """The variants of an experiment and the eligible ones of a date, with the totals of these by hour.

    Parameters
    ----------
    table : with the hour's number in the place of the day's
    delay : of conversions, in hours; None where all have come
    """

    variants: Sequence[VariantDays]
    eligible: Sequence[VariantDays]
    table: TotalsTable
    delay: DelayInForce | None


def read_hours(
    session: Session, experiment_id: str, date: dt.date, hour: int, settings: StoredSettings
) -> HourlyTotals:
    """Return what decides the shares of a date: what was received before an hour."""
    reading = Reading(money=settings.objective == "value")
    variants = _read_variants(session, experiment_id, date, hour, reading)
    eligible = eligible_variants(variants, date)
    table = table_of(eligible, reading)
    totals = replace(table.totals, summed_shown=_shown_by_day(table.totals, settings.time_zone))
    ages = np.broadcast_to(hour - 1 - totals.day[:, None], totals.trials.shape).astype(np.intp)
    delayed = DelayedTotals(read_hourly_delay(session, experiment_id, hour, settings), received_since=False)
    table, delay = delayed.count(replace(table, totals=totals, ages=ages), eligible, date)
    return HourlyTotals(variants, eligible, table, delay)


def _read_variants(
    session: Session, experiment_id: str, date: dt.date, hour: int, reading: Reading
) -> list[VariantDays]:
    """Return every variant in the order of registration, with its hours."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    packed = " || ".join(COUNTS + (MONEY if reading.money else []))
    with driver.cursor(binary=True) as cursor:
        rows = cursor.execute(
            HOURS_SQL.format(packed=packed), {"experiment_id": experiment_id, "date": date, "hour": hour}
        ).fetchall()
    return [_unpack(*row, reading=reading) for row in rows]


def _unpack(*row: Any, reading: Reading) -> VariantDays:
    variant_id, is_control, registered_on, active_from, retired_on, first_day, packed = row
    hours = np.frombuffer(packed or b"", reading.dtype)
    return VariantDays(variant_id, is_control, registered_on, active_from, retired_on, first_day, hours)


def _shown_by_day(totals: DailyTotals, time_zone: str) -> Booleans:
    """Return whether each arm had trials on each calendar day of a zone, (d, k): advice to stop counts days.

    An hour that two days share belongs to the one it begins on.
    """
    hours = totals.day
    if not len(hours):
        return np.zeros((0, totals.trials.shape[1]), np.bool_)
    date = day_of(int(hours[0]), time_zone)
    ends: list[int] = []
    while not ends or ends[-1] <= hours[-1]:
        ends.append(hour_of(end_of_day(date, time_zone) - dt.timedelta.resolution) + 1)
        date += dt.timedelta(days=1)
    shown = np.zeros((len(ends), totals.trials.shape[1]), np.bool_)
    np.logical_or.at(shown, np.searchsorted(ends, hours, side="right"), totals.trials > 0)
    return shown
