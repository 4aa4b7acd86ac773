"""The policies there are, over HTTP."""

from fastapi import APIRouter

from app.api.strict import StrictRoute
from app.schemas.policies import Policies, every_policy

router = APIRouter(prefix="/policies", tags=["experiments"], route_class=StrictRoute)


@router.get("", operation_id="list_policies", response_model=Policies)
def list_policies() -> Policies:
    """Return every policy with what it does and the JSON Schema of its parameters."""
    return every_policy()
