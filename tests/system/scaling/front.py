"""Two instances of the service on one database, and what shares requests out between them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from urllib.parse import urlsplit

import httpx2

from tests.support import ROOT
from tests.support.processes import open_folder
from tests.system.scaling.ports import free_port, wait_for_port
from tests.system.test_processes import wait_until_ready

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def haproxy_cfg(port: int, addresses: Sequence[str]) -> str:
    """Each request goes to the other instance than the one before."""
    places = "\n".join(f"    server i{n} {urlsplit(a).netloc}" for n, a in enumerate(addresses))
    return f"""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen groundhog
    bind 127.0.0.1:{port}
    balance roundrobin
{places}
"""


@contextmanager
def running_haproxy(addresses: Sequence[str]) -> Iterator[tuple[str, int]]:
    """A haproxy before the instances, at the address that is given, with its pid."""
    with open_folder() as folder:
        port = free_port()
        configuration = folder / "haproxy.cfg"
        configuration.write_text(haproxy_cfg(port, addresses))
        process = subprocess.Popen([HAPROXY, "-db", "-f", configuration])
        try:
            wait_for_port(port, process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(120)


@contextmanager
def running_instances(number: int, **settings: str) -> Iterator[list[str]]:
    """So many services with the same settings, on ports of their own, at the addresses that are given."""
    with ExitStack() as started:
        processes = [started.enter_context(_instance(settings)) for _ in range(number)]
        addresses = [process.stdout.readline().split()[-1] for process in processes]
        for address in addresses:
            wait_until_ready(address)
        yield addresses


@contextmanager
def _instance(settings: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    ours = ("GROUNDHOG_", "DATABASE_URL", "READ_DATABASE_URL", "PROMETHEUS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    environment = inherited | settings
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            process.wait(120)


class Front:
    """A client of all instances that never knows which of them answers: haproxy's, or one that takes turns."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._turns = cycle(addresses)
        self._client = httpx2.Client(timeout=120)

    def request(self, method: str, path: str, **more: object) -> httpx2.Response:
        """Send a request to whose turn it is."""
        return self._client.request(method, next(self._turns) + path, **more)

    def get(self, path: str, **more: object) -> httpx2.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, json: object, **more: object) -> httpx2.Response:
        return self.request("POST", path, json=json, **more)

    def lines(self, path: str) -> Iterator[str]:
        """Yield a stream's lines as they come."""
        with self._client.stream("GET", next(self._turns) + path) as answer:
            yield from answer.iter_lines()

    def close(self) -> None:
        self._client.close()
