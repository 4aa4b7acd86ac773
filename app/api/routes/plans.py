"""Plans over HTTP."""

import asyncio
from uuid import uuid4

from fastapi import APIRouter, Response

from app.api.dependencies import StateDep
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.errors import Unavailable
from app.schemas.simulations.plans import Plan, PlanRequest
from app.services.simulations import duration_plans
from app.services.simulations.worker import SimulationFailed
from app.services.simulations.worker_pool import Job

router = APIRouter(prefix="/plans", tags=["simulations"], route_class=StrictRoute)

TIMEOUT_SECONDS = 120
"""Seconds that a request waits for a free worker and its plan."""


@router.post(
    "",
    operation_id="plan_experiment",
    response_model=Plan,
    responses=error_responses(413, 415, 422, 503),
)
async def plan_experiment(plan: PlanRequest, state: StateDep) -> Response:
    """Estimate how many days an experiment will take, by playing it with assumed rates.

    Every morning the policy decides from the data so far, as the service does; an experiment ends on the first
    day, from `minimum_days` on, after which some variant has P(best) >= 0.95. Nothing is stored.
    """
    workers = state.simulation_workers
    duration_plans.check(plan)
    workers.require_capacity()
    job = Job(f"plan {uuid4()}", "plan", "plan", plan.model_dump(mode="json"))
    future = asyncio.wrap_future(workers.submit(job))
    finished, _ = await asyncio.wait([future], timeout=TIMEOUT_SECONDS)
    if not finished:
        workers.cancel(job.key)
        raise Unavailable("other simulations are queued before it; try again later", retry_after=30)
    try:
        text = future.result()
    except SimulationFailed as error:
        raise Unavailable(f"the plan could not be played: {error}", retry_after=10) from error
    return Response(text, media_type="application/json")
