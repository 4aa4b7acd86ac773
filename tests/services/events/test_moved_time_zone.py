"""An experiment's days never go back, whatever its time zone does: today's exposures decide tomorrow's shares."""

import datetime as dt

import pytest

from tests.support.fixtures.events import create, event, send, totals

EAST, WEST = "Asia/Kathmandu", "America/Lima"
MOVED_AT = dt.datetime(2026, 3, 10, 3, tzinfo=dt.UTC)
"""8:45 on 10 March in the east, 22:00 on 9 March in the west, which has 10 March from 5:00 UTC on."""

UNITS = [f"u{number}" for number in range(100)]


@pytest.fixture
def moved(client, clock):
    """Return a maker of experiments that were created this morning in the east and moved west just now."""

    def make(**settings):
        clock.now = MOVED_AT - dt.timedelta(hours=1)
        create(client, time_zone=EAST, source="tracked", **settings)
        clock.now = MOVED_AT
        client.patch("/experiments/e", json={"time_zone": WEST}).raise_for_status()

    return make


def expose(client, units=UNITS, **fields):
    """Assign units and expose them; those of b convert."""
    wanted = [{"experiment_id": "e", "unit_id": unit} for unit in units]
    served = {item["unit_id"]: item["variant_id"] for item in client.post("/assignments", json=wanted).json()}
    of_b = [unit for unit in units if served[unit] == "b"]
    sent = [event(unit, "exposure", **fields) for unit in units]
    return send(client, *sent, *[event(unit, "conversion", **fields) for unit in of_b])


def days(client):
    return {day for _, day in totals(client)}


@pytest.mark.parametrize("mode", ["sticky", "rendezvous"])
def test_todays_exposures_do_not_move_todays_shares(client, clock, moved, mode):
    moved(assignment_mode=mode)
    before = client.get("/allocations/e")
    assert before.json()["allocations"] == {"a": 50.0, "b": 50.0}
    clock.now += dt.timedelta(minutes=30)
    assert set(expose(client)) == {("counted", None)}
    assert days(client) == {"2026-03-10"}
    assert client.get("/allocations/e").json()["allocations"] == before.json()["allocations"]


def test_they_decide_the_next_day_of_the_new_zone(client, clock, moved):
    moved()
    expose(client)
    clock.now = dt.datetime(2026, 3, 11, 5, tzinfo=dt.UTC)
    body = client.get("/allocations/e").json()
    assert (body["date"], body["data_through"]) == ("2026-03-11", "2026-03-10")
    assert body["allocations"]["b"] > 90


def test_an_exposure_reported_late_belongs_to_the_day_it_happened_on(client, clock, moved):
    """At 4:00 UTC it was 10 March in the experiment; at 6:00 the new zone has 10 March, too."""
    moved()
    client.post("/assignments", json=[{"experiment_id": "e", "unit_id": unit} for unit in UNITS])
    clock.now = dt.datetime(2026, 3, 10, 6, tzinfo=dt.UTC)
    expose(client, occurred_at="2026-03-10T04:00:00Z")
    assert days(client) == {"2026-03-10"}
    assert client.get("/allocations/e").json()["allocations"] == {"a": 50.0, "b": 50.0}


def test_a_move_west_repeats_no_day(client, clock):
    create(client, time_zone=EAST, source="tracked", assignment_mode="rendezvous")
    clock.now = MOVED_AT + dt.timedelta(days=5)
    revision = client.get("/allocations/e").json()["revision"]
    client.post("/assignments", json={"experiment_id": "e", "unit_id": "u"})
    client.patch("/experiments/e", json={"time_zone": WEST})
    assert client.get("/allocations/e").json()["date"] == "2026-03-15"
    client.get("/allocations/e")  # from memory
    assert client.get("/allocations/e").json()["date"] == "2026-03-15"
    assert send(client, event("u", "exposure", revision=revision)) == [("counted", None)]
    assert days(client) == {"2026-03-15"}


def test_units_are_drawn_with_one_split_until_the_new_zone_ends_the_day(client, clock, moved):
    moved()
    first = client.post("/assignments", json={"experiment_id": "e", "unit_id": "first"}).json()
    expose(client)
    clock.now = dt.datetime(2026, 3, 11, 4, 59, tzinfo=dt.UTC)
    last = client.post("/assignments", json={"experiment_id": "e", "unit_id": "last"}).json()
    clock.now = dt.datetime(2026, 3, 11, 5, tzinfo=dt.UTC)
    after = client.post("/assignments", json={"experiment_id": "e", "unit_id": "after"}).json()
    assert first["revision"] == last["revision"] != after["revision"]


def test_a_move_east_begins_the_next_day_and_dates_late_exposures_by_it(client, clock):
    """At 18:30 UTC it is 10 March in UTC and 0:15 on 11 March in the east."""
    create(client, source="tracked")
    clock.now = dt.datetime(2026, 3, 10, 18, 30, tzinfo=dt.UTC)
    client.post("/assignments", json=[{"experiment_id": "e", "unit_id": unit} for unit in UNITS])
    client.patch("/experiments/e", json={"time_zone": EAST})
    assert client.get("/allocations/e").json()["date"] == "2026-03-11"
    clock.now += dt.timedelta(minutes=30)
    expose(client, occurred_at="2026-03-10T18:40:00Z")
    assert days(client) == {"2026-03-11"}
    assert client.get("/allocations/e").json()["allocations"] == {"a": 50.0, "b": 50.0}
