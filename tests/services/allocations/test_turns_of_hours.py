"""Hours by UTC instant: daylight saving time, several workers, a restart, a file."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import psycopg
import pytest
from fastapi.testclient import TestClient

from app import main
from app.settings import ServiceSettings
from tests.support.clock import SettableClock
from tests.support.fixtures.hours import answer, convert, counted, hourly, impressions, show
from tests.support.fixtures.transfer import NDJSON, elsewhere  # noqa: F401 - a fixture

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("date", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 5, 5), 24)]
)
def test_a_day_has_as_many_revisions_as_hours(client, clock, date, hours):
    """Two units a full hour: the answer of the nth hour has seen those of n - 1 hours."""
    clock.now = dt.datetime.combine(date, dt.time(0, 5), BERLIN).astimezone(dt.UTC)
    hourly(client, policy={"kind": "uniform"}, time_zone="Europe/Berlin")
    for hour in range(hours):
        body = answer(client)
        assert (body["date"], impressions(body)) == (str(date), 2 * hour)
        show(client, 2, f"{hour}-")
        clock.now += HOUR
    assert answer(client)["date"] == str(date + dt.timedelta(days=1))
    items = client.get("/allocations/e/history").json()["items"]
    assert sum(item["date"] == str(date) for item in items) == hours


def test_the_hour_that_comes_twice_is_two_hours(client, clock):
    """In Berlin 2:30 on 25 October 2026 is 0:30 and 1:30 UTC."""
    clock.now = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    hourly(client, policy={"kind": "uniform"}, time_zone="Europe/Berlin")
    show(client, 10)
    clock.now += HOUR
    body = answer(client)
    assert (impressions(body), body["data_through"]) == (10, "2026-10-25T01:00:00Z")


def test_in_a_zone_of_half_hours_the_day_begins_within_an_hour(client, clock):
    """In Kolkata 11 March begins at 18:30 UTC: what came before 18:00 decides its first shares."""
    hourly(client, policy={"kind": "uniform"}, time_zone="Asia/Kolkata")
    show(client, 10)
    clock.now = NOON.replace(hour=18, minute=10)
    show(client, 20, "later")
    clock.now = NOON.replace(hour=18, minute=40)
    body = answer(client)
    assert (body["date"], impressions(body)) == ("2026-03-11", 10)


def test_a_window_of_a_day_is_24_hours(client, clock):
    hourly(client, policy={"kind": "uniform"}, window_days=1)
    show(client, 100)
    clock.now = NOON + 24 * HOUR
    assert impressions(answer(client)) == 100
    clock.now = NOON + 25 * HOUR
    assert impressions(answer(client)) == 0


def test_a_half_life_of_a_day_is_24_hours(client, clock):
    hourly(client, policy={"kind": "uniform"}, half_life_days=1)
    show(client, 100)
    clock.now = NOON + 25 * HOUR
    assert impressions(answer(client)) == 50


def test_each_hour_has_its_own_effect(client, clock, database_url):
    """Twice the rate in the second hour, when b had twice the traffic: both are alike once hours are divided out.

    a: 10 of 100, then 20 of 100; b: 10 of 100, then 40 of 200. Pooled, b looks better: 50 of 300, a 30 of 200.
    """
    hourly(client, policy={"kind": "uniform"}, adjust="day")
    hour = int(NOON.timestamp()) // 3600
    rows = [("a", hour, 100, 10), ("a", hour + 1, 100, 20), ("b", hour, 100, 10), ("b", hour + 1, 200, 40)]
    with psycopg.connect(database_url) as connection:
        connection.cursor().executemany(
            "insert into received_hours values ('e', %s, %s, %s, %s, %s, 0, 0)",
            [(variant, hour, hour, n, s) for variant, hour, n, s in rows],
        )
    clock.now = NOON + 2 * HOUR
    (n_a, s_a), (n_b, s_b) = counted(answer(client))
    assert (s_a, s_b) == (30, 50)
    assert s_a / n_a == pytest.approx(s_b / n_b, rel=1e-8)


@pytest.fixture
def late_worker(database_url):
    """Another process whose clock is behind, and its clock."""
    clock = SettableClock()
    with TestClient(main.create_app(ServiceSettings(database_url=database_url), clock)) as client:
        yield client, clock


def test_a_worker_whose_clock_is_behind_does_not_go_back(client, clock, late_worker):
    behind, its_clock = late_worker
    hourly(client)
    convert(client, show(client, 400)["b"][:30])
    clock.now, its_clock.now = NOON + HOUR, NOON + HOUR - dt.timedelta(seconds=1)
    body = answer(client)
    client.patch("/experiments/e", json={"name": "changed"}).raise_for_status()
    assert answer(behind) == body
    client.patch("/experiments/e", json={"min_share": 5}).raise_for_status()
    assert answer(behind)["data_through"] == body["data_through"]


def test_at_an_hour_s_turn_workers_record_one_revision(client, clock, make_client):
    hourly(client)
    workers = [client, make_client(), make_client()]
    answer(client)
    convert(client, show(client, 400)["b"][:30])
    clock.now = NOON + HOUR
    with ThreadPoolExecutor(12) as pool:
        bodies = {one.content for one in pool.map(lambda i: workers[i % 3].get("/allocations/e"), range(36))}
    assert len(bodies) == 1
    assert len(client.get("/allocations/e/history").json()["items"]) == 2


def test_what_another_worker_recorded_last_is_the_answer_of_a_past_date(client, clock, make_client):
    other = make_client()
    hourly(client)
    show(client, 400)
    clock.now = NOON + HOUR
    early = answer(client)
    show(client, 10, "more")
    clock.now = NOON + 2 * HOUR
    last = answer(other)
    clock.pass_days(1)
    assert early != last
    assert answer(client, for_date="2026-03-10") == last


def test_after_a_restart_the_hour_s_answer_is_the_same_and_the_next_hour_s_is_new(client, clock, make_client):
    hourly(client)
    show(client, 400)
    clock.now = NOON + HOUR
    before = client.get("/allocations/e")
    show(client, 10, "more")
    after = make_client().get("/allocations/e")
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])
    clock.now = NOON + 2 * HOUR
    assert make_client().get("/allocations/e").headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize("query", ["", "?for_date=2026-03-11", "?as_of=now"])
def test_allocations_of_an_imported_experiment_are_byte_identical(client, clock, elsewhere, query):  # noqa: F811
    hourly(client)
    convert(client, show(client, 400)["b"][:30])
    clock.now = NOON + 3 * HOUR
    answer(client)
    exported = client.get("/experiments/e/export").content
    assert elsewhere.post("/experiments/import", content=exported, headers=NDJSON).status_code == 201
    for _ in range(2):
        here, there = (one.get(f"/allocations/e{query}") for one in (client, elsewhere))
        assert (there.status_code, there.content) == (200, here.content)
        clock.now += HOUR


def test_a_halt_holds_the_shares_of_its_hour(client, clock):
    hourly(client)
    convert(client, show(client, 400)["b"][:30])
    clock.now = NOON + HOUR
    shares = answer(client)["allocations"]
    client.patch("/experiments/e", json={"state": "paused"}).raise_for_status()
    bodies = []
    for _ in range(2):
        clock.now += HOUR
        bodies.append(answer(client))
    assert bodies[0] == bodies[1]
    assert bodies[0]["allocations"] == shares
