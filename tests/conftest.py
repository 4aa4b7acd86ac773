"""What tests stand on: a real PostgreSQL, migrated by the real migrations, and the service on it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from app.storage import migrate
from tests.support import SHARED
from tests.support.clock import SettableClock
from tests.support.databases import embedded_server, empty, fresh_database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that tests share, of which pytest-xdist may run only one."""
    shared = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    assert not shared, shared


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """An address on which databases can be made: DATABASE_URL's server, else a throw-away one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    with embedded_server(max_connections="300") as server:
        yield server.url_for("postgres")


@pytest.fixture(scope="session")
def migrated_url(server_url: str) -> Iterator[str]:
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture
def database_url(migrated_url: str) -> str:
    """A migrated database without any rows."""
    empty(migrated_url)
    return migrated_url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database that nobody has migrated."""
    with fresh_database(server_url) as url:
        yield url


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def make_client(database_url: str, clock: SettableClock) -> Iterator[Callable[..., TestClient]]:
    """Return a maker of clients, each with an application of its own on the same database."""
    opened = []

    def make(**settings: object) -> TestClient:
        app: FastAPI = create_app(ServiceSettings(**{"database_url": database_url, **settings}), clock)
        client = TestClient(app, raise_server_exceptions=False)
        opened.append(client.__enter__())
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


@pytest.fixture
def shared_data() -> Path:
    """The folder of real experiment data, which is not part of this repository."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real data of ../shared/data are not on this machine")
    return SHARED / "data"
