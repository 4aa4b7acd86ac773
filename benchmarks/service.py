"""A service to measure: its own process, on a throw-away PostgreSQL with the settings of production."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres

Row = dict[str, Any]
IDLE_SECONDS = 3
"""uvicorn closes a connection that was idle for five."""


class Service:
    """A service and its database, and one connection to each that is kept open."""

    def __init__(self, port: int, conninfo: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.conninfo = conninfo
        self._http = HTTPConnection("127.0.0.1", port, timeout=120)
        self._last_used = time.monotonic()

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of one's own to the service's database."""
        return psycopg.connect(self.conninfo)

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
    """Start PostgreSQL and one worker process, and stop both in the end."""
    with tempfile.TemporaryDirectory(prefix="groundhog-bench-") as folder:
        os.chmod(folder, 0o711)  # PostgreSQL's own account must get through
        with EmbeddedPostgres(Path(folder) / "home") as server:
            url = server.url_for("groundhog")
            migrate.upgrade(url)
            with (
                _process(url, Path(folder) / "service.log") as port,
                closing(Service(port, url.replace("+psycopg", "", 1))) as service,
            ):
                yield service


@contextmanager
def _process(database_url: str, log: Path) -> Iterator[int]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDHOG_")}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.served"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment | {"DATABASE_URL": database_url},
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said.strip():
            raise RuntimeError(f"the service did not start: {log.read_text()[-2_000:]}")
        yield int(said)
    finally:
        process.stdin.close()  # it ends itself
        process.wait(30)
        process.stdout.close()
