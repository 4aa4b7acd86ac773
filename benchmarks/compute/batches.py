"""A batched ``POST /metrics/``, against the same statement straight through psycopg."""

import datetime as dt
import json
from collections.abc import Iterator
from itertools import groupby

import psycopg

from app.services.metrics.daily_metrics import UPSERT
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.sample_data import report_values, stretches, totals
from benchmarks.service import Row, Service

REPEATS = 15


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the rows/s of 5,000 rows: new ones, replaced ones, and one experiment against a hundred."""
    with service.connect() as connection:
        for experiments, variants, days in ((1, 20, 250), (100, 5, 10)):
            yield from _batch(service, connection, experiments, variants, days)


def _batch(
    service: Service, connection: psycopg.Connection, experiments: int, variants: int, days: int
) -> Iterator[Measurement]:
    def rows(side: str, until: dt.date) -> list[Row]:
        names = [f"{side}-{experiments}-{number:03d}" for number in range(experiments)]
        return [row for name in names for row in totals(name, variants, days, until)]

    ends = stretches(days)
    first = next(ends)
    for side in ("posted", "bare"):
        service.record(rows(side, first))  # registers the experiments and their variants
    inserted, updated = [], []
    for end in (next(ends) for _ in range(REPEATS)):
        for pairs in (inserted, updated):
            body = json.dumps(rows("posted", end)).encode()
            bare = [_parameters(group) for group in _by_experiment(rows("bare", end))]
            posted = timed(lambda body=body: service.store("/metrics/", body))
            pairs.append((posted, timed(lambda bare=bare: _upsert(connection, bare))))
    whose = "1 experiment" if experiments == 1 else f"{experiments} experiments"
    for what, pairs in (("new", inserted), ("replaced", updated)):
        yield Measurement(
            f"POST /metrics/, 5,000 rows of {whose}, {what}: rows/s / the bare upsert's",
            [bare / posted for posted, bare in pairs],
            Target(">=", 0.5),
            f"{milliseconds([p for p, _ in pairs])} against {milliseconds([b for _, b in pairs])}",
        )


def _by_experiment(rows: list[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row["experiment_id"])]


def _parameters(rows: list[Row]) -> dict[str, object]:
    in_order = sorted(rows, key=lambda row: (row["variant_id"], row["date"]))
    return report_values(in_order[0]["experiment_id"]) | {
        "of": [row["experiment_id"] for row in in_order],
        "variant_ids": [row["variant_id"] for row in in_order],
        "dates": [dt.date.fromisoformat(row["date"]) for row in in_order],
        "impressions": [row["impressions"] for row in in_order],
        "successes": [row["successes"] for row in in_order],
        "revenue": [None] * len(in_order),
        "revenue_sq": [None] * len(in_order),
        "as_of": [None] * len(in_order),
    }


def _upsert(connection: psycopg.Connection, parameters: list[dict[str, object]]) -> None:
    for experiment in parameters:
        connection.execute(UPSERT.upsert, experiment)
    connection.commit()
