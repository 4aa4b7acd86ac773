"""Events over HTTP: what assigned units did."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from app.api.dependencies import SettingsDep
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.unit_of_work import IdempotentWriteDep
from app.observability import metrics
from app.schemas.events import CONVERSION, EXPOSURE, VALUE, EventsIn, EventsResult
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
    settings: SettingsDep,
    write: IdempotentWriteDep,
) -> Response:
    """Record exposures and rewards of assigned units, one or up to 5,000, each counted exactly once.

    The response has an outcome for each event; a rejected event is not stored, has a reason and may be sent again.
    A unit's first exposure is an impression of its day, its first reward a success, and its values add up: all are
    credited to the day of that exposure, up to `reward_window_days` after it. In an array exposures come first.
    """
    outcome = write.commit_once(
        lambda session: ingest.ingest(session, sent, settings.assignment_salt, write.now)
    )
    _count(outcome.message)
    return outcome.to_response()


def _count(result: EventsResult | None) -> None:
    """Count events in Prometheus; a replayed request recorded none."""
    if result is not None:
        for status in ("counted", "known", "duplicate", "refused"):
            metrics.EVENTS_RECEIVED.labels(status).inc(getattr(result, status))
