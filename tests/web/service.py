"""The service as a process of its own, for a browser to meet."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(database_url: str, port: int = 0, **settings: str) -> Iterator[str]:
    """Serve a migrated database, on a free port unless one is said, with settings as in the environment."""
    ours = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        cwd="/",  # where no .env lies
        env={**rest, "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=120)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    said, address = "", None
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, f"the service ended: {said}"
        said += line
        address = line.split()[-1] if " on http" in line else address
    assert address is not None
    return address
