"""Handing a simulation in: what every route needs that starts one or waits for one."""

import asyncio
import datetime as dt
import json
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import CurrentTime, DatabaseDep, SettingsDep
from app.api.idempotency import IdempotencyDep
from app.schemas.simulations import SimulationSummary
from app.services.access import idempotency
from app.services.access.idempotency import StoredResponse
from app.services.simulations import runs
from app.services.simulations.scenarios import RunnableScenario
from app.services.simulations.worker_pool import Job, WorkerPool
from app.storage.database import Database

POLL_SECONDS = 0.25
"""Seconds between two looks at a run that somebody watches."""
FINISHED = frozenset({"done", "failed", "cancelled"})

Prefer = Annotated[
    str | None,
    Header(max_length=200, description="`respond-async` answers 202 at once, whatever the size (RFC 7240)"),
]


class SubmissionContext:
    """What every route that starts a simulation needs."""

    def __init__(
        self,
        request: Request,
        database: DatabaseDep,
        settings: SettingsDep,
        key: IdempotencyDep,
        now: CurrentTime,
        prefer: Prefer = None,
    ) -> None:
        self.database, self.settings, self.key, self.now = database, settings, key, now
        self.players: WorkerPool = request.app.state.players
        self.wants_async = prefer is not None and "respond-async" in prefer.lower()


async def _worker_pool(request: Request) -> WorkerPool:
    players: WorkerPool = request.app.state.players
    return players


SubmissionDep = Annotated[SubmissionContext, Depends()]
WorkerPoolDep = Annotated[WorkerPool, Depends(_worker_pool)]


async def submit(desk: SubmissionContext, scenario: str, prepared: RunnableScenario) -> Response:
    """Store a run and hand it to a process; answer 201 with its result where it is soon over, else 202."""
    settings = desk.settings
    runs.check_bound(prepared, settings.simulation_max_decisions)
    desk.players.require_capacity()
    waits = not desk.wants_async and prepared.decisions <= settings.simulation_immediate_decisions

    def work(session: Session) -> StoredResponse:
        made = runs.create(session, scenario, prepared, desk.now)
        return StoredResponse(201 if waits else 202, json.dumps(made), f"/simulations/{made}")

    answer = await run_in_threadpool(_in_transaction, desk, work)
    simulation_id = json.loads(answer.body)
    if not answer.replayed:
        desk.players.submit(Job(simulation_id, "play", scenario, prepared.payload, prepared.steps))
    if answer.status == 201:
        await _wait(desk, simulation_id)
    head, body = await run_in_threadpool(_read_result, desk, simulation_id)
    status = 201 if answer.status == 201 and head.state in FINISHED else 202
    response = Response(body, status, {"Location": answer.location or ""}, "application/json")
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if desk.wants_async:
        response.headers["Preference-Applied"] = "respond-async"
    return response


def _in_transaction(desk: SubmissionContext, work: Any) -> StoredResponse:
    with desk.database.transaction() as session:
        return idempotency.run_once(session, desk.key, lambda: work(session), desk.now)


def _read_result(desk: SubmissionContext, simulation_id: str) -> tuple[SimulationSummary, str]:
    with desk.database.transaction() as session:
        whole = runs.read_result(session, simulation_id, desk.now)
        return runs.read(session, simulation_id, desk.now), whole


def _read_summary(database: Database, simulation_id: str, now: dt.datetime) -> SimulationSummary:
    with database.transaction() as session:
        return runs.read(session, simulation_id, now)


async def _wait(desk: SubmissionContext, simulation_id: str) -> None:
    """Wait until a run is over, but not for ever; it may be another process's."""
    seconds = desk.settings.simulation_wait_seconds
    mine = desk.players.running(simulation_id)
    if mine is not None:
        await wait_for(mine, seconds)
        return
    for _ in range(int(seconds / POLL_SECONDS)):
        if (await run_in_threadpool(_read_summary, desk.database, simulation_id, desk.now)).state in FINISHED:
            return
        await asyncio.sleep(POLL_SECONDS)


async def wait_for(coming: "Future[str | None]", seconds: float) -> bool:
    """Wait for it without cancelling it; return whether it is there."""
    finished, _ = await asyncio.wait([asyncio.shield(asyncio.wrap_future(coming))], timeout=seconds)
    for one in finished:
        one.exception()  # whoever needs it asks `coming`
    return bool(finished)
