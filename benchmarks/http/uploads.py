"""An upload of 200,000 lines, against COPY and the same upsert straight through psycopg."""

import datetime as dt
import json
from collections.abc import Iterator

import psycopg

from app.services.metrics import bulk_upload
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.sample_data import report_values, totals
from benchmarks.service import Row, Service

EXPERIMENTS, VARIANTS, DAYS = 20, 10, 1_000
REPEATS = 3


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the lines/s of an NDJSON upload, of new rows and of replaced ones."""
    inserted, updated = [], []
    with service.connect() as connection:
        for turn in range(REPEATS):
            for pairs in (inserted, updated):
                body = b"".join(json.dumps(row).encode() + b"\n" for row in _rows(f"uploaded-{turn}"))
                columns = [_columns(number, row) for number, row in enumerate(_rows(f"copied-{turn}"))]
                if pairs is inserted:
                    _register(service, turn)
                uploaded = timed(
                    lambda body=body: service.store("/metrics/bulk", body, "application/x-ndjson")
                )
                pairs.append((uploaded, timed(lambda columns=columns: _copy(connection, columns))))
    lines = EXPERIMENTS * VARIANTS * DAYS
    for what, pairs in (("new", inserted), ("replaced", updated)):
        yield Measurement(
            f"POST /metrics/bulk, {lines:,} lines, {what}: lines/s / COPY and upsert",
            [bare / uploaded for uploaded, bare in pairs],
            Target(">=", 0.5),
            f"{milliseconds([u for u, _ in pairs])} against {milliseconds([b for _, b in pairs])}",
        )


def _rows(name: str) -> Iterator[Row]:
    for number in range(EXPERIMENTS):
        yield from totals(f"{name}-{number:02d}", VARIANTS, DAYS)


def _columns(number: int, row: Row) -> tuple[object, ...]:
    date = dt.date.fromisoformat(row["date"])
    return (
        number, row["experiment_id"], row["variant_id"], date, row["impressions"], row["successes"],
        None, None, None,
    )  # fmt: skip


def _register(service: Service, turn: int) -> None:
    for side in ("uploaded", "copied"):
        for number in range(EXPERIMENTS):
            service.record(totals(f"{side}-{turn}-{number:02d}", VARIANTS, 1))


def _copy(connection: psycopg.Connection, columns: list[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(str(bulk_upload.CREATE))
        with cursor.copy(bulk_upload.COPY) as copy:
            for row in columns:
                copy.write_row(row)
        cursor.execute("analyze sent")
        for experiment_id in sorted({str(row[1]) for row in columns}):
            cursor.execute(bulk_upload.UPSERT.upsert, report_values(experiment_id))
    connection.commit()
