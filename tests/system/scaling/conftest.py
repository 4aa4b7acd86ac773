"""What stands beside one service and one PostgreSQL: a pooler, a replica; each ended by who started it."""

from collections.abc import Iterator

import pytest

from tests.support.databases import empty
from tests.system.scaling.pooler import MISSING, PGBOUNCER, running_pgbouncer
from tests.system.scaling.standby import Pair, running_pair

THROW_AWAY = {"fsync": "off", "max_connections": "40"}


@pytest.fixture(scope="session")
def pgbouncer(server_url: str) -> Iterator[int]:
    """The port of a pgbouncer before the tests' server."""
    if PGBOUNCER is None:
        pytest.skip(MISSING)
    with running_pgbouncer(server_url) as (port, _):
        yield port


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    """Two servers of these tests' own, so that stopping one disturbs nobody."""
    with running_pair(THROW_AWAY) as pair:
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Pair:
    """Both without any rows, the standby at one with the primary."""
    empty(servers.primary.url_for("groundhog"))
    servers.catch_up()
    return servers
