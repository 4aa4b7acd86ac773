"""Splits over HTTP: for clients that assign units by themselves."""

from fastapi import APIRouter, Response

from app.api.conditional import NOT_MODIFIED, IfNoneMatch, conditional_response
from app.api.dependencies import CurrentTime, DatabaseDep, ExperimentPath, SettingsDep
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.schemas.assignments.splits import Split
from app.schemas.etags import etag_of
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
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return what a client needs to assign units by itself, in an experiment of `assignment_mode` rendezvous.

    Only `POST /assignments` knows units that are forced, merged or were exposed with other shares.
    """
    with database.transaction() as session:
        split = client_split.read_split(session, experiment_id, settings.assignment_salt, now)
    body = split.model_dump_json().encode()
    return conditional_response(body, etag_of(body), if_none_match)
