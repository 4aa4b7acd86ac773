"""The hot path of assignments: who asks at the same time shares one read, one write and one commit.

Every request reads its units' rows and its experiments' versions anew; only what those versions prove current
(context and splits) is cached.
"""

import asyncio
import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from cachetools import LRUCache
from sqlalchemy.orm import Session

from app.errors import Conflict, GroundhogError, InternalError, NotFound, Unavailable
from app.services.access import principal
from app.services.assignments import bucketing, splits
from app.services.assignments.assignment_context import AssignmentContext, read_context
from app.services.assignments.bucketing import AssignmentResult
from app.services.assignments.splits import FrozenSplit
from app.services.single_flight import SingleFlight
from app.settings import ServiceSettings
from app.storage.assignments import AssignmentRow, LookupResult, UnitKey, look_up, store
from app.storage.batched_statement import BatchedStatement
from app.storage.database import Database

CACHE_SIZE = 10_000
"""Experiments whose contexts and splits are cached."""

MAX_ATTEMPTS = 5
"""A second try is rare (another request stored the unit in between), a third needs bad luck."""

logger = logging.getLogger("groundhog.assigner")

Loaded = TypeVar("Loaded")
AssignmentOutcome = AssignmentResult | GroundhogError
AssignmentOutcomes = dict[UnitKey, AssignmentOutcome]


class Assigner:
    """Assigns the units of any experiments for one process; between processes PostgreSQL decides."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._salt = settings.assignment_salt
        self._find = BatchedStatement(database, look_up)
        self._store = BatchedStatement(database, store)
        self._contexts: LRUCache[str, AssignmentContext] = LRUCache(CACHE_SIZE)
        self._splits: LRUCache[str, FrozenSplit] = LRUCache(CACHE_SIZE)
        self._reading: SingleFlight[AssignmentContext] = SingleFlight()
        self._renewing: SingleFlight[FrozenSplit] = SingleFlight()

    async def close(self) -> None:
        """Close the connections."""
        await self._find.close()
        await self._store.close()

    async def assign(
        self, pairs: Sequence[UnitKey], now: dt.datetime, flags_only: bool = False
    ) -> list[AssignmentOutcome]:
        """Return what each unit is served, or why it is served nothing; who has no assignment gets one.

        Safe to repeat: a unit's first assignment stays. Safe to race: PostgreSQL lets one of several first
        assignments win, and the others read it. What is answered as stored was committed before. What is wrong
        with one experiment concerns its units alone.

        Parameters
        ----------
        flags_only : an experiment that is not offered as a feature flag is not found, and assigns no unit

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        outcomes: AssignmentOutcomes = {
            pair: error for pair in pairs if (error := principal.access_error(pair[0])) is not None
        }
        waiting: Sequence[UnitKey] = [pair for pair in dict.fromkeys(pairs) if pair not in outcomes]
        for _ in range(MAX_ATTEMPTS):
            if not waiting:
                return [outcomes[pair] for pair in pairs]
            found = await self._find.run(waiting)
            if flags_only:
                outcomes |= {pair: _no_flag(pair[0], found) for pair in waiting if pair[0] not in found.flags}
                waiting = [pair for pair in waiting if pair not in outcomes]
            contexts = await self._contexts_of(waiting, found, now, outcomes)
            waiting = [pair for pair in waiting if pair not in outcomes]
            fresh: list[AssignmentRow] = []
            for experiment_id, unit_ids in _serve_known(waiting, found, contexts, outcomes).items():
                newest = found.versions[experiment_id][1]
                fresh += await self._draw(contexts[experiment_id], unit_ids, newest, now, outcomes)
            waiting = await self._store_new(fresh, contexts, outcomes) if fresh else []
        raise Unavailable("these units are being changed by others; try again shortly")

    async def _contexts_of(
        self, pairs: Sequence[UnitKey], found: LookupResult, now: dt.datetime, outcomes: AssignmentOutcomes
    ) -> dict[str, AssignmentContext]:
        """Return the context of each experiment; note as outcomes which have none, and why."""
        contexts: dict[str, AssignmentContext] = {}
        for experiment_id, unit_ids in _by_experiment(pairs).items():
            versions = found.versions.get(experiment_id)
            held: AssignmentContext | GroundhogError | None
            if versions is None:
                held = NotFound(f"there is no experiment {experiment_id!r}")
            else:
                held = self._cached_context(experiment_id, versions[0], now)
                if held is None:
                    held = await _or_error(self._current_context(experiment_id, versions[0], now))
            if isinstance(held, GroundhogError):
                outcomes |= {(experiment_id, unit_id): held for unit_id in unit_ids}
            else:
                contexts[experiment_id] = held
        return contexts

    async def _draw(
        self,
        context: AssignmentContext,
        unit_ids: Sequence[str],
        newest: int | None,
        now: dt.datetime,
        outcomes: AssignmentOutcomes,
    ) -> list[AssignmentRow]:
        """Draw units that have no assignment and return the rows that must be stored before they are served."""
        rows = await _or_error(self._drawn(context, unit_ids, newest, now))
        if isinstance(rows, GroundhogError):
            outcomes |= {(context.experiment_id, unit_id): rows for unit_id in unit_ids}
            return []
        if context.settings.assignment_mode == "sticky":
            return rows
        outcomes |= {row.pair: bucketing.unstored_result(context, row) for row in rows}
        return []

    async def _drawn(
        self, context: AssignmentContext, unit_ids: Sequence[str], newest: int | None, now: dt.datetime
    ) -> list[AssignmentRow]:
        split = await self._current_split(context, newest, now)
        return [bucketing.bucket(context, split, unit_id, self._salt, now) for unit_id in unit_ids]

    async def _store_new(
        self,
        fresh: Sequence[AssignmentRow],
        contexts: Mapping[str, AssignmentContext],
        outcomes: AssignmentOutcomes,
    ) -> list[UnitKey]:
        """Store rows and return the units that must be looked at again: another request was first."""
        try:
            stored = await self._store.run(fresh)
        except (
            Conflict
        ):  # a variant was deleted meanwhile, of these rows or of those that shared the statement
            return [row.pair for row in fresh]
        except Unavailable as error:
            outcomes |= {row.pair: error for row in fresh}
            return []
        again = []
        for row in fresh:
            if row.pair in stored:
                stored.remove(row.pair)  # of several requests that shared the statement, one stored the unit
                outcomes[row.pair] = bucketing.to_result(
                    contexts[row.experiment_id], row.unit_id, row, new=True
                )
            else:
                again.append(row.pair)
        return again

    def _cached_context(
        self, experiment_id: str, settings_version: int, now: dt.datetime
    ) -> AssignmentContext | None:
        context = self._contexts.get(experiment_id)
        return context if context is not None and context.is_current(settings_version, now) else None

    async def _current_context(
        self, experiment_id: str, settings_version: int, now: dt.datetime
    ) -> AssignmentContext:
        context = self._cached_context(experiment_id, settings_version, now)
        if context is not None:
            return context
        minute = now.replace(second=0, microsecond=0)  # days begin with one, in every zone
        return await self._reading.run(
            (experiment_id, settings_version, minute), lambda: self._read_context(experiment_id, now)
        )

    async def _read_context(self, experiment_id: str, now: dt.datetime) -> AssignmentContext:
        context = await self._load(lambda session: read_context(session, experiment_id, now))
        self._contexts[experiment_id] = context
        return context

    async def _current_split(
        self, context: AssignmentContext, newest: int | None, now: dt.datetime
    ) -> FrozenSplit:
        split = self._splits.get(context.experiment_id)
        if split is not None and split.number >= (newest or 0) and split.is_current(context, now):
            return split
        return await self._renewing.run(
            (context.experiment_id, context.settings_version, context.date, newest),
            lambda: self._renew_split(context, now),
        )

    async def _renew_split(self, context: AssignmentContext, now: dt.datetime) -> FrozenSplit:
        split = await self._load(lambda session: splits.get_or_renew(session, context, now))
        self._splits[context.experiment_id] = split
        return split

    async def _load(self, read: Callable[[Session], Loaded]) -> Loaded:
        def in_transaction() -> Loaded:
            with self._database.transaction() as session:
                return read(session)

        return await asyncio.to_thread(in_transaction)


def _no_flag(experiment_id: str, found: LookupResult) -> NotFound:
    """Return the same for an unknown experiment and one that is no flag, to a key that must not learn which."""
    if experiment_id in found.versions and not principal.current_principal.get().evaluates_only:
        return NotFound(
            f"experiment {experiment_id!r} is not offered as a flag: PATCH /experiments/{experiment_id}"
            ' with {"flag": true}'
        )
    return NotFound(f"there is no flag {experiment_id!r}")


async def _or_error(work: Awaitable[Loaded]) -> Loaded | GroundhogError:
    """Return what came of the work for one experiment, or its error: others' units must not share it."""
    try:
        return await work
    except GroundhogError as error:
        return error
    except Exception:
        logger.exception("the units of an experiment cannot be assigned")
        return InternalError()


def _by_experiment(pairs: Sequence[UnitKey]) -> dict[str, list[str]]:
    unit_ids: dict[str, list[str]] = defaultdict(list)
    for experiment_id, unit_id in pairs:
        unit_ids[experiment_id].append(unit_id)
    return unit_ids


def _serve_known(
    waiting: Sequence[UnitKey],
    found: LookupResult,
    contexts: Mapping[str, AssignmentContext],
    outcomes: AssignmentOutcomes,
) -> dict[str, list[str]]:
    """Note what is known of the units without a draw, and return the others' ids by experiment."""
    unknown: dict[str, list[str]] = defaultdict(list)
    for pair in waiting:
        experiment_id, unit_id = pair
        held, row = contexts[experiment_id], found.rows.get(pair)
        if row is None and held.state == "running":
            unknown[experiment_id].append(unit_id)
        else:
            outcomes[pair] = _served(held, unit_id, row)
    return unknown


def _served(context: AssignmentContext, unit_id: str, row: AssignmentRow | None) -> AssignmentOutcome:
    try:
        return (
            bucketing.result_while_halted(context, unit_id)
            if row is None
            else bucketing.to_result(context, unit_id, row)
        )
    except Conflict as error:  # no variant is active today
        return error
