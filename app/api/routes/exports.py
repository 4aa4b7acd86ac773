"""Export and import over HTTP: a whole experiment as a file, from one server to another."""

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from app.api import request_body
from app.api.dependencies import DatabaseDep, ExperimentPath, SettingsDep
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.temporary_files import temporary_file, unavailable_when_disk_full
from app.api.unit_of_work import IdempotencyKeyHeader, unit_of_work
from app.errors import UnsupportedMediaType
from app.schemas.exports import Imported
from app.services.transfer import export_import

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=StrictRoute)

NDJSON = "application/x-ndjson"
EXAMPLE = (
    '{"groundhog_export": 1, "experiment_id": "homepage_test"}\n'
    '{"part": "experiments", "row": {"experiment_id": "homepage_test"}}\n{"rows": 1}\n'
)
FILE: dict[str, Any] = {NDJSON: {"schema": {"type": "string"}, "example": EXAMPLE}}
IN_MEMORY_BYTES = 1024 * 1024


@router.get(
    "/{experiment_id}/export",
    operation_id="export_experiment",
    response_class=StreamingResponse,
    responses={200: {"description": "One line per row", "content": FILE}, **error_responses(404, 422, 503)},
)
def export_experiment(experiment_id: ExperimentPath, database: DatabaseDep) -> StreamingResponse:
    """Return a whole experiment as NDJSON, as of one moment: settings, data, revisions, assignments."""
    with ExitStack() as opened:
        file = opened.enter_context(temporary_file(IN_MEMORY_BYTES))
        with unavailable_when_disk_full(), database.snapshot() as session:
            file.writelines(export_import.export(session, experiment_id))
            file.seek(0)
        sent = opened.pop_all()
    return StreamingResponse(
        iter(lambda: file.read(64 * 1024), b""),
        media_type=NDJSON,
        headers={"Content-Disposition": f'attachment; filename="{experiment_id}.ndjson"'},
        background=BackgroundTask(sent.close),
    )


@router.post(
    "/import",
    operation_id="import_experiment",
    response_model=Imported,
    status_code=201,
    responses=error_responses(409, 413, 415, 422, 503),
    openapi_extra={"requestBody": {"required": True, "content": FILE}},
)
async def import_experiment(
    request: Request,
    settings: SettingsDep,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Store an exported experiment whole, or not at all; its allocations are the same to the byte."""
    if request_body.media_type_of(content_type) != NDJSON:
        raise UnsupportedMediaType(f"send the exported file with 'Content-Type: {NDJSON}'")
    with temporary_file() as upload:
        digest = await request_body.spool_body(request, upload, settings.max_bulk_bytes)
        outcome = await run_in_threadpool(
            unit_of_work(request, idempotency_key, digest).commit_once,
            lambda session: export_import.restore(session, upload),
            status=201,
            location=lambda restored: f"/experiments/{restored.experiment_id}",
        )
    return outcome.to_response()
