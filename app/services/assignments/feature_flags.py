"""Experiments seen as feature flags: which there are."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.services.access import principal
from app.settings import ServiceSettings
from app.storage import tables
from app.storage.batched_statement import BatchedStatement, Connection
from app.storage.database import Database

CHANGES = "select count(*), sum(settings_version) from experiment_versions"
"""Experiments are never deleted and versions only grow: two equal answers mean that nothing changed between."""


class FlagDirectory:
    """The ids of the experiments that are not archived, read again whenever any of them has changed."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._most = settings.ofrep_flags
        self._changes = BatchedStatement(database, _changes, by_key=False)
        self._read_at: object = None
        self._ids: Sequence[str] = ()
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Close the connection."""
        await self._changes.close()

    async def read(self) -> Sequence[str]:
        """Return the first experiments that the caller may touch, by id, as many as a bulk answer holds.

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        changes = await self._changes.run(())
        if changes != self._read_at:
            async with self._reading:
                if changes != self._read_at:
                    self._ids = await asyncio.to_thread(self._load)
                    self._read_at = changes
        caller = principal.current_principal.get()
        if caller.experiment_prefix is None:
            return self._ids[: self._most]
        return [experiment_id for experiment_id in self._ids if caller.can_access(experiment_id)][
            : self._most
        ]

    def _load(self) -> Sequence[str]:
        with self._database.transaction() as session:
            return _not_archived(session)


async def _changes(connection: Connection, _: Sequence[object]) -> object:
    cursor = await connection.execute(CHANGES)
    return await cursor.fetchone()


def _not_archived(session: Session) -> Sequence[str]:
    """Return the ids of all experiments whose latest state is another than archived, in their order."""
    phase = tables.ExperimentSettingsRow
    latest = (
        select(phase.experiment_id, phase.state)
        .ext(distinct_on(phase.experiment_id))
        .order_by(phase.experiment_id, phase.active_from.desc())
        .subquery()
    )
    return session.scalars(
        select(latest.c.experiment_id)
        .where(latest.c.state != "archived")
        .order_by(latest.c.experiment_id.collate("C"))
    ).all()
