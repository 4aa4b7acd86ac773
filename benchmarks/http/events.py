"""Events in batches of 1,000, against the same statements straight through psycopg."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import psycopg
from pydantic import TypeAdapter

from app.schemas.events import EventIn
from app.schemas.experiments.settings import StoredSettings
from app.services.events import event_queries
from app.services.events.rollup import IngestRules, roll_up
from app.services.experiments.settings_history import SettingsHistory, SettingsPeriod
from app.storage.pipeline import Statement
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.service import Service

BATCH = 1_000
REPEATS = 15
POSTED, BARE = "events-posted", "events-bare"
LOCK = "select version from experiment_versions where experiment_id = %s for update"
EVENTS = TypeAdapter(list[EventIn])


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the rows/s of first exposures and of rewards."""
    for experiment_id in (POSTED, BARE):
        variants = [{"variant_id": name} for name in ("control", "a", "b", "c", "d")]
        experiment = {"experiment_id": experiment_id, "source": "tracked", "variants": variants}
        service.post("/experiments", json.dumps(experiment).encode())
    exposures, rewards = [], []
    with service.connect() as connection:
        for turn in range(REPEATS):
            for experiment_id in (POSTED, BARE):
                service.post("/assignments", json.dumps(_units(experiment_id, turn)).encode())
            exposures.append(_pair(service, connection, turn, ("exposure", "exposure")))
            rewards.append(_pair(service, connection, turn, ("conversion", "value")))
    for what, pairs in (("first exposures", exposures), ("conversions and values", rewards)):
        yield Measurement(
            f"POST /events, {BATCH:,} {what}: rows/s / the bare statements'",
            [bare / posted for posted, bare in pairs],
            Target(">=", 0.4),
            f"{milliseconds([p for p, _ in pairs])} against {milliseconds([b for _, b in pairs])}",
        )


def _units(experiment_id: str, turn: int) -> list[dict[str, Any]]:
    return [{"experiment_id": experiment_id, "unit_id": f"user-{turn}-{i}"} for i in range(BATCH)]


def _pair(
    service: Service, connection: psycopg.Connection[Any], turn: int, kinds: tuple[str, str]
) -> tuple[float, float]:
    """Return the seconds of the same events posted, and by the statements alone."""
    body = json.dumps(_events(POSTED, turn, kinds)).encode()
    bare = EVENTS.validate_python(_events(BARE, turn, kinds))
    statements = _statements(connection, bare)

    def post() -> None:
        if service.post("/events", body)["counted"] != BATCH:
            raise RuntimeError("not every event was counted")

    return timed(post), timed(lambda: _execute(connection, statements))


def _events(experiment_id: str, turn: int, kinds: tuple[str, str]) -> list[dict[str, Any]]:
    found = []
    for i, unit in enumerate(_units(experiment_id, turn)):
        kind = kinds[i % 2]
        amount = {"value": 9.99 + i} if kind == "value" else {}
        found.append(unit | {"event_id": f"{kind}-{turn}-{i}", "type": kind, **amount})
    return found


def _statements(connection: psycopg.Connection[Any], events: list[EventIn]) -> list[Statement]:
    """Return what the service would execute for some events, worked out beforehand."""
    now = dt.datetime.now(dt.UTC)
    read = event_queries.read_query(events)
    known = event_queries.parse_known(connection.execute(*read).fetchall())
    connection.commit()
    found = roll_up(events, known, IngestRules(now, dt.timedelta(days=30), _history(now)))
    return [read, *event_queries.write_statements([(BARE, found)])]


def _history(now: dt.datetime) -> SettingsHistory:
    return SettingsHistory((SettingsPeriod(now.date(), "running", StoredSettings(), now),), "tracked", 0, 0)


def _execute(connection: psycopg.Connection[Any], statements: list[Statement]) -> None:
    connection.execute(LOCK, [BARE])
    for statement, values in statements:
        cursor = connection.execute(statement, values)
        if cursor.description:
            cursor.fetchall()
    connection.commit()
