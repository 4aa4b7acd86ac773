"""How connections are opened, and what holds on them: limits for statements, locks and idle transactions.

A server's connection is given them once, as it opens. A pooler in transaction mode (pgbouncer) takes no such
options and lends a connection for one transaction at a time, so what a session keeps (settings, prepared
statements, advisory locks) would be another client's next time. There each transaction is given them, and a
session keeps nothing.
"""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from app.settings import ServiceSettings

UTC = "set time zone 'UTC'"
"""What a session may keep even behind pgbouncer, which gives it back to each client."""


class Connector:
    """Opens connections to one address.

    ``GROUNDHOG_PREPARE_THRESHOLD=none`` says that a pooler in transaction mode is there.
    """

    def __init__(self, database_url: str, settings: ServiceSettings) -> None:
        self._prepare_threshold = settings.prepare_threshold
        self._limits = _limits(settings)
        self._conninfo = make_conninfo(
            make_url(database_url).set(drivername="postgresql").render_as_string(False),
            connect_timeout=settings.connect_timeout_seconds,
            application_name="groundhog",
            keepalives_idle=30,
        )
        self._url_options = conninfo_to_dict(self._conninfo).get("options", "")

    @property
    def behind_transaction_pooler(self) -> bool:
        """Whether a session may keep nothing."""
        return self._prepare_threshold is None

    @property
    def transaction_preamble(self) -> str | None:
        """Return the statement that begins each transaction, None where the connection has them already."""
        if not self.behind_transaction_pooler:
            return None
        settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in self._limits.items())
        return f"select {settings}"  # internal constants and numbers

    def set_timeouts(self, session: Session) -> None:
        """Let the limits hold for the session's transaction, where its connection does not have them already."""
        if self.transaction_preamble is not None:
            session.execute(text(self.transaction_preamble))

    def open(self) -> psycopg.Connection[Any]:
        """Open a connection."""
        connection = psycopg.connect(self._address(), prepare_threshold=self._prepare_threshold)
        if self.behind_transaction_pooler:
            connection.execute(UTC)
            connection.commit()
        return connection

    async def open_async(self, options: Mapping[str, str] | None = None) -> psycopg.AsyncConnection[Any]:
        """Open a connection on which each statement is committed at once.

        Parameters
        ----------
        options : settings of the planner, for what it keeps of prepared statements; left out where none are
        """
        connection = await psycopg.AsyncConnection[Any].connect(
            self._address(options), autocommit=True, prepare_threshold=self._prepare_threshold
        )
        if self.behind_transaction_pooler:
            await connection.execute(UTC)
        return connection

    @asynccontextmanager
    async def with_timeouts(self, connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
        """Let the limits hold for a block on a connection of ``open_async``, which is committed at its end."""
        if self.transaction_preamble is None:
            yield
            return
        async with connection.transaction():
            await connection.execute(self.transaction_preamble.encode())
            yield

    def _address(self, options: Mapping[str, str] | None = None) -> str:
        if self.behind_transaction_pooler:
            return self._conninfo
        settings = {**self._limits, "timezone": "UTC", **(options or {})}
        own = " ".join(f"-c {name}={value}" for name, value in settings.items())
        return make_conninfo(self._conninfo, options=f"{self._url_options} {own}".strip())


def shut_down_socket(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """End a connection's traffic: who waits for it learns that it was cut, and closes it."""
    with suppress(psycopg.OperationalError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _limits(settings: ServiceSettings) -> dict[str, str]:
    limits = {
        "statement_timeout": str(settings.statement_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
    }
    if settings.read_only:
        of_a_session = "" if settings.prepare_threshold is None else "default_"
        limits[f"{of_a_session}transaction_read_only"] = "on"
    return limits
