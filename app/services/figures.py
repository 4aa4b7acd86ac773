"""The figures Prometheus reads: the process's own, and what the database says about the experiments."""

import datetime as dt
import json
import os
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app import telemetry
from app.errors import Unavailable
from app.settings import Settings
from app.storage.database import Database

NEWEST_DAYS = text("""
    select experiment_id,
           (select max(last_day) from (
               select (select max(m.date) from experiment_metrics m
                       where m.experiment_id = e.experiment_id and m.variant_id = v.variant_id) as last_day
               from variants v where v.experiment_id = e.experiment_id
           ) days) as newest
    from experiments e order by experiment_id limit :limit
""")
LATEST_ANSWERS = text("""
    select e.experiment_id, cast(a.answer as text) as answer
    from (select experiment_id from experiments order by experiment_id limit :limit) e
    cross join lateral (
        select answer from allocations a
        where a.experiment_id = e.experiment_id and a.for_date <= :today
        order by a.for_date desc, a.sequence desc limit 1
    ) a
""")
TOTALS = text("select (select count(*) from experiments) as experiments")


def exposition(database: Database, settings: Settings, now: dt.datetime) -> bytes:
    """Return all figures in Prometheus' text format; those of the database are left out while it is away."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    telemetry.POOL_IN_USE.set(pool.checkedout())
    telemetry.POOL_SIZE.set(settings.pool_size)
    registry = CollectorRegistry()
    registry.register(_Experiments(database, settings, now))
    return _process_figures() + generate_latest(registry)


def _process_figures() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Experiments(Collector):
    """What the database says, read at the time of the scrape: the same from every worker and after a restart."""

    def __init__(self, database: Database, settings: Settings, now: dt.datetime) -> None:
        self._database = database
        self._limit = settings.telemetry_experiments
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("groundhog_database_up", "1 while PostgreSQL answers")
        try:
            with self._database.transaction() as session:
                families = [*self._ages(session), *self._allocations(session)]
        except Unavailable:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from families

    def _ages(self, session: Session) -> Iterator[GaugeMetricFamily]:
        count = GaugeMetricFamily("groundhog_experiments", "Experiments known")
        count.add_metric([], session.execute(TOTALS).scalar_one())
        yield count
        age = GaugeMetricFamily(
            "groundhog_metrics_newest_day_age_seconds",
            "Time since the end of the newest day with daily metrics",
            labels=["experiment"],
        )
        for row in session.execute(NEWEST_DAYS, {"limit": self._limit}):
            if row.newest is not None:
                end = dt.datetime.combine(row.newest + dt.timedelta(days=1), dt.time(), dt.UTC)
                age.add_metric([row.experiment_id], (self._now - end).total_seconds())
        yield age

    def _allocations(self, session: Session) -> Iterator[GaugeMetricFamily]:
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
            "groundhog_gate_holding", "1 for each gate that holds", labels=["experiment", "gate"]
        )
        today = self._now.date() + dt.timedelta(days=1)
        for row in session.execute(LATEST_ANSWERS, {"limit": self._limit, "today": today}):
            answer = json.loads(row.answer)
            for variant in answer["variants"]:
                labels = [row.experiment_id, variant["variant_id"]]
                share.add_metric(labels, variant["share"] / 100)
                if variant["p_best"] is not None:
                    p_best.add_metric(labels, variant["p_best"])
            for gate in answer["gates"]:
                gates.add_metric([row.experiment_id, gate["gate"]], 1)
        yield from (share, p_best, gates)
