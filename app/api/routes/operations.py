"""For operators: Prometheus metrics, liveness and readiness."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field

from app.api.dependencies import DatabaseDep, ReaderDep, StateDep
from app.api.problem_details import error_responses
from app.api.routing import ProtectedRoute
from app.errors import Unavailable
from app.storage import migrate, schema_version

router = APIRouter(tags=["operations"], route_class=ProtectedRoute)


class Alive(BaseModel):
    """The response of a service that runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive"}]})

    status: str


class Ready(BaseModel):
    """The response of a service that is ready for requests."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ready", "database": "reachable", "migration": "0012"}]}
    )

    status: str
    database: str
    migration: str
    replica: str | None = Field(
        default=None,
        description="Only where there is one: answers, away (the primary answers instead) or not asked yet",
    )


@router.get("/metrics/", include_in_schema=False)
@router.get(
    "/metrics",
    operation_id="read_prometheus_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "# HELP ...\n"}}}},
)
async def read_prometheus_metrics(state: StateDep) -> Response:
    """Return the service's metrics for Prometheus."""
    return Response(await state.prometheus.exposition(state.clock()), media_type=CONTENT_TYPE_LATEST)


@router.get("/livez", operation_id="check_alive", response_model=Alive)
async def check_alive() -> Alive:
    """Respond as long as the process runs, and check nothing else."""
    return Alive(status="alive")


@router.get(
    "/readyz",
    operation_id="check_ready",
    response_model=Ready,
    response_model_exclude_none=True,
    responses=error_responses(503),
)
def check_ready(database: DatabaseDep, reader: ReaderDep) -> Ready:
    """Respond when the database is reachable and has the tables that this version's requests need."""
    with database.transaction() as session:
        schema = schema_version.read_state(session)
    error = migrate.schema_error(schema)
    if error is not None:
        raise Unavailable(error, 5)
    assert schema.version is not None, "its absence is an error"
    replica = None if reader.replica is None else reader.replica.state
    return Ready(status="ready", database="reachable", migration=schema.version, replica=replica)
