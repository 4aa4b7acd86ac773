"""Two workers against one: what a request costs, the processor time of all processes counted, PostgreSQL's too."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks import processes, wrk
from benchmarks.load import traffic
from benchmarks.load.open_loop import offer
from benchmarks.measurement import Measurement, Target
from benchmarks.service import Service, running_postgres, serving

PAIRS = 7
SECONDS = 4
MIXED_RATE = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests that were served, and what it took."""

    requests: float
    processor_seconds: float
    seconds: float

    @property
    def per_processor_second(self) -> float:
        """Return the requests per second of a processor."""
        return self.requests / self.processor_seconds


def measure(_: Service | None = None) -> Iterator[Measurement]:
    """Yield the requests per processor second of two workers over one worker's, by turns on one PostgreSQL."""
    with running_postgres() as (url, _):
        with serving(url, 1) as other:
            traffic.prepare(other)  # who stores units remembers them: neither of the two has that start
        yield from _measure(url)


def _measure(url: str) -> Iterator[Measurement]:
    with serving(url, 1) as one, serving(url, 2) as two:
        requests = iter(traffic.Traffic(seed=1))
        yield _compare("mixed traffic, 100/s", one, two, lambda service: _mixed(service, requests))
        if wrk.installed():
            yield _compare("GET /allocations, as many as go", one, two, _reads)
        else:
            print(f"  GET /allocations: skipped, {wrk.MISSING}")


def _compare(what: str, one: Service, two: Service, load: Callable[[Service], float]) -> Measurement:
    for service in (one, two):
        _cost(service, load)  # warms it up
    pairs = [(_cost(one, load), _cost(two, load)) for _ in range(PAIRS)]
    rates = [f"{median(pair[i].requests / pair[i].seconds for pair in pairs):,.0f}" for i in (1, 0)]
    costs = [f"{median(1e3 / pair[i].per_processor_second for pair in pairs):.2f}" for i in (1, 0)]
    return Measurement(
        f"{what}: requests per processor second of two workers / of one",
        [two.per_processor_second / one.per_processor_second for one, two in pairs],
        Target(">=", 0.9),
        f"{' against '.join(costs)} ms of a processor each, {' against '.join(rates)} per s",
    )


def _cost(service: Service, load: Callable[[Service], float]) -> Cost:
    before, began = processes.processor_seconds(service.pids), time.perf_counter()
    requests = load(service)
    seconds = time.perf_counter() - began
    return Cost(requests, processes.processor_seconds(service.pids) - before, seconds)


def _mixed(service: Service, requests: Iterator[traffic.Request]) -> float:
    offered = offer(service.port, requests, MIXED_RATE, SECONDS)
    if offered.wrong:
        raise RuntimeError(f"not everything was answered as it should be: {dict(offered.wrong)}")
    return len(offered.latencies)


def _reads(service: Service) -> float:
    paths = [f"/allocations/reported-{number:03d}" for number in range(traffic.REPORTED)]
    return SECONDS * wrk.load(service.url, paths, SECONDS).per_second
