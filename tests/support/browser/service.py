"""The service as a process of its own, for a browser to open."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from tests.support import ROOT


@contextmanager
def served(database_url: str, port: int = 0, **settings: str) -> Iterator[str]:
    """Serve a migrated database, by default on a free port; ``settings`` are environment variables."""
    own = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        cwd="/",  # a folder without an .env
        env={**inherited, "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=10)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    output, address = "", None
    while "Ctrl-C" not in output:
        line = process.stdout.readline()
        assert line, f"the service ended: {output}"
        output += line
        address = line.split()[-1] if " on http" in line else address
    assert address is not None
    return address


@contextmanager
def database_copy(server_url: str, database_url: str) -> Iterator[str]:
    """Create a copy of a database that has no connections, and drop the copy in the end."""
    name = f"groundhog_test_{uuid4().hex[:12]}"
    url = make_url(server_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
        connection.execute(f"create database {name} template {make_url(database_url).database}")
        try:
            yield url.set(database=name).render_as_string(False)
        finally:
            connection.execute(f"drop database {name} with (force)")
