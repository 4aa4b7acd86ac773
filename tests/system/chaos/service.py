"""`groundhog serve` as a process of its own, which can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx2

from tests.support import ROOT
from tests.support.processes import postmaster


class Running:
    """A service on a port that stays the same over its restarts.

    Parameters
    ----------
    home : the home of its embedded PostgreSQL, unless ``settings`` name a DATABASE_URL
    tree : whose code it runs: this tree's, or an older version's
    log : a file for what it has to say, or subprocess.DEVNULL
    """

    def __init__(self, home, tree=ROOT, log=None, **settings):
        self.home, self._tree, self._log = home, tree, log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        ours = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._environment = inherited | {
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
            [sys.executable, "-m", "app", "serve"],
            cwd=self._tree,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )

    def kill(self):
        self.process.kill()
        self.process.wait(120)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def kill_postgres(self):
        os.kill(postmaster(self.home), signal.SIGKILL)

    def wait_until_ready(self, seconds=300):
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            assert self.process.poll() is None, "the service has ended"
            try:
                if httpx2.get(f"{self.address}/readyz", timeout=60).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise TimeoutError("the service is not ready")
