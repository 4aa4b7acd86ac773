"""Simulations over HTTP: start them, list and read them, cancel them."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.api import request_body
from app.api.dependencies import CurrentTime, DatabaseDep
from app.api.pagination import Cursor, Limit, decode_cursor, identifier, page
from app.api.problem_details import error_responses
from app.api.routes.simulations.submission import SubmissionDep, WorkerPoolDep, submit
from app.api.routing import StrictRoute
from app.api.unit_of_work import WriteDep
from app.errors import FieldError, Invalid, UnsupportedMediaType
from app.schemas.analysis.decision_log import OWN_LOG, OwnLog
from app.schemas.fields import MAX_COUNT, Identifier
from app.schemas.simulations.simulations import (
    ClvRequest,
    EmailRequest,
    Simulation,
    SimulationsPage,
    SimulationSummary,
)
from app.services.analysis import decision_log
from app.services.simulations import log_replay, policy_choices, runs, scenarios
from app.services.simulations.scenarios import RunnableScenario

router = APIRouter(prefix="/simulations", tags=["simulations"], route_class=StrictRoute)

STARTED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "It has finished (see `state`), and is stored under `Location`",
        "model": Simulation,
    },
    202: {
        "description": "It is queued or running: follow `Location`, or `Location` + `/events`",
        "model": SimulationSummary,
    },
}


@router.post(
    "/email",
    operation_id="simulate_email",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | error_responses(413, 415, 422, 503),
)
async def simulate_email(asked: EmailRequest, context: SubmissionDep) -> Response:
    """Play an e-mail campaign: every policy and the even split, on common random numbers.

    Curves (`over_time`) are reported at the e-mails `emails_at`, as means with the range of single replications.
    `one_replication` is the first replication there: `sent` and `conversions` of each subject so far, the
    `pseudo_regret` and `realised_regret` so far, and the `top_arm_share`, the part sent to the best subject.

    A small run returns its result; a larger one, or one with `Prefer: respond-async`, returns 202 at once.
    """
    return await submit(context, "email", await run_in_threadpool(scenarios.prepare_email, asked))


@router.post(
    "/clv",
    operation_id="simulate_clv",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | error_responses(413, 415, 422, 503),
)
async def simulate_clv(asked: ClvRequest, context: SubmissionDep) -> Response:
    """Play a telco's year of calls and e-mails; the score is the cumulative delta of customer lifetime value.

    `by_day` is its mean with the range of single replications, `actions_by_day` the mean contacts of each arm;
    `actions` describes the arms, `products` and `lifetime_value` (a histogram) the customers.

    A small run returns its result; a larger one, or one with `Prefer: respond-async`, returns 202 at once.
    """
    return await submit(context, "clv", await run_in_threadpool(scenarios.prepare_clv, asked))


LOG = {
    "description": "The log: arm, propensity, reward and perhaps value of every decision",
    "required": True,
    "content": {
        "text/csv": {
            "schema": {"type": "string"},
            "example": "arm,propensity,reward\nred,0.5,0\nblue,0.5,1\n",
        },
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "example": '{"arm":"red","propensity":0.5,"reward":0}\n{"arm":"blue","propensity":0.5,"reward":1}\n',
        },
        "application/json": {
            "schema": OwnLog.model_json_schema(),
            "example": OWN_LOG,
        },
    },
}
OWN_LOG_BODY = "application/json"


@router.post(
    "/replay",
    operation_id="simulate_replay",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | error_responses(404, 409, 413, 415, 422, 503),
    openapi_extra={"requestBody": LOG},
)
async def simulate_replay(
    request: Request,
    context: SubmissionDep,
    policy: Annotated[
        list[str] | None,
        Query(
            max_length=100,
            description="Once per policy: kind, kind:name=value or JSON; by default the even split and each arm",
        ),
    ] = None,
    arm: Annotated[
        list[str] | None,
        Query(
            max_length=1_000, description="Once per arm, in this order; by default those of the log, sorted"
        ),
    ] = None,
    by_value: Annotated[bool, Query(description="Judge by the column value instead of reward")] = False,
    passes: Annotated[
        int, Query(ge=1, le=1_000, description="Passes over the log of policies that learn")
    ] = 20,
    seed: Annotated[int, Query(ge=0, le=MAX_COUNT, description="Of policies that learn")] = 1,
) -> Response:
    """Judge policies by a log of real decisions: IPS, self-normalised IPS and doubly robust, with warnings.

    A policy that learns is replayed by rejection, on logs of uniformly random decisions only. The policy
    `always:arm=0` plays one arm. The log itself is not stored. Instead of a log, JSON may name a tracked
    experiment: its units are the decisions, their conversions the reward.
    """
    media = request_body.media_type_of(request.headers.get("content-type"))
    if media != OWN_LOG_BODY and media not in request_body.MEDIA_TYPES:
        raise UnsupportedMediaType(
            "send the log as text/csv or application/x-ndjson, or name an experiment as application/json"
        )
    body = await request.body()

    def prepared() -> RunnableScenario:
        chosen = [policy_choices.from_text(text) for text in policy or ()]
        if media == OWN_LOG_BODY:
            with context.database.transaction() as session:
                text, variants = decision_log.as_csv(session, decision_log.read_request(body))
            return log_replay.prepare(text, "csv", chosen, arm or variants, by_value, passes, seed)
        try:
            text = body.decode("utf-8-sig")  # spreadsheets begin a file with a byte order mark
        except UnicodeDecodeError as error:
            raise Invalid("the log is not UTF-8", [FieldError("body", "is not UTF-8")]) from error
        return log_replay.prepare(text, request_body.MEDIA_TYPES[media], chosen, arm, by_value, passes, seed)

    return await submit(context, "replay", await run_in_threadpool(prepared))


@router.get(
    "", operation_id="list_simulations", response_model=SimulationsPage, responses=error_responses(422, 503)
)
def list_simulations(
    database: DatabaseDep, now: CurrentTime, cursor: Cursor = None, limit: Limit = 100
) -> SimulationsPage:
    """Return the simulations without their results, the newest first."""
    place = decode_cursor(cursor, _moment, identifier)
    with database.transaction() as session:
        found = runs.list_simulations(session, (place[0], place[1]) if place else None, limit + 1, now)
    items, next_cursor = page(found, limit, lambda last: (last.created_at.isoformat(), last.id))
    return SimulationsPage(items=items, next_cursor=next_cursor)


def _moment(written: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("a moment has a zone")
    return moment


@router.get(
    "/{simulation_id}",
    operation_id="read_simulation",
    response_model=Simulation,
    responses=error_responses(404, 422, 503),
)
def read_simulation(simulation_id: Identifier, database: DatabaseDep, now: CurrentTime) -> Response:
    """Return a simulation: its state and progress, the request with every default, and its result when it is done.

    The same request gives the same bytes of result.
    """
    with database.transaction() as session:
        return Response(runs.read_result(session, simulation_id, now), media_type="application/json")


@router.delete(
    "/{simulation_id}",
    operation_id="cancel_simulation",
    response_model=SimulationSummary,
    responses=error_responses(404, 409, 422, 503),
)
def cancel_simulation(
    simulation_id: Identifier, write: WriteDep, workers: WorkerPoolDep
) -> SimulationSummary:
    """Cancel a simulation that is queued or running: its work is stopped, its record stays as cancelled."""
    cancelled = write.commit(lambda session: runs.cancel(session, simulation_id, write.now))
    workers.cancel(simulation_id)
    return cancelled
