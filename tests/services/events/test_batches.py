"""Events of several requests in one transaction: state and answers are those of one request after the other."""

import asyncio
import random

import psycopg
import pytest
from pydantic import TypeAdapter

from app.errors import Conflict, NotFound
from app.schemas.events import EventsIn
from app.services.events import event_queries
from app.services.events.recorder import EventRecorder
from app.settings import ServiceSettings
from tests.support.fixtures.events import create, event, totals
from tests.support.fixtures.replays import ALONE, AT_ONCE, all_at_once, answered, state_of

UNITS = [f"u{number}" for number in range(6)]
TABLES = {
    "assignments": "*",
    "events": "*",
    "received_metrics": "*",
    "received_hours": "*",
    "holdout_metrics": "*",
    "experiment_metrics": (
        "experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, updated_at"
    ),
    "experiments": "experiment_id, source",
}
"""Everything that events change, but for the numbers of transactions (``version`` and ``times_written``)."""

parse = TypeAdapter(EventsIn).validate_python


def exposure(unit):
    return parse(event(unit, "exposure", experiment_id="x-e"))


def requests(seed, prefix):
    """Single events and small arrays of units at random: some sent twice, some impossible."""
    chance = random.Random(seed)

    def one(experiment_id):
        unit, kind = chance.choice([*UNITS, "nobody"]), chance.choice(["exposure", "conversion", "value"])
        moment = {"occurred_at": f"2026-03-10T{chance.randrange(24):02}:00:00Z"}
        fields = moment if chance.random() < 0.3 else {}
        return event(unit, kind, f"{kind}-{chance.randrange(40)}", experiment_id=experiment_id, **fields)

    def request():
        experiment_id = prefix + chance.choice(["e", "e", "hourly", "stateless", "reported", "none"])
        size = chance.choice([1, 1, 1, 4])
        return parse(one(experiment_id) if size == 1 else [one(experiment_id) for _ in range(size)])

    return [request() for _ in range(80)]


@pytest.fixture
def recorder(client, pooled_database, database_url):
    return EventRecorder(pooled_database, ServiceSettings(database_url=database_url))


@pytest.fixture
def prepare(client, assign):
    """Return a way to create the experiments of a prefix and to assign their units."""

    def run(prefix):
        create(client, f"{prefix}e")
        create(client, f"{prefix}hourly", source="tracked", cadence="hour")
        create(client, f"{prefix}stateless", variants="a", source="tracked", assignment_mode="rendezvous")
        create(client, f"{prefix}reported", source="reported")
        for name in ("e", "hourly"):
            assign("a", *UNITS[:3], experiment_id=prefix + name)
            assign("b", *UNITS[3:5], experiment_id=prefix + name)
            assign("a", UNITS[5], experiment_id=prefix + name, kind="holdout")

    return run


@pytest.mark.parametrize("seed", range(4))
def test_requests_at_once_end_as_one_after_the_other(
    prepare, recorder, pooled_database, database_url, clock, seed
):
    def alone(sent):
        with pooled_database.transaction() as session:
            return recorder.record_alone(session, sent, clock(), False)

    for prefix in (ALONE, AT_ONCE):
        prepare(prefix)
    expected = [answered(ALONE, lambda sent=sent: alone(sent)) for sent in requests(seed, ALONE)]
    found = all_at_once(requests(seed, AT_ONCE), lambda sent: recorder.record(sent, clock(), False))
    assert found == expected
    assert state_of(database_url, TABLES, AT_ONCE) == state_of(database_url, TABLES, ALONE)


def test_an_item_that_breaks_a_batch_takes_no_other_down(prepare, recorder, client, clock, monkeypatch):
    prepare("x-")
    read_query = event_queries.read_query

    def broken(events):
        statement, values = read_query(events)
        return statement, values | {"unit_ids": [one.unit_id.replace("bad", "\0") for one in events]}

    monkeypatch.setattr(event_queries, "read_query", broken)
    units = ["u0", "u1", "bad", "u2", "nobody"]
    sent = [exposure(unit) for unit in units]
    sent += [
        parse(event("u0", "exposure", experiment_id=name)) for name in ("x-none", "x-reported", "x-hourly")
    ]

    async def at_once():
        return await asyncio.gather(
            *(recorder.record(one, clock(), False) for one in sent), return_exceptions=True
        )

    found = asyncio.run(at_once())
    bad, none, reported = found.pop(2), found.pop(4), found.pop(4)
    assert [one.counted for one in found] == [1, 1, 1, 0, 1]
    assert (type(none), type(reported)) == (NotFound, Conflict)
    assert not hasattr(bad, "counted")
    assert totals(client, "x-e")["a", "2026-03-10"][0] == 3


def test_an_experiment_that_others_lock_keeps_no_other_waiting(prepare, recorder, clock, database_url):
    prepare("x-")
    lock = "select 1 from experiment_versions where experiment_id = 'x-e' for update"

    async def at_once():
        with psycopg.connect(database_url) as holder:
            holder.execute(lock)
            waiting = [
                asyncio.create_task(
                    recorder.record(parse(event(unit, "exposure", experiment_id="x-e")), clock(), False)
                )
                for unit in UNITS[:3]
            ]
            free = parse(event("u0", "exposure", experiment_id="x-hourly"))
            answer = await recorder.record(free, clock(), False)
            assert not any(task.done() for task in waiting)
            holder.commit()
        return answer, await asyncio.gather(*waiting)

    free, waited = asyncio.run(at_once())
    assert (free.counted, [one.counted for one in waited]) == (1, [1, 1, 1])


def test_a_caller_that_goes_away_takes_no_answer_with_it(prepare, recorder, clock):
    prepare("x-")

    async def at_once():
        tasks = [
            asyncio.create_task(
                recorder.record(parse(event(unit, "exposure", experiment_id="x-e")), clock(), False)
            )
            for unit in UNITS
        ]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(at_once())
    assert [one.counted for i, one in enumerate(found) if i not in {0, 3}] == [1, 1, 1, 1]
