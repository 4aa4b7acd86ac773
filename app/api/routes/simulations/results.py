"""Results of a simulation: its progress as events, its tables as CSV."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import CurrentTime, DatabaseDep, StateDep
from app.api.problem_details import error_responses
from app.api.routes.simulations.submission import FINISHED, POLL_SECONDS, WorkerPoolDep, wait_for
from app.api.routing import StrictRoute
from app.errors import Conflict, NotFound, Unavailable
from app.schemas.fields import Identifier
from app.schemas.simulations.simulations import SimulationSummary
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


def _read_progress(
    simulation_id: Identifier, database: DatabaseDep, now: CurrentTime
) -> tuple[SimulationSummary, Any]:
    """Return a run as it is now, and its interim result; before the stream begins, so that a 404 can be sent."""
    with database.transaction() as session:
        return runs.read_interim(session, simulation_id, now)


@router.get(
    "/{simulation_id}/events",
    operation_id="follow_simulation",
    response_class=EventSourceResponse,
    responses=error_responses(404, 422, 503)
    | {
        200: {
            "description": "Server-sent events: an event per change, named after the state; the last one ends it",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}},
        }
    },
)
async def follow_simulation(
    progress: Annotated[tuple[SimulationSummary, Any], Depends(_read_progress)], state: StateDep
) -> AsyncIterator[ServerSentEvent]:
    """Follow a simulation's progress as server-sent events, until it has finished.

    While a CLV race is played, an event also has its `standing`: up to 100 `days`, and for each policy its mean
    cumulative delta CLV on those of them that it has played.
    """
    summary, interim_result = progress
    sent = None
    while True:
        event = _event(summary, interim_result)
        if event != sent:
            yield event
            sent = event
        if summary.state in FINISHED:
            return
        await asyncio.sleep(POLL_SECONDS)
        with suppress(Unavailable):  # the run itself may continue
            summary, interim_result = await run_in_threadpool(
                _read_progress, summary.id, state.database, state.clock()
            )


def _event(summary: SimulationSummary, interim_result: Any) -> ServerSentEvent:
    optional = {"fault": summary.fault, "standing": interim_result}
    data = summary.progress.model_dump() | {name: one for name, one in optional.items() if one is not None}
    return ServerSentEvent(event=summary.state, raw_data=json.dumps(data, separators=(",", ":")))


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
    workers: WorkerPoolDep,
    now: CurrentTime,
    table: Annotated[
        result_tables.Table,
        Query(
            description="summary: a line per policy; curve: its values over time; log: single decisions (CLV)"
        ),
    ] = "summary",
    policy: Annotated[
        int, Query(ge=0, le=100, description="The policy of the log, by its index in the request")
    ] = 0,
) -> Response:
    """Return a finished simulation as CSV: the summary, the curves, or the log of the exported replication."""
    summary, result = await run_in_threadpool(_result_of, database, simulation_id, now)
    if table == "log":
        text = await _log(workers, summary, policy)
    else:
        text = result_tables.as_csv(result_tables.TABLES[table](summary.scenario, result))
    name = f"{summary.scenario}-{summary.id[:8]}-{table}.csv"
    return Response(
        text, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type="text/csv"
    )


def _result_of(
    database: Database, simulation_id: str, now: dt.datetime
) -> tuple[SimulationSummary, dict[str, Any]]:
    with database.transaction() as session:
        return runs.result_of(session, simulation_id, now)


async def _log(workers: WorkerPool, summary: SimulationSummary, policy: int) -> str:
    """Play the exported replication again and return its log."""
    if summary.scenario != "clv":
        raise NotFound(f"the {summary.scenario} scenario stores no log of single decisions")
    if policy >= len(summary.request["policies"]):
        raise NotFound(f"the race has policies 0 to {len(summary.request['policies']) - 1}, not {policy}")
    key = f"{summary.id} log {policy}"
    future = workers.running(key)
    if future is None:
        workers.require_capacity()
        future = workers.submit(Job(key, ("log", policy), summary.scenario, summary.request))
    if not await wait_for(future, EXPORT_SECONDS):
        raise Unavailable("the log is being made; ask again shortly", retry_after=10)
    try:
        text = future.result()
    except SimulationFailed as error:
        raise Conflict(f"the log could not be made: {error}") from error
    if text is None:
        raise Unavailable("the log was not made; ask again shortly", retry_after=1)
    return text
