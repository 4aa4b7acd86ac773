"""5,000,000 lines at once, and 1,000,000 by `groundhog load`: memory, and lines/s against COPY and upsert.

Run alone with ``python -m benchmarks long_uploads``. The lines are made beforehand: neither side waits for them.
"""

import datetime as dt
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection

import psycopg

from app.services.metrics import bulk_upload
from benchmarks import processes
from benchmarks.measurement import Measurement, Target, short, timed
from benchmarks.sample_data import totals
from benchmarks.service import Row, Service, environment, running_postgres, serving

CREATE = str(bulk_upload.CREATE)
UPSERT = """
    insert into experiment_metrics
        (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
         times_written, created_at, updated_at)
    select experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, 1, now(), now()
    from sent
    on conflict (experiment_id, variant_id, date) do update set
        impressions = excluded.impressions, successes = excluded.successes,
        revenue = excluded.revenue, revenue_sq = excluded.revenue_sq,
        times_written = experiment_metrics.times_written + 1, updated_at = excluded.updated_at
"""
"""All rows in one statement, the shortest way there is: nothing is checked, nothing counted."""

VARIANTS, DAYS = 10, 1_000
UPLOADED, LOADED = 500, 100
"""Experiments of so many lines each: 5,000,000 and 1,000,000 lines."""
EVERY_SECONDS = 0.5
PLACE = "@"
"""Stands for an experiment's id, which no line has otherwise."""
MEMORY = Target("<=", 100)
SPEED = Target(">=", 0.5)


class Memory(threading.Thread):
    """Watches the resident memory of some processes as long as the block lasts, PostgreSQL's buffers apart."""

    def __init__(self, pids: Sequence[int]) -> None:
        super().__init__(name="watch memory")
        self._pids, self._ended = pids, threading.Event()
        self.first = self.most = processes.private_mebibytes(pids)

    def __enter__(self) -> "Memory":
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Look now and then."""
        while not self._ended.wait(EVERY_SECONDS):
            self.most = max(self.most, processes.private_mebibytes(self._pids))


def measure(_: Service | None = None) -> Iterator[Measurement]:
    """Yield the growth of memory and the lines/s of both, on a PostgreSQL of their own."""
    with running_postgres() as (url, _), serving(url, 1) as service, service.connect() as connection:
        daily = totals(PLACE, VARIANTS, DAYS)
        yield from _uploaded(service, connection, daily)
        yield from _loaded(service, connection, daily, url)


def _uploaded(service: Service, connection: psycopg.Connection, daily: list[Row]) -> Iterator[Measurement]:
    block = "".join(json.dumps(row) + "\n" for row in daily)
    names = _registered(service, "uploaded", UPLOADED)
    lines = len(names) * len(daily)
    with Memory(service.pids) as memory:
        uploaded = timed(lambda: _upload(service, lines, (block.replace(PLACE, n).encode() for n in names)))
    yield Measurement(
        f"POST /metrics/bulk, {lines:,} lines: MiB more than before, service and PostgreSQL",
        [memory.most - memory.first],
        MEMORY,
        f"{short(memory.most)} after {short(memory.first)} MiB",
    )
    yield _speed("POST /metrics/bulk", service, connection, daily, UPLOADED, uploaded)


def _loaded(
    service: Service, connection: psycopg.Connection, daily: list[Row], url: str
) -> Iterator[Measurement]:
    block = "".join(json.dumps(row) + "\n" for row in daily)
    names = _registered(service, "loaded", LOADED)
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.writelines(block.replace(PLACE, name).encode() for name in names)
        file.flush()
        most: list[float] = []
        loaded = timed(lambda: most.append(_load(file.name, url)))
    yield Measurement(
        f"groundhog load, {len(names) * len(daily):,} lines: MiB of its process at most",
        most,
        Target("<=", 250),
    )
    yield _speed("groundhog load, its start included", service, connection, daily, LOADED, loaded)


def _registered(service: Service, prefix: str, experiments: int) -> list[str]:
    """Register experiments with their variants; return their ids."""
    names = [f"{prefix}-{number:03d}" for number in range(experiments)]
    service.record([row for name in names for row in totals(name, VARIANTS, 1)])
    return names


def _upload(service: Service, lines: int, parts: Iterator[bytes]) -> None:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=1_800)
    headers = {"Content-Type": "application/x-ndjson"}
    connection.request("POST", "/metrics/bulk", parts, headers, encode_chunked=True)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200 or json.loads(answer)["received"] != lines:
        raise RuntimeError(f"the service answered {response.status}: {answer[:500].decode()}")


def _load(file: str, url: str) -> float:
    """Run `groundhog load` in a process; return the most memory it had."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "load", file],
        env=environment(url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with Memory([process.pid]) as memory:
        if process.wait() != 0:
            raise RuntimeError(f"groundhog load ended with {process.returncode}")
    return memory.most


def _speed(
    what: str,
    service: Service,
    connection: psycopg.Connection,
    daily: list[Row],
    experiments: int,
    seconds: float,
) -> Measurement:
    names = _registered(service, f"copied-{experiments}", experiments)
    lines = len(names) * len(daily)
    bare = timed(lambda: _copy_and_upsert(connection, _rows(names, daily)))
    return Measurement(
        f"{what}, {lines:,} lines: lines/s / COPY and upsert",
        [bare / seconds],
        SPEED,
        f"{lines / seconds:,.0f} against {lines / bare:,.0f} per s",
    )


def _copy_and_upsert(connection: psycopg.Connection, rows: Iterator[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
        with cursor.copy(bulk_upload.COPY) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(UPSERT)
    connection.commit()


def _rows(names: list[str], daily: list[Row]) -> Iterator[tuple[object, ...]]:
    rest = [
        (row["variant_id"], dt.date.fromisoformat(row["date"]), row["impressions"], row["successes"])
        for row in daily
    ]
    for start, name in enumerate(names):
        for number, row in enumerate(rest, start * len(rest)):
            yield (number, name, *row, None, None)
