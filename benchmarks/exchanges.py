"""The statements and round trips of requests, counted in libpq's trace of the application in this process."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import median

from starlette.types import ASGIApp, Message

from app.main import create_app
from app.settings import ServiceSettings
from benchmarks.load import traffic
from benchmarks.load.open_loop import Request
from benchmarks.service import Service
from tests.support.statements import Exchange, Wire, traced_connections

WARM_UP, COUNTED = 300, 9
"""psycopg prepares a statement at its sixth execution, and every allocation is to have been read before."""


def exchanges(service: Service, kinds: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the statements and round trips of a request of each kind, medians, on the service's database."""
    with traced_connections() as wire:
        return asyncio.run(_exchanges(service, kinds, wire))


async def _exchanges(service: Service, kinds: Sequence[str], wire: Wire) -> dict[str, tuple[float, float]]:
    app = create_app(ServiceSettings(database_url=service.conninfo, _env_file=None))
    everything = iter(traffic.Traffic(seed=len(kinds)))
    for request in islice(everything, WARM_UP):
        await _send(app, request)
    found = {kind: await _counted(app, wire, _of_kind(everything, kind)) for kind in kinds}
    await app.state.close()
    return found


def _of_kind(requests: Iterator[Request], kind: str) -> Iterator[Request]:
    return (request for request in requests if request.kind == kind)


async def _counted(app: ASGIApp, wire: Wire, requests: Iterator[Request]) -> tuple[float, float]:
    found: list[Exchange] = []
    for request in islice(requests, COUNTED):
        wire.exchanged()
        await _send(app, request)
        found.append(wire.exchanged())
    return median(one.statements for one in found), median(one.round_trips for one in found)


async def _send(app: ASGIApp, request: Request) -> None:
    """Send a request as it goes over the wire to the application itself."""
    head, _, body = request.wire.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode().split(" ")
    path, _, query = target.partition("?")
    headers = [tuple(line.split(b": ", 1)) for line in lines]
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower(), value) for name, value in headers],
    }
    await app(scope, receive, send)
    if statuses[0] not in request.right:
        raise RuntimeError(f"{request.kind} was answered with {statuses[0]}")
