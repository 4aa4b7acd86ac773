"""Both clients under one test: against answers written down, or against the service itself."""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import uvicorn

from app.main import create_app
from app.settings import ServiceSettings
from groundhog_client import AsyncClient, AsyncEventSender, Client
from tests.support.fixtures.database import database_url, migrated_url, server_url, untouched_url  # noqa: F401 - fixtures
from written import EAGER


class Loop:
    """An event loop that runs in a thread of its own, as long as a test needs it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def wait_for(self, coming: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coming, self._loop).result()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Waited:
    """What awaits, every method of which is waited for: tests use it like what blocks."""

    def __init__(self, awaiting: Any, loop: Loop) -> None:
        self._awaiting, self._loop = awaiting, loop

    def __len__(self) -> int:
        return len(self._awaiting)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._awaiting, "aclose" if name == "close" else name)
        return self._waited(found) if callable(found) else found

    def _waited(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            coming = method(*args, **named)
            if inspect.isasyncgen(coming):
                return self._loop.wait_for(_listed(coming))
            if isinstance(coming, AsyncEventSender):
                return Waited(coming, self._loop)
            return self._loop.wait_for(coming) if inspect.iscoroutine(coming) else coming

        return call


async def _listed(coming: Any) -> list[Any]:
    return [item async for item in coming]


Handler = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(params=["blocking", "awaiting"])
def client_of(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a maker of clients of either kind, which close in the end."""
    loop, made = Loop(), []

    def make(url: str, handler: Handler | None = None, **options: Any) -> Any:
        blocks = request.param == "blocking"
        if handler is not None:
            http = httpx2.Client if blocks else httpx2.AsyncClient
            options["http"] = http(transport=httpx2.MockTransport(handler))
        client = (Client if blocks else AsyncClient)(url, **{"patience": EAGER, **options})
        made.append(client if blocks else Waited(client, loop))
        return made[-1]

    yield make
    for client in made:
        client.close()
    loop.end()


@pytest.fixture
def connect(client_of: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maker of clients of either kind, which are given the answers that are written down."""
    return lambda handler, **options: client_of("http://groundhog", handler, **options)


@pytest.fixture
def service_url(database_url: str) -> Iterator[str]:  # noqa: F811
    """The address of the service itself, on a database without rows."""
    config = uvicorn.Config(
        create_app(ServiceSettings(database_url=database_url)), port=0, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
