"""The service that the clients are tested against: the only module of these tests that imports it."""

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from app.main import create_app
from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from app.settings import ServiceSettings
from app.storage.database import Database

ROOT = Path(__file__).resolve().parents[4]
GOLDEN_DRAWS = ROOT / "tests" / "support" / "golden" / "rendezvous.json"
"""Draws that the service and the client must agree about."""

PROGRAM = """
import sys
import uvicorn
from app.main import create_app
from app.settings import ServiceSettings
uvicorn.run(create_app(ServiceSettings(database_url=sys.argv[1])), port=int(sys.argv[2]), log_level="warning")
"""


def description() -> dict[str, Any]:
    """The OpenAPI description."""
    return create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none")).openapi()


def golden_draws() -> list[dict[str, Any]]:
    return json.loads(GOLDEN_DRAWS.read_text())


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """The service in a thread, on a database of its own; its address."""
    config = uvicorn.Config(
        create_app(ServiceSettings(database_url=database_url)), port=0, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


class ServiceProcess:
    """The service as a process on a port of its own, which can be killed and started again."""

    def __init__(self, database_url: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.url, self._database_url = f"http://127.0.0.1:{self.port}", database_url
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, self._database_url, str(self.port)],
            cwd="/",  # where no .env lies
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Keys:
    """API keys of a service, stored in its database."""

    ADMIN = f"gh_admin_{'s' * 40}"

    def __init__(self, database_url: str) -> None:
        self._database = Database(ServiceSettings(database_url=database_url))

    def create_admin(self) -> None:
        with self._database.transaction() as session:
            api_keys.upsert_admin_key(session, self.ADMIN, dt.datetime.now(dt.UTC))

    def create(self, **fields: Any) -> str:
        with self._database.transaction() as session:
            return api_keys.create(session, ApiKeyIn(**fields), dt.datetime.now(dt.UTC))[1]

    def close(self) -> None:
        self._database.close()
