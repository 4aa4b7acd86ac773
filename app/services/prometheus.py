"""The metrics Prometheus reads: the process's own, and those of the experiments in the database."""

import asyncio
import datetime as dt
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
from app.schemas.allocations import StoredAllocation
from app.settings import ServiceSettings
from app.storage.batched_statement import BatchedStatement, Connection
from app.storage.database import Database

TIMEOUT_SECONDS = 4
"""Seconds to wait for the database. Authentication may have taken five, and after ten Prometheus gives up."""

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
"""  # noqa: S608  both parts are constants of this module
LATEST_ANSWERS_SQL = f"""
    select e.experiment_id, cast(a.answer as text)
    from ({VISIBLE_EXPERIMENTS}) e
    cross join lateral (
        select answer from allocations a
        where a.experiment_id = e.experiment_id and a.for_date <= %(today)s
        order by a.for_date desc, a.sequence desc limit 1
    ) a
"""  # noqa: S608  both parts are constants of this module
COUNT_SQL = "select count(*) from experiments"


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """What is read from the database: how many experiments there are; days and answers of those that are shown."""

    experiments: int = 0
    newest_days: Sequence[tuple[str, dt.date | None]] = ()
    latest_answers: Sequence[tuple[str, str]] = ()


class PrometheusExporter:
    """Writes all metrics for one process.

    The database is read on a dedicated connection: metrics are needed most while all pooled ones are in use.
    """

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._max_experiments = settings.metrics_max_experiments
        self._max_variants = settings.metrics_max_variants
        self._snapshot = BatchedStatement(database, self._read, by_key=False, seconds=TIMEOUT_SECONDS)
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        self._pool_metrics = PoolMetrics(pool)

    async def close(self) -> None:
        """Close the connection, and leave the pool alone."""
        self._pool_metrics.end()
        await self._snapshot.close()

    async def exposition(self, now: dt.datetime) -> bytes:
        """Return all metrics in Prometheus' text format; while the database is away, only the process's own."""
        snapshot: DatabaseSnapshot | None = None
        with suppress(Unavailable):
            snapshot = await self._snapshot.run([now.date() + dt.timedelta(days=1)])
        return await asyncio.to_thread(_exposition, snapshot, now, self._max_variants)

    async def _read(self, connection: Connection, todays: Sequence[dt.date]) -> DatabaseSnapshot:
        values = {"limit": self._max_experiments, "today": max(todays)}
        count = await (await connection.execute(COUNT_SQL)).fetchone()
        assert count is not None, "a count has a row"
        days = await (await connection.execute(NEWEST_DAYS_SQL.encode(), values)).fetchall()
        answers = await (await connection.execute(LATEST_ANSWERS_SQL.encode(), values)).fetchall()
        return DatabaseSnapshot(count[0], days, answers)


class PoolMetrics:
    """Updates how many connections are in use whenever that changes: another process may serve the scrape."""

    def __init__(self, pool: QueuePool) -> None:
        self._pool = pool
        metrics.POOL_SIZE.set(pool.size())
        metrics.POOL_IN_USE.set(0)
        event.listen(pool, "checkout", self._on_checkout)
        event.listen(pool, "checkin", self._on_checkin)

    def end(self) -> None:
        """Update them no longer; an application may be closed again."""
        if event.contains(self._pool, "checkout", self._on_checkout):
            event.remove(self._pool, "checkout", self._on_checkout)
            event.remove(self._pool, "checkin", self._on_checkin)

    def _on_checkout(self, *_: object) -> None:
        metrics.POOL_IN_USE.set(self._pool.checkedout())

    def _on_checkin(self, *_: object) -> None:
        metrics.POOL_IN_USE.set(max(0, self._pool.checkedout() - 1))


def _exposition(snapshot: DatabaseSnapshot | None, now: dt.datetime, max_variants: int) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(metric_families(snapshot, now, max_variants)))
    return _process_metrics() + generate_latest(registry)


def _process_metrics() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Families(Collector):
    """Metrics that were read already: the same from every worker and after a restart."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def metric_families(
    snapshot: DatabaseSnapshot | None, now: dt.datetime, max_variants: int
) -> Iterator[GaugeMetricFamily]:
    """Yield the metrics of what was read from the database; without it only that the database is away.

    Parameters
    ----------
    max_variants : for which series are written, of all experiments together; the others are counted
    """
    up = GaugeMetricFamily("groundhog_database_up", "1 while PostgreSQL answers")
    up.add_metric([], 0 if snapshot is None else 1)
    yield up
    if snapshot is not None:
        yield from _ages(snapshot, now)
        yield from _allocations(snapshot, max_variants)


def _ages(snapshot: DatabaseSnapshot, now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    count = GaugeMetricFamily("groundhog_experiments", "Number of experiments")
    count.add_metric([], snapshot.experiments)
    yield count
    age = GaugeMetricFamily(
        "groundhog_daily_metrics_age_seconds",
        "Time since the end of the newest day with daily metrics",
        labels=["experiment"],
    )
    for experiment_id, newest in snapshot.newest_days:
        if newest is not None:
            end = dt.datetime.combine(newest + dt.timedelta(days=1), dt.time(), dt.UTC)
            age.add_metric([experiment_id], (now - end).total_seconds())
    yield age


def _allocations(snapshot: DatabaseSnapshot, max_variants: int) -> Iterator[GaugeMetricFamily]:
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
    omitted = GaugeMetricFamily(
        "groundhog_variants_omitted",
        "Number of variants beyond GROUNDHOG_METRICS_MAX_VARIANTS, of which no series are exported",
        labels=["experiment"],
    )
    remaining = max_variants
    for experiment_id, body in snapshot.latest_answers:
        allocation = StoredAllocation.model_validate_json(body)
        shown = allocation.variants[:remaining]
        remaining -= len(shown)
        omitted.add_metric([experiment_id], len(allocation.variants) - len(shown))
        for variant in shown:
            labels = [experiment_id, variant.variant_id]
            share.add_metric(labels, variant.share / 100)
            if variant.p_best is not None:
                p_best.add_metric(labels, variant.p_best)
        for gate in allocation.gate_names:
            gates.add_metric([experiment_id, gate], 1)
    yield from (share, p_best, gates, omitted)
