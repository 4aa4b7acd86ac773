"""Memory, open files and database connections under ten minutes of mixed traffic: what grows, and how fast.

``python -m benchmarks.load soak --minutes 10 --save`` takes one, which takes its time; the latest saved is shown.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.server.launcher import DEDICATED_CONNECTIONS
from app.settings import ServiceSettings
from benchmarks.attachments import Attachment
from benchmarks.load import pictures, traffic
from benchmarks.load.leak_detection import Growth, growth
from benchmarks.load.open_loop import NO_ANSWER, Offered, offer
from benchmarks.load.resource_monitor import Look, Watch
from benchmarks.measurement import Measurement, Target, short
from benchmarks.service import Service, running_postgres, serving

LATEST = Path(__file__).with_name("soak.json")
WORKERS = 2
RATE = 100
WARM_UP_SECONDS = 240
"""Connections are opened, statements prepared and caches filled before anything is compared."""
EVERY_SECONDS = 3
FLAT = Target("<=", 0.1)
"""What is flat: even the upper end of the slope's interval is at most a tenth of the level per hour."""
POOLED = ServiceSettings(_env_file=None).pool_size + DEDICATED_CONNECTIONS
"""Connections that one worker may open."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What was seen while a service was under load, after the warming up.

    Parameters
    ----------
    wrong : requests that were answered with another status than their own, or not until the end
    load_average : of the machine in the last minute
    errors : the wrong ones by what was asked and how it was answered; empty in soaks from before they were counted
    """

    taken: str
    minutes: float
    workers: int
    rate: float
    warm_up: float
    served: float
    wrong: int
    p50_ms: float
    p99_ms: float
    load_average: float
    looks: list[Look]
    errors: dict[str, int] = field(default_factory=dict)


def measure(_: Service | None = None) -> Iterator[Measurement | Attachment]:
    """Yield the growth per hour that the latest saved soak allows for, and its picture."""
    if LATEST.exists():
        yield from shown(read())


def take(
    minutes: float, rate: float = RATE, workers: int = WORKERS, warm_up: float = WARM_UP_SECONDS
) -> Soak:
    """Put a service of its own under mixed traffic, and look at it every few seconds."""
    with running_postgres() as (url, _), serving(url, workers) as service:
        traffic.prepare(service)
        requests = iter(traffic.Traffic(seed=1))
        offer(service.port, requests, rate, warm_up)
        with Watch(service, EVERY_SECONDS) as watch:
            offered = offer(service.port, requests, rate, 60 * minutes)
    return _soak(minutes, workers, warm_up, offered, watch.looks)


def _soak(minutes: float, workers: int, warm_up: float, offered: Offered, looks: list[Look]) -> Soak:
    p50, p99 = offered.milliseconds(50, 99)
    return Soak(
        taken=f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        minutes=minutes,
        workers=workers,
        rate=offered.rate,
        warm_up=warm_up,
        served=offered.served,
        wrong=offered.wrong.total(),
        p50_ms=p50,
        p99_ms=p99,
        load_average=round(os.getloadavg()[0], 1),
        looks=looks,
        errors={_described(*error): number for error, number in offered.wrong.most_common()},
    )


def _described(kind: str, status: int) -> str:
    return f"{kind}: {'no answer until the end' if status == NO_ANSWER else status}"


def save(soak: Soak) -> None:
    """Save a soak for the page: every process's name once, and a line per look."""
    names = list(dict.fromkeys(name for look in soak.looks for name in look.mebibytes))
    written = json.dumps({**asdict(soak), "looks": None, "processes": names}, indent=1)
    lines = (json.dumps(_line(look, names), separators=(",", ":")) for look in soak.looks)
    LATEST.write_text(written.replace('"looks": null', '"looks": [\n' + ",\n".join(lines) + "\n ]") + "\n")


def read() -> Soak:
    """Return the soak that was saved last."""
    written: dict[str, Any] = json.loads(LATEST.read_text())
    names = written.pop("processes")
    return Soak(**written | {"looks": [_look(line, names) for line in written["looks"]]})


def _line(look: Look, names: Sequence[str]) -> list[Any]:
    by_process = [[values.get(name) for name in names] for values in (look.mebibytes, look.files)]
    return [look.seconds, look.connections, *by_process]


def _look(line: list[Any], names: Sequence[str]) -> Look:
    seconds, connections, mebibytes, files = line
    return Look(seconds, _present(names, mebibytes), _present(names, files), connections)


def _present(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def shown(soak: Soak) -> Iterator[Measurement | Attachment]:
    """Yield what a soak shows: the growth of everything together, then of every process."""
    for owner in ("service", "PostgreSQL"):
        mebibytes = [_of(owner, look.mebibytes) for look in soak.looks]
        yield _flat(f"MiB of memory, {owner}", soak, mebibytes, FLAT)
    yield _flat("open files, service", soak, [_of("service", look.files) for look in soak.looks], FLAT)
    # its processes keep open what files of tables they have seen, and tables get files while they grow
    yield _flat("open files, PostgreSQL", soak, [_of("PostgreSQL", look.files) for look in soak.looks], None)
    connections = [look.connections for look in soak.looks]
    yield Measurement(
        "database connections at most / what the workers may open",
        [max(connections) / (POOLED * soak.workers)],
        Target("<=", 1),
        f"{connections[0]} first, {connections[-1]} last",
    )
    written = [
        f"of {60 * soak.minutes * soak.rate:,.0f}",
        *(f"{number} x {error}" for error, number in soak.errors.items()),
        f"one-minute load {soak.load_average:g} at the end",
    ]
    yield Measurement(
        "requests not answered as they should be, or not until the end",
        [soak.wrong],
        Target("<=", 0),
        "; ".join(written),
    )
    yield _exhibit(soak)


def _of(owner: str, values: Mapping[str, float]) -> float:
    return sum(value for name, value in values.items() if name.startswith(owner))


def _flat(what: str, soak: Soak, values: Sequence[float], target: Target | None) -> Measurement:
    level, found = sum(values) / len(values), _growth(soak, values)
    return Measurement(
        f"{what}: growth per hour / level, upper end of its 95 % interval",
        [found.high / level],
        target,
        f"{found} per hour on {short(level)}",
    )


def _growth(soak: Soak, values: Sequence[float]) -> Growth:
    return growth([look.seconds for look in soak.looks], values)


def _exhibit(soak: Soak) -> Attachment:
    lasting = [name for name in soak.looks[0].mebibytes if all(name in look.mebibytes for look in soak.looks)]
    return Attachment(
        title="Memory, open files and connections over time",
        text=(
            f"{soak.minutes:g} minutes of mixed traffic at {soak.rate:g} requests/s on {soak.workers} workers, "
            f"after {soak.warm_up / 60:g} minutes of the same; taken {soak.taken}. "
            f"p50 {short(soak.p50_ms)} ms, p99 {short(soak.p99_ms)} ms. "
            "Resident memory without PostgreSQL's shared buffers; growth per hour with its 95 % interval."
        ),
        columns=("process", "MiB first", "MiB last", "MiB per hour", "files first", "files last"),
        rows=[_row(soak, name) for name in lasting],
        name="soak",
        picture=pictures.soak(soak.looks),
    )


def _row(soak: Soak, name: str) -> list[str | float]:
    first, last = soak.looks[0], soak.looks[-1]
    return [
        name,
        first.mebibytes[name],
        last.mebibytes[name],
        str(_growth(soak, [look.mebibytes[name] for look in soak.looks])),
        first.files[name],
        last.files[name],
    ]
