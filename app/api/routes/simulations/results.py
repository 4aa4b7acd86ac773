"""What comes of a simulation: its progress as events, its result as CSV."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import Clock, CurrentTime, DatabaseDep
from app.api.problem_details import error_responses
from app.api.routes.simulations.submission import FINISHED, POLL_SECONDS, WorkerPoolDep, wait_for
from app.api.routing import StrictRoute
from app.errors import Conflict, NotFound, Unavailable
from app.schemas.fields import Identifier
from app.schemas.simulations import SimulationSummary
from app.services.simulations import result_tables, runs
from app.services.simulations.worker import SimulationFailed
from app.services.simulations.worker_pool import Job, WorkerPool
from app.storage.database import Database

router = APIRouter(prefix="/simulations", tags=["simulations"], route_class=StrictRoute)

EXPORT_SECONDS = 60


EVENTS = (
    'event: running\ndata: {"done":120000,"total":600000}\n\n'
    'event: done\ndata: {"done":600000,"total":600000}\n\n'
)


@router.get(
    "/{simulation_id}/events",
    operation_id="follow_simulation",
    response_class=StreamingResponse,
    responses=error_responses(404, 422, 503)
    | {
        200: {
            "description": "Server-sent events: an event per change, named after the state; the last one ends it",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}},
        }
    },
)
async def follow_simulation(
    simulation_id: Identifier, database: DatabaseDep, request: Request
) -> StreamingResponse:
    """Follow a simulation's progress as server-sent events, until it is over.

    While a CLV race is played, an event also has its `standing`: up to 100 `days`, and for each policy its mean
    cumulative delta CLV on the first of them, as far as it has come.
    """
    clock: Clock = request.app.state.clock
    first = await run_in_threadpool(_watch, database, simulation_id, clock())
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(database, clock, *first)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _watch(database: Database, simulation_id: str, now: dt.datetime) -> tuple[SimulationSummary, Any]:
    with database.transaction() as session:
        return runs.watch(session, simulation_id, now)


async def _events(
    database: Database, clock: Clock, head: SimulationSummary, standing: Any
) -> AsyncIterator[str]:
    while True:
        said = _event(head, standing)
        yield said
        while _event(head, standing) == said:
            if head.state in FINISHED:
                return
            await asyncio.sleep(POLL_SECONDS)
            try:
                head, standing = await run_in_threadpool(_watch, database, head.id, clock())
            except Unavailable:  # the run may well go on: keep looking
                continue


def _event(head: SimulationSummary, standing: Any) -> str:
    more = {"fault": head.fault, "standing": standing}
    data = head.progress.model_dump() | {name: one for name, one in more.items() if one is not None}
    return f"event: {head.state}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


CSV_EXAMPLE = "contact,day,segment,arm,propensity,delay,reward\r\n0,0,0,7,0.05,,-3.0\r\n"


@router.get(
    "/{simulation_id}/export",
    operation_id="export_simulation",
    response_class=Response,
    responses=error_responses(404, 409, 422, 503)
    | {
        200: {
            "description": "CSV with a header line",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": CSV_EXAMPLE}},
        }
    },
)
async def export_simulation(
    simulation_id: Identifier,
    database: DatabaseDep,
    players: WorkerPoolDep,
    now: CurrentTime,
    table: Annotated[
        result_tables.Table,
        Query(
            description="summary: a line per policy; curve: its figures over time; log: single decisions (CLV)"
        ),
    ] = "summary",
    policy: Annotated[int, Query(ge=0, le=100, description="Whose log, by its place in the request")] = 0,
) -> Response:
    """Return a finished simulation as CSV: the summary, the curves, or the log of the exported replication."""
    head, result = await run_in_threadpool(_result_of, database, simulation_id, now)
    if table == "log":
        text = await _log(players, head, policy)
    else:
        text = result_tables.as_csv(result_tables.TABLES[table](head.scenario, result))
    name = f"{head.scenario}-{head.id[:8]}-{table}.csv"
    return Response(
        text, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type="text/csv"
    )


def _result_of(
    database: Database, simulation_id: str, now: dt.datetime
) -> tuple[SimulationSummary, dict[str, Any]]:
    with database.transaction() as session:
        return runs.result_of(session, simulation_id, now)


async def _log(players: WorkerPool, head: SimulationSummary, policy: int) -> str:
    """Play the exported replication again, with its log."""
    if head.scenario != "clv":
        raise NotFound(f"the {head.scenario} scenario keeps no log of single decisions")
    if policy >= len(head.request["policies"]):
        raise NotFound(f"the race has policies 0 to {len(head.request['policies']) - 1}, not {policy}")
    key = f"{head.id} log {policy}"
    coming = players.running(key)
    if coming is None:
        players.require_capacity()
        coming = players.submit(Job(key, ("log", policy), head.scenario, head.request))
    if not await wait_for(coming, EXPORT_SECONDS):
        raise Unavailable("the log is being made; ask again shortly", retry_after=10)
    try:
        text = coming.result()
    except SimulationFailed as fault:
        raise Conflict(f"the log could not be made: {fault}") from fault
    if text is None:
        raise Unavailable("the log was not made; ask again shortly", retry_after=1)
    return text
