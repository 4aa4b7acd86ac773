"""An allocation that has not changed, read with an API key against without one where none is needed."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from fastapi import FastAPI

from app.main import create_app
from app.services.access import api_keys
from app.settings import ServiceSettings
from app.storage.api_keys import ApiKeyRecord
from benchmarks.measurement import Measurement, Target
from benchmarks.sample_data import totals
from benchmarks.service import Service

PATH = "/allocations/keys"
BATCH = 100
PAIRS = 101
FOR_EVER = 1e9
SECRET = "A" * 43
KEY = ApiKeyRecord(
    "0123456789ab", "benchmark", ["read"], None, 10_000_000, api_keys.hash_secret(SECRET), None, None
)


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the processor time of a request with a key that has a rate over that of one without.

    The application is called directly, by turns: without the server's own work around it the key weighs most.
    """
    service.record(totals("keys", variants=4, days=14))
    pairs = asyncio.run(_pairs(service.conninfo))
    yield Measurement(
        "GET /allocations/{id}, unchanged: processor time with a key / without",
        [keyed / free for free, keyed in pairs],
        Target("<=", 1.1),
        f"{1e6 * median(k for _, k in pairs):,.0f} against {1e6 * median(f for f, _ in pairs):,.0f} µs",
    )


async def _pairs(conninfo: str) -> list[tuple[float, float]]:
    """Return seconds per request, of a service that is open and of one that asks for a key."""
    settings = ServiceSettings(database_url=conninfo, key_cache_seconds=FOR_EVER, _env_file=None)
    free, keyed = create_app(settings), create_app(settings)
    free.state.authenticator.set_keys([])
    keyed.state.authenticator.set_keys([KEY])
    header = [(b"authorization", f"Bearer gh_{KEY.key_id}_{SECRET}".encode())]
    for app, sent in ((free, []), (keyed, header)):
        await _seconds(app, sent)  # computes the allocation once, and warms up
    pairs = [(await _seconds(free, []), await _seconds(keyed, header)) for _ in range(PAIRS)]
    for app in (free, keyed):
        await app.state.close()
    return pairs


async def _seconds(app: FastAPI, sent: list[tuple[bytes, bytes]]) -> float:
    headers = [(b"host", b"localhost"), (b"accept", b"application/json"), *sent]
    began = time.process_time()
    for _ in range(BATCH):
        await _get(app, headers)
    return (time.process_time() - began) / BATCH


async def _get(app: FastAPI, headers: list[tuple[bytes, bytes]]) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
    }
    status = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        status.append(message.get("status", 200))

    await app(scope, receive, send)
    if set(status) != {200}:
        raise RuntimeError(f"the service answered {status}")
