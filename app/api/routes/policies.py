"""The policies there are, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.schemas.experiments.policies import Policies
from app.schemas.simulations.simulations import Scenario
from app.services.simulations import policy_catalogue

router = APIRouter(prefix="/policies", tags=["experiments"], route_class=StrictRoute)


@router.get("", operation_id="list_policies", response_model=Policies, responses=error_responses(422))
def list_policies(
    scenario: Annotated[
        Scenario | None,
        Query(description="Those that can play in this scenario of the simulator instead of in experiments"),
    ] = None,
) -> Policies:
    """Return every policy with what it does and the JSON Schema of its parameters."""
    return policy_catalogue.policies_of(scenario)
