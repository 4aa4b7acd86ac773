"""Latency of mixed traffic against its rate, up to saturation, with one worker and with two."""

from collections.abc import Iterator
from typing import Any

from benchmarks.attachments import Attachment
from benchmarks.load import pictures, traffic
from benchmarks.load.open_loop import Offered, offer
from benchmarks.measurement import Measurement, Target
from benchmarks.service import Service, running_postgres, serving

FIRST_RATE, STEP, MOST_STEPS = 100, 1.4, 12
SECONDS, WARM_UP_SECONDS = 8, 4
SATURATED_MS = 500
"""A rate with a p99 above this is not sustained: behind it, requests only queue."""
PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9}


def measure(_: Service | None = None) -> Iterator[Measurement | Attachment]:
    """Yield how much two workers sustain of what one does, the tail at half of that, and both curves."""
    curves = {workers: list(_climb(workers)) for workers in (1, 2)}
    best = {workers: _sustained(curve) for workers, curve in curves.items()}
    yield Measurement(
        "mixed traffic: requests/s that two workers sustain / one",
        [best[2].served / best[1].served],
        None,
        f"{best[2].served:,.0f} against {best[1].served:,.0f} per s, p99 under {SATURATED_MS} ms",
    )
    everything = [offered for curve in curves.values() for offered in curve]
    answered_wrongly = sum(offered.wrong.total() - offered.unanswered for offered in everything)
    yield Measurement(
        "mixed traffic: answers that were not as they should be", [answered_wrongly], Target("<=", 0)
    )
    yield _exhibit(curves)


def _climb(workers: int) -> Iterator[Offered]:
    """Offer ever more until it is too much."""
    with running_postgres() as (url, _), serving(url, workers) as service:
        traffic.prepare(service)
        requests = iter(traffic.Traffic(seed=workers))
        offer(service.port, requests, FIRST_RATE, WARM_UP_SECONDS)
        for step in range(MOST_STEPS):
            offered = offer(service.port, requests, round(FIRST_RATE * STEP**step), SECONDS)
            yield offered
            if offered.unanswered or offered.milliseconds(99)[0] > 2 * SATURATED_MS:
                return


def _sustained(curve: list[Offered]) -> Offered:
    """Return the highest rate that was sustained, or the lowest offered."""
    return next((one for one in reversed(curve) if one.milliseconds(99)[0] <= SATURATED_MS), curve[0])


def _exhibit(curves: dict[int, list[Offered]]) -> Attachment:
    return Attachment(
        title="Latency against rate, with one worker and with two",
        text=(
            f"Requests at random moments (Poisson), timed from when they were due, {SECONDS} s at each rate; "
            f"{', '.join(f'{kind} {weight} %' for kind, (weight, _) in traffic.MIX.items())}. Times in ms."
        ),
        columns=("workers", "due per s", "answered per s", *PERCENTILES, "generator late, p99"),
        rows=[
            [
                str(workers),
                one.rate,
                one.served,
                *one.milliseconds(*PERCENTILES.values()),
                one.late_milliseconds(99),
            ]
            for workers, curve in curves.items()
            for one in curve
        ],
        name="load",
        picture=pictures.curve(
            [row for workers, curve in curves.items() for one in curve for row in _points(workers, one)]
        ),
    )


def _points(workers: int, offered: Offered) -> Iterator[dict[str, Any]]:
    for (name, _), latency in zip(
        PERCENTILES.items(), offered.milliseconds(*PERCENTILES.values()), strict=True
    ):
        yield {
            "workers": f"{workers} worker{'s' if workers > 1 else ''}",
            "rate": offered.rate,
            "percentile": name,
            "ms": latency,
        }
