"""Cadence hour: shares follow the data up to the last full hour."""

import datetime as dt

import psycopg
import pytest

from tests.support.fixtures.events import create, event
from tests.support.fixtures.hours import answer, assign, convert, counted, hourly, show

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def test_the_running_hour_has_no_influence(client, clock):
    hourly(client)
    before = answer(client)
    show(client, 400)
    clock.now += dt.timedelta(minutes=59)
    assert answer(client) == before


def test_the_next_full_hour_uses_it(client, clock):
    hourly(client)
    units = show(client, 400)
    convert(client, units["b"][:40])
    clock.now = NOON + dt.timedelta(hours=1)
    body = answer(client)
    assert counted(body) == [(len(units["a"]), 0), (len(units["b"]), 40)]
    assert body["data_through"] == "2026-03-10T13:00:00Z"
    assert body["allocations"]["b"] > 99
    assert (body["date"], body["settings"]["cadence"]) == ("2026-03-10", "hour")


def test_each_change_is_a_further_revision_of_the_date(client, clock):
    hourly(client)
    answer(client)
    show(client, 400)
    clock.now = NOON + dt.timedelta(hours=1)
    answer(client)
    clock.now = NOON + dt.timedelta(hours=3)  # nothing came in these hours
    answer(client)
    items = client.get("/allocations/e/history").json()["items"]
    assert [(item["date"], item["sequence"]) for item in items] == [("2026-03-10", 2), ("2026-03-10", 1)]


def test_tomorrow_is_answered_by_today_s_latest(client, clock):
    hourly(client)
    show(client, 400)
    clock.now = NOON + dt.timedelta(hours=1)
    today, tomorrow = answer(client), answer(client, for_date="2026-03-11")
    assert {**tomorrow, "date": today["date"], "explain": []} == {**today, "explain": []}


def test_a_past_date_keeps_the_revision_last_in_force(client, clock):
    hourly(client)
    show(client, 400)
    clock.now = NOON + dt.timedelta(hours=1)
    last = answer(client)
    show(client, 400, "v")
    clock.pass_days(1)
    assert answer(client, for_date="2026-03-10") == last
    assert answer(client)["revision"] != last["revision"]


def test_an_unrecorded_past_date_uses_what_came_before_its_last_hour(client, clock):
    hourly(client)
    clock.now = NOON.replace(hour=22, minute=59)
    early = show(client, 100)
    clock.now = NOON.replace(hour=23)
    show(client, 100, "late")
    clock.pass_days(1)
    body = answer(client, for_date="2026-03-10", as_of="now")
    assert [impressions for impressions, _ in counted(body)] == [len(early["a"]), len(early["b"])]
    assert body["data_through"] == "2026-03-10T23:00:00Z"


def test_splits_end_at_the_next_full_hour(client, clock):
    hourly(client, assignment_mode="rendezvous")
    clock.now = NOON + dt.timedelta(minutes=20)
    assert client.get("/assignments/e/split").json()["until"] == "2026-03-10T13:00:00Z"


def test_units_are_drawn_with_the_shares_of_the_hour(client, clock):
    hourly(client)
    units = show(client, 1_000)
    convert(client, units["b"][:150])
    clock.now = NOON + dt.timedelta(hours=1)
    later = assign(client, 200, "later")
    assert len(later["b"]) >= 199


def test_burn_in_asks_for_100_impressions(client, clock):
    hourly(client)
    assert client.get("/experiments/e").json()["burn_in"]["impressions"] == 100
    units = show(client, 150)
    convert(client, units["b"][:10])
    clock.now = NOON + dt.timedelta(hours=1)
    (gate,) = answer(client)["gates"]
    assert (gate["gate"], gate["asked"]["impressions"]) == ("burn_in", 100)


def test_the_delay_is_estimated_in_hours(client, clock):
    """A cohort with 30 conversions in its hour and 20 in the next, another with 40 in its hour: F(0) = 31/51."""
    hourly(client, policy={"kind": "uniform"})
    first = [unit for units in show(client, 200).values() for unit in units]
    convert(client, first[:30])
    clock.now += dt.timedelta(hours=1)
    convert(client, first[30:50])
    second = [unit for units in show(client, 200, "v").values() for unit in units]
    convert(client, second[:40])
    clock.now += dt.timedelta(hours=1)
    delay = answer(client)["delay"]
    assert (delay["unit"], delay["curve"]) == ("hour", pytest.approx([31 / 51, 1.0], rel=1e-9))


def test_a_correction_loaded_afterwards_gives_the_hour_another_revision(client, clock):
    hourly(client)
    units = show(client, 400)
    clock.now = NOON + dt.timedelta(hours=1, minutes=10)
    before = answer(client)
    events = [event(unit, "conversion", occurred_at=NOON.isoformat()) for unit in units["b"][:30]]
    assert client.post("/events?history=true", json=events).json()["counted"] == 30
    after = answer(client)
    assert (after["data_through"], counted(after)[1][1]) == (before["data_through"], 30)
    assert after["revision"] != before["revision"]


def test_receptions_by_hour_add_up_to_the_totals_of_the_day(client, clock, database_url):
    hourly(client)
    units = show(client, 300)
    clock.now += dt.timedelta(hours=2)
    convert(client, units["a"][:20])
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select received_hour - hour, impressions, successes from received_hours"
            " where variant_id = 'a' order by 1"
        ).fetchall()
        total = connection.execute(
            "select impressions, successes from experiment_metrics where variant_id = 'a'"
        ).fetchone()
    assert (rows, total) == ([(0, len(units["a"]), 0), (2, 0, 20)], (len(units["a"]), 20))


def test_an_experiment_by_day_counts_no_hours(client, clock, database_url):
    create(client, source="tracked")
    show(client, 10)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from received_hours").fetchone() == (0,)
