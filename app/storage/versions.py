"""Read experiments' versions as they are now, many concurrent readers with one statement.

A reader that arrives while a statement runs waits for the next one: what it gets was read after it came, so an
answer kept in memory is served only while it is as fresh as a read of its own.
"""

import asyncio

import psycopg

from app.errors import Unavailable
from app.storage.database import Database, domain_error

QUERY = "select experiment_id, version from experiment_versions where experiment_id = any(%s)"
TIMEOUT_SECONDS = 5


class VersionReader:
    """Shares one connection among all requests of an event loop, and reconnects by itself."""

    def __init__(self, database: Database) -> None:
        self._connector = database.connector
        self._waiting: dict[str, asyncio.Future[int | None]] = {}
        self._connection: psycopg.AsyncConnection[tuple[str, int]] | None = None
        self._reading: asyncio.Task[None] | None = None

    async def read(self, experiment_id: str) -> int | None:
        """Return the experiment's version, or None where there is no such experiment.

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        answer = self._waiting.get(experiment_id)
        if answer is None:
            answer = self._waiting[experiment_id] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_waiting())
        return await asyncio.shield(answer)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _read_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    versions = await self._query(list(batch))
            except (psycopg.Error, TimeoutError) as error:
                await self._drop_connection()
                _fail(batch, error)
            else:
                for experiment_id, answer in batch.items():
                    if not answer.done():
                        answer.set_result(versions.get(experiment_id))

    async def _query(self, experiment_ids: list[str]) -> dict[str, int]:
        if self._connection is not None:
            try:
                return await self._ask(self._connection, experiment_ids)
            except psycopg.OperationalError:  # it was cut since its last use: a new one may do
                await self._drop_connection()
        self._connection = await self._connector.open_async()
        return await self._ask(self._connection, experiment_ids)

    @staticmethod
    async def _ask(
        connection: psycopg.AsyncConnection[tuple[str, int]], experiment_ids: list[str]
    ) -> dict[str, int]:
        cursor = await connection.execute(QUERY, (experiment_ids,))
        return dict(await cursor.fetchall())

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _fail(batch: dict[str, asyncio.Future[int | None]], error: Exception) -> None:
    cause = domain_error(error) if isinstance(error, psycopg.Error) else None
    for answer in batch.values():
        if not answer.done():
            answer.set_exception(cause or Unavailable("the database does not answer; try again shortly"))
            answer.exception()  # a reader may have gone; its error is then nobody's
