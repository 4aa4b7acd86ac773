"""An allocation that has not changed, against a route that does nothing, and with a long history."""

from collections.abc import Iterator
from statistics import median

from benchmarks import wrk
from benchmarks.measurement import Measurement, Target
from benchmarks.sample_data import today, totals
from benchmarks.service import Service

EXPERIMENTS = 200
SECONDS = 2
PAIRS = 11


def measure(service: Service) -> Iterator[Measurement]:
    """Yield requests/s and p99 over 200 experiments, and the time of 1,000 days against one day."""
    if not wrk.installed():
        print(f"  GET /allocations: skipped, {wrk.MISSING}")
        return
    names = [f"reads-{number:03d}" for number in range(EXPERIMENTS)]
    service.record([row for name in names for row in totals(name, variants=4, days=14)])
    plain = [f"/allocations/{name}" for name in names]
    yield from _against_noop(service, "GET /allocations/{id}", plain)
    dated = [f"{path}?for_date={today()}" for path in plain]
    yield from _against_noop(service, "GET /allocations/{id}?for_date=", dated)
    yield _long_against_short(service)


def _against_noop(service: Service, name: str, paths: list[str]) -> Iterator[Measurement]:
    pairs = _pairs(service, ["/noop"], paths)
    noop, reads = ([pair[i] for pair in pairs] for i in (0, 1))
    yield Measurement(
        f"{name}, unchanged: requests/s / no-op's",
        [read.per_second / nothing.per_second for nothing, read in pairs],
        Target(">=", 0.5),
        f"{median(r.per_second for r in reads):,.0f} against {median(n.per_second for n in noop):,.0f} per s",
    )
    yield Measurement(
        f"{name}, unchanged: p99 / no-op's",
        [read.p99_ms / nothing.p99_ms for nothing, read in pairs],
        Target("<=", 5),
        f"{median(r.p99_ms for r in reads):.1f} against {median(n.p99_ms for n in noop):.1f} ms",
    )


def _long_against_short(service: Service) -> Measurement:
    service.record(totals("reads-short", variants=20, days=1))
    service.record(totals("reads-long", variants=20, days=1_000))
    pairs = _pairs(service, ["/allocations/reads-short"], ["/allocations/reads-long"])
    return Measurement(
        "GET /allocations/{id}, 20 variants, unchanged: time with 1,000 days / with 1 day",
        [short.per_second / long.per_second for short, long in pairs],
        Target("<=", 1.2),
        " against ".join(f"{median(pair[i].per_second for pair in pairs):,.0f}" for i in (1, 0)) + " per s",
    )


def _pairs(service: Service, one: list[str], other: list[str]) -> list[tuple[wrk.Load, wrk.Load]]:
    """Measure one and the other by turns, after each has been computed and warmed up."""
    for paths in (one, other):
        for path in paths:
            service.get(path)
        wrk.load(service.url, paths, 1)
    return [
        (wrk.load(service.url, one, SECONDS), wrk.load(service.url, other, SECONDS)) for _ in range(PAIRS)
    ]
