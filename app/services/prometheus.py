"""The figures Prometheus reads: the process's own, and what the database says about the experiments."""

import asyncio
import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from app.errors import Unavailable
from app.observability import metrics
from app.settings import ServiceSettings
from app.storage.batched_statement import BatchedStatement, Connection
from app.storage.database import Database

TIMEOUT_SECONDS = 4
"""Seconds that the database is waited for. The API keys may have taken five, and after ten Prometheus gives up."""

VISIBLE_EXPERIMENTS = """
    select experiment_id from experiments e
    where (
        select state from experiment_settings s where s.experiment_id = e.experiment_id
        order by active_from desc limit 1
    ) is distinct from 'archived'
    order by experiment_id limit %(limit)s
"""
NEWEST_DAYS_SQL = f"""
    select experiment_id,
           (select max(last_day) from (
               select (select max(m.date) from experiment_metrics m
                       where m.experiment_id = e.experiment_id and m.variant_id = v.variant_id) as last_day
               from variants v where v.experiment_id = e.experiment_id
           ) days)
    from ({VISIBLE_EXPERIMENTS}) e
"""  # noqa: S608  texts of ours
LATEST_ANSWERS_SQL = f"""
    select e.experiment_id, cast(a.answer as text)
    from ({VISIBLE_EXPERIMENTS}) e
    cross join lateral (
        select answer from allocations a
        where a.experiment_id = e.experiment_id and a.for_date <= %(today)s
        order by a.for_date desc, a.sequence desc limit 1
    ) a
"""  # noqa: S608  texts of ours
NUMBER = "select count(*) from experiments"


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """What the database says: of all experiments how many, of those that are shown their days and answers."""

    experiments: int = 0
    newest_days: Sequence[tuple[str, dt.date | None]] = ()
    latest_answers: Sequence[tuple[str, str]] = ()


class PrometheusExporter:
    """The figures as one process shows them.

    The database is asked on a connection of its own: they are wanted most while all others are in use.
    """

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._limit = settings.metrics_max_experiments
        self._asked = BatchedStatement(database, self._ask, by_key=False, seconds=TIMEOUT_SECONDS)
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        _show_use_of(pool)

    async def close(self) -> None:
        """Close the connection."""
        await self._asked.close()

    async def exposition(self, now: dt.datetime) -> bytes:
        """Return all figures in Prometheus' text format; those of the database are left out while it is away."""
        known: DatabaseSnapshot | None = None
        with suppress(Unavailable):
            known = await self._asked.run([now.date() + dt.timedelta(days=1)])
        return await asyncio.to_thread(_written, known, now)

    async def _ask(self, connection: Connection, todays: Sequence[dt.date]) -> DatabaseSnapshot:
        asked = {"limit": self._limit, "today": max(todays)}
        number = await (await connection.execute(NUMBER)).fetchone()
        assert number is not None, "a count has a row"
        days = await (await connection.execute(NEWEST_DAYS_SQL.encode(), asked)).fetchall()
        answers = await (await connection.execute(LATEST_ANSWERS_SQL.encode(), asked)).fetchall()
        return DatabaseSnapshot(number[0], days, answers)


def _show_use_of(pool: QueuePool) -> None:
    """Tell how many connections are at work whenever that changes: another process may be asked for it."""
    metrics.POOL_SIZE.set(pool.size())
    metrics.POOL_IN_USE.set(0)

    @event.listens_for(pool, "checkout")
    def taken(*_: object) -> None:
        metrics.POOL_IN_USE.set(pool.checkedout())

    @event.listens_for(pool, "checkin")
    def about_to_be_given_back(*_: object) -> None:
        metrics.POOL_IN_USE.set(max(0, pool.checkedout() - 1))


def _written(known: DatabaseSnapshot | None, now: dt.datetime) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(metric_families(known, now)))
    return _process_metrics() + generate_latest(registry)


def _process_metrics() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Families(Collector):
    """Figures that are there already: the same from every worker and after a restart."""

    def __init__(self, found: Iterable[GaugeMetricFamily]) -> None:
        self._found = list(found)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._found


def metric_families(known: DatabaseSnapshot | None, now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    """Yield what the database has said as figures; only that it is away where it has said nothing."""
    up = GaugeMetricFamily("groundhog_database_up", "1 while PostgreSQL answers")
    up.add_metric([], 0 if known is None else 1)
    yield up
    if known is not None:
        yield from _ages(known, now)
        yield from _allocations(known)


def _ages(known: DatabaseSnapshot, now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    count = GaugeMetricFamily("groundhog_experiments", "Number of experiments")
    count.add_metric([], known.experiments)
    yield count
    age = GaugeMetricFamily(
        "groundhog_daily_metrics_age_seconds",
        "Time since the end of the newest day with daily metrics",
        labels=["experiment"],
    )
    for experiment_id, newest in known.newest_days:
        if newest is not None:
            end = dt.datetime.combine(newest + dt.timedelta(days=1), dt.time(), dt.UTC)
            age.add_metric([experiment_id], (now - end).total_seconds())
    yield age


def _allocations(known: DatabaseSnapshot) -> Iterator[GaugeMetricFamily]:
    share = GaugeMetricFamily(
        "groundhog_variant_share_ratio",
        "Share of traffic in the newest recorded allocation",
        labels=["experiment", "variant"],
    )
    p_best = GaugeMetricFamily(
        "groundhog_variant_p_best_ratio",
        "P(best) in the newest recorded allocation",
        labels=["experiment", "variant"],
    )
    gates = GaugeMetricFamily(
        "groundhog_gate_active", "1 for each active gate", labels=["experiment", "gate"]
    )
    for experiment_id, text in known.latest_answers:
        answer = json.loads(text)
        for variant in answer["variants"]:
            labels = [experiment_id, variant["variant_id"]]
            share.add_metric(labels, variant["share"] / 100)
            if variant["p_best"] is not None:
                p_best.add_metric(labels, variant["p_best"])
        for gate in answer["gates"]:
            gates.add_metric([experiment_id, gate["gate"]], 1)
    yield from (share, p_best, gates)
