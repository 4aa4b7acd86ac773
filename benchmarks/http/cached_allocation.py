"""An allocation that has not changed, against a bare FastAPI route, and with a long history."""

from collections.abc import Iterator
from statistics import median

from benchmarks import wrk
from benchmarks.measurement import Measurement, Target
from benchmarks.sample_data import today, totals
from benchmarks.service import Service
from benchmarks.yardstick import against_bare

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
    dated = [f"{path}?for_date={today()}" for path in plain]
    for what, paths in (("GET /allocations/{id}", plain), ("GET /allocations/{id}?for_date=", dated)):
        for path in paths:
            service.get(path)
        yield from against_bare(service, f"{what}, unchanged", lambda paths=paths: paths, 0.6, p99_target=2)
    yield _long_against_short(service)


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
