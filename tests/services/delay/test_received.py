"""What tracked experiments learn of a delay from when conversions were received."""

import psycopg
import pytest

from tests.support.fixtures.events import create, event, send


@pytest.fixture
def exposed(client, clock):
    """Two variants, 400 units exposed yesterday; returns the units of each."""
    create(client, source="tracked", policy={"kind": "uniform"})
    units = assigned(client, 400)
    clock.pass_days(1)
    return units


def assigned(client, n, prefix="u"):
    """Assign and expose units; return them by their variant."""
    body = [{"experiment_id": "e", "unit_id": f"{prefix}{i}"} for i in range(n)]
    units = {"a": [], "b": []}
    for item in client.post("/assignments", json=body).json():
        units[item["variant_id"]].append(item["unit_id"])
    send(client, *[event(unit, "exposure") for unit in units["a"] + units["b"]])
    return units


def convert(client, units, **query):
    events = [event(unit, "conversion") for unit in units]
    answer = client.post("/events", json=events, params=query)
    assert answer.json()["counted"] == len(units)


def answer(client, date=None):
    return client.get("/allocations/e", params={"for_date": date} if date else {}).json()


def successes(body):
    return [variant["successes"] for variant in body["variants"]]


def test_conversions_received_today_wait_for_tomorrow(client, clock, exposed):
    before = answer(client)
    convert(client, exposed["a"][:30])
    assert answer(client) == before
    clock.pass_days(1)
    assert successes(answer(client))[0] > 0


def test_without_delay_none_they_count_at_once(client, clock, exposed):
    client.patch("/experiments/e", json={"delay": "none"}).raise_for_status()
    convert(client, exposed["a"][:30])
    assert successes(answer(client)) == [30, 0]


def test_what_is_loaded_afterwards_counts_on_the_day_it_happened(client, clock, exposed):
    yesterday = clock.now.replace(day=clock.now.day - 1, hour=20).isoformat()
    events = [event(unit, "conversion", occurred_at=yesterday) for unit in exposed["a"][:30]]
    assert client.post("/events?history=true", json=events).json()["counted"] == 30
    body = answer(client)
    assert (successes(body), "delay" in body) == ([30, 0], False)


def test_conversions_that_come_at_once_are_no_delay(client, clock):
    create(client, source="tracked")
    units = assigned(client, 100)
    convert(client, units["a"][:10] + units["b"][:20])
    clock.pass_days(1)
    body = answer(client)
    assert (successes(body), "delay" in body) == ([10, 20], False)


def test_the_delay_is_estimated_from_the_ages_of_conversions(client, clock):
    """One cohort with 30 conversions at once and 20 a day later, another with 40 at once: F(0) = 31/51."""
    create(client, source="tracked", policy={"kind": "uniform"})
    first = [unit for units in assigned(client, 200, "first").values() for unit in units]
    convert(client, first[:30])
    clock.pass_days(1)
    convert(client, first[30:50])
    second = [unit for units in assigned(client, 200, "second").values() for unit in units]
    convert(client, second[:40])
    clock.pass_days(1)
    body = answer(client)
    assert body["delay"]["curve"] == pytest.approx([31 / 51, 1.0], rel=1e-9)
    assert body["delay"]["matured"] == pytest.approx((200 + 200 * 31 / 51) / 400, rel=1e-3)


def test_receptions_add_up_to_the_totals(client, clock, exposed, database_url):
    convert(client, exposed["a"][:30])
    clock.pass_days(1)
    convert(client, exposed["a"][30:45])
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select received_on - date, impressions, successes from received_metrics"
            " where variant_id = 'a' order by 1"
        ).fetchall()
    assert rows == [(0, len(exposed["a"]), 0), (1, 0, 30), (2, 0, 15)]


def test_nothing_received_today_changes_todays_answer_or_its_tag(client, clock, exposed):
    before = client.get("/allocations/e")
    convert(client, exposed["a"][:30])
    assigned(client, 40, "today")
    late = clock.now.replace(day=clock.now.day - 1, hour=23).isoformat()
    client.post("/assignments", json={"experiment_id": "e", "unit_id": "late"}).raise_for_status()
    send(client, event("late", "exposure", occurred_at=late))
    after = client.get("/allocations/e", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 304
    assert client.get("/allocations/e").content == before.content
    recorded = client.get("/allocations/e/history").json()["items"]
    assert [item["sequence"] for item in recorded if item["date"] == str(clock().date())] == [1]
