"""Transactions of sessions, committed here alone, and the translation of PostgreSQL's errors into the domain's.

Two things are committed elsewhere, each statement by itself on a connection without a session: the batched
statements (`app.storage.batched_statement`) and the API keys' last use (`app.storage.api_keys`). Migrations are
Alembic's (`app.storage.migrate`).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import errors as pg
from sqlalchemy import create_engine, exc, text
from sqlalchemy.orm import Session, sessionmaker

from app.errors import Conflict, GroundhogError, Unavailable
from app.settings import ServiceSettings
from app.storage.connector import Connector, shut_down_socket
from app.storage.pipeline import send_deferred
from app.storage.tables import CONSTRAINT_MESSAGES

RETRYABLE_ERRORS = (
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.AdminShutdown,
    pg.CannotConnectNow,
    pg.TooManyConnections,
    pg.DiskFull,
    pg.IdleInTransactionSessionTimeout,
)
CONTENTION_ERRORS = (pg.LockNotAvailable, pg.QueryCanceled, pg.DeadlockDetected, pg.SerializationFailure)
POOLER_REJECTED_OPTIONS = "unsupported startup parameter"
"""What pgbouncer says to a client that wants to keep something in its session."""


class Database:
    """Connections to one PostgreSQL, made when first needed and again after it was away.

    Parameters
    ----------
    before_commit : what every transaction does last: the audit's entry belongs to the change itself
    """

    def __init__(
        self, settings: ServiceSettings, before_commit: Callable[[Session], None] | None = None
    ) -> None:
        assert settings.database_url is not None, "the launcher settles the address first"
        self.connector = Connector(settings.database_url, settings)
        self._opened: WeakSet[psycopg.Connection[Any]] = WeakSet()
        self._opening = Lock()
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._open,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout_seconds,
            pool_pre_ping=True,
            json_serializer=json.dumps,
        )
        self.pool_timeout_seconds = settings.pool_timeout_seconds
        self._before_commit = before_commit
        self._session = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session whose work is committed when the block ends, or rolled back when it raises.

        Raises
        ------
        Conflict: a rule of ``tables.CONSTRAINT_MESSAGES`` was broken
        Unavailable: the database is away, out of connections, or gave up waiting
        """
        with self._begun() as session:
            yield session
            if self._before_commit is not None:
                self._before_commit(session)
            send_deferred(session)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that sees the database as it is at its first statement, throughout; for reading.

        Raises
        ------
        Unavailable: as of ``transaction``
        """
        with self._begun(isolation_level="REPEATABLE READ") as session:
            yield session

    @contextmanager
    def _begun(self, **options: str) -> Iterator[Session]:
        with translated_errors(), self._session() as session, session.begin():
            if options:  # first of all: a transaction's first statement settles its level
                session.connection(execution_options=options)
            self.connector.set_timeouts(session)
            yield session

    def close(self) -> None:
        """Close every pooled connection, and cut those in use: nobody waits for their answers.

        A thread that still waits for a server that stands still would keep the process from ending.
        """
        self.engine.dispose()
        with self._opening:
            for connection in self._opened:
                shut_down_socket(connection)

    def _open(self) -> psycopg.Connection[Any]:
        connection = self.connector.open()
        with self._opening:
            self._opened.add(connection)
        return connection


def lift_statement_timeout(session: Session) -> None:
    """Let the transaction's statements take as long as their rows need; ``lock_timeout`` still holds."""
    session.execute(text("set local statement_timeout = 0"))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the driver raises inside the block into the domain's errors."""
    try:
        yield
    except GroundhogError:
        raise
    except exc.TimeoutError as error:
        raise Unavailable("every database connection is in use; try again shortly") from error
    except exc.DBAPIError as error:
        raise domain_error(error.orig) from error
    except psycopg.Error as error:
        raise domain_error(error) from error


def is_outage(error: BaseException) -> bool:
    """Tell whether an error means that the database is not available; a statement that it rejects is a bug."""
    return isinstance(error, OSError | TimeoutError) or isinstance(domain_error(error), Unavailable)


def is_contention(error: BaseException) -> bool:
    """Tell whether a domain error means that other transactions were in the way: the database is not away."""
    cause = error.__cause__
    return isinstance(cause.orig if isinstance(cause, exc.DBAPIError) else cause, CONTENTION_ERRORS)


def domain_error(error: BaseException | None) -> BaseException:
    """Return the domain error that a driver error stands for, or the error itself where it is a bug here."""
    if isinstance(error, pg.IntegrityError):
        rule = CONSTRAINT_MESSAGES.get(error.diag.constraint_name or "")
        return Conflict(rule) if rule else error
    if isinstance(error, pg.ReadOnlySqlTransaction):
        return Unavailable(
            "the database takes no writes here (a replica, or a failover); write to the primary", 5
        )
    if isinstance(error, RETRYABLE_ERRORS):
        return Unavailable("the database did not finish in time; nothing was stored, try again shortly")
    if isinstance(error, psycopg.OperationalError):
        if POOLER_REJECTED_OPTIONS in str(error):
            return Unavailable(
                "DATABASE_URL is a pooler (pgbouncer): set GROUNDHOG_PREPARE_THRESHOLD=none", 60
            )
        return Unavailable("the database cannot be reached; nothing was stored, try again shortly")
    return error if error is not None else Unavailable("the database cannot be reached")
