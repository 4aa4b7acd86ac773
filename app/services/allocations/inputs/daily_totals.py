"""The daily totals of an experiment as arrays, and the days on which a variant's report is missing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.allocation.missing_reports import MissingReports
from app.bandits.allocation.rounding import significant
from app.bandits.arrays import Booleans, Floats, Integers
from app.services.allocations.recorded import SHARES_SQL
from app.services.delay.reports import known_through
from app.services.experiments.variant_queries import VariantDates

EPOCH = dt.date(2000, 1, 1)


RECEIVED_SINCE = """
            left join (
                select variant_id, date, cast(sum(impressions) as bigint) as impressions,
                       cast(sum(successes) as bigint) as successes,
                       sum(revenue) as revenue, sum(revenue_sq) as revenue_sq
                from received_metrics
                where experiment_id = %(experiment_id)s and date < %(date)s
                  and received_on >= %(date)s and received_on > date
                group by variant_id, date
            ) since on since.variant_id = m.variant_id and since.date = m.date"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of each day beside its counts.

    Parameters
    ----------
    money : revenue and its squares
    ages : of reported days the age through which their conversions are known, in this time zone; None reads none
    received_before : leave out what was received on the date or later, of a tracked experiment
    """

    money: bool = False
    ages: str | None = None
    received_before: bool = False

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Return a day as it is packed."""
        return np.dtype(DAY + (MONEY if self.money else []) + ([] if self.ages is None else AGE))

    @property
    def statement(self) -> str:
        """Return the query for a row per variant, its days packed: one by one they take four times as long."""

        def column(name: str) -> str:
            return f"m.{name} - coalesce(since.{name}, 0)" if self.received_before else f"m.{name}"

        packed = ["int4send(m.date - date '2000-01-01')"]
        packed += [f"int8send({column(name)})" for name in ("impressions", "successes")]
        if self.money:
            names = ("revenue", "revenue_sq")
            packed += [f"float8send(coalesce(cast({column(name)} as float8), 'NaN'))" for name in names]
        if self.ages is not None:
            packed.append(f"int4send({known_through('%(zone)s')} - m.date)")
        return f"""
        select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on, m.days
        from variants v
        left join (
            select m.variant_id, string_agg({" || ".join(packed)}, '') as days
            from experiment_metrics m{RECEIVED_SINCE if self.received_before else ""}
            where m.experiment_id = %(experiment_id)s and m.date <= %(date)s
            group by m.variant_id
        ) m on m.variant_id = v.variant_id
        where v.experiment_id = %(experiment_id)s
        order by v.position
    """  # noqa: S608  all parts are constants of this module


DAY = [("day", ">i4"), ("impressions", ">i8"), ("successes", ">i8")]
MONEY = [("revenue", ">f8"), ("revenue_sq", ">f8")]
AGE = [("age", ">i4")]


def day_number(date: dt.date) -> int:
    """Return a date's number: days since 2000-01-01."""
    return (date - EPOCH).days


def date_of_day(day: int) -> dt.date:
    """Return the date of a number."""
    return EPOCH + dt.timedelta(days=day)


@dataclass(frozen=True, slots=True)
class VariantDays(VariantDates):
    """A variant with its daily totals.

    Parameters
    ----------
    days : its totals up to the last day that may be used, as in ``DAY``, and what else was asked for
    """

    days: NDArray[np.void]


def read_variant_days(
    session: Session, experiment_id: str, date: dt.date, last: dt.date, reading: Reading
) -> list[VariantDays]:
    """Return every variant in the order of registration, with its days up to ``last``.

    Of later days up to the date only the first is known: that a variant had been reported by then.
    """
    driver = session.connection().connection.driver_connection
    assert driver is not None
    values = {"experiment_id": experiment_id, "date": date, "zone": reading.ages}
    with driver.cursor(binary=True) as cursor:  # as text the days would be twice as long
        rows = cursor.execute(reading.statement, values).fetchall()
    return [_unpack(row, reading, day_number(last)) for row in rows]


def _unpack(row: tuple[Any, ...], reading: Reading, last: int) -> VariantDays:
    variant_id, is_control, registered_on, active_from, retired_on, packed = row
    reported = np.frombuffer(packed or b"", reading.dtype)
    first_day = date_of_day(int(reported["day"].min())) if len(reported) else None
    used = reported[reported["day"] <= last]
    if reading.received_before:  # of which nothing was received before, a day is no day yet
        used = used[(used["impressions"] != 0) | (used["successes"] != 0)]
    return VariantDays(variant_id, is_control, registered_on, active_from, retired_on, first_day, used)


@dataclass(frozen=True, slots=True)
class TotalsTable:
    """Daily totals, and on how many days each variant's successes came without revenue.

    Parameters
    ----------
    ages : (t, k), through which the conversions of reported days are known, where they were read
    """

    totals: DailyTotals
    days_without_revenue: tuple[int, ...]
    ages: Integers | None = None


def table_of(variants: Sequence[VariantDays], reading: Reading) -> TotalsTable:
    """Return the days of some variants, read in this way, as arrays (t, k)."""
    k = len(variants)
    rows = np.concatenate([np.empty(0, reading.dtype), *(variant.days for variant in variants)])
    arm = np.repeat(np.arange(k), [len(variant.days) for variant in variants])
    day, at = _days_of(rows["day"].astype(np.int64))

    def spread(column: NDArray[Any]) -> Floats:
        table = np.zeros((len(day), k))
        table[at, arm] = column
        return table

    totals = DailyTotals(
        day, spread(np.ones(len(rows))) > 0, spread(rows["impressions"]), spread(rows["successes"])
    )
    ages = None if reading.ages is None else spread(rows["age"]).astype(np.intp)
    if not reading.money:
        return TotalsTable(totals, (0,) * k, ages)
    revenue, squares, converted = rows["revenue"], rows["revenue_sq"], rows["successes"] > 0
    without_squares = (np.isnan(squares) & converted).any()
    value_sq = None if without_squares else spread(np.nan_to_num(squares))
    days_without_revenue = np.bincount(arm[np.isnan(revenue) & converted], minlength=k)
    return TotalsTable(
        replace(totals, value=spread(np.nan_to_num(revenue)), value_sq=value_sq),
        tuple(days_without_revenue.tolist()),
        ages,
    )


def _days_of(reported: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the days there are, ascending, and of each report the place of its day among them."""
    if not len(reported):
        return reported, reported.astype(np.intp)
    first = reported.min()
    present = np.zeros(reported.max() - first + 1, np.bool_)
    present[reported - first] = True
    return np.flatnonzero(present) + first, (np.cumsum(present) - 1)[reported - first]


@dataclass(frozen=True, slots=True)
class AssumedZero:
    """A day without a variant's report that counts as 0 impressions of it.

    Parameters
    ----------
    share : of that day's traffic, in percent
    expected : impressions expected of it beside those that were reported
    """

    date: dt.date
    variant_id: str
    share: float
    expected: float


@dataclass(frozen=True, slots=True)
class UnreportedDays:
    """The days that lack reports.

    Parameters
    ----------
    incomplete : the days to leave out, each with the variants whose reports are awaited
    assumed_zero : what counts as 0 impressions on the other days, in the order of the days
    """

    incomplete: dict[dt.date, tuple[str, ...]] = field(default_factory=dict)
    assumed_zero: tuple[AssumedZero, ...] = ()


def find_unreported_days(
    session: Session, experiment_id: str, table: TotalsTable, variants: Sequence[VariantDays]
) -> UnreportedDays:
    """Return the days that lack the report of an active variant with a share: those left out, and assumed zeros.

    A variant's share of a day is that of the allocation last in force; where none was recorded, its share of the
    impressions of the reported day before. One that never reported before is neither awaited nor assumed. A report
    is awaited where no impressions would be surprising (see `MissingReports`).
    """
    totals = table.totals
    candidates = ~totals.reported & _active(totals, variants) & _reported_before(totals)
    if not candidates.any():
        return UnreportedDays()
    lacking: Booleans = np.any(candidates, axis=1)
    shares = _shares_of_days(session, experiment_id, totals, variants, lacking)
    reports = MissingReports(shares, totals.reported, totals.trials)
    awaited = reports.awaited & candidates
    left_out: Booleans = np.any(awaited, axis=1)
    expected, assumed = reports.expected, reports.missing & candidates & ~left_out[:, None]
    return UnreportedDays(
        {
            date_of_day(int(totals.day[t])): tuple(v.variant_id for v in compress(variants, awaited[t]))
            for t in np.flatnonzero(left_out)
        },
        tuple(
            AssumedZero(
                date_of_day(int(totals.day[t])),
                variants[i].variant_id,
                significant(float(shares[t, i]) * 100),
                significant(float(expected[t, i])),
            )
            for t, i in np.argwhere(assumed)
        ),
    )


def _shares_of_days(
    session: Session,
    experiment_id: str,
    totals: DailyTotals,
    variants: Sequence[VariantDays],
    lacking: Booleans,
) -> Floats:
    """Return each variant's fraction of the traffic of each day (t, k), where a day lacks a report."""
    shown = totals.trials.sum(axis=1, keepdims=True)
    shares = np.zeros(totals.trials.shape)
    shares[1:] = (totals.trials / np.maximum(shown, 1))[:-1]
    place = {date_of_day(int(totals.day[t])): t for t in np.flatnonzero(lacking)}
    for row in session.execute(SHARES_SQL, {"experiment_id": experiment_id, "dates": list(place)}):
        shares[place[row.for_date]] = [row.shares.get(variant.variant_id, 0) / 100 for variant in variants]
    return shares


def _active(totals: DailyTotals, variants: Sequence[VariantDays]) -> Booleans:
    first = [day_number(variant.active_from or dt.date.min) for variant in variants]
    end = [day_number(variant.retired_on or dt.date.max) for variant in variants]
    day = totals.day[:, None]
    active: Booleans = (np.array(first) <= day) & (day < np.array(end))
    return active


def _reported_before(totals: DailyTotals) -> Booleans:
    before: Booleans = np.logical_or.accumulate(totals.reported, axis=0)
    return np.vstack([np.zeros((1, before.shape[1]), np.bool_), before[:-1]])
