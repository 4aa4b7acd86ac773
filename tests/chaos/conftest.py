"""A service of its own for each fault, with its own PostgreSQL; `make chaos` asks for many faults, CI for few."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from app.storage.embedded import EmbeddedPostgres
from tests.setup.conftest import open_folder, postmaster

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("GROUNDHOG_CHAOS_KILLS", "2"))
"""How often each thing is killed."""

chance = random.Random(20261121)


class Running:
    """`groundhog serve` on a port that stays the same over its restarts, with an embedded PostgreSQL."""

    def __init__(self, home, **settings):
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        ours = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = inherited | {
            "GROUNDHOG_HOME": str(home),
            "GROUNDHOG_PORT": str(self.port),
            "GROUNDHOG_LOG_LEVEL": "error",
            **settings,
        }
        self.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill_postgres(self):
        os.kill(postmaster(self.home), signal.SIGKILL)

    def wait_until_ready(self, seconds=60):
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            assert self.process.poll() is None, "the service has ended"
            try:
                if httpx2.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise TimeoutError("the service is not ready")


@pytest.fixture(scope="session")
def template():
    """A home with a database in it, made once."""
    with open_folder() as path:
        with EmbeddedPostgres(path):
            pass
        yield path


@pytest.fixture
def running(template):
    with open_folder() as folder:
        subprocess.run(["cp", "-a", template, folder / "home"], check=True)
        service = Running(folder / "home")
        try:
            service.wait_until_ready()
            yield service
        finally:
            service.terminate()
