"""Days reported thirty times, against days reported once: the first allocation after a change, and POST /metrics/.

Every day of the one experiment was reported for thirty days running, and the delay of its conversions is estimated
from that; the other has the same totals in force, reported once. Processor time is the kernel's, of the service
and PostgreSQL (/proc), so it means the same whatever else the machine does.
"""

import datetime as dt
import json
from collections.abc import Iterator
from statistics import median

from benchmarks import processes
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.sample_data import today, totals
from benchmarks.service import Row, Service

VARIANTS, DAYS, REPORTS = 20, 1_000, 30
ONCE, AGAIN = "reported-once", "reported-again"
CHANGED_DAY = 10
"""So many days ago: in the one experiment the totals and the delay change with it."""
REPEATS, POSTS = 51, 15
MEAN_DELAY = 7


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the processor time of a GET after one total changed, and the rate of 5,000 totals sent."""
    for name, reports in ((ONCE, 1), (AGAIN, REPORTS)):
        lines = b"".join(json.dumps(row).encode() + b"\n" for row in _history(name, reports))
        service.post("/metrics/bulk", lines, "application/x-ndjson")
    with service.connect() as connection:
        connection.autocommit = True
        connection.execute("vacuum analyze")  # as autovacuum leaves it a minute later
    turns = [{name: _first_read(service, name, turn) for name in (ONCE, AGAIN)} for turn in range(REPEATS)]
    once, again = ([turn[name] for turn in turns[1:]] for name in (ONCE, AGAIN))  # the first warms up
    yield Measurement(
        "GET /allocations/{id} after a change, 20 variants, 1,000 days: processor time with 30 reports a day / 1",
        [with_snapshots / without for without, with_snapshots in zip(once, again, strict=True)],
        Target("<=", 1.3),
        f"{1e3 * median(again):.1f} against {1e3 * median(once):.1f} ms",
    )
    yield _posts(service)


def _first_read(service: Service, name: str, turn: int) -> float:
    """Return the processor seconds of an allocation whose experiment has just changed."""
    service.record([_report(name, 0, CHANGED_DAY, CHANGED_DAY - 1) | {"impressions": 2_000 + turn}])
    before = processes.precise_processor_seconds(service.pids)
    service.get(f"/allocations/{name}")
    return processes.precise_processor_seconds(service.pids) - before


def _posts(service: Service) -> Measurement:
    """Return the rate of 5,000 totals that become a further report of their day, over that of replaced ones."""
    names, days = ("posted-once", "posted-again"), 250
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(POSTS + 1):
        for name in names:
            rows = totals(name, VARIANTS, days, until=today() - dt.timedelta(days=REPORTS))
            for row in rows:
                known = dt.date.fromisoformat(row["date"]) + dt.timedelta(days=turn)
                row["as_of"] = row["date"] if name == names[0] else str(known)
            body = json.dumps(rows).encode()
            spent = timed(lambda body=body: service.store("/metrics/", body))
            if turn:  # the first inserts them
                seconds[name].append(spent)
    once, again = seconds.values()
    return Measurement(
        "POST /metrics/, 5,000 rows of 1 experiment: rows/s as further reports of their days / replaced",
        [without / with_snapshots for without, with_snapshots in zip(once, again, strict=True)],
        Target(">=", 0.8),
        f"{milliseconds(again)} against {milliseconds(once)}",
    )


def _history(name: str, reports: int) -> Iterator[Row]:
    """Yield the last reports of each day, of so many that there have been by today."""
    for day in range(1, DAYS + 1):
        newest = min(day, REPORTS) - 1
        for age in range(max(newest - reports + 1, 0), newest + 1):
            for variant in range(VARIANTS):
                yield _report(name, variant, day, age)


def _report(name: str, variant: int, day: int, age: int) -> Row:
    """Return what had come of a day's conversions by an age: geometric, with a mean of 7 days."""
    date = today() - dt.timedelta(days=day)
    came = 1 - (MEAN_DELAY / (1 + MEAN_DELAY)) ** (age + 1)
    return {
        "experiment_id": name,
        "variant_id": f"variant-{variant:02d}",
        "date": str(date),
        "impressions": 900 + (day * 37 + variant * 11) % 199,
        "successes": int((90 + (day * 13 + variant * 5) % 41 + variant) * came),
        "as_of": str(date + dt.timedelta(days=age)),
    }
