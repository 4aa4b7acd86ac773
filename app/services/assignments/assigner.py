"""The hot path of assignments: who asks at the same time shares one read, one write and one commit.

Every request reads its units' rows and its experiments' versions anew; only what those versions prove current
(terms and splits) is kept in memory.
"""

import asyncio
import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache
from sqlalchemy.orm import Session

from app.errors import Conflict, Defect, GroundhogError, NotFound, Unavailable
from app.services.access import principal
from app.services.assignments import bucketing, splits
from app.services.assignments.assignment_context import Terms, read_terms
from app.services.assignments.bucketing import Assigned
from app.services.assignments.splits import Split
from app.settings import Settings
from app.storage.assignments import Found, Pair, Row, find, store
from app.storage.batched_statement import SharedStatement
from app.storage.database import Database

KEPT = 10_000
"""Experiments whose terms and splits stay in memory."""

TRIES = 5
"""A second try is rare (somebody else stored the unit in between), a third needs bad luck."""

logger = logging.getLogger("groundhog.assigner")

Loaded = TypeVar("Loaded")
Outcome = Assigned | GroundhogError
Outcomes = dict[Pair, Outcome]


class Assigner:
    """Assigns the units of any experiments for one process; between processes PostgreSQL decides."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._salt = settings.assignment_salt
        self._find = SharedStatement(database, find)
        self._store = SharedStatement(database, store)
        self._terms: LRUCache[str, Terms] = LRUCache(KEPT)
        self._splits: LRUCache[str, Split] = LRUCache(KEPT)
        self._loading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Close the connections."""
        await self._find.close()
        await self._store.close()

    async def assign(self, pairs: Sequence[Pair], now: dt.datetime) -> list[Outcome]:
        """Return what each unit is served, or why it is served nothing; who has no assignment gets one.

        Safe to repeat: a unit's first assignment stays. Safe to race: PostgreSQL lets one of several first
        assignments win, and the others read it. What is answered as stored was committed before. What is wrong
        with one experiment concerns its units alone.

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        outcomes: Outcomes = {
            pair: refused for pair in pairs if (refused := principal.refusal(pair[0])) is not None
        }
        waiting: Sequence[Pair] = [pair for pair in dict.fromkeys(pairs) if pair not in outcomes]
        for _ in range(TRIES):
            if not waiting:
                return [outcomes[pair] for pair in pairs]
            found = await self._find.ask(waiting)
            terms = await self._terms_of(waiting, found, now, outcomes)
            waiting = [pair for pair in waiting if pair not in outcomes]
            fresh: list[Row] = []
            for experiment_id, unit_ids in _serve_known(waiting, found, terms, outcomes).items():
                newest = found.versions[experiment_id][1]
                fresh += await self._draw(terms[experiment_id], unit_ids, newest, now, outcomes)
            waiting = await self._keep(fresh, terms, outcomes) if fresh else []
        raise Unavailable("these units are being changed by others; try again shortly")

    async def _terms_of(
        self, pairs: Sequence[Pair], found: Found, now: dt.datetime, outcomes: Outcomes
    ) -> dict[str, Terms]:
        """Return the terms by experiment, and note why there are none: what is not there, what cannot be read."""
        terms: dict[str, Terms] = {}
        for experiment_id, unit_ids in _by_experiment(pairs).items():
            versions = found.versions.get(experiment_id)
            held: Terms | GroundhogError = NotFound(f"there is no experiment {experiment_id!r}")
            if versions is not None:
                held = await _or_error(self._terms_now(experiment_id, versions[0], now))
            if isinstance(held, GroundhogError):
                outcomes |= {(experiment_id, unit_id): held for unit_id in unit_ids}
            else:
                terms[experiment_id] = held
        return terms

    async def _draw(
        self, terms: Terms, unit_ids: Sequence[str], newest: int | None, now: dt.datetime, outcomes: Outcomes
    ) -> list[Row]:
        """Draw units that have no assignment and return the rows that must be stored before they are served."""
        rows = await _or_error(self._drawn(terms, unit_ids, newest, now))
        if isinstance(rows, GroundhogError):
            outcomes |= {(terms.experiment_id, unit_id): rows for unit_id in unit_ids}
            return []
        if terms.settings.assignment_mode == "sticky":
            return rows
        outcomes |= {row.pair: bucketing.unstored(terms, row) for row in rows}
        return []

    async def _drawn(
        self, terms: Terms, unit_ids: Sequence[str], newest: int | None, now: dt.datetime
    ) -> list[Row]:
        split = await self._split_now(terms, newest, now)
        return [bucketing.draw(terms, split, unit_id, self._salt, now) for unit_id in unit_ids]

    async def _keep(self, fresh: Sequence[Row], terms: Mapping[str, Terms], outcomes: Outcomes) -> list[Pair]:
        """Store rows and return the units that must be looked at again: somebody else was first."""
        try:
            stored = await self._store.ask(fresh)
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
                outcomes[row.pair] = bucketing.serve(terms[row.experiment_id], row.unit_id, row, new=True)
            else:
                again.append(row.pair)
        return again

    async def _terms_now(self, experiment_id: str, settings_version: int, now: dt.datetime) -> Terms:
        terms = self._terms.get(experiment_id)
        if terms is not None and terms.hold(settings_version, now):
            return terms
        async with self._alone(experiment_id):
            terms = self._terms.get(experiment_id)
            if terms is None or not terms.hold(settings_version, now):
                terms = await self._load(lambda session: read_terms(session, experiment_id, now))
                self._terms[experiment_id] = terms
        return terms

    async def _split_now(self, terms: Terms, newest: int | None, now: dt.datetime) -> Split:
        split = self._splits.get(terms.experiment_id)
        if split is not None and split.number == newest and split.serves(terms, now):
            return split
        async with self._alone(terms.experiment_id):
            split = self._splits.get(terms.experiment_id)
            outdated = newest is not None and split is not None and split.number < newest
            if split is None or outdated or not split.serves(terms, now):
                split = await self._load(lambda session: splits.current(session, terms, now))
                self._splits[terms.experiment_id] = split
        return split

    def _alone(self, experiment_id: str) -> asyncio.Lock:
        """Return the lock under which one request loads what all others of the experiment wait for."""
        return self._loading.setdefault(experiment_id, asyncio.Lock())

    async def _load(self, read: Callable[[Session], Loaded]) -> Loaded:
        def in_transaction() -> Loaded:
            with self._database.transaction() as session:
                return read(session)

        return await asyncio.to_thread(in_transaction)


async def _or_error(work: Awaitable[Loaded]) -> Loaded | GroundhogError:
    """Return what came of the work for one experiment, or its error: others' units must not share it."""
    try:
        return await work
    except GroundhogError as error:
        return error
    except Exception:
        logger.exception("the units of an experiment cannot be assigned")
        return Defect()


def _by_experiment(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    unit_ids: dict[str, list[str]] = defaultdict(list)
    for experiment_id, unit_id in pairs:
        unit_ids[experiment_id].append(unit_id)
    return unit_ids


def _serve_known(
    waiting: Sequence[Pair], found: Found, terms: Mapping[str, Terms], outcomes: Outcomes
) -> dict[str, list[str]]:
    """Note what is known of the units without a draw, and return the others' ids by experiment."""
    unknown: dict[str, list[str]] = defaultdict(list)
    for pair in waiting:
        experiment_id, unit_id = pair
        held, row = terms[experiment_id], found.rows.get(pair)
        if row is None and held.state == "running":
            unknown[experiment_id].append(unit_id)
        else:
            outcomes[pair] = _served(held, unit_id, row)
    return unknown


def _served(terms: Terms, unit_id: str, row: Row | None) -> Outcome:
    try:
        return bucketing.halted(terms, unit_id) if row is None else bucketing.serve(terms, unit_id, row)
    except Conflict as error:  # no variant is active today
        return error
