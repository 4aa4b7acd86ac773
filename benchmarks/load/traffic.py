"""Traffic as a service gets it: mostly reads and assignments, some events and reports, now and then nonsense."""

import json
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from benchmarks.load.open_loop import Request
from benchmarks.sample_data import today, totals
from benchmarks.service import Service

REPORTED, TRACKED = 100, 10
UNITS = 1_000
VARIANTS = ("control", "a", "b", "c")
STORED_DAYS = 14
OK, CREATED, NOT_FOUND, UNPROCESSABLE = 200, 201, 404, 422

_turn = count()


class Traffic:
    """Requests at random, the same for the same seed; new units and events are new in every traffic."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._name = f"{seed}-{next(_turn)}"
        self._number = count()

    def __iter__(self) -> Iterator[Request]:
        """Yield requests without end."""
        kinds, weights = list(MIX), [weight for weight, _ in MIX.values()]
        while True:
            kind = self._chance.choices(kinds, weights)[0]
            wire, right = MIX[kind][1](self)
            yield Request(kind, wire, frozenset(right))

    def read(self) -> tuple[bytes, set[int]]:
        """Ask for an allocation."""
        return get(f"/allocations/{self._reported()}"), {OK}

    def assign_known(self) -> tuple[bytes, set[int]]:
        """Ask for the variant of a unit that has one."""
        return _post("/assignments", self._known()), {OK}

    def assign_new(self) -> tuple[bytes, set[int]]:
        """Ask for the variant of a unit that has none."""
        unit_id = f"new-{self._name}-{next(self._number)}"
        return _post("/assignments", {"experiment_id": self._tracked(), "unit_id": unit_id}), {CREATED}

    def flag(self) -> tuple[bytes, set[int]]:
        """Evaluate an experiment as an OpenFeature flag."""
        unit = self._known()
        context = {"context": {"targetingKey": unit["unit_id"]}}
        return _post(f"/ofrep/v1/evaluate/flags/{unit['experiment_id']}", context), {OK}

    def event(self) -> tuple[bytes, set[int]]:
        """Send an exposure or a conversion of a known unit."""
        kind = self._chance.choice(("exposure", "conversion"))
        event = {"event_id": f"{self._name}-{next(self._number)}", "type": kind}
        return _post("/events", self._known() | event), {OK}

    def report(self) -> tuple[bytes, set[int]]:
        """Send every variant's totals of a day again, with others than before."""
        rows = totals(self._reported(), len(VARIANTS), 1)
        return _post("/metrics", rows), {OK}

    def bad(self) -> tuple[bytes, set[int]]:
        """Send what has to be rejected."""
        return self._chance.choice(BAD)

    def _reported(self) -> str:
        return f"reported-{self._chance.randrange(REPORTED):03d}"

    def _tracked(self) -> str:
        return f"tracked-{self._chance.randrange(TRACKED):02d}"

    def _known(self) -> dict[str, Any]:
        return {"experiment_id": self._tracked(), "unit_id": f"known-{self._chance.randrange(UNITS)}"}


Make = Callable[[Traffic], tuple[bytes, set[int]]]
MIX: dict[str, tuple[int, Make]] = {
    "GET /allocations": (45, Traffic.read),
    "POST /assignments, known unit": (15, Traffic.assign_known),
    "POST /assignments, new unit": (10, Traffic.assign_new),
    "OFREP flag": (10, Traffic.flag),
    "POST /events": (10, Traffic.event),
    "POST /metrics": (5, Traffic.report),
    "bad input": (5, Traffic.bad),
}
"""What is sent, with its percent."""


def prepare(service: Service) -> None:
    """Store what the traffic is about: experiments with some days of data, and units with their variants."""
    for number in range(REPORTED):
        service.record(totals(f"reported-{number:03d}", len(VARIANTS), STORED_DAYS))
    variants = [{"variant_id": name} for name in VARIANTS]
    for number in range(TRACKED):
        name = f"tracked-{number:02d}"
        experiment = {"experiment_id": name, "source": "tracked", "variants": variants}
        service.post("/experiments", json.dumps(experiment).encode())
        units = [{"experiment_id": name, "unit_id": f"known-{unit}"} for unit in range(UNITS)]
        service.post("/assignments", json.dumps(units).encode())
        exposures = [unit | {"event_id": unit["unit_id"], "type": "exposure"} for unit in units]
        service.post("/events", json.dumps(exposures).encode())


def get(path: str) -> bytes:
    """Return a GET request as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _post(path: str, body: object) -> bytes:
    return _post_bytes(path, json.dumps(body).encode())


def _post_bytes(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_TOTAL = {"experiment_id": "reported-000", "variant_id": "a", "date": str(today()), "impressions": 10}
BAD: list[tuple[bytes, set[int]]] = [
    (get("/allocations/nobody-knows-it"), {NOT_FOUND}),
    (get("/allocations/reported-000?for_date=0"), {UNPROCESSABLE}),
    (get("/no/such/page"), {NOT_FOUND}),
    (_post("/metrics", _TOTAL | {"successes": 11}), {UNPROCESSABLE}),
    (_post("/metrics", _TOTAL | {"successes": "1"}), {UNPROCESSABLE}),
    (_post("/assignments", {"experiment_id": "tracked-00"}), {UNPROCESSABLE}),
    (_post_bytes("/events", b'[{"event_id": '), {UNPROCESSABLE}),
]
