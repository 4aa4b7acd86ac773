"""The hot path of allocations: from memory while PostgreSQL names the same version, else computed once for all.

Every request reads its experiment's version anew, so what is served from memory is never stale and its cost does
not grow with the history. After a change, requests that arrive during the computation share its result. While the
database is away, the last answer or the replica's is served, and marked as stale.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session

from app.errors import FieldError, Invalid, NotFound, Unavailable
from app.observability import metrics
from app.schemas.etags import etag_of
from app.services.allocations import allocate, history
from app.services.allocations.cache import AllocationCache, CachedAllocation
from app.services.allocations.replica_reader import ReplicaReader
from app.services.single_flight import SingleFlight
from app.settings import ServiceSettings
from app.storage.batched_statement import BatchedStatement, read_versions
from app.storage.database import Database

Result = TypeVar("Result")

MAX_THREADS = 40
"""That compute or read at the same time; others wait for one of them."""
VERSION_TIMEOUT_SECONDS = 5
"""A cached answer is at hand: the database is waited for less long than elsewhere."""


@dataclass(frozen=True, slots=True)
class AllocationResponse:
    """An answer as it is sent; ``stale`` if the database was away and may know better."""

    body: bytes
    etag: str
    stale: bool = False


class AllocationServer:
    """Serves the allocations of any experiments for one process and event loop."""

    def __init__(self, database: Database, reader: ReplicaReader, settings: ServiceSettings) -> None:
        self._database = database
        self._reader = reader
        self._versions = BatchedStatement(database, read_versions, seconds=VERSION_TIMEOUT_SECONDS)
        self._cache = AllocationCache(settings.allocation_cache_bytes)
        self._running: SingleFlight[CachedAllocation] = SingleFlight()
        self._threads = ThreadPoolExecutor(MAX_THREADS, "allocations")

    async def close(self) -> None:
        """Close the connection; a request that still comes opens another one."""
        await self._versions.close()

    async def read(
        self,
        experiment_id: str,
        for_date: dt.date | None,
        now: dt.datetime,
        recompute: bool = False,
        revision: str | None = None,
    ) -> AllocationResponse:
        """Return the allocation of a date, by default today in the experiment's zone.

        Parameters
        ----------
        recompute : decide by what is known now, whatever is recorded, and record nothing
        revision : an older recorded revision of the date

        Raises
        ------
        NotFound: there is no such experiment, or revision of the date
        Invalid: the date is after tomorrow, or a revision is asked for without its date
        Conflict: no variant is active on the date
        Unavailable: the database cannot be reached, and no answer to repeat is known
        """
        if revision is not None:
            if for_date is None or recompute:
                error = FieldError("query.revision", "Input goes with for_date and without as_of")
                raise Invalid("a revision belongs to a date", [error])
            return await self._read_apart(
                lambda session: history.read_revision(session, experiment_id, for_date, revision)
            )
        if recompute:
            return await self._read_apart(
                lambda session: allocate.allocate(session, experiment_id, for_date, now, recompute=True).body
            )
        return await self._read_latest(experiment_id, for_date, now)

    async def _read_apart(self, read: Callable[[Session], str]) -> AllocationResponse:
        """Return a body that is not the one in force, and so is not cached."""

        def work() -> bytes:
            with self._database.transaction() as session:
                return read(session).encode()

        body = await self._in_thread(work)
        return AllocationResponse(body, etag_of(body))

    async def _read_latest(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime
    ) -> AllocationResponse:
        date = for_date or self._cache.cached_today(experiment_id, now)
        cached = None if date is None else self._cache.get(experiment_id, date)
        try:
            current = await self._read_current(experiment_id, for_date, now, cached)
        except Unavailable:
            last = cached or await self._in_thread(lambda: self._read_replica(experiment_id, for_date, now))
            if last is None:
                raise
            metrics.ALLOCATIONS_SERVED.labels("stale").inc()
            return AllocationResponse(last.body, last.etag, stale=True)
        return AllocationResponse(current.body, current.etag)

    async def _read_current(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime, cached: CachedAllocation | None
    ) -> CachedAllocation:
        version = (await self._versions.run((experiment_id,))).get(experiment_id)
        if version is None:
            raise NotFound(f"there is no experiment {experiment_id!r}")
        if cached is not None and cached.is_current(version, now):
            metrics.ALLOCATIONS_SERVED.labels("cache").inc()
            return cached
        minute = now.replace(second=0, microsecond=0)  # days and hours begin with one, in every zone
        key = experiment_id, for_date, minute, version
        if key in self._running:
            metrics.ALLOCATIONS_SERVED.labels("cache").inc()
        return await self._running.run(
            key, lambda: self._in_thread(lambda: self._allocate(experiment_id, for_date, now, version))
        )

    def _allocate(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime, version: int
    ) -> CachedAllocation:
        with metrics.ALLOCATION_SECONDS.time():
            served = self._reader.allocate(experiment_id, for_date, now, version)
        metrics.ALLOCATIONS_SERVED.labels("recorded" if served.computed is None else "computed").inc()
        if served.recorded_now:
            metrics.REVISIONS.inc()
        return self._cache.put(experiment_id, served)

    def _read_replica(
        self, experiment_id: str, for_date: dt.date | None, now: dt.datetime
    ) -> CachedAllocation | None:
        """Return what a replica knows, if it does; it is not cached, because its age is unknown."""
        served = self._reader.allocate_stale(experiment_id, for_date, now)
        return None if served is None else CachedAllocation.of(served)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)
