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
from app.settings import Settings
from groundhog_client import AsyncClient, Client, Patience
from tests.conftest import database_url, migrated_url, server_url  # noqa: F401 - fixtures

EAGER = Patience(timeout=5.0, deadline=10.0, first_wait=0.0)


class Written:
    """Answers written down, given one after the other; and the requests they were given to."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def header(self, name: str) -> list[str | None]:
        return [request.headers.get(name) for request in self.requests]


class Waited:
    """An AsyncClient, every method of which is waited for: tests call it like a Client."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncClient(*args, **options)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._wait_for(found) if callable(found) else found

    def _wait_for(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            coming = method(*args, **named)
            if inspect.isasyncgen(coming):
                return self._runner.run(_listed(coming))
            return self._runner.run(coming) if inspect.iscoroutine(coming) else coming

        return call

    def end(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


async def _listed(coming: Any) -> list[Any]:
    return [item async for item in coming]


@pytest.fixture(params=["blocking", "awaiting"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a maker of clients of either kind, which are given the answers that are written down."""
    made = []

    def make(handler: Callable[[httpx2.Request], httpx2.Response], **options: Any) -> Any:
        kind = httpx2.Client if request.param == "blocking" else httpx2.AsyncClient
        http = kind(transport=httpx2.MockTransport(handler))
        client = Client if request.param == "blocking" else Waited
        made.append(client("http://groundhog", http=http, **{"patience": EAGER, **options}))
        return made[-1]

    yield make
    for client in made:
        if isinstance(client, Waited):
            client.end()


@pytest.fixture
def service_url(database_url: str) -> Iterator[str]:  # noqa: F811
    """The address of the service itself, on a database without rows."""
    config = uvicorn.Config(create_app(Settings(database_url=database_url)), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
