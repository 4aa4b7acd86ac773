"""What tests stand on: a real PostgreSQL, migrated by the real migrations, and the service on it."""

import datetime as dt
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import make_url

from app.main import create_app
from app.settings import ServiceSettings
from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres
from tests.support import SHARED

SHARED_DATA = SHARED / "data"
TABLES = [
    *("allocations", "assignment_counts", "assignments", "events", "experiment_metrics", "holdout_metrics"),
    *("splits", "variants", "experiment_settings", "experiment_versions", "experiments"),
    *("api_keys", "audit", "deleted_experiments", "idempotency_keys", "simulations"),
]
"""All that is stored; whoever refers to others stands before them."""
USED = "select relname, pg_relation_size(oid) from pg_class where relname = any(%s) and relkind = 'r'"
LARGE = 1_000_000
"""Bytes from which a table is sooner truncated, which takes 25 ms, than its rows are deleted."""


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """An address on which databases can be made: DATABASE_URL's server, else a throw-away one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    settings = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "300",
    }
    with tempfile.TemporaryDirectory(prefix="groundhog-tests-") as folder:
        os.chmod(folder, 0o711)
        with EmbeddedPostgres(Path(folder) / "home", settings) as server:
            yield server.url_for("postgres")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make a database of our own on the server, and drop it in the end."""
    name = f"groundhog_test_{uuid4().hex[:12]}"
    url = make_url(server_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        try:
            yield url.set(database=name).render_as_string(False)
        finally:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def migrated_url(server_url: str) -> Iterator[str]:
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        yield url


def empty(url: str) -> None:
    """Delete all that is stored in a migrated database."""
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        sizes = dict(connection.execute(USED, [TABLES]).fetchall())
        for table in TABLES:
            if sizes[table] >= LARGE:
                connection.execute(f"truncate {table} cascade")
            elif sizes[table]:
                connection.execute(f"delete from {table}")


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


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += dt.timedelta(days=days)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def make_client(database_url: str, clock: SetClock) -> Iterator[Callable[..., TestClient]]:
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
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data of ../shared/data are not on this machine")
    return SHARED_DATA
