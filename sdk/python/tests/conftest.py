"""Both clients under one test: against answers written down, or against the service itself."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from client_testing.answers import EAGER
from client_testing.loops import Loop, Waited
from client_testing.service import Keys, ServiceProcess, served
from groundhog_client import AsyncClient, Client
from tests.support.fixtures.database import (  # noqa: F401 - fixtures
    administrator,
    database_url,
    migrated_url,
    server_url,
    untouched_url,
)

Handler = Callable[[httpx2.Request], httpx2.Response]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that a real server answers, on a port of its own."""
    for item in items:
        if "service_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.system)


@pytest.fixture(params=["sync", "async"])
def client_of(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a maker of clients of either kind, which are closed in the end."""
    loop, made = Loop(), []

    def make(url: str, handler: Handler | None = None, **options: Any) -> Any:
        sync = request.param == "sync"
        if handler is not None:
            http = httpx2.Client if sync else httpx2.AsyncClient
            options["http"] = http(transport=httpx2.MockTransport(handler))
        client = (Client if sync else AsyncClient)(url, **{"retries": EAGER, **options})
        made.append(client if sync else Waited(client, loop))
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
    with served(database_url) as url:
        yield url


@pytest.fixture
def service_process(database_url: str) -> Iterator[ServiceProcess]:  # noqa: F811
    """The service as a process of its own, on a database without rows."""
    service = ServiceProcess(database_url)
    yield service
    service.kill()


@pytest.fixture
def keys(database_url: str) -> Iterator[Keys]:  # noqa: F811
    """API keys of the service."""
    found = Keys(database_url)
    yield found
    found.close()
