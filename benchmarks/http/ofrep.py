"""Ten experiments evaluated at once as OpenFeature flags (OFREP), against a bare FastAPI route."""

import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

from benchmarks import wrk
from benchmarks.measurement import Measurement
from benchmarks.service import Service, running_service
from benchmarks.yardstick import against_bare

FLAGS = "/ofrep/v1/evaluate/flags"
EXPERIMENTS = 10
UNITS = 1_000


def measure(_: Service) -> Iterator[Measurement]:
    """Yield requests/s of bulk evaluations for known units, whole and unchanged, and of single ones.

    A bulk evaluation covers every experiment of its service, so this one has a service of its own.
    """
    if not wrk.installed():
        print(f"  OFREP: skipped, {wrk.MISSING}")
        return
    with running_service() as service:
        _fill(service)
        bulk = wrk.Posts(FLAGS, _context(f"'user-' .. n % {UNITS}"))
        yield from against_bare(
            service, f"OFREP bulk, {EXPERIMENTS} experiments, known units", _always(bulk), 0.3
        )
        unchanged = wrk.Posts(FLAGS, _context("'user-1'"), {"If-None-Match": _tag(service)})
        yield from against_bare(service, "OFREP bulk, unchanged (304)", _always(unchanged), 0.4)
        single = wrk.Posts(f"{FLAGS}/flag-3", _context(f"'user-' .. n % {UNITS}"))
        yield from against_bare(service, "OFREP single, known units", _always(single), None)


def _fill(service: Service) -> None:
    variants = [{"variant_id": name} for name in ("control", "a", "b")]
    names = [f"flag-{number}" for number in range(EXPERIMENTS)]
    for name in names:
        experiment = {"experiment_id": name, "source": "tracked", "variants": variants}
        service.post("/experiments", json.dumps(experiment).encode())
        units = [{"experiment_id": name, "unit_id": f"user-{n}"} for n in range(UNITS)]
        service.post("/assignments", json.dumps(units).encode())


def _context(unit: str) -> str:
    """Return the Lua expression of a body."""
    return f"""'{{"context":{{"targetingKey":"' .. {unit} .. '"}}}}'"""


def _always(posts: wrk.Posts) -> Callable[[], wrk.Posts]:
    return lambda: posts


def _tag(service: Service) -> str:
    connection = HTTPConnection(urlsplit(service.url).netloc)
    connection.request("POST", FLAGS, b'{"context":{"targetingKey":"user-1"}}')
    tag = connection.getresponse().headers["ETag"]
    connection.close()
    if tag is None:
        raise RuntimeError("the answer has no ETag")
    return tag
