"""The daily totals of an experiment as arrays, and the days on which somebody's report is missing."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.bandits.effective import DailyTotals, incomplete_days
from app.bandits.quadrature import Booleans, Floats
from app.bandits.rounding import significant
from app.bandits.sample_ratio import sample_ratio_p

EPOCH = dt.date(2000, 1, 1)
P_DIGITS = 4
"""Of a sample-ratio test: log-gammas of 1e8 units differ between processors by 1e-6, and the p-value as much."""


def _read(money: str = "") -> str:
    return f"""
        select v.variant_id, v.registered_on, v.active_from, v.retired_on, m.days
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
    """  # noqa: S608  texts of ours


READ = _read()
"""One row per variant with its days packed as in ``DAY``: sending them one by one takes four times as long."""
READ_WITH_MONEY = _read("""
                       || float8send(coalesce(revenue::float8, 'NaN'))
                       || float8send(coalesce(revenue_sq::float8, 'NaN'))""")
DAY = [("day", ">i4"), ("impressions", ">i8"), ("successes", ">i8")]
MONEY = [("revenue", ">f8"), ("revenue_sq", ">f8")]

RECORDED = text("""
    select distinct on (for_date) for_date, answer -> 'allocations' as shares
    from allocations where experiment_id = :experiment_id and for_date = any(:dates)
    order by for_date, sequence desc
""")


SERVED = text("""
    select answer -> 'allocations' as shares from allocations
    where experiment_id = :experiment_id and for_date = :date
      and not exists (
          select from json_array_elements(answer -> 'gates') as held
          where held ->> 'gate' in ('paused', 'archived')
      )
    order by sequence desc limit 1
""")


def served_before_halt(session: Session, experiment_id: str, date: dt.date) -> dict[str, float] | None:
    """Return the percentages recorded last for a date before a pause or archival began on it, if any were."""
    shares: dict[str, float] | None = session.scalar(SERVED, {"experiment_id": experiment_id, "date": date})
    return shares


def number(date: dt.date) -> int:
    """Return a date's number: days since 2000-01-01."""
    return (date - EPOCH).days


def date_of(day: int) -> dt.date:
    """Return the date of a number."""
    return EPOCH + dt.timedelta(days=day)


@dataclass(frozen=True, slots=True)
class Member:
    """A variant and when it took part.

    Parameters
    ----------
    first_day : the first one it was reported on, up to the date asked for
    """

    variant_id: str
    registered_on: dt.date
    active_from: dt.date | None
    retired_on: dt.date | None
    first_day: dt.date | None


@dataclass(frozen=True, slots=True)
class Arm(Member):
    """A variant with its daily totals.

    Parameters
    ----------
    days : its totals up to the last day that may be used, as in ``DAY``, and ``MONEY`` where it was asked for
    """

    days: NDArray[np.void]


def read_arms(session: Session, experiment_id: str, date: dt.date, last: dt.date, money: bool) -> list[Arm]:
    """Return every variant in the order of registration, with its days up to ``last``.

    Of later days up to the date nothing is told but that a variant had been heard of.
    """
    driver = session.connection().connection.driver_connection
    assert driver is not None
    dtype = np.dtype(DAY + MONEY if money else DAY)
    with driver.cursor(binary=True) as cursor:  # as text the days would be twice as long
        rows = cursor.execute(
            READ_WITH_MONEY if money else READ, {"experiment_id": experiment_id, "date": date}
        ).fetchall()
    return [_arm(row, dtype, number(last)) for row in rows]


def _arm(row: tuple[Any, ...], dtype: np.dtype[np.void], last: int) -> Arm:
    variant_id, registered_on, active_from, retired_on, packed = row
    reported = np.frombuffer(packed or b"", dtype)
    first_day = date_of(int(reported["day"].min())) if len(reported) else None
    used = reported[reported["day"] <= last]
    return Arm(variant_id, registered_on, active_from, retired_on, first_day, used)


@dataclass(frozen=True, slots=True)
class Table:
    """Daily totals, and on how many days each variant's successes came without revenue."""

    totals: DailyTotals
    unvalued: tuple[int, ...]


def table_of(members: Sequence[Arm], by_value: bool) -> Table:
    """Return the days of some variants as arrays (t, k)."""
    dtype = np.dtype(DAY + MONEY if by_value else DAY)
    k, rows = len(members), np.concatenate([np.empty(0, dtype), *(arm.days for arm in members)])
    arm = np.repeat(np.arange(k), [len(member.days) for member in members])
    day, at = _days_of(rows["day"].astype(np.int64))

    def spread(figures: NDArray[Any]) -> Floats:
        table = np.zeros((len(day), k))
        table[at, arm] = figures
        return table

    totals = DailyTotals(
        day, spread(np.ones(len(rows))) > 0, spread(rows["impressions"]), spread(rows["successes"])
    )
    if not by_value:
        return Table(totals, (0,) * k)
    money, squares, converted = rows["revenue"], rows["revenue_sq"], rows["successes"] > 0
    without_squares = (np.isnan(squares) & converted).any()
    value_sq = None if without_squares else spread(np.nan_to_num(squares))
    unvalued = np.bincount(arm[np.isnan(money) & converted], minlength=k)
    return Table(
        replace(totals, value=spread(np.nan_to_num(money)), value_sq=value_sq), tuple(unvalued.tolist())
    )


def _days_of(reported: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the days there are, ascending, and of each report the place of its day among them."""
    if not len(reported):
        return reported, reported.astype(np.intp)
    first = reported.min()
    present = np.zeros(reported.max() - first + 1, np.bool_)
    present[reported - first] = True
    return np.flatnonzero(present) + first, (np.cumsum(present) - 1)[reported - first]


def incomplete(
    session: Session, experiment_id: str, table: Table, members: Sequence[Arm]
) -> dict[dt.date, tuple[str, ...]]:
    """Return the days that lack the report of a live variant with a share, and whose reports they lack.

    A variant has a share on a day if the allocation last in force gave it one; where none was recorded, if it had
    impressions on the reported day before. One that never reported before is not waited for.
    """
    totals = table.totals
    missing = ~totals.reported & _live(totals, members) & _reported_before(totals)
    if not missing.any():
        return {}
    dates = [date_of(int(day)) for day in totals.day]
    lacking = [date for date, row in zip(dates, missing, strict=True) if row.any()]
    found = session.execute(RECORDED, {"experiment_id": experiment_id, "dates": lacking})
    recorded = {row.for_date: row.shares for row in found}
    expected = missing & np.vstack([np.zeros((1, len(members)), np.bool_), totals.trials[:-1] > 0])
    for t, date in enumerate(dates):
        if date in recorded:
            shared = [recorded[date].get(row.variant_id, 0) > 0 for row in members]
            expected[t] = missing[t] & np.array(shared)
    return {
        dates[t]: tuple(row.variant_id for row, waits in zip(members, expected[t], strict=True) if waits)
        for t in np.flatnonzero(incomplete_days(totals, expected))
    }


IN_TIME = text("""
    select for_date, min(cast(answer -> 'allocations' as text)) as shares
    from allocations
    where experiment_id = :experiment_id and for_date <= :last
      and cast(recorded_at at time zone :zone as date) <= for_date
    group by for_date
    having count(distinct cast(answer -> 'allocations' as text)) = 1
    order by for_date
""")
"""The days with one split all day long, known by its end."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """A sample-ratio test: its p-value, and what was counted and expected by variant.

    Parameters
    ----------
    of : what is counted
    over : how many days, or splits with different shares, it was counted in
    """

    p: float
    of: Literal["impressions", "units"]
    over: dict[str, int]
    counted: dict[str, float]
    expected: dict[str, float]


def sample_ratio(
    session: Session, experiment_id: str, rows: Sequence[Arm], last: dt.date, zone: str
) -> SampleRatio | None:
    """Return how impressions were split on the days whose shares were recorded in time; None without such days."""
    totals = table_of(rows, by_value=False).totals
    place = {int(day): at for at, day in enumerate(totals.day)}
    counts, shares = [], []
    for row in session.execute(IN_TIME, {"experiment_id": experiment_id, "last": last, "zone": zone}):
        at = place.get(number(row.for_date))
        percent = json.loads(row.shares)
        share = np.array([percent.get(variant.variant_id, 0.0) / 100 for variant in rows])
        if at is not None and totals.reported[at][share > 0].all():
            counts.append(totals.trials[at])
            shares.append(share)
    if not counts:
        return None
    expected = sum(count.sum() * share for count, share in zip(counts, shares, strict=True))
    names = [row.variant_id for row in rows]
    return SampleRatio(
        significant(sample_ratio_p(counts, shares), P_DIGITS),
        "impressions",
        {"days": len(counts)},
        dict(zip(names, sum(counts).tolist(), strict=True)),
        dict(zip(names, expected.tolist(), strict=True)),
    )


def _live(totals: DailyTotals, members: Sequence[Arm]) -> Booleans:
    ends = [number(row.retired_on or dt.date.max) for row in members]
    begins = [number(row.active_from or dt.date.min) for row in members]
    day = totals.day[:, None]
    live: Booleans = (np.array(begins) <= day) & (day < np.array(ends))
    return live


def _reported_before(totals: DailyTotals) -> Booleans:
    before: Booleans = np.logical_or.accumulate(totals.reported, axis=0)
    return np.vstack([np.zeros((1, before.shape[1]), np.bool_), before[:-1]])
