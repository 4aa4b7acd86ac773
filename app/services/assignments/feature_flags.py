"""Experiments as feature flags: which are offered to OpenFeature clients."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.services.access import principal
from app.services.single_flight import SingleFlight
from app.settings import ServiceSettings
from app.storage import tables
from app.storage.batched_statement import BatchedStatement, Connection
from app.storage.database import Database

CHANGES = """
    select count(*), sum(hashtextextended(experiment_id, settings_version))
    from experiments join experiment_versions using (experiment_id)
    where coalesce(flag, source = 'tracked')
"""
"""A digest of which experiments are flags and of their settings: two equal answers mean that nothing changed."""


class FlagDirectory:
    """The ids of the flags that are not archived, read again whenever one was added, removed or changed."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._most = settings.ofrep_flags
        self._changes = BatchedStatement(database, _changes, by_key=False)
        self._last: tuple[Hashable, Sequence[str]] = (None, ())
        self._reading: SingleFlight[Sequence[str]] = SingleFlight()

    async def close(self) -> None:
        """Close the connection."""
        await self._changes.close()

    async def read(self) -> Sequence[str]:
        """Return the first flags that the principal may access, by id, as many as a bulk response holds.

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        changes = await self._changes.run(())
        read_at, ids = self._last
        if changes != read_at:
            ids = await self._reading.run(changes, lambda: self._read_at(changes))
        who = principal.current_principal.get()
        if who.experiment_prefix is None:
            return ids[: self._most]
        return [experiment_id for experiment_id in ids if who.can_access(experiment_id)][: self._most]

    async def _read_at(self, changes: Hashable) -> Sequence[str]:
        ids = await asyncio.to_thread(self._load)
        self._last = changes, ids
        return ids

    def _load(self) -> Sequence[str]:
        with self._database.transaction() as session:
            return _not_archived(session)


def find_flags(session: Session, experiment_ids: Iterable[str]) -> set[str]:
    """Return which of some experiments are offered as flags, archived ones included."""
    experiment = tables.Experiment
    found = session.scalars(
        select(experiment.experiment_id).where(
            experiment.experiment_id.in_(list(experiment_ids)), _is_flag(experiment)
        )
    )
    return set(found)


def _is_flag(experiment: type[tables.Experiment]) -> ColumnElement[bool]:
    return func.coalesce(experiment.flag, experiment.source == "tracked")


async def _changes(connection: Connection, _: Sequence[object]) -> Hashable:
    cursor = await connection.execute(CHANGES)
    return await cursor.fetchone()


def _not_archived(session: Session) -> Sequence[str]:
    """Return the ids of all flags whose latest state is another than archived, in their order."""
    period, experiment = tables.ExperimentSettingsRow, tables.Experiment
    latest = (
        select(period.experiment_id, period.state)
        .join(experiment)
        .where(_is_flag(experiment))
        .ext(distinct_on(period.experiment_id))
        .order_by(period.experiment_id, period.active_from.desc())
        .subquery()
    )
    return session.scalars(
        select(latest.c.experiment_id)
        .where(latest.c.state != "archived")
        .order_by(latest.c.experiment_id.collate("C"))
    ).all()
