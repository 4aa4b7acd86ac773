"""Events over HTTP: what assigned units did."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from app.api.authorization import Handler
from app.api.dependencies import StateDep
from app.api.problem_details import error_responses
from app.api.request_body import media_type_of
from app.api.routing import StrictRoute
from app.api.state import state_of
from app.api.unit_of_work import IdempotentWriteDep, message_response
from app.observability import metrics
from app.schemas.events import CONVERSION, EXPOSURE, VALUE, EventsIn, EventsResult
from app.services.access import principal
from app.services.events import recorder


class BeaconRoute(StrictRoute):
    """A route that also reads JSON sent as text/plain, as ``navigator.sendBeacon`` sends a string."""

    def get_route_handler(self) -> Handler:
        """Return the handler, with the media type replaced before it."""
        handler = super().get_route_handler()

        async def handle_beacon(request: Request) -> Response:
            sent_as = media_type_of(request.headers.get("content-type"))
            if sent_as == "text/plain" and _may_send_text(request):
                headers = MutableHeaders(raw=list(request.scope["headers"]))
                headers["Content-Type"] = "application/json"
                request = Request({**request.scope, "headers": headers.raw}, request.receive)
            return await handler(request)

        return handle_beacon


def _may_send_text(request: Request) -> bool:
    """Tell whether text is read as JSON: an open service takes none from pages of origins that were not allowed.

    Browsers send text to any site without a preflight request.
    """
    origin = request.headers.get("origin")
    allowed = state_of(request).settings.cors_origins
    has_key = principal.current_principal.get().key_id is not None
    return has_key or origin is None or origin in allowed or "*" in allowed


router = APIRouter(prefix="/events", tags=["events"], route_class=BeaconRoute)

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
async def record_events(
    sent: Annotated[EventsIn, Body(openapi_examples=EXAMPLES)],
    state: StateDep,
    write: IdempotentWriteDep,
    history: Annotated[
        bool, Query(description="The events are loaded afterwards: each counts as received when it happened")
    ] = False,
) -> Response:
    """Record exposures and rewards of assigned units, one or up to 5,000, each counted exactly once.

    The response has an outcome for each event; a rejected event is not stored, has a reason and may be sent again.
    A unit's first exposure is an impression of its day, its first reward a success, and its values add up: all are
    credited to the day of that exposure, up to `reward_window_days` after it. In an array exposures come first.

    An allocation counts what was received before its day: send what is loaded afterwards, such as last night's
    log, with `history=true`.

    A page may send them with `navigator.sendBeacon("/events?key=gh_...", JSON.stringify(events))`: JSON as
    `text/plain`, and a key with the scope `evaluate` in the query. Such a key records events of flags only.
    """
    events = state.event_recorder
    if write.request is None and recorder.may_share(sent):
        result = await events.record(sent, write.now, history)
        _count(result)
        return message_response(result)
    outcome = await run_in_threadpool(
        write.commit_once, lambda session: events.record_alone(session, sent, write.now, history)
    )
    _count(outcome.message)
    return outcome.to_response()


def _count(result: EventsResult | None) -> None:
    """Count events in Prometheus; a replayed request recorded none."""
    if result is not None:
        for status in ("counted", "known", "duplicate", "refused"):
            if number := getattr(result, status):
                metrics.EVENTS_RECEIVED.labels(status).inc(number)
