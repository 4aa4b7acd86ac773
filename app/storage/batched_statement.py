"""Many concurrent callers, one statement: who comes while a statement runs shares the next one.

What a caller gets was read, or committed, after it came: sharing makes nothing stale.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import psycopg

from app.errors import Unavailable
from app.storage.connector import shut_down_socket
from app.storage.database import Database, domain_error

Key = TypeVar("Key")
Answer = TypeVar("Answer")
Connection = psycopg.AsyncConnection[Any]

TIMEOUT_SECONDS = 15
MAX_KEYS = 1_000
"""Of one statement, unless a single caller brings more."""


INDEX_ONLY_PLAN = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""A prepared statement keeps its plan: made while a table is small, it would read all of it from then on."""

VERSIONS_SQL = "select experiment_id, version from experiment_versions where experiment_id = any(%s)"


class BatchedStatement(Generic[Key, Answer]):
    """A statement on many keys, shared by the callers of an event loop, on a connection of its own.

    Parameters
    ----------
    execute : runs it for the keys of all callers; each gets the whole answer and picks out its own.
        It is run again when its connection turns out to be cut, so it must be safe to repeat
    by_key : it finds all rows by their keys, and the planner must not think otherwise
    seconds : how long its answer is waited for, where that is not TIMEOUT_SECONDS
    """

    def __init__(
        self,
        database: Database,
        execute: Callable[[Connection, Sequence[Key]], Awaitable[Answer]],
        by_key: bool = True,
        seconds: float | None = None,
    ) -> None:
        self._connector = database.connector
        self._options = INDEX_ONLY_PLAN if by_key else None
        self._execute = execute
        self._seconds = seconds
        self._waiting: deque[tuple[Sequence[Key], asyncio.Future[Answer]]] = deque()
        self._connection: Connection | None = None
        self._running: asyncio.Task[None] | None = None

    async def run(self, keys: Sequence[Key]) -> Answer:
        """Return the answer of a statement that covers these keys.

        Raises
        ------
        Unavailable: the database cannot be reached, or does not take it
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_waiting())
        return await answer

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _run_waiting(self) -> None:
        while self._waiting:
            keys, askers = self._next_keys()
            try:
                found = await self._in_time(keys)
            except (psycopg.Error, TimeoutError) as error:
                await self.close()
                _fail(askers, error)
            else:
                for answer in askers:
                    if not answer.done():
                        answer.set_result(found)

    async def _in_time(self, keys: Sequence[Key]) -> Answer:
        """Return the statement's answer, or give it up: left to PostgreSQL, never cancelled.

        A commit that is cancelled while it waits for its standby counts as done, on the primary alone: the next
        to look would take for stored what a failover loses.
        """
        statement = asyncio.create_task(self._on_connection(keys))
        await asyncio.wait({statement}, timeout=self._seconds or TIMEOUT_SECONDS)
        if not statement.done():
            connection, self._connection = self._connection, None
            if connection is None:
                statement.cancel()  # nothing was sent: it still connects
            else:
                shut_down_socket(connection)
            await asyncio.gather(statement, return_exceptions=True)
            raise TimeoutError
        return statement.result()

    def _next_keys(self) -> tuple[Sequence[Key], list[asyncio.Future[Answer]]]:
        keys, answer = self._waiting.popleft()
        askers = [answer]
        if self._waiting and len(keys) < MAX_KEYS:
            keys = list(keys)
            while self._waiting and len(keys) + len(self._waiting[0][0]) <= MAX_KEYS:
                more, answer = self._waiting.popleft()
                keys.extend(more)
                askers.append(answer)
        return keys, askers

    async def _on_connection(self, keys: Sequence[Key]) -> Answer:
        connection = self._connection
        if connection is not None:
            try:
                return await self._within_limits(connection, keys)
            except psycopg.OperationalError:
                if not connection.closed or self._connection is not connection:
                    raise
                await self.close()  # it was cut since its last use: a new one may do
        self._connection = await self._connector.open_async(self._options)
        return await self._within_limits(self._connection, keys)

    async def _within_limits(self, connection: Connection, keys: Sequence[Key]) -> Answer:
        async with self._connector.with_timeouts(connection):
            return await self._execute(connection, keys)


async def read_versions(connection: Connection, experiment_ids: Sequence[str]) -> dict[str, int]:
    """Return the versions of the experiments that exist: what is cached is current while they are the same."""
    cursor = await connection.execute(VERSIONS_SQL, (list(dict.fromkeys(experiment_ids)),))
    return dict(await cursor.fetchall())


def _fail(askers: Sequence[asyncio.Future[Any]], error: Exception) -> None:
    cause = domain_error(error) if isinstance(error, psycopg.Error) else None
    for answer in askers:
        if not answer.done():
            answer.set_exception(cause or Unavailable("the database does not answer; try again shortly"))
            answer.exception()  # an asker may have gone; its error is then nobody's
