"""Allocations over HTTP: the hot path of the service (`app.services.allocations.serving`)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app.api.conditional import NOT_MODIFIED, IfNoneMatch, conditional_response
from app.api.dependencies import AllocationDate, ExperimentPath, ReaderDep
from app.api.pagination import Cursor, Limit, decode_cursor, iso_date, page, sequence_number
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.state import state_of
from app.schemas.allocations import Allocation, History
from app.services.allocations import history

router = APIRouter(prefix="/allocations", tags=["allocations"], route_class=StrictRoute)


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
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return each variant's percent of traffic on a date, from the data strictly before it.

    Today's and tomorrow's answers are recorded; a past date is answered as it was last in force. With
    `cadence: hour` today's follow from what was received before the hour that runs: a day has several revisions.
    """
    state = state_of(request)  # as dependencies these would cost as much as the rest of the route
    answer = await state.allocation_server.read(
        experiment_id, for_date, state.clock(), recompute=as_of == "now", revision=revision
    )
    headers = {"Groundhog-Stale": "true"} if answer.stale else None
    return conditional_response(answer.body, answer.etag, if_none_match, headers)


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
    items, next_cursor = page(items, limit, lambda last: (last.date.isoformat(), last.sequence))
    return History(experiment_id=experiment_id, items=items, next_cursor=next_cursor)
