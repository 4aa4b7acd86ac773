"""The rows of ``delay_evidence``: read beside the reports of the days that have none, and stored."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from app.services.delay.reports import IN_FORCE

WINDOW = "experiment_id = %(experiment_id)s and date between %(first)s and %(last)s"
CURRENT = f"select * from delay_evidence where {WINDOW} and ages = %(ages)s"  # noqa: S608  a constant
MISSING = f"""
    select date, string_agg(variant_id, E'\\n'), null::bytea,
           string_agg(int2send(cast(octet_length(reports) as smallint)), ''), string_agg(reports, ''),
           null::bytea, bool_and(dated)
    from (
        select d.date, d.variant_id, d.reports || {IN_FORCE} as reports, m.as_of is not null as dated
        from (
            select * from reports_by_day
            where experiment_id = %(experiment_id)s and date = any(array(
                select cast(%(first)s as date) + day
                from generate_series(0, cast(%(last)s as date) - cast(%(first)s as date)) day
                except select date from ({CURRENT}) stored
            ))
        ) d
        join lateral (
            select * from experiment_metrics
            where experiment_id = %(experiment_id)s and variant_id = d.variant_id and date = d.date limit 1
        ) m on true
    ) report
    group by date
"""  # noqa: S608  a constant
"""``limit 1`` keeps the look-ups apart, each by its key: in a join all days of the experiment may be read."""
READ_SQL = f"""
    select date, variant_ids, known, conversions, excess, variance, null::boolean from ({CURRENT}) current
    union all {MISSING}
"""  # noqa: S608  a constant; one statement: between two, a day could change from missing to stored
STORE_SQL = """
    insert into delay_evidence
        (experiment_id, date, ages, variant_ids, known, conversions, excess, variance)
    values (%(experiment_id)s, %(date)s, %(ages)s, %(variant_ids)s, %(known)s, %(conversions)s, %(excess)s,
            %(variance)s)
    on conflict (experiment_id, date) do update
        set ages = excluded.ages, variant_ids = excluded.variant_ids, known = excluded.known,
            conversions = excluded.conversions, excess = excluded.excess, variance = excluded.variance
"""
SEPARATOR = "\n"
"""Between the names of a day's variants, which hold no control characters."""

MissingDay = tuple[Any, ...]
"""A row of ``MISSING``."""


@dataclass(frozen=True, slots=True)
class EvidenceDays:
    """The days from the first on, and the ages below a number, that evidence is read of."""

    experiment_id: str
    first: dt.date
    days: int
    ages: int
    zone: str

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        last = self.first + dt.timedelta(days=self.days - 1)
        return {
            "experiment_id": self.experiment_id,
            "first": self.first,
            "last": last,
            "ages": self.ages,
            "zone": self.zone,
        }

    def day(self, date: dt.date) -> int:
        """Return the place of a date, from 0."""
        return (date - self.first).days


@dataclass(frozen=True, slots=True)
class StoredDay:
    """A row of ``delay_evidence``; ``dated`` says whether it may become one, where it was computed."""

    date: dt.date
    variant_ids: str
    known: bytes
    conversions: bytes
    excess: bytes
    variance: bytes
    dated: bool | None = None


def read_days(session: Session, window: EvidenceDays) -> tuple[list[StoredDay], list[MissingDay]]:
    """Return the days that are stored, and the reports of those that are missing."""
    rows = _rows(session, READ_SQL, window)
    stored = [StoredDay(*row) for row in rows if row[-1] is None]
    return stored, [row for row in rows if row[-1] is not None]


def read_missing(session: Session, window: EvidenceDays) -> list[MissingDay]:
    """Return the reports of the days that are not stored."""
    return _rows(session, MISSING, window)


def store_days(session: Session, window: EvidenceDays, days: Sequence[StoredDay]) -> None:
    """Store the days that may be stored; the caller holds the experiment's lock."""
    driver = _driver(session)
    for day in days:
        if day.dated:
            driver.execute(STORE_SQL, window.values | {name: getattr(day, name) for name in day.__slots__})


def _rows(session: Session, statement: str, window: EvidenceDays) -> list[tuple[Any, ...]]:
    with _driver(session).cursor(binary=True) as cursor:
        return list(cursor.execute(statement, window.values).fetchall())


def _driver(session: Session) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] | None = session.connection().connection.driver_connection
    assert driver is not None
    return driver
