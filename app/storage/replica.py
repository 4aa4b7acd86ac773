"""A read replica: a standby that streams from the database, asked only while it answers.

It is never waited for long. One that is away is asked again every few seconds, by one request; meanwhile nobody
notices but the log and the metrics. What it has may be old: who reads from it says what is enough
(`app.services.allocations.replica_reader`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from sqlalchemy import create_engine, exc, make_url
from sqlalchemy.orm import Session, sessionmaker

from app.errors import Unavailable
from app.observability import metrics
from app.settings import ServiceSettings
from app.storage.connector import Connector, shut_down_socket
from app.storage.database import translated_errors

RETRY_SECONDS = 5
"""Between two tries of a replica that is away."""
MAX_READ_SECONDS = 5
"""Of one reading: a server that hangs keeps no request longer from the primary."""
IDENTITY = "select pg_is_in_recovery(), system_identifier from pg_control_system()"
OF_ONE_STATEMENT = (pg.QueryCanceled, pg.SerializationFailure, pg.DeadlockDetected)
"""What a standby rejects a statement with (it has to continue replaying) while it answers others."""

logger = logging.getLogger("groundhog.replica")


class Replica:
    """Connections to the server at ``READ_DATABASE_URL``.

    Parameters
    ----------
    primary : returns the primary's system identifier; a replica has the same
    """

    def __init__(self, settings: ServiceSettings, primary: Callable[[], int]) -> None:
        assert settings.read_database_url is not None, "there is none without an address"
        self._connector = Connector(settings.read_database_url, settings)
        self._primary = primary
        url = make_url(settings.read_database_url)
        self._host = str(url.host or url.query.get("host") or "")
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._open,
            isolation_level="REPEATABLE READ",  # all of a reading sees one moment
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=1,
        )
        self._session = sessionmaker(self.engine, expire_on_commit=False)
        self._lock = threading.Lock()
        self._again_at = 0.0
        self.state = "not asked yet"

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that sees the replica as it is now, throughout.

        Raises
        ------
        Unavailable: it is away, hangs, or is no replica of the primary
        """
        self._wait_for_turn()
        lost: Unavailable | None = None
        try:
            with translated_errors(), self._session() as session, session.begin(), _cut_in_time(session):
                self._connector.set_timeouts(session)
                yield session
        except Unavailable as error:
            lost = error if _is_lost(error) else None
            raise
        finally:
            self._note(lost)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def _wait_for_turn(self) -> None:
        if self.state != "away":
            return
        with self._lock:
            if time.monotonic() < self._again_at:
                raise Unavailable("the read replica is away")
            self._again_at = (
                time.monotonic() + RETRY_SECONDS
            )  # this request tries; the others do not wait for it

    def _note(self, lost: Unavailable | None) -> None:
        metrics.REPLICA_UP.labels(self._host).set(lost is None)
        with self._lock:
            self._again_at = time.monotonic() + RETRY_SECONDS
            before, self.state = self.state, "answers" if lost is None else "away"
        if lost is not None and before != "away":
            reason = str(lost.__cause__).strip().split("\n", 1)[0]
            logger.warning("the read replica is away and the primary answers for it: %s", reason)
        if lost is None and before == "away":
            logger.warning("the read replica answers again")

    def _open(self) -> "psycopg.Connection[object]":
        connection = self._connector.open()
        found = connection.execute(IDENTITY).fetchone()
        connection.rollback()
        if found != (True, self._primary()):
            connection.close()
            raise psycopg.OperationalError("READ_DATABASE_URL is no replica of DATABASE_URL")
        return connection


@contextmanager
def _cut_in_time(session: Session) -> Iterator[None]:
    """Cut the connection of a reading that takes too long: no limit of a server holds while it hangs."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    timer = threading.Timer(MAX_READ_SECONDS, shut_down_socket, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_lost(error: Unavailable) -> bool:
    """Distinguish a server that is away from a statement that was rejected, and from a pool that is empty."""
    cause = error.__cause__.orig if isinstance(error.__cause__, exc.DBAPIError) else error.__cause__
    return isinstance(cause, psycopg.OperationalError) and not isinstance(cause, OF_ONE_STATEMENT)
