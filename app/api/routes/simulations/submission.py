"""Submission of a simulation: what every route needs that starts one or waits for one."""

import asyncio
import json
from concurrent.futures import Future
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header, Response
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import StateDep
from app.api.unit_of_work import IdempotentWriteDep, to_response
from app.schemas.simulations.simulations import SimulationSummary
from app.services.simulations import runs
from app.services.simulations.scenarios import RunnableScenario
from app.services.simulations.worker_pool import Job, WorkerPool

POLL_SECONDS = 0.25
"""Seconds between two reads of a run that a client waits for."""
FINISHED = frozenset({"done", "failed", "cancelled"})

Prefer = Annotated[
    str | None,
    Header(max_length=200, description="`respond-async` returns 202 at once, whatever the size (RFC 7240)"),
]


class SubmissionContext:
    """What every route that starts a simulation needs."""

    def __init__(self, state: StateDep, write: IdempotentWriteDep, prefer: Prefer = None) -> None:
        self.database, self.settings, self.write = state.database, state.settings, write
        self.workers = state.simulation_workers
        self.wants_async = prefer is not None and "respond-async" in prefer.lower()

    def read_summary(self, simulation_id: str) -> SimulationSummary:
        """Return a run as it is now, without its result."""
        with self.database.transaction() as session:
            return runs.read(session, simulation_id, self.write.now)

    def read_result(self, simulation_id: str) -> tuple[SimulationSummary, str]:
        """Return a run as it is now, and as the JSON of the response."""
        with self.database.transaction() as session:
            body = runs.read_result(session, simulation_id, self.write.now)
            return runs.read(session, simulation_id, self.write.now), body


async def _workers(state: StateDep) -> WorkerPool:
    return state.simulation_workers


SubmissionDep = Annotated[SubmissionContext, Depends()]
WorkerPoolDep = Annotated[WorkerPool, Depends(_workers)]


async def submit(context: SubmissionContext, scenario: str, prepared: RunnableScenario) -> Response:
    """Store a run and submit it; return 201 with its result if it finishes soon, else 202."""
    settings = context.settings
    runs.check_bound(prepared, settings.simulation_max_decisions)
    context.workers.require_capacity()
    waits = not context.wants_async and prepared.decisions <= settings.simulation_immediate_decisions
    outcome = await run_in_threadpool(
        context.write.commit_once,
        lambda session: runs.create(session, scenario, prepared, context.write.now),
        status=201 if waits else 202,
        location=lambda created: f"/simulations/{created}",
    )
    simulation_id = outcome.message
    if simulation_id is None:
        simulation_id = str(json.loads(outcome.response.body))
    else:
        context.workers.submit(Job(simulation_id, "play", scenario, prepared.payload, prepared.steps))
    if outcome.response.status == 201:
        await _wait_until_finished(context, simulation_id)
    summary, body = await run_in_threadpool(context.read_result, simulation_id)
    finished = outcome.response.status == 201 and summary.state in FINISHED
    response = to_response(replace(outcome.response, body=body, status=201 if finished else 202))
    if context.wants_async:
        response.headers["Preference-Applied"] = "respond-async"
    return response


async def _wait_until_finished(context: SubmissionContext, simulation_id: str) -> None:
    """Wait until a run has finished, in this process or another one, but no longer than the setting permits."""
    seconds = context.settings.simulation_wait_seconds
    future = context.workers.running(simulation_id)
    if future is not None:
        await wait_for(future, seconds)
        return
    for _ in range(int(seconds / POLL_SECONDS)):
        if (await run_in_threadpool(context.read_summary, simulation_id)).state in FINISHED:
            return
        await asyncio.sleep(POLL_SECONDS)


async def wait_for(future: "Future[str | None]", seconds: float) -> bool:
    """Wait for a job without cancelling it; return whether it has finished."""
    finished, _ = await asyncio.wait([asyncio.shield(asyncio.wrap_future(future))], timeout=seconds)
    for one in finished:
        one.exception()  # the caller reads it from the future
    return bool(finished)
