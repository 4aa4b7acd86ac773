"""Requests per second over those of a bare FastAPI route, by turns; it carries none of the service's own work."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks import wrk
from benchmarks.measurement import Measurement, Target
from benchmarks.service import Service

SECONDS = 2
PAIRS = 9

Requests = Sequence[str] | wrk.Posts


def against_bare(
    service: Service,
    what: str,
    requests: Callable[[], Requests],
    target: float | None,
    p99_target: float | None = None,
) -> Iterator[Measurement]:
    """Yield the requests/s of some requests over the bare route's, and where it has a target the p99 over its p99.

    Parameters
    ----------
    requests : makes the requests of a turn: new units and events are new every time
    """
    wrk.load(service.url, requests(), 1)
    pairs = [
        (wrk.load(service.bare.url, ["/"], SECONDS), wrk.load(service.url, requests(), SECONDS))
        for _ in range(PAIRS)
    ]
    bare, own = ([pair[i] for pair in pairs] for i in (0, 1))
    yield Measurement(
        f"{what}: requests/s / a bare FastAPI route's",
        [one.per_second / nothing.per_second for nothing, one in pairs],
        None if target is None else Target(">=", target),
        f"{median(o.per_second for o in own):,.0f} against {median(b.per_second for b in bare):,.0f} per s, "
        f"p99 {median(o.p99_ms for o in own):.1f} ms",
    )
    if p99_target is not None:
        yield Measurement(
            f"{what}: p99 / a bare FastAPI route's",
            [one.p99_ms / nothing.p99_ms for nothing, one in pairs],
            Target("<=", p99_target),
            f"{median(o.p99_ms for o in own):.1f} against {median(b.p99_ms for b in bare):.1f} ms",
        )
