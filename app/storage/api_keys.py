"""Read the API keys and write when they were used, on connections of their own: a request's pool may be full."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from app.storage.database import Database

READ = """
    select key_id, name, scopes, experiment_prefix, requests_per_minute, secret_sha256, expires_at, revoked_at,
        origins
    from api_keys
"""
UPDATE_LAST_USED = """
    update api_keys set last_used_at = greatest(last_used_at, used.at)
    from unnest(%s::text[], %s::timestamptz[]) as used (key_id, at) where api_keys.key_id = used.key_id
"""
TIMEOUT_SECONDS = 5


class ApiKeyRecord(NamedTuple):
    """A key as it is stored."""

    key_id: str
    name: str
    scopes: list[str]
    experiment_prefix: str | None
    requests_per_minute: int | None
    secret_sha256: bytes
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    origins: list[str] | None = None


async def read(database: Database) -> list[ApiKeyRecord]:
    """Return every key, revoked ones too."""
    async with asyncio.timeout(TIMEOUT_SECONDS), _connection(database) as connection:
        cursor = connection.cursor(row_factory=class_row(ApiKeyRecord))
        return await (await cursor.execute(READ)).fetchall()


async def update_last_used(database: Database, uses: Mapping[str, dt.datetime]) -> None:
    """Write down when keys were last used."""
    async with asyncio.timeout(TIMEOUT_SECONDS), _connection(database) as connection:
        await connection.execute(UPDATE_LAST_USED, (list(uses), list(uses.values())))


@asynccontextmanager
async def _connection(database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Yield a connection on which the limits hold, and commit and close it at the end."""
    connector = database.connector
    async with await connector.open_async() as connection, connector.with_timeouts(connection):
        yield connection
