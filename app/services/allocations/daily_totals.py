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
from app.bandits.arrays import Booleans, Floats
from app.services.allocations.recorded import SHARES_SQL
from app.services.experiments.variant_queries import VariantDates

EPOCH = dt.date(2000, 1, 1)


def _read(money: str = "") -> str:
    return f"""
        select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on, m.days
        from variants v
        left join (
            select variant_id,
                   string_agg(
                       int4send(date - date '2000-01-01')
                       || int8send(impressions) || int8send(successes){money}, ''
                   ) as days
            from experiment_metrics
            where experiment_id = %(experiment_id)s and date <= %(date)s
            group by variant_id
        ) m on m.variant_id = v.variant_id
        where v.experiment_id = %(experiment_id)s
        order by v.position
    """  # noqa: S608  both parts are constants of this module


DAYS_SQL = _read()
"""One row per variant with its days packed as in ``DAY``: sending them one by one takes four times as long."""
DAYS_WITH_MONEY_SQL = _read("""
                       || float8send(coalesce(revenue::float8, 'NaN'))
                       || float8send(coalesce(revenue_sq::float8, 'NaN'))""")
DAY = [("day", ">i4"), ("impressions", ">i8"), ("successes", ">i8")]
MONEY = [("revenue", ">f8"), ("revenue_sq", ">f8")]


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
    days : its totals up to the last day that may be used, as in ``DAY``, and ``MONEY`` where it was asked for
    """

    days: NDArray[np.void]


def read_variant_days(
    session: Session, experiment_id: str, date: dt.date, last: dt.date, money: bool
) -> list[VariantDays]:
    """Return every variant in the order of registration, with its days up to ``last``.

    Of later days up to the date only the first is known: that a variant had been reported by then.
    """
    driver = session.connection().connection.driver_connection
    assert driver is not None
    dtype = np.dtype(DAY + MONEY if money else DAY)
    with driver.cursor(binary=True) as cursor:  # as text the days would be twice as long
        rows = cursor.execute(
            DAYS_WITH_MONEY_SQL if money else DAYS_SQL, {"experiment_id": experiment_id, "date": date}
        ).fetchall()
    return [_unpack(row, dtype, day_number(last)) for row in rows]


def _unpack(row: tuple[Any, ...], dtype: np.dtype[np.void], last: int) -> VariantDays:
    variant_id, is_control, registered_on, active_from, retired_on, packed = row
    reported = np.frombuffer(packed or b"", dtype)
    first_day = date_of_day(int(reported["day"].min())) if len(reported) else None
    used = reported[reported["day"] <= last]
    return VariantDays(variant_id, is_control, registered_on, active_from, retired_on, first_day, used)


@dataclass(frozen=True, slots=True)
class TotalsTable:
    """Daily totals, and on how many days each variant's successes came without revenue."""

    totals: DailyTotals
    days_without_revenue: tuple[int, ...]


def table_of(variants: Sequence[VariantDays], by_value: bool) -> TotalsTable:
    """Return the days of some variants as arrays (t, k)."""
    dtype = np.dtype(DAY + MONEY if by_value else DAY)
    k, rows = len(variants), np.concatenate([np.empty(0, dtype), *(variant.days for variant in variants)])
    arm = np.repeat(np.arange(k), [len(variant.days) for variant in variants])
    day, at = _days_of(rows["day"].astype(np.int64))

    def spread(column: NDArray[Any]) -> Floats:
        table = np.zeros((len(day), k))
        table[at, arm] = column
        return table

    totals = DailyTotals(
        day, spread(np.ones(len(rows))) > 0, spread(rows["impressions"]), spread(rows["successes"])
    )
    if not by_value:
        return TotalsTable(totals, (0,) * k)
    revenue, squares, converted = rows["revenue"], rows["revenue_sq"], rows["successes"] > 0
    without_squares = (np.isnan(squares) & converted).any()
    value_sq = None if without_squares else spread(np.nan_to_num(squares))
    days_without_revenue = np.bincount(arm[np.isnan(revenue) & converted], minlength=k)
    return TotalsTable(
        replace(totals, value=spread(np.nan_to_num(revenue)), value_sq=value_sq),
        tuple(days_without_revenue.tolist()),
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
