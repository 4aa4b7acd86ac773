"""Allocations over HTTP: the hot path of the service.

An answer is kept in memory with the version of its experiment and served again while PostgreSQL, asked anew for
every request, still names that version: never stale, and its cost does not grow with the history. After a change,
those who ask while one computes are given what that one finds.
"""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.api.conditional import NOT_MODIFIED, IfNoneMatch, conditional_response
from app.api.dependencies import AllocationDate, ExperimentPath, ReaderDep
from app.api.pagination import Cursor, Limit, decode_cursor, iso_date, page, sequence_number
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.state import state_of
from app.errors import FieldError, Invalid, NotFound, Unavailable
from app.observability import metrics
from app.schemas.allocations import Allocation, History
from app.schemas.etags import etag_of
from app.services.allocations import allocate, history
from app.services.allocations.cache import AllocationCache, CachedAllocation
from app.services.allocations.replica_reader import ReplicaReader
from app.storage.database import Database

router = APIRouter(prefix="/allocations", tags=["allocations"], route_class=StrictRoute)


@router.get(
    "/{experiment_id}",
    operation_id="read_allocation",
    response_model=Allocation,
    responses={**NOT_MODIFIED, **error_responses(404, 409, 422, 503)},
)
async def read_allocation(
    request: Request,
    experiment_id: ExperimentPath,
    for_date: AllocationDate = None,
    as_of: Annotated[
        Literal["now"] | None, Query(description="Recompute with what is known now; not recorded")
    ] = None,
    revision: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{16}$", description="An older revision of the date")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return each variant's percent of traffic on a date, from the data strictly before it.

    Today's and tomorrow's answers are recorded; a past date is answered as it was last in force.
    """
    state = state_of(request)  # as dependencies these would cost as much as the rest of the route
    reader = state.replica_reader
    now = state.clock()
    if as_of is not None or revision is not None:
        body = await run_in_threadpool(
            _read_other, state.database, experiment_id, for_date, as_of, revision, now
        )
        return _response(CachedAllocation(0, body.encode(), etag_of(body.encode())), if_none_match)
    kept = state.allocation_cache
    versions = state.versions
    date = for_date or kept.cached_today(experiment_id, now)
    before = None if date is None else kept.get(experiment_id, date)
    try:
        version = await versions.read(experiment_id)
        if version is None:
            raise NotFound(f"there is no experiment {experiment_id!r}")
        if before is not None and before.version == version:
            metrics.ALLOCATIONS_SERVED.labels("cache").inc()
            return _response(before, if_none_match)
        computing = state.single_flight
        minute = now.replace(second=0, microsecond=0)  # days begin with one, whatever the zone
        same = experiment_id, for_date, minute, version
        if same in computing:
            metrics.ALLOCATIONS_SERVED.labels("cache").inc()
        served = await computing.run(
            same,
            lambda: run_in_threadpool(_allocate, reader, kept, experiment_id, for_date, now, version),
        )
    except Unavailable:
        if before is None:
            before = await run_in_threadpool(_allocate_stale, reader, experiment_id, for_date, now)
        if before is None:
            raise
        metrics.ALLOCATIONS_SERVED.labels("stale").inc()
        return _response(before, if_none_match, stale=True)
    return _response(served, if_none_match)


def _allocate(
    reader: ReplicaReader,
    kept: AllocationCache,
    experiment_id: str,
    for_date: dt.date | None,
    now: dt.datetime,
    version: int,
) -> CachedAllocation:
    with metrics.ALLOCATION_SECONDS.time():
        found = reader.allocate(experiment_id, for_date, now, version)
    metrics.ALLOCATIONS_SERVED.labels("computed" if found.computed else "recorded").inc()
    if found.recorded_now:
        metrics.REVISIONS.inc()
    served = _served(found)
    kept.put(experiment_id, found, served)
    return served


def _allocate_stale(
    reader: ReplicaReader, experiment_id: str, for_date: dt.date | None, now: dt.datetime
) -> CachedAllocation | None:
    """Return what a replica knows, if it does; it is not kept, as nobody can say how old it is."""
    found = reader.allocate_stale(experiment_id, for_date, now)
    return None if found is None else _served(found)


def _served(found: allocate.ServedAllocation) -> CachedAllocation:
    body = found.body.encode()
    return CachedAllocation(found.version, body, etag_of(body))


def _read_other(
    database: Database,
    experiment_id: str,
    for_date: dt.date | None,
    as_of: str | None,
    revision: str | None,
    now: dt.datetime,
) -> str:
    if revision is not None and (for_date is None or as_of is not None):
        fault = FieldError("query.revision", "Input goes with for_date and without as_of")
        raise Invalid("a revision belongs to a date", [fault])
    with database.transaction() as session:
        if revision is not None and for_date is not None:
            return history.read_revision(session, experiment_id, for_date, revision)
        return allocate.allocate(session, experiment_id, for_date, now, recompute=True).body


def _response(served: CachedAllocation, if_none_match: str | None, stale: bool = False) -> Response:
    headers = {"Groundhog-Stale": "true"} if stale else None
    return conditional_response(served.body, served.etag, if_none_match, headers)


@router.get(
    "/{experiment_id}/history",
    operation_id="read_allocation_history",
    response_model=History,
    responses=error_responses(404, 422, 503),
)
def read_allocation_history(
    experiment_id: ExperimentPath, reader: ReaderDep, cursor: Cursor = None, limit: Limit = 100
) -> History:
    """Return every recorded revision of an experiment's allocations, the newest first."""
    place = decode_cursor(cursor, iso_date, sequence_number)
    items = reader.read(
        experiment_id, lambda session: history.history(session, experiment_id, place, limit + 1)
    )
    items, next_cursor = page(items, limit, lambda last: (last.date.isoformat(), last.sequence))
    return History(experiment_id=experiment_id, items=items, next_cursor=next_cursor)
