"""Two instances of the service on one database, and what shares requests out between them."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from urllib.parse import urlsplit

import httpx2

from tests.support.processes import open_folder
from tests.support.service_process import ServiceProcess
from tests.system.scaling.ports import free_port, wait_for_port

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
    services = [ServiceProcess(**settings) for _ in range(number)]
    with ExitStack() as started:
        for service in services:
            service.start()
            started.callback(service.stop)
        for service in services:
            service.wait_until_ready()
        yield [service.address for service in services]


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
