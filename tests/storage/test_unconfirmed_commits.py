"""A commit that waits for a standby is not there until the standby has it, even if nobody waits for it any more.

A cancelled wait would be worse than none: PostgreSQL then shows the rows as committed, on the primary alone.
"""

import asyncio
import threading
import time

import pytest
import uvloop
from sqlalchemy import text

from app.errors import Unavailable
from app.settings import ServiceSettings
from app.storage import batched_statement
from app.storage.batched_statement import BatchedStatement
from app.storage.database import Database
from app.storage.embedded import EmbeddedPostgres
from tests.support import LIMIT
from tests.support.databases import connect
from tests.support.processes import THROW_AWAY, open_folder

pytestmark = pytest.mark.system


@pytest.fixture
def lonely():
    """The address of a primary whose standby is away: every commit waits."""
    with open_folder() as folder, EmbeddedPostgres(folder / "home", THROW_AWAY) as server:
        url = server.url_for("groundhog")
        with connect(url) as connection:
            connection.execute("create table t (n int)")
            connection.execute("alter system set synchronous_standby_names = 'nobody'")
            connection.execute("select pg_reload_conf()")
        yield url


def visible(url):
    with connect(url) as connection:
        return connection.execute("select count(*) from t").fetchone()[0]


def wait_for_commits(url, number):
    """Wait until so many commits wait for the standby."""
    waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
    with connect(url) as connection:
        give_up = time.monotonic() + LIMIT
        while connection.execute(waits).fetchone() != (number,):
            assert time.monotonic() < give_up, f"never were there {number} commits that wait"
            time.sleep(0.01)


async def insert(connection, keys):
    await connection.execute("insert into t select unnest(%s::int[])", [list(keys)])


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_statement_that_is_given_up_leaves_nothing_that_looks_committed(lonely, monkeypatch, run):
    monkeypatch.setattr(batched_statement, "TIMEOUT_SECONDS", 0.3)
    database = Database(ServiceSettings(database_url=lonely))

    async def ask():
        statement = BatchedStatement(database, insert)
        with pytest.raises(Unavailable):
            await statement.run([1])
        await asyncio.sleep(0.3)  # in which it might come to be seen
        found = visible(lonely)
        await statement.close()
        return found

    assert run(ask()) == 0
    assert visible(lonely) == 0
    database.close()


def test_it_is_there_as_soon_as_a_standby_is_not_asked_for_any_more(lonely, monkeypatch):
    monkeypatch.setattr(batched_statement, "TIMEOUT_SECONDS", 0.3)
    database = Database(ServiceSettings(database_url=lonely))

    async def ask():
        statement = BatchedStatement(database, insert)
        with pytest.raises(Unavailable):
            await statement.run([1])
        monkeypatch.undo()  # from here on nothing is in the way but the machine
        with connect(lonely) as connection:
            connection.execute("alter system reset synchronous_standby_names")
            connection.execute("select pg_reload_conf()")
        await statement.run([2])
        await statement.close()

    asyncio.run(ask())
    assert visible(lonely) == 2
    database.close()


def test_a_stop_does_not_wait_for_what_nobody_waits_for_any_more(lonely):
    """A thread that goes on waiting would keep the process from ending."""
    database = Database(ServiceSettings(database_url=lonely))
    refused = []

    def commit():
        with pytest.raises(Unavailable) as error, database.transaction() as session:
            session.execute(text("insert into t values (3)"))
        refused.append(error.value)

    committing = threading.Thread(target=commit, daemon=True)
    committing.start()
    wait_for_commits(lonely, 1)
    database.close()
    committing.join(LIMIT)
    assert len(refused) == 1
    assert visible(lonely) == 0
