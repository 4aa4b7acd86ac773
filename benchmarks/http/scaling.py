"""What each step beyond one process costs: the processor time of a request, of every process that works on it.

``python -m benchmarks.http.scaling`` prints the tables of docs/benchmarks/scaling.md. It needs wrk, pgbouncer and
haproxy, and some minutes. Time on the clock says little where the load and what is loaded share two cores;
processor time does.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from statistics import median

from benchmarks import processes, wrk
from benchmarks.sample_data import today, totals
from benchmarks.service import Service, running_postgres, serving
from tests.support.databases import connect
from tests.system.scaling import front, pooler, standby

EXPERIMENTS = 50
ROUNDS = 5
SECONDS = 2
TRACKED = {
    "experiment_id": "tracked",
    "source": "tracked",
    "variants": [{"variant_id": name} for name in ("control", "bold")],
}
UNITS = 1_000
_turn = count()


@dataclass(frozen=True, slots=True)
class Step:
    """A way to serve.

    Parameters
    ----------
    pids : what serves beside PostgreSQL
    postgres : the primary
    more : another PostgreSQL that works for it
    """

    name: str
    url: str
    pids: Sequence[int]
    postgres: int
    more: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a processor that a request takes, in all and of the primary PostgreSQL."""

    in_all: float
    postgres: float


Requests = Callable[[], Sequence[str] | wrk.Posts]


def main() -> None:
    """Measure all steps and print their tables."""
    with _steps() as steps:
        _print_table("GET /allocations/{id}, unchanged", steps, _reads)
        _print_table("POST /assignments, known units", steps, lambda: _assignments(f"'u' .. (n % {UNITS})"))
        _print_table("POST /assignments, new units", steps, lambda: _assignments(f"'{next(_turn)}-' .. n"))
    with _with_and_without_a_replica() as steps:
        _print_table("GET /allocations/{id}, recorded, nothing in memory", steps, _reads)
        _print_table("GET /allocations/{id}, a past date, computed", steps, _past)


@contextmanager
def _steps() -> Iterator[list[Step]]:
    """Yield one process, two workers, two instances behind haproxy, and one behind pgbouncer, on one server."""
    with ExitStack() as opened:
        url, _ = opened.enter_context(running_postgres())
        port, pgbouncer = opened.enter_context(pooler.running_pgbouncer(url, sessions=20))
        one, other = (opened.enter_context(serving(url, 1)) for _ in range(2))
        workers = opened.enter_context(serving(url, 2))
        through = opened.enter_context(
            serving(pooler.through(port, url), 1, GROUNDHOG_PREPARE_THRESHOLD="none")
        )
        proxy, haproxy = opened.enter_context(front.running_haproxy([one.url, other.url]))
        _prepare(one)
        postgres = one.postgres_pid
        yield [
            Step("one process", one.url, [one.pid], postgres),
            Step("two workers", workers.url, [workers.pid], postgres),
            Step("two instances behind haproxy", proxy, [one.pid, other.pid, haproxy], postgres),
            Step("one process behind pgbouncer", through.url, [through.pid, pgbouncer], postgres),
        ]


@contextmanager
def _with_and_without_a_replica() -> Iterator[list[Step]]:
    """Yield one process that reads from the primary, and one that reads from a standby; neither keeps answers."""
    no_memory = {"GROUNDHOG_ALLOCATION_CACHE_BYTES": "0"}
    with ExitStack() as opened:
        pair = opened.enter_context(standby.running_pair({}))
        url, replica = pair.urls.values()
        alone = opened.enter_context(serving(url, 1, **no_memory))
        both = opened.enter_context(serving(url, 1, READ_DATABASE_URL=replica, **no_memory))
        _prepare(alone)
        pair.catch_up()
        primary = alone.postgres_pid
        yield [
            Step("without a replica", alone.url, [alone.pid], primary),
            Step("with a replica", both.url, [both.pid], primary, [_postgres_pid(replica)]),
        ]


def _postgres_pid(url: str) -> int:
    with connect(url) as connection:
        return processes.parent_of(connection.info.backend_pid)


def _prepare(service: Service) -> None:
    """Store what is asked for, and let it be recorded."""
    names = [f"scaled-{number:03d}" for number in range(EXPERIMENTS)]
    service.record([row for name in names for row in totals(name, variants=4, days=60)])
    for name in names:
        service.get(f"/allocations/{name}")
    service.post("/experiments", json.dumps(TRACKED).encode())
    units = [{"experiment_id": "tracked", "unit_id": f"u{number}"} for number in range(UNITS)]
    service.post("/assignments", json.dumps(units).encode())


def _reads() -> Sequence[str]:
    return [f"/allocations/scaled-{number:03d}" for number in range(EXPERIMENTS)]


def _past() -> Sequence[str]:
    return [f"{path}?for_date={today() - timedelta(days=1)}" for path in _reads()]


def _assignments(unit: str) -> wrk.Posts:
    return wrk.Posts("/assignments", f"""'{{"experiment_id":"tracked","unit_id":"' .. {unit} .. '"}}'""")


def _print_table(what: str, steps: Sequence[Step], requests: Requests) -> None:
    """Print what a request takes, and the median of what it takes against the first step in the same round."""
    for step in steps:
        _cost(step, requests())  # warms it up
    rounds = [[_cost(step, requests()) for step in steps] for _ in range(ROUNDS)]
    print(f"\n| {what} | ms of a processor | of it PostgreSQL | against the first |")
    print("|---|---|---|---|")
    for number, step in enumerate(steps):
        costs = [costs[number] for costs in rounds]
        in_all, postgres = (median(getattr(cost, name) for cost in costs) for name in ("in_all", "postgres"))
        ratios = sorted(costs[number].in_all / costs[0].in_all for costs in rounds)
        spread = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"| {step.name} | {in_all:.2f} | {postgres:.2f} | {spread} |", flush=True)


def _cost(step: Step, requests: Sequence[str] | wrk.Posts) -> Cost:
    groups = [*step.pids, *step.more], [step.postgres]
    before = [processes.processor_seconds(group) for group in groups]
    served = SECONDS * wrk.load(step.url, requests, SECONDS).per_second
    others, postgres = (
        1e3 * (processes.processor_seconds(group) - already) / served
        for group, already in zip(groups, before, strict=True)
    )
    return Cost(others + postgres, postgres)


if __name__ == "__main__":
    main()
