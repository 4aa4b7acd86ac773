"""A player of campaigns whose conversions come late."""

from collections.abc import Callable

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.support.clock import SettableClock
from tests.support.delay.campaigns import Schedule, count, last_days, play, report, weekly
from tests.support.delay.worlds import Campaign, World
from tests.support.fixtures.events import assign, held_out  # noqa: F401 - fixtures
from tests.support.fixtures.transfer import elsewhere  # noqa: F401 - a fixture

SCHEDULES: dict[str, Schedule] = {"daily": last_days(14), "28 days": last_days(28), "weekly": weekly(28)}


@pytest.fixture
def played(client: TestClient, clock: SettableClock) -> Callable[..., list[Campaign]]:
    """Return a player of campaigns that are tracked, or reported by a schedule."""
    times = iter(range(99))

    def run(world: World, way: str, runs: int = 30, **settings: object) -> list[Campaign]:
        tracked = way == "tracked"
        send = count(client, clock) if tracked else report(client, SCHEDULES[way])
        source = "tracked" if tracked else "reported"
        prefix = f"played_{next(times)}_"
        return play(client, clock, world, send, runs, prefix=prefix, source=source, **settings)

    return run


@pytest.fixture
def query(database_url: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Return a reader of stored rows."""

    def read(statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(database_url) as connection:
            return connection.execute(statement).fetchall()

    return read
