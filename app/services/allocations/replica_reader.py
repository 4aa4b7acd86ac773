"""One experiment as it is now, read from the replica where it provably has all of it, else from the primary.

Every writer of an experiment increments its version under the experiment's lock, and revisions are recorded under
the same lock. So a replica that has the primary's version has all of the experiment's totals, settings and
variants, and every revision recorded at an earlier version. It may lack revisions recorded at this very version:
since they are only ever added, comparing their number shows whether it does.
"""

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound, Unavailable
from app.observability import metrics
from app.services.allocations import allocate
from app.services.allocations.allocate import ServedAllocation
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.replica import Replica

Result = TypeVar("Result")

POSITION_SQL = text("""
    select version, (select count(*) from allocations where experiment_id = :experiment_id) as revisions
    from experiment_versions where experiment_id = :experiment_id
""")
IDENTIFIER_SQL = text("select system_identifier from pg_control_system()")


class ReplicaPosition(NamedTuple):
    """How far a server has an experiment: its version, and how many revisions are recorded."""

    version: int
    revisions: int


class UsePrimary(Exception):
    """Raised while reading the replica: the primary has to answer."""


class ReplicaReader:
    """Reads single experiments for one process; without ``READ_DATABASE_URL`` from the primary only."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._record = not settings.read_only
        self._identifier: int | None = None
        self._identifying = threading.Lock()
        self.replica = (
            None if settings.read_database_url is None else Replica(settings, self._primary_identifier)
        )

    def close(self) -> None:
        """Close the replica's connections."""
        if self.replica is not None:
            self.replica.close()

    def read(self, experiment_id: str, work: Callable[[Session], Result]) -> Result:
        """Return what the work reads of an experiment: totals, settings, variants, revisions.

        Not for what units did: assignments and events do not increment the version.

        Raises
        ------
        Unavailable: the primary cannot be reached
        """
        if self.replica is not None:
            with suppress(UsePrimary):
                primary = self._position(experiment_id)
                return self._from_replica(
                    lambda session: work(_require_caught_up(session, experiment_id, primary))
                )
        with self._database.transaction() as session:
            return work(session)

    def allocate(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime, version: int
    ) -> ServedAllocation:
        """Return the allocation of a date, as `allocate.allocate` does; the primary records what is new.

        Parameters
        ----------
        version : the experiment's version on the primary, read after the request arrived
        """
        with suppress(UsePrimary):
            return self._from_replica(
                lambda session: self._from_caught_up_replica(session, experiment_id, for_date, now, version)
            )
        with self._database.transaction() as session:
            return allocate.allocate(session, experiment_id, for_date, now, self._record)

    def allocate_stale(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime
    ) -> ServedAllocation | None:
        """Return the replica's allocation while the primary cannot be reached; its age is unknown.

        None where there is no replica, it cannot be reached either, or only the primary could compute it.
        """
        try:
            return self._from_replica(
                lambda session: allocate.allocate(session, experiment_id, for_date, now, record=False)
            )
        except (UsePrimary, NotFound, Conflict):
            return None

    def _from_replica(self, work: Callable[[Session], Result]) -> Result:
        if self.replica is None:
            raise UsePrimary
        try:
            with self.replica.snapshot() as session:
                result = work(session)
        except UsePrimary:
            metrics.REPLICA_READS.labels("primary").inc()
            raise
        except Unavailable as error:
            metrics.REPLICA_READS.labels("away").inc()
            raise UsePrimary from error
        metrics.REPLICA_READS.labels("replica").inc()
        return result

    def _from_caught_up_replica(
        self, session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime, version: int
    ) -> ServedAllocation:
        """Return an allocation from the replica that is byte for byte the primary's."""
        _require_caught_up(session, experiment_id, ReplicaPosition(version, 0))
        state = allocate.read_state(session, experiment_id, for_date, now)
        if state.up_to_date_record is not None:
            return state.to_allocation(state.up_to_date_record.body)
        # assignments and events do not increment the version
        counts_units = state.last is None and state.history.source == "tracked"
        if state.date >= state.today or counts_units:
            raise UsePrimary
        try:
            primary = self._position(experiment_id)
        except Unavailable as error:  # the primary's failure must not count as one of the replica
            raise UsePrimary from error
        _require_caught_up(session, experiment_id, primary)
        return allocate.allocate(session, experiment_id, state.date, now, record=False)

    def _position(self, experiment_id: str) -> ReplicaPosition:
        with self._database.transaction() as session:
            head = read_position(session, experiment_id)
        if head is None:  # deleted, perhaps: a replica may lag behind
            raise UsePrimary
        return head

    def _primary_identifier(self) -> int:
        with self._identifying:
            if self._identifier is None:
                with self._database.transaction() as session:
                    self._identifier = session.execute(IDENTIFIER_SQL).scalar_one()
            return self._identifier


def read_position(session: Session, experiment_id: str) -> ReplicaPosition | None:
    """Return how far a server has an experiment; None where it has no such experiment."""
    row = session.execute(POSITION_SQL, {"experiment_id": experiment_id}).one_or_none()
    return None if row is None else ReplicaPosition(row.version, row.revisions)


def _require_caught_up(session: Session, experiment_id: str, primary: ReplicaPosition) -> Session:
    """Return the session of a replica that has at least as much of an experiment as the primary had."""
    replica = read_position(session, experiment_id)
    if replica is None or replica.version < primary.version or replica.revisions < primary.revisions:
        raise UsePrimary
    return session
