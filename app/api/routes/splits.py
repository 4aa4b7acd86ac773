"""Splits over HTTP: for clients that draw units by themselves."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from app.api.dependencies import CurrentTime, DatabaseDep, ExperimentPath, SettingsDep
from app.api.problem_details import error_responses
from app.api.routes.allocations import NOT_MODIFIED
from app.api.routing import StrictRoute
from app.schemas.assignments.splits import Split
from app.schemas.etags import etag_of, matches
from app.services.assignments import client_split

router = APIRouter(prefix="/assignments", tags=["assignments"], route_class=StrictRoute)


@router.get(
    "/{experiment_id}/split",
    operation_id="read_split",
    response_model=Split,
    responses={**NOT_MODIFIED, **error_responses(404, 409, 422, 503)},
)
def read_split(
    experiment_id: ExperimentPath,
    database: DatabaseDep,
    settings: SettingsDep,
    now: CurrentTime,
    if_none_match: Annotated[str | None, Header(description="The ETag of the answer you have")] = None,
) -> Response:
    """Return what a client needs to draw units by itself, in an experiment of `assignment_mode` rendezvous.

    Units that are forced, merged or were exposed with other shares are known to `POST /assignments` only.
    """
    with database.transaction() as session:
        split = client_split.read_split(session, experiment_id, settings.assignment_salt, now)
    body = split.model_dump_json().encode()
    headers = {"ETag": etag_of(body), "Cache-Control": "no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
