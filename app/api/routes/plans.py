"""Plans over HTTP."""

import asyncio
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response

from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.errors import Unavailable
from app.schemas.plans import Plan, PlanRequest
from app.services.simulations import duration_plans
from app.services.simulations.worker import SimulationFailed
from app.services.simulations.worker_pool import Job, WorkerPool

router = APIRouter(prefix="/plans", tags=["simulations"], route_class=StrictRoute)

TIMEOUT_SECONDS = 120
"""Seconds that a request waits for its turn and its plan."""


async def _worker_pool(request: Request) -> WorkerPool:
    players: WorkerPool = request.app.state.players
    return players


@router.post(
    "",
    operation_id="plan_experiment",
    response_model=Plan,
    responses=error_responses(413, 415, 422, 503),
)
async def plan_experiment(
    asked: PlanRequest, players: Annotated[WorkerPool, Depends(_worker_pool)]
) -> Response:
    """Return how many days an experiment is supposed to take, by playing it with the rates that are supposed.

    Every morning the policy decides from what came in, as the service does; an experiment is over on the first
    day, from `minimum_days` on, after which some variant has P(best) >= 0.95. Nothing is stored.
    """
    duration_plans.check(asked)
    players.require_capacity()
    job = Job(f"plan {uuid4()}", "plan", "plan", asked.model_dump(mode="json"))
    coming = asyncio.wrap_future(players.submit(job))
    finished, _ = await asyncio.wait([coming], timeout=TIMEOUT_SECONDS)
    if not finished:
        players.cancel(job.key)
        raise Unavailable("other simulations are in front of it; try again later", retry_after=30)
    try:
        text = coming.result()
    except SimulationFailed as fault:
        raise Unavailable(f"the plan could not be played: {fault}", retry_after=10) from fault
    return Response(text, media_type="application/json")
