"""Simulations over HTTP: small ones answered at once, large ones followed by their address."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.api.deps import (
    Clock,
    Cursor,
    DatabaseDep,
    IdempotencyDep,
    Limit,
    Now,
    SettingsDep,
    cursor_after,
    identifier,
    place_of,
)
from app.api.problems import answers
from app.api.strict import StrictRoute
from app.errors import Conflict, FieldError, Invalid, NotFound, Unavailable, UnsupportedMediaType
from app.schemas.experiment_logs import OWN_LOG, OwnLog
from app.schemas.fields import Identifier
from app.schemas.simulations import (
    ClvRequest,
    EmailRequest,
    Simulation,
    SimulationHead,
    SimulationsPage,
)
from app.services import choices, experiment_logs, idempotency, replays, result_tables, scenarios, simulations
from app.services.idempotency import Answer
from app.services.player import Faulted
from app.services.players import Job, Players
from app.services.scenarios import Prepared
from app.storage.database import Database

router = APIRouter(prefix="/simulations", tags=["simulations"], route_class=StrictRoute)

LOOK_EVERY = 0.25
"""Seconds between two looks at a run that somebody watches."""
EXPORT_SECONDS = 60
OVER = frozenset({"done", "failed", "cancelled"})

Path = Identifier
Prefer = Annotated[
    str | None,
    Header(max_length=200, description="`respond-async` answers 202 at once, whatever the size (RFC 7240)"),
]


class Desk:
    """What every route that starts a simulation needs."""

    def __init__(
        self,
        request: Request,
        database: DatabaseDep,
        settings: SettingsDep,
        key: IdempotencyDep,
        now: Now,
        prefer: Prefer = None,
    ) -> None:
        self.database, self.settings, self.key, self.now = database, settings, key, now
        self.players: Players = request.app.state.players
        self.wants_async = prefer is not None and "respond-async" in prefer.lower()


async def _players(request: Request) -> Players:
    players: Players = request.app.state.players
    return players


DeskDep = Annotated[Desk, Depends()]
PlayersDep = Annotated[Players, Depends(_players)]

STARTED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "It is over (see `state`), and kept under `Location`",
        "model": Simulation,
    },
    202: {
        "description": "It is on its way: follow `Location`, or `Location` + `/events`",
        "model": SimulationHead,
    },
}


@router.post(
    "/email",
    operation_id="simulate_email",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | answers(413, 415, 422, 503),
)
async def simulate_email(asked: EmailRequest, desk: DeskDep) -> Response:
    """Play an e-mail campaign: every policy beside the even split, on common random numbers.

    Curves (`over_time`) are told at the e-mails `emails_at`, as means with the range of single replications.
    `one_replication` is the first replication there: `sent` and `conversions` of each subject so far, the
    `pseudo_regret` and `realised_regret` so far, and the `top_arm_share`, the part sent to the best subject.

    A small run is answered at once; a larger one, or one asked for with `Prefer: respond-async`, with 202.
    """
    return await _start(desk, "email", await run_in_threadpool(scenarios.prepare_email, asked))


@router.post(
    "/clv",
    operation_id="simulate_clv",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | answers(413, 415, 422, 503),
)
async def simulate_clv(asked: ClvRequest, desk: DeskDep) -> Response:
    """Play a telco's year of calls and e-mails; the score is the cumulative delta of customer lifetime value.

    `by_day` is its mean with the range of single replications, `actions_by_day` the mean contacts of each arm;
    `actions` tells what the arms are made of, `products` and `lifetime_value` (a histogram) the customers.

    A small run is answered at once; a larger one, or one asked for with `Prefer: respond-async`, with 202.
    """
    return await _start(desk, "clv", await run_in_threadpool(scenarios.prepare_clv, asked))


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
OWN = "application/json"
FORMS: dict[str, replays.Form] = {"text/csv": "csv", "application/x-ndjson": "ndjson"}


@router.post(
    "/replay",
    operation_id="simulate_replay",
    response_model=Simulation,
    status_code=201,
    responses=STARTED | answers(404, 409, 413, 415, 422, 503),
    openapi_extra={"requestBody": LOG},
)
async def simulate_replay(
    request: Request,
    desk: DeskDep,
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
    seed: Annotated[int, Query(ge=0, le=2**63 - 1, description="Of policies that learn")] = 1,
) -> Response:
    """Judge policies by a log of real decisions: IPS, self-normalised IPS and doubly robust, with warnings.

    A policy that learns is replayed by rejection, on logs of uniformly random decisions only. The policy
    `always:arm=0` plays one arm. The log itself is not kept. Instead of a log, JSON may name a tracked experiment:
    its units are the decisions, their conversions the reward.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != OWN and media not in FORMS:
        raise UnsupportedMediaType(
            "send the log as text/csv or application/x-ndjson, or name an experiment as application/json"
        )
    body = await request.body()

    def prepared() -> Prepared:
        chosen = [choices.from_text(text) for text in policy or ()]
        if media == OWN:
            with desk.database.transaction() as session:
                text, variants = experiment_logs.as_csv(session, experiment_logs.read_request(body))
            return replays.prepare(text, "csv", chosen, arm or variants, by_value, passes, seed)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise Invalid("the log is not UTF-8", [FieldError("body", "is not UTF-8")]) from error
        return replays.prepare(text, FORMS[media], chosen, arm, by_value, passes, seed)

    return await _start(desk, "replay", await run_in_threadpool(prepared))


async def _start(desk: Desk, scenario: str, prepared: Prepared) -> Response:
    settings = desk.settings
    simulations.check_bound(prepared, settings.simulation_max_decisions)
    desk.players.check_room()
    waits = not desk.wants_async and prepared.decisions <= settings.simulation_immediate_decisions

    def work(session: Session) -> Answer:
        made = simulations.create(session, scenario, prepared, desk.now)
        return Answer(201 if waits else 202, json.dumps(made), f"/simulations/{made}")

    answer = await run_in_threadpool(_in_transaction, desk, work)
    simulation_id = json.loads(answer.body)
    if not answer.replayed:
        desk.players.submit(Job(simulation_id, "play", scenario, prepared.payload, prepared.steps))
    if answer.status == 201:
        await _wait(desk, simulation_id)
    head, body = await run_in_threadpool(_read_whole, desk, simulation_id)
    status = 201 if answer.status == 201 and head.state in OVER else 202
    response = Response(body, status, {"Location": answer.location or ""}, "application/json")
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if desk.wants_async:
        response.headers["Preference-Applied"] = "respond-async"
    return response


def _in_transaction(desk: Desk, work: Any) -> Answer:
    with desk.database.transaction() as session:
        return idempotency.once(session, desk.key, lambda: work(session), desk.now)


def _read_whole(desk: Desk, simulation_id: str) -> tuple[SimulationHead, str]:
    with desk.database.transaction() as session:
        whole = simulations.read_whole(session, simulation_id, desk.now)
        return simulations.read(session, simulation_id, desk.now), whole


def _watch(database: Database, simulation_id: str, now: dt.datetime) -> tuple[SimulationHead, Any]:
    with database.transaction() as session:
        return simulations.watch(session, simulation_id, now)


def _read_head(database: Database, simulation_id: str, now: dt.datetime) -> SimulationHead:
    with database.transaction() as session:
        return simulations.read(session, simulation_id, now)


async def _wait(desk: Desk, simulation_id: str) -> None:
    """Wait until a run is over, but not for ever; it may be another process's."""
    seconds = desk.settings.simulation_wait_seconds
    mine = desk.players.running(simulation_id)
    if mine is not None:
        await _settled(mine, seconds)
        return
    for _ in range(int(seconds / LOOK_EVERY)):
        if (await run_in_threadpool(_read_head, desk.database, simulation_id, desk.now)).state in OVER:
            return
        await asyncio.sleep(LOOK_EVERY)


async def _settled(coming: "Future[str | None]", seconds: float) -> bool:
    """Wait for it without cancelling it; return whether it is there."""
    finished, _ = await asyncio.wait([asyncio.shield(asyncio.wrap_future(coming))], timeout=seconds)
    for one in finished:
        one.exception()  # whoever needs it asks `coming`
    return bool(finished)


@router.get("", operation_id="list_simulations", response_model=SimulationsPage, responses=answers(422, 503))
def list_simulations(
    database: DatabaseDep, now: Now, cursor: Cursor = None, limit: Limit = 100
) -> SimulationsPage:
    """Return the simulations without their results, the newest first."""
    place = place_of(cursor, _moment, identifier)
    with database.transaction() as session:
        found = simulations.list_simulations(session, (place[0], place[1]) if place else None, limit + 1, now)
    shown = found[:limit]
    after = cursor_after(shown[-1].created_at.isoformat(), shown[-1].id) if len(found) > limit else None
    return SimulationsPage(items=shown, next_cursor=after)


def _moment(written: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("a moment has a zone")
    return moment


@router.get(
    "/{simulation_id}",
    operation_id="read_simulation",
    response_model=Simulation,
    responses=answers(404, 422, 503),
)
def read_simulation(simulation_id: Path, database: DatabaseDep, now: Now) -> Response:
    """Return a simulation: its state and progress, the request with every default, and the result once it is done.

    The same request gives the same bytes of result.
    """
    with database.transaction() as session:
        return Response(simulations.read_whole(session, simulation_id, now), media_type="application/json")


@router.delete(
    "/{simulation_id}",
    operation_id="cancel_simulation",
    response_model=SimulationHead,
    responses=answers(404, 409, 422, 503),
)
def cancel_simulation(
    simulation_id: Path, database: DatabaseDep, players: PlayersDep, now: Now
) -> SimulationHead:
    """Cancel a simulation that is queued or running: its work is stopped, its record stays and says so."""
    with database.transaction() as session:
        cancelled = simulations.cancel(session, simulation_id, now)
    players.cancel(simulation_id)
    return cancelled


EVENTS = (
    'event: running\ndata: {"done":120000,"total":600000}\n\n'
    'event: done\ndata: {"done":600000,"total":600000}\n\n'
)


@router.get(
    "/{simulation_id}/events",
    operation_id="follow_simulation",
    response_class=StreamingResponse,
    responses=answers(404, 422, 503)
    | {
        200: {
            "description": "Server-sent events: an event per change, named after the state; the last one ends it",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}},
        }
    },
)
async def follow_simulation(
    simulation_id: Path, database: DatabaseDep, request: Request
) -> StreamingResponse:
    """Follow a simulation's progress as server-sent events, until it is over.

    While a CLV race is played, an event also has its `standing`: up to 100 `days`, and for each policy its mean
    cumulative delta CLV on the first of them, as far as it has come.
    """
    clock: Clock = request.app.state.clock
    first = await run_in_threadpool(_watch, database, simulation_id, clock())
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(database, clock, *first)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    database: Database, clock: Clock, head: SimulationHead, standing: Any
) -> AsyncIterator[str]:
    while True:
        said = _event(head, standing)
        yield said
        while _event(head, standing) == said:
            if head.state in OVER:
                return
            await asyncio.sleep(LOOK_EVERY)
            try:
                head, standing = await run_in_threadpool(_watch, database, head.id, clock())
            except Unavailable:  # the run may well go on: keep looking
                continue


def _event(head: SimulationHead, standing: Any) -> str:
    more = {"fault": head.fault, "standing": standing}
    data = head.progress.model_dump() | {name: one for name, one in more.items() if one is not None}
    return f"event: {head.state}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


CSV_EXAMPLE = "contact,day,segment,arm,propensity,delay,reward\r\n0,0,0,7,0.05,,-3.0\r\n"


@router.get(
    "/{simulation_id}/export",
    operation_id="export_simulation",
    response_class=Response,
    responses=answers(404, 409, 422, 503)
    | {
        200: {
            "description": "CSV with a header line",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": CSV_EXAMPLE}},
        }
    },
)
async def export_simulation(
    simulation_id: Path,
    database: DatabaseDep,
    players: PlayersDep,
    now: Now,
    table: Annotated[
        result_tables.Table,
        Query(
            description="summary: a line per policy; curve: its figures over time; log: single decisions (CLV)"
        ),
    ] = "summary",
    policy: Annotated[int, Query(ge=0, le=100, description="Whose log, by its place in the request")] = 0,
) -> Response:
    """Return a finished simulation as CSV: the summary, the curves, or the log of the exported replication."""
    head, result = await run_in_threadpool(_result_of, database, simulation_id, now)
    if table == "log":
        text = await _log(players, head, policy)
    else:
        text = result_tables.as_csv(result_tables.TABLES[table](head.scenario, result))
    name = f"{head.scenario}-{head.id[:8]}-{table}.csv"
    return Response(
        text, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type="text/csv"
    )


def _result_of(
    database: Database, simulation_id: str, now: dt.datetime
) -> tuple[SimulationHead, dict[str, Any]]:
    with database.transaction() as session:
        return simulations.result_of(session, simulation_id, now)


async def _log(players: Players, head: SimulationHead, policy: int) -> str:
    """Play the exported replication again, with its log."""
    if head.scenario != "clv":
        raise NotFound(f"the {head.scenario} scenario keeps no log of single decisions")
    if policy >= len(head.request["policies"]):
        raise NotFound(f"the race has policies 0 to {len(head.request['policies']) - 1}, not {policy}")
    key = f"{head.id} log {policy}"
    coming = players.running(key)
    if coming is None:
        players.check_room()
        coming = players.submit(Job(key, ("log", policy), head.scenario, head.request))
    if not await _settled(coming, EXPORT_SECONDS):
        raise Unavailable("the log is being made; ask again shortly", retry_after=10)
    try:
        text = coming.result()
    except Faulted as fault:
        raise Conflict(f"the log could not be made: {fault}") from fault
    if text is None:
        raise Unavailable("the log was not made; ask again shortly", retry_after=1)
    return text
