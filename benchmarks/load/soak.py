"""Memory, open files and database connections under ten minutes of mixed traffic: what grows, and how fast.

``python -m benchmarks.load soak --minutes 10 --keep`` takes one, which takes its time; here stands the last kept.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.exhibits import Exhibit
from benchmarks.figures import Figure, Target, short
from benchmarks.load import pictures, traffic
from benchmarks.load.growth import Growth, growth
from benchmarks.load.open_loop import Offered, offer
from benchmarks.load.watch import Look, Watch
from benchmarks.service import Service, running_postgres, serving

KEPT = Path(__file__).with_name("soak.json")
WORKERS = 2
RATE = 100
WARM_UP_SECONDS = 120
"""Connections are opened, statements prepared and caches filled before anything is compared."""
EVERY_SECONDS = 3
FLAT = {"mebibytes": 0.05, "files": 0.05, "connections": 0.05}
"""What is flat: even the interval's upper end is at most so much of the level per hour."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What was seen while a service was under load, after the warming up."""

    taken: str
    minutes: float
    workers: int
    rate: float
    served: float
    wrong: int
    p50_ms: float
    p99_ms: float
    looks: list[Look]


def measure(_: Service | None = None) -> Iterator[Figure | Exhibit]:
    """Yield the growth per hour that the last kept soak allows for, and its picture."""
    if KEPT.exists():
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
    return _soak(minutes, workers, offered, watch.looks)


def _soak(minutes: float, workers: int, offered: Offered, looks: list[Look]) -> Soak:
    p50, p99 = offered.milliseconds(50, 99)
    return Soak(
        taken=f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        minutes=minutes,
        workers=workers,
        rate=offered.rate,
        served=offered.served,
        wrong=offered.wrong.total(),
        p50_ms=p50,
        p99_ms=p99,
        looks=looks,
    )


def keep(soak: Soak) -> None:
    """Keep a soak for the page."""
    looks = ",\n".join(json.dumps(asdict(look)) for look in soak.looks)
    told = json.dumps({name: value for name, value in asdict(soak).items() if name != "looks"}, indent=1)
    KEPT.write_text(f'{told[:-2]},\n "looks": [\n{looks}\n]}}\n')


def read() -> Soak:
    """Return the soak that was kept last."""
    told: dict[str, Any] = json.loads(KEPT.read_text())
    return Soak(**told | {"looks": [Look(**look) for look in told["looks"]]})


def shown(soak: Soak) -> Iterator[Figure | Exhibit]:
    """Yield what a soak tells: the growth of everything together, then of every process."""
    for what, limit, values in _totals(soak.looks):
        level = sum(values) / len(values)
        found = _growth(soak, values)
        yield Figure(
            f"{what}: growth per hour / level, upper end of the 95 % interval",
            [found.high / level],
            Target("<=", limit),
            f"{found} per hour on {short(level)}",
        )
    yield Figure("requests not answered as they should be", [soak.wrong], Target("<=", 0))
    yield _exhibit(soak)


def _totals(looks: Sequence[Look]) -> Iterator[tuple[str, float, list[float]]]:
    counts: dict[str, Callable[[Look], float]] = {
        "MiB of memory": lambda look: sum(look.mebibytes.values()),
        "open files": lambda look: sum(look.files.values()),
        "database connections": lambda look: look.connections,
    }
    for (what, count), limit in zip(counts.items(), FLAT.values(), strict=True):
        yield what, limit, [count(look) for look in looks]


def _growth(soak: Soak, values: Sequence[float]) -> Growth:
    return growth([look.seconds for look in soak.looks], values)


def _exhibit(soak: Soak) -> Exhibit:
    lasting = [name for name in soak.looks[0].mebibytes if all(name in look.mebibytes for look in soak.looks)]
    return Exhibit(
        text=(
            f"{soak.minutes:g} minutes of mixed traffic at {soak.rate:g} requests/s on {soak.workers} workers, "
            f"after {WARM_UP_SECONDS // 60} minutes of the same; taken {soak.taken}. "
            f"p50 {short(soak.p50_ms)} ms, p99 {short(soak.p99_ms)} ms. "
            "Resident memory without PostgreSQL's shared buffers; growth per hour with its 95 % interval"
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
