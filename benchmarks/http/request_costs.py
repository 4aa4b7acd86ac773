"""What a request of each kind costs the processor, PostgreSQL and the network, against a bare FastAPI route.

Processor time is the kernel's, of the processes of the service and of PostgreSQL (/proc), so it means the same
whatever else the machine does. Statements and round trips are counted in libpq's trace.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from statistics import median

from benchmarks import processes, wrk
from benchmarks.attachments import Attachment
from benchmarks.exchanges import exchanges
from benchmarks.load import traffic
from benchmarks.load.open_loop import Request, offer
from benchmarks.measurement import Measurement, Target
from benchmarks.sample_data import today, totals
from benchmarks.service import Service
from benchmarks.yardstick import against_bare

CONNECTIONS = 16
REQUESTS = 400
TURNS = 5
MOMENT = 0.001
"""Within which all requests of a turn are due: each connection sends its next one as soon as it is answered."""
NOOP, FIRST_READ, BARE = (
    "no-op of the service",
    "GET /allocations, first after a change",
    "bare FastAPI route",
)
OK = frozenset({200})

_turn = count()


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a processor that a request takes, of the process that serves and of PostgreSQL."""

    service: float
    postgres: float

    @property
    def in_all(self) -> float:
        """Return both together."""
        return self.service + self.postgres


def measure(service: Service) -> Iterator[Measurement | Attachment]:
    """Yield the rates of what does nothing and of writes, and a table of what every kind of request costs."""
    traffic.prepare(service)
    if wrk.installed():
        yield from against_bare(service, "a request that does nothing", lambda: ["/noop"], 0.8)
        yield from against_bare(service, "POST /events, one event", _events, 0.25)
        yield from against_bare(service, "POST /metrics, 4 totals, 100 experiments", _reports, 0.2)
    else:
        print(f"  requests per second: skipped, {wrk.MISSING}")
    turns = [_costs(service) for _ in range(TURNS + 1)][1:]  # the first warms up
    first, bare = ([turn[kind].in_all for turn in turns] for kind in (FIRST_READ, BARE))
    yield Measurement(
        "the first GET /allocations/{id} after a change, 4 variants, 14 days: processor time / the bare route's",
        [one / nothing for one, nothing in zip(first, bare, strict=True)],
        Target("<=", 15),
        f"{median(first):.2f} against {median(bare):.3f} ms",
    )
    yield _table(turns, exchanges(service, list(traffic.MIX)))


def _costs(service: Service) -> dict[str, Cost]:
    """Return what a request of each kind costs, one kind after the other."""
    same = {BARE: "/", NOOP: "/noop"}
    found = {
        kind: _cost(service, [Request(kind, traffic.get(path), OK)] * 5 * REQUESTS)
        for kind, path in same.items()
    }
    names = [f"reported-{number:03d}" for number in range(traffic.REPORTED)]
    service.record([row for name in names for row in totals(name, len(traffic.VARIANTS), 1)])
    reads = [Request(FIRST_READ, traffic.get(f"/allocations/{name}"), OK) for name in names]
    found[FIRST_READ] = _cost(service, reads)
    for kind in traffic.MIX:
        requests = (one for one in traffic.Traffic(seed=next(_turn)) if one.kind == kind)
        found[kind] = _cost(service, list(islice(requests, REQUESTS)))
    return found


def _cost(service: Service, requests: Sequence[Request]) -> Cost:
    bare = requests[0].kind == BARE
    groups = [[service.bare.pid if bare else service.pid], [service.postgres_pid]]
    before = [processes.processor_seconds(group) for group in groups]
    port = service.bare.port if bare else service.port
    offered = offer(port, iter(requests), len(requests) / MOMENT, MOMENT, CONNECTIONS)
    if offered.wrong:
        raise RuntimeError(f"not everything was answered as it should be: {dict(offered.wrong)}")
    return Cost(
        *(
            1e3 * (processes.processor_seconds(group) - already) / len(requests)
            for group, already in zip(groups, before, strict=True)
        )
    )


def _table(turns: Sequence[dict[str, Cost]], exchanged: dict[str, tuple[float, float]]) -> Attachment:
    bare = median(turn[BARE].in_all for turn in turns)
    rows: list[list[str | float]] = []
    for kind in turns[0]:
        service, postgres, in_all = (
            median(getattr(turn[kind], part) for turn in turns) for part in ("service", "postgres", "in_all")
        )
        rows.append([kind, service, postgres, in_all / bare, *exchanged.get(kind, ("", ""))])
    return Attachment(
        title="Processor time, statements and round trips of a request",
        text=(
            f"{CONNECTIONS} connections, as many requests as go; medians of {TURNS} turns, in ms of a processor."
            " Times the bare route: the service and PostgreSQL together. Statements (BEGIN and COMMIT are two) and"
            " round trips of a request that comes alone; concurrent reads and assignments share theirs."
        ),
        columns=("request", "service", "PostgreSQL", "times the bare route", "statements", "round trips"),
        rows=rows,
        name="request-costs",
    )


def _events() -> wrk.Posts:
    experiment, unit = f"tracked-0' .. n % {traffic.TRACKED} .. '", f"known-' .. n % {traffic.UNITS} .. '"
    event = {
        "experiment_id": experiment,
        "unit_id": unit,
        "type": "conversion",
        "event_id": f"{next(_turn)}-' .. n .. '",
    }
    return wrk.Posts("/events", f"'{json.dumps(event)}'")


def _reports() -> wrk.Posts:
    """Return what sends four totals of an experiment, others than before: the counts grow with every request."""
    rows = [
        {"variant_id": name, "date": str(today()), "successes": 1, "impressions": 0, "experiment_id": ""}
        for name in traffic.VARIANTS
    ]
    sent = json.dumps(rows).replace(
        '"impressions": 0', f"""\"impressions\": ' .. {next(_turn)} * 1000000 + n .. '"""
    )
    name = f"""reported-' .. string.format('%03d', n % {traffic.REPORTED}) .. '"""
    return wrk.Posts(
        "/metrics", "'" + sent.replace('"experiment_id": ""', f'"experiment_id": "{name}"') + "'"
    )
