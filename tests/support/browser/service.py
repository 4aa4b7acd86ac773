"""The service as a process of its own, for a browser to open."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.service_process import ServiceProcess


@contextmanager
def served(database_url: str, port: int = 0, **settings: str) -> Iterator[str]:
    """Serve a migrated database, by default on a free port; ``settings`` are environment variables."""
    service = ServiceProcess(port=port, DATABASE_URL=database_url, **settings)
    service.start()
    try:
        service.read_banner()
        yield service.address
    finally:
        with suppress(subprocess.TimeoutExpired):  # a browser may hold a stream open
            service.stop(signal.SIGTERM)
