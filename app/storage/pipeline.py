"""Statements that do not need each other's rows, sent at once: most of their cost is the way there and back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

Statement = tuple[str, Mapping[str, Any]]
"""A statement as psycopg takes it, and its values."""


def run_pipelined(session: Session, *statements: Statement) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each statement, none where it returns no rows, after one round trip for all.

    They are carried out in their order, and each sees what was committed before it began: one after a lock sees
    what was committed while the lock was waited for.
    """
    if not statements:
        return []
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with driver.pipeline():
        cursors = [driver.execute(*statement) for statement in statements]
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
