"""A service that is attacked over its socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import LIMIT
from tests.support.service_process import running_service
from tests.support.totals import total

TOTAL = total("a", experiment_id="e", impressions=9, successes=1)


class Attacked:
    """`groundhog serve` in a process of its own."""

    def __init__(self, address: str, pid: int) -> None:
        self.address, self.pid = address, pid
        self.port = int(address.rpartition(":")[2])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), LIMIT)

    def answer(self, *pieces: bytes) -> bytes:
        """Send pieces and return everything that is answered until the service closes."""
        with self.connect() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:  # it has seen enough
                pass
            return everything(connection)

    def ask(self, path: str, head: bytes = b"", body: bytes = b"", method: str = "POST") -> tuple[int, bytes]:
        """Send one request as it is; return the status and the body of the answer."""
        sent = f"{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n".encode("latin-1")
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        told, _, said = self.answer(sent + head + length + b"\r\n", body).partition(b"\r\n\r\n")
        return int(told.split()[1]), said

    def processor_seconds(self) -> float:
        """Return how long the process has worked: it works no longer where others need the processor, too."""
        times = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Return how much memory the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def attacked_service(database_url: str, **settings: str) -> Iterator[Attacked]:
    """Run the service; it must still be the same process in the end, and stop when asked to."""
    with running_service(database_url, GROUNDHOG_LOG_LEVEL="error", **settings) as service:
        yield Attacked(service.address, service.process.pid)


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes, or breaks the connection off."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass
    return received


def served_meanwhile(attacked: Attacked) -> None:
    """Check that somebody else is answered without much work."""
    with costs_less_than(1, attacked):
        assert attacked.ask("/livez", method="GET")[0] == 200


@contextmanager
def costs_less_than(seconds: float, attacked: Attacked) -> Iterator[None]:
    """Check how long the service works on what is asked in the block."""
    before = attacked.processor_seconds()
    yield
    assert attacked.processor_seconds() - before < seconds
