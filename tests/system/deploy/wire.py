"""A database over TCP: containers reach theirs by the network, the tests' own server has a socket only."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import make_url


@contextmanager
def over_tcp(url: str) -> Iterator[str]:
    """Give another address of a database, on the loopback, for as long as the block runs."""
    parts = make_url(url)
    folder = parts.query.get("host", parts.host)
    if not str(folder).startswith("/"):
        yield url
        return
    path = f"{folder}/.s.PGSQL.{parts.query.get('port', parts.port) or 5432}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, path), daemon=True).start()
        port = listener.getsockname()[1]
        there = parts.set(host="127.0.0.1", port=port, query={})
        yield there.render_as_string(hide_password=False)
        listener.shutdown(socket.SHUT_RDWR)  # ends the waiting for the next connection


def _accept(listener: socket.socket, path: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_connect, args=(client, path), daemon=True).start()


def _connect(client: socket.socket, path: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
