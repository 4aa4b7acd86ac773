"""Allocations over HTTP: the hot path of the service (`app.services.allocations.serving`)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from app.api.dependencies import AllocationDate, ExperimentPath, ReaderDep
from app.api.pagination import Cursor, Limit, decode_cursor, encode_cursor, iso_date, sequence_number
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.schemas.allocations import Allocation, History
from app.schemas.etags import matches
from app.services.allocations import history
from app.services.allocations.serving import AllocationServer

router = APIRouter(prefix="/allocations", tags=["allocations"], route_class=StrictRoute)

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Unchanged since the ETag in If-None-Match"}
}


@router.get(
    "/{experiment_id}",
    operation_id="read_allocation",
    response_model=Allocation,
    responses={**NOT_MODIFIED, **error_responses(404, 409, 422, 503)},
)
async def read_allocation(
    request: Request,
    experiment_id: ExperimentPath,
    for_date: AllocationDate = None,
    as_of: Annotated[
        Literal["now"] | None, Query(description="Recompute with what is known now; not recorded")
    ] = None,
    revision: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{16}$", description="An older revision of the date")
    ] = None,
    if_none_match: Annotated[str | None, Header(description="The ETag of the answer you have")] = None,
) -> Response:
    """Return each variant's percent of traffic on a date, from the data strictly before it.

    Today's and tomorrow's answers are recorded; a past date is answered as it was last in force.
    """
    state = request.app.state  # as dependencies these would cost as much as the rest of the route
    server: AllocationServer = state.allocation_server
    answer = await server.read(experiment_id, for_date, state.clock(), as_of == "now", revision)
    headers = {"ETag": answer.etag, "Cache-Control": "no-cache"}
    if answer.stale:
        headers["Groundhog-Stale"] = "true"
    if matches(if_none_match, answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, headers=headers, media_type="application/json")


@router.get(
    "/{experiment_id}/history",
    operation_id="read_allocation_history",
    response_model=History,
    responses=error_responses(404, 422, 503),
)
def read_allocation_history(
    experiment_id: ExperimentPath, reader: ReaderDep, cursor: Cursor = None, limit: Limit = 100
) -> History:
    """Return every recorded revision of an experiment's allocations, the newest first."""
    place = decode_cursor(cursor, iso_date, sequence_number)
    items = reader.read(
        experiment_id, lambda session: history.history(session, experiment_id, place, limit + 1)
    )
    more = len(items) > limit
    last = items[:limit][-1] if more else None
    return History(
        experiment_id=experiment_id,
        items=items[:limit],
        next_cursor=None if last is None else encode_cursor(last.date.isoformat(), last.sequence),
    )
