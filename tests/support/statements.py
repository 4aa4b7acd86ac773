"""Count the statements that the service sends to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg


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
