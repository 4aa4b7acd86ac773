"""Count what the service and PostgreSQL say to each other: the statements' texts, or libpq's own trace."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import pq

MESSAGE = re.compile(r"^([FB])\t\d+\t(\w+)", re.MULTILINE)
"""A line of the trace: who sends it (F is the client), its bytes, what it is."""
STATEMENTS = frozenset({"Query", "Execute"})


@contextmanager
def recorded_statements() -> Iterator[list[str]]:
    """Yield a list to which every statement sent over a synchronous connection is appended, spelt in one line.

    Both SQLAlchemy and the service's own pipelines execute them through psycopg's cursors.
    """
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def recorded(cursor: psycopg.Cursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        text = query if isinstance(query, str) else bytes(query).decode()
        if text != ";":  # the connection pool asks whether the connection is alive
            statements.append(" ".join(text.split()))
        return execute(cursor, query, *arguments, **options)

    with patch.object(psycopg.Cursor, "execute", recorded):
        yield statements


def reading(statements: list[str], table: str) -> list[str]:
    """Return the statements that select from a table."""
    return [text for text in statements if text.lower().startswith("select") and f" {table}" in text.lower()]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over all connections.

    Parameters
    ----------
    statements : executed, BEGIN and COMMIT included
    round_trips : how often a connection sent something and then waited for the answer
    """

    statements: int
    round_trips: int


class Wire:
    """The traces of the connections that were opened since the beginning."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._traced: list[tuple[pq.abc.PGconn, int]] = []

    def trace(self, connection: pq.abc.PGconn) -> None:
        """Let a connection write its trace into a file of its own."""
        file = os.open(self._folder / str(len(self._traced)), os.O_CREAT | os.O_WRONLY)
        self._traced.append((connection, file))
        _start(connection, file)

    def exchanged(self) -> Exchange:
        """Return what was exchanged since the last call; nobody uses a connection meanwhile."""
        self._flush()
        said = [self._news(path) for path in self._folder.iterdir()]
        return Exchange(
            sum(kind in STATEMENTS for messages in said for sender, kind in messages if sender == "F"),
            sum(map(_turns, said)),
        )

    def _flush(self) -> None:
        for connection, file in self._traced:
            if connection.status == pq.ConnStatus.OK:
                connection.untrace()  # writes what is buffered
                _start(connection, file)

    def close(self) -> None:
        """End all traces; the connections continue."""
        for connection, file in self._traced:
            if connection.status == pq.ConnStatus.OK:
                connection.untrace()
            os.close(file)

    def _news(self, path: Path) -> list[tuple[str, str]]:
        text = path.read_text(errors="replace")
        news = text[self._read.get(path, 0) :]
        self._read[path] = len(text)
        return MESSAGE.findall(news)


def _start(connection: pq.abc.PGconn, file: int) -> None:
    connection.trace(file)
    connection.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)


def _turns(messages: list[tuple[str, str]]) -> int:
    """Return how often the server spoke after the client."""
    senders = [sender for sender, _ in messages]
    return sum(pair == ("F", "B") for pair in pairwise(senders))


@contextmanager
def traced_connections() -> Iterator[Wire]:
    """Yield the wire of all connections that are opened in the block, pooled and asynchronous ones alike."""
    initialise = psycopg.BaseConnection.__init__
    with tempfile.TemporaryDirectory(prefix="groundhog-wire-") as folder, ExitStack() as opened:
        wire = Wire(Path(folder))
        opened.callback(wire.close)

        def traced(connection: Any, pgconn: pq.abc.PGconn) -> None:
            initialise(connection, pgconn)
            wire.trace(pgconn)

        opened.enter_context(patch.object(psycopg.BaseConnection, "__init__", traced))
        yield wire
