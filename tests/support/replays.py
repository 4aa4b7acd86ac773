"""The same requests one after the other and at once, to two sets of experiments that differ in their prefix."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from app.errors import GroundhogError

Request = TypeVar("Request")
ALONE, AT_ONCE = "alone-", "shared-"
"""The prefixes of the experiments."""


def plain(prefix: str, text: object) -> str:
    """Return what is written of an experiment without its prefix."""
    return str(text).replace(prefix, "")


def answered(prefix: str, work: Callable[[], Any]) -> str:
    """Return an answer or an error in words."""
    try:
        return plain(prefix, work())
    except GroundhogError as error:
        return plain(prefix, f"{type(error).__name__}: {error.detail} {error.errors}")


def all_at_once(requests: Sequence[Request], send: Callable[[Request], Awaitable[Any]]) -> list[str]:
    """Send requests of one moment, in their order, and return each answer or error in words."""

    async def gathered() -> list[Any]:
        return await asyncio.gather(*map(send, requests), return_exceptions=True)

    def again(outcome: Any) -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return [answered(AT_ONCE, lambda outcome=outcome: again(outcome)) for outcome in asyncio.run(gathered())]


def state_of(database_url: str, tables: Mapping[str, str], prefix: str) -> dict[str, list[str]]:
    """Return columns of the rows of some experiments, by table, sorted."""
    with psycopg.connect(database_url) as connection:
        queries = {
            table: sql.SQL("select {} from {} where experiment_id like {}").format(
                sql.SQL(columns), sql.Identifier(table), sql.Literal(f"{prefix}%")
            )
            for table, columns in tables.items()
        }
        return {
            table: sorted(plain(prefix, row) for row in connection.execute(query).fetchall())
            for table, query in queries.items()
        }
