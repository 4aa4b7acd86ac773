"""Statements that do not need each other's rows, sent at once: most of their cost is the way there and back."""

from collections.abc import Mapping
from typing import Any

import psycopg
from sqlalchemy.orm import Session

DEFERRED = "deferred"

Statement = tuple[str, Mapping[str, Any]]
"""A statement as psycopg takes it, and its values."""


def run_pipelined(session: Session, *statements: Statement) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each statement, none where it returns no rows, after one round trip for all.

    They are carried out in their order, and each sees what was committed before it began: one after a lock sees
    what was committed while the lock was waited for.
    """
    if not statements:
        return []
    driver = driver_of(session)
    with driver.pipeline():
        cursors = [driver.execute(*statement) for statement in statements]
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def run_at_commit(session: Session, *statements: Statement) -> None:
    """Let statements whose rows nobody reads be sent with the commit, in one round trip; they must be the last."""
    session.info.setdefault(DEFERRED, []).extend(statements)


def send_deferred(session: Session) -> None:
    """Send the statements that waited for the commit, and commit."""
    statements = session.info.pop(DEFERRED, ())
    if not statements:
        return
    session.flush()
    driver = driver_of(session)
    with driver.pipeline():
        for statement in statements:
            driver.execute(*statement)
        driver.commit()


def driver_of(session: Session) -> psycopg.Connection[Any]:
    """Return the driver's connection, in the transaction of a session."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
