"""Handing a simulation in: what every route needs that starts one or waits for one."""

import asyncio
import datetime as dt
import json
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import DatabaseDep, Now, SettingsDep
from app.api.idempotency import IdempotencyDep
from app.schemas.simulations import SimulationHead
from app.services.access import idempotency
from app.services.access.idempotency import Answer
from app.services.simulations import runs
from app.services.simulations.scenarios import Prepared
from app.services.simulations.worker_pool import Job, Players
from app.storage.database import Database

LOOK_EVERY = 0.25
"""Seconds between two looks at a run that somebody watches."""
OVER = frozenset({"done", "failed", "cancelled"})

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


async def start(desk: Desk, scenario: str, prepared: Prepared) -> Response:
    """Store a run and hand it to a process; answer 201 with its result where it is soon over, else 202."""
    settings = desk.settings
    runs.check_bound(prepared, settings.simulation_max_decisions)
    desk.players.check_room()
    waits = not desk.wants_async and prepared.decisions <= settings.simulation_immediate_decisions

    def work(session: Session) -> Answer:
        made = runs.create(session, scenario, prepared, desk.now)
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
        whole = runs.read_whole(session, simulation_id, desk.now)
        return runs.read(session, simulation_id, desk.now), whole


def _read_head(database: Database, simulation_id: str, now: dt.datetime) -> SimulationHead:
    with database.transaction() as session:
        return runs.read(session, simulation_id, now)


async def _wait(desk: Desk, simulation_id: str) -> None:
    """Wait until a run is over, but not for ever; it may be another process's."""
    seconds = desk.settings.simulation_wait_seconds
    mine = desk.players.running(simulation_id)
    if mine is not None:
        await settled(mine, seconds)
        return
    for _ in range(int(seconds / LOOK_EVERY)):
        if (await run_in_threadpool(_read_head, desk.database, simulation_id, desk.now)).state in OVER:
            return
        await asyncio.sleep(LOOK_EVERY)


async def settled(coming: "Future[str | None]", seconds: float) -> bool:
    """Wait for it without cancelling it; return whether it is there."""
    finished, _ = await asyncio.wait([asyncio.shield(asyncio.wrap_future(coming))], timeout=seconds)
    for one in finished:
        one.exception()  # whoever needs it asks `coming`
    return bool(finished)
