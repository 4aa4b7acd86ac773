"""`groundhog serve` in a process of its own, and requests to it over sockets."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.support import LIMIT, ROOT

SETTINGS = ("GROUNDHOG_", "DATABASE_URL", "READ_DATABASE_URL", "PROMETHEUS_")


def without_settings() -> dict[str, str]:
    """Return this process's environment without settings of Groundhog's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}


class ServiceProcess:
    """The service as a user starts it; it can be stopped, killed and started again.

    Parameters
    ----------
    options : of the command
    port : where it listens; each start takes a free one of its own by default
    tree : whose code it runs
    log : a file for its log, or what else `subprocess.Popen` takes for one
    settings : its environment variables of Groundhog's; it inherits none

    """

    def __init__(
        self,
        *options: str | Path,
        port: int = 0,
        tree: Path = ROOT,
        log: int | IO[Any] | None = None,
        **settings: str,
    ) -> None:
        self.port = port
        self._options, self._log = ("--port", str(port), *map(str, options)), log
        self._environment = without_settings() | {"PYTHONPATH": str(tree), **settings}

    def start(self) -> None:
        """Start it, and do not wait for it."""
        self.banner = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", *self._options],
            cwd="/",  # where no .env lies
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    @property
    def address(self) -> str:
        """Where it is; where the system chose the port, this waits for the banner that says so."""
        if self.port:
            return f"http://127.0.0.1:{self.port}"
        self.read_banner()
        return next(line for line in self.banner.splitlines() if " on http" in line).split()[-1]

    def read_banner(self) -> None:
        """Wait for the last line of the banner."""
        assert self.process.stdout is not None
        while "Ctrl-C" not in self.banner:
            line = self.process.stdout.readline()
            assert line, f"the service ended: {self.banner}"
            self.banner += line

    def wait_until_ready(self) -> None:
        give_up = time.monotonic() + LIMIT
        while time.monotonic() < give_up:
            assert self.process.poll() is None, "the service has ended"
            try:
                get(f"{self.address}/readyz")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"{self.address} is not ready")

    def stop(self, wish: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Ask it to stop; return its exit code, and what it said since the banner."""
        self.process.send_signal(wish)
        try:
            rest = self.process.communicate(timeout=LIMIT)[0]
        finally:
            self.kill()
        return self.process.returncode, rest

    def kill(self) -> None:
        """End it by kill -9, if it still runs."""
        with self.process:
            self.process.kill()


@contextmanager
def running_service(database_url: str, *options: str, **settings: str) -> Iterator[ServiceProcess]:
    """Run the service on a database; it still runs in the end, and stops when asked to."""
    service = ServiceProcess(*options, DATABASE_URL=database_url, **settings)
    service.start()
    try:
        service.wait_until_ready()
        yield service
        assert service.process.poll() is None, "the service has ended"
        assert service.stop()[0] == 0
    finally:
        service.kill()


def get(url: str) -> bytes:
    """Read an address; every call opens a connection of its own, so that any worker may answer."""
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        content: bytes = answer.read()
        return content


def post(url: str, body: object) -> Any:
    """Send a body as JSON; return that of the answer."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return json.load(answer)
