"""A pgbouncer in transaction mode before a PostgreSQL."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from app.storage.embedded.account import server_account
from tests.support.processes import open_folder
from tests.system.scaling.ports import free_port, wait_for_port

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MISSING = "pgbouncer is missing: make tools, as root on Debian (apt install pgbouncer)"


def pgbouncer_ini(server_url: str, port: int, folder: Path, sessions: int) -> str:
    """Some sessions in transaction mode, lent in turns: what one transaction leaves, another would find."""
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
default_pool_size = {sessions}
server_round_robin = 1
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def running_pgbouncer(server_url: str, sessions: int = 2) -> Iterator[tuple[int, int]]:
    """A pgbouncer, at the port that is given, with its pid."""
    with open_folder() as folder:
        account = server_account(folder / "none")
        account.own(folder)
        port = free_port()
        ini = folder / "pgbouncer.ini"
        ini.write_text(pgbouncer_ini(server_url, port, folder, sessions))
        account.own(ini)
        process = subprocess.Popen([PGBOUNCER, "-q", ini], cwd="/", **account.identity)
        try:
            wait_for_port(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(120)


def through(port: int, url: str) -> str:
    """The address of a database by way of a pooler."""
    return f"postgresql://anybody@127.0.0.1:{port}/{make_url(url).database}"
