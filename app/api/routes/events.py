"""Events over HTTP: what assigned units did."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from sqlalchemy.orm import Session

from app.api.dependencies import CurrentTime, DatabaseDep, SettingsDep
from app.api.idempotency import IdempotencyDep, execute_write
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.observability import metrics
from app.schemas.events import CONVERSION, EXPOSURE, VALUE, EventsIn, EventsResult
from app.services.access.idempotency import StoredResponse
from app.services.events import ingest

router = APIRouter(prefix="/events", tags=["events"], route_class=StrictRoute)

EXAMPLES: dict[str, Any] = {
    "one": {"summary": "One event", "value": EXPOSURE},
    "array": {"summary": "An array of events", "value": [EXPOSURE, CONVERSION, VALUE]},
}


@router.post(
    "",
    operation_id="record_events",
    response_model=EventsResult,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
def record_events(
    sent: Annotated[EventsIn, Body(openapi_examples=EXAMPLES)],
    database: DatabaseDep,
    settings: SettingsDep,
    request: IdempotencyDep,
    now: CurrentTime,
) -> Response:
    """Take exposures and rewards of assigned units, one or up to 5,000, each counted exactly once.

    The answer says of each event what became of it; what is refused is kept out with its reason and may be sent
    again. A unit's first exposure is an impression of its day, its first reward a success, and its values add up:
    all are credited to the day of that exposure, up to `reward_window_days` after it. Within an array exposures
    come first.
    """
    done: list[EventsResult] = []

    def work(session: Session) -> StoredResponse:
        done.append(ingest.ingest(session, sent, settings.assignment_salt, now))
        return StoredResponse.of(done[0])

    response = execute_write(database, request, work, now)
    for taken in done:  # what was committed; a replayed answer did nothing
        for status in ("counted", "known", "duplicate", "refused"):
            metrics.EVENTS_RECEIVED.labels(status).inc(getattr(taken, status))
    return response
