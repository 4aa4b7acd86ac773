"""A service to measure: its own process, on a throw-away PostgreSQL with the settings of production."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres
from benchmarks import processes

Row = dict[str, Any]
START_SECONDS = 60
IDLE_SECONDS = 3
"""uvicorn closes a connection that was idle for five."""


@dataclass(frozen=True, slots=True)
class BareRoute:
    """A FastAPI route that does nothing, in a process of its own: what the service is compared with."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"


class Service:
    """A service and its database, and one connection to each that stays open.

    Parameters
    ----------
    bare : runs beside it, where it is measured against it
    """

    def __init__(self, port: int, pid: int, conninfo: str, bare: BareRoute | None = None) -> None:
        self._bare = bare
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.pid = pid
        self.conninfo = conninfo
        self._http = HTTPConnection("127.0.0.1", port, timeout=120)
        self._last_used = time.monotonic()

    @property
    def bare(self) -> BareRoute:
        """Return the route that it is compared with."""
        assert self._bare is not None, "running_service starts one"
        return self._bare

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of one's own to the service's database."""
        return psycopg.connect(self.conninfo)

    @cached_property
    def postgres_pid(self) -> int:
        """Return the process that PostgreSQL's others descend from."""
        with self.connect() as connection:
            return processes.parent_of(connection.info.backend_pid)

    @property
    def pids(self) -> tuple[int, int]:
        """Return the processes that all of the service's and of PostgreSQL's descend from."""
        return self.pid, self.postgres_pid

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET."""
        return self._request("GET", path)

    def post(self, path: str, body: bytes, media_type: str = "application/json") -> Any:
        """Return the JSON answer to a POST."""
        return self._request("POST", path, body, {"Content-Type": media_type})

    def store(self, path: str, body: bytes, media_type: str = "application/json") -> None:
        """Send daily totals that are all new or different; those that change nothing would cost less."""
        stored = self.post(path, body, media_type)
        if stored["inserted"] + stored["updated"] != stored["received"]:
            raise RuntimeError(f"not every total changed something: {stored}")

    def record(self, rows: Sequence[Row]) -> None:
        """Store daily totals, in batches that fit into a request."""
        for start in range(0, len(rows), 5_000):
            self.post("/metrics/", json.dumps(rows[start : start + 5_000]).encode())

    def wait_until_ready(self) -> None:
        """Wait until it takes requests; its workers import everything first."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            with suppress(OSError, RuntimeError):
                self.get("/readyz")
                return
            self._http.close()
            time.sleep(0.05)
        raise RuntimeError(f"the service is not ready after {START_SECONDS} s")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _request(self, *request: Any) -> Any:
        if time.monotonic() - self._last_used > IDLE_SECONDS:
            self._http.close()  # and opened again by itself
        self._http.request(*request)
        response = self._http.getresponse()
        body = response.read()
        self._last_used = time.monotonic()
        if response.status not in {200, 201}:
            raise RuntimeError(f"the service answered {response.status}: {body[:500].decode()}")
        return json.loads(body)


@contextmanager
def running_service() -> Iterator[Service]:
    """Start PostgreSQL, one worker process and the bare route, and stop them in the end."""
    with (
        running_postgres() as (url, folder),
        _process("benchmarks.bare_server", url, folder / "bare.log") as bare,
        _process("benchmarks.noop_server", url, folder / "service.log") as (port, pid),
        closing(Service(port, pid, _conninfo(url), BareRoute(*bare))) as service,
    ):
        yield service


@contextmanager
def running_postgres() -> Iterator[tuple[str, Path]]:
    """Start PostgreSQL with an empty database of its own; give its URL and a folder that is gone in the end."""
    with tempfile.TemporaryDirectory(prefix="groundhog-bench-") as name:
        os.chmod(name, 0o711)  # PostgreSQL's own account must get through
        with EmbeddedPostgres(Path(name) / "home") as server:
            url = server.url_for("groundhog")
            migrate.upgrade(url)
            yield url, Path(name)


@contextmanager
def serving(database_url: str, workers: int, **settings: str) -> Iterator[Service]:
    """Start `groundhog serve` with some workers beside a PostgreSQL that runs, and stop it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        env=environment(
            database_url,
            GROUNDHOG_WORKERS=str(workers),
            GROUNDHOG_LOG_LEVEL="error",
            PYTHONUNBUFFERED="1",
            **settings,
        ),
        text=True,
    )
    assert process.stdout is not None
    try:
        said = next((line for line in process.stdout if line.startswith("Groundhog ")), "")
        if not said:
            raise RuntimeError("the service did not start; what it said is above")
        port = int(said.rpartition(":")[2])
        with closing(Service(port, process.pid, _conninfo(database_url))) as service:
            service.wait_until_ready()
            yield service
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@contextmanager
def _process(module: str, database_url: str, log: Path) -> Iterator[tuple[int, int]]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(database_url),
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said.strip():
            raise RuntimeError(f"{module} did not start: {log.read_text()[-2_000:]}")
        yield int(said), process.pid
    finally:
        process.stdin.close()  # it ends itself
        process.wait(30)
        process.stdout.close()


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """Return this process's environment with the settings of nobody but the benchmark."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDHOG_")}
    return inherited | {"DATABASE_URL": database_url} | settings


def _conninfo(database_url: str) -> str:
    return database_url.replace("+psycopg", "", 1)
