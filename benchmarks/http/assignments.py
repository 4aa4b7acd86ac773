"""Assignments of known and of new units, against a bare FastAPI route, and in batches."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median

from benchmarks import wrk
from benchmarks.measurement import Measurement, Target, timed
from benchmarks.service import Service
from benchmarks.yardstick import against_bare

EXPERIMENT = "assigned"
KNOWN = 10_000
BATCH = 1_000
BATCHES = 5
SINGLES = 200
PAIRS = 9

_turn = count()


def measure(service: Service) -> Iterator[Measurement]:
    """Yield requests/s for known and new units, and what a batch of 1,000 saves."""
    if not wrk.installed():
        print(f"  POST /assignments: skipped, {wrk.MISSING}")
        return
    variants = [{"variant_id": name} for name in ("control", "a", "b", "c", "d")]
    experiment = {"experiment_id": EXPERIMENT, "source": "tracked", "variants": variants}
    service.post("/experiments", json.dumps(experiment).encode())
    for start in range(0, KNOWN, BATCH):
        service.post("/assignments", _batch("known", start))
    yield from against_bare(service, "POST /assignments, known unit", _known_units, 0.45)
    yield from against_bare(service, "POST /assignments, new unit, stored", _new_units, 0.3)
    yield _batches(service, "known units", lambda: "known")
    yield _batches(service, "new units", lambda: f"batch-{next(_turn)}")


def _unit(unit: str) -> str:
    """Return the Lua expression of a body."""
    return f"""'{{"experiment_id":"{EXPERIMENT}","unit_id":"' .. {unit} .. '"}}'"""


def _known_units() -> wrk.Posts:
    return wrk.Posts("/assignments", _unit(f"'known-' .. n % {KNOWN}"))


def _new_units() -> wrk.Posts:
    return wrk.Posts("/assignments", _unit(f"'new-{next(_turn)}-' .. n"))


def _batch(prefix: str, start: int) -> bytes:
    units = [{"experiment_id": EXPERIMENT, "unit_id": f"{prefix}-{n}"} for n in range(start, start + BATCH)]
    return json.dumps(units).encode()


def _batches(service: Service, what: str, prefix: Callable[[], str]) -> Measurement:
    """Compare the units/s of one sender's batches with those of its single requests."""
    pairs = [(_singly(service, prefix()), _together(service, prefix())) for _ in range(PAIRS)]
    one, many = (f"{median(pair[i] for pair in pairs):,.0f}" for i in (0, 1))
    return Measurement(
        f"POST /assignments, {what}: units/s of one sender in batches of {BATCH:,} / one by one",
        [together / singly for singly, together in pairs],
        Target(">=", 10),
        f"{many} against {one} per s",
    )


def _singly(service: Service, prefix: str) -> float:
    bodies = [json.dumps(unit).encode() for unit in json.loads(_batch(prefix, 0))[:SINGLES]]
    return SINGLES / timed(lambda: [service.post("/assignments", body) for body in bodies])


def _together(service: Service, prefix: str) -> float:
    bodies = [_batch(prefix, start) for start in range(0, BATCHES * BATCH, BATCH)]
    return BATCHES * BATCH / timed(lambda: [service.post("/assignments", body) for body in bodies])
