"""What events add to the rows by hour: values, merged and forgotten units, the hold-out."""

import datetime as dt

import psycopg
import pytest

from tests.support.fixtures.events import create, event, send
from tests.support.fixtures.hours import answer, convert, counted, hourly, impressions, show

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def hours(database_url):
    """Return a reader of the rows by hour: the variant, hours since noon (exposure, reception), and the totals."""

    def read():
        noon = int(NOON.timestamp()) // 3600
        with psycopg.connect(database_url) as connection:
            return connection.execute(
                "select variant_id, hour - %s, received_hour - %s, impressions, successes,"
                " cast(revenue as float8), cast(revenue_sq as float8) from received_hours order by 1, 2, 3",
                [noon, noon],
            ).fetchall()

    return read


@pytest.mark.parametrize(
    ("moment", "hour"),
    [("12:59:59.999999", 0), ("13:00:00", 1), ("13:00:00.000001", 1), ("13:59:59.999999", 1)],
)
def test_an_hour_ends_where_the_next_one_begins(client, clock, assign, hours, moment, hour):
    client.patch("/experiments/e", json={"cadence": "hour"}).raise_for_status()
    assign("a", "u")
    clock.now = NOON + 2 * HOUR
    send(client, event("u", "exposure", occurred_at=f"2026-03-10T{moment}Z"))
    assert hours() == [("a", hour, 2, 1, 0, 0, 0)]


def test_an_hour_written_in_another_zone_is_the_same_hour(client, clock, assign, hours):
    client.patch("/experiments/e", json={"cadence": "hour", "time_zone": "Asia/Kolkata"}).raise_for_status()
    assign("a", "u", "v")
    clock.now = NOON + HOUR
    send(client, event("u", "exposure", occurred_at="2026-03-10T18:15:00+05:30"))  # 12:45 UTC
    send(client, event("v", "exposure", occurred_at="2026-03-10T12:45:00Z"))
    assert hours() == [("a", 0, 1, 2, 0, 0, 0)]


def test_a_unit_s_value_counts_for_the_hour_of_its_exposure_squared_as_a_whole(client, clock, assign, hours):
    """10 and 5 of one unit: revenue 15, squared 225, of which 100 were known in the first hour."""
    client.patch("/experiments/e", json={"cadence": "hour"}).raise_for_status()
    assign("a", "u")
    send(client, event("u", "exposure"), event("u", "value", "first", value=10))
    clock.now = NOON + 2 * HOUR
    send(client, event("u", "value", "second", value=5))
    assert hours() == [("a", 0, 0, 1, 1, 10, 100), ("a", 0, 2, 0, 0, 5, 125)]


def test_by_value_hours_decide_as_the_same_day_does(client, clock, assign):
    """The same values of the same units: an hour after the last one, and by days the next morning."""
    by_value = {"objective": "value", "currency": "EUR", "delay": "none", "burn_in": {"impressions": 0}}
    create(client, "d", source="tracked", **by_value)
    client.patch("/experiments/e", json={"cadence": "hour", **by_value}).raise_for_status()
    units = [f"u{i}" for i in range(40)]
    for name in "de":
        assign("a", *units[:20], experiment_id=name)
        assign("b", *units[20:], experiment_id=name)
    values = {unit: 1.5 * i for i, unit in enumerate(units) if i % 3 == 0}
    for name in "de":
        send(client, *[event(unit, "exposure") | {"experiment_id": name} for unit in units])
    for part in range(3):
        clock.now = NOON + part * HOUR
        chosen = list(values)[part::3]
        for name in "de":
            send(
                client,
                *[event(unit, "value", value=values[unit]) | {"experiment_id": name} for unit in chosen],
            )
    clock.now = NOON + 3 * HOUR
    of_hours = answer(client)
    clock.pass_days(1)
    of_days = client.get("/allocations/d").json()
    assert of_hours["objective"] == of_days["objective"] == "value"
    assert of_hours["variants"] == of_days["variants"]
    assert of_hours["allocations"] == of_days["allocations"]
    assert of_hours["allocations"]["a"] not in (0, 50, 100)


def test_a_conversion_of_a_merged_unit_counts_for_the_hour_of_the_one_that_decides(
    client, clock, assign, hours
):
    client.patch("/experiments/e", json={"cadence": "hour"}).raise_for_status()
    assign("a", "account", assigned_at=NOON - 2 * HOUR)
    assign("b", "cookie", assigned_at=NOON - HOUR)
    send(client, event("account", "exposure"))
    clock.now = NOON + HOUR
    merged = {"unit_id": "cookie", "into_unit_id": "account"}
    assert client.post("/assignments/merge", json=merged).json()["variants"] == {"e": "a"}
    clock.now = NOON + 2 * HOUR
    assert send(client, event("cookie", "exposure"), event("cookie", "conversion"))[0] == ("known", None)
    assert hours() == [("a", 0, 0, 1, 0, 0, 0), ("a", 0, 2, 0, 1, 0, 0)]


def test_a_merge_changes_no_total_of_an_hour(client, clock):
    hourly(client)
    units = show(client, 300)
    convert(client, units["b"][:20])
    clock.now = NOON + HOUR
    before = answer(client)
    merged = {"unit_id": units["a"][0], "into_unit_id": units["b"][0], "experiment_id": "e"}
    assert client.post("/assignments/merge", json=merged).status_code == 200
    assert answer(client, as_of="now")["revision"] == before["revision"]


def test_a_forgotten_unit_s_hours_stay_and_its_events_sent_again_do_not_count(client, clock, hours):
    hourly(client)
    units = show(client, 300)
    convert(client, units["b"][:20])
    clock.now = NOON + HOUR
    before, rows = answer(client), hours()
    gone = units["b"][0]
    assert client.post("/assignments/forget", json={"unit_id": gone}).json()["events"] == 2
    again = send(client, event(gone, "exposure"), event(gone, "conversion"))
    assert {status for status, _ in again} == {"duplicate"}
    clock.now = NOON + 2 * HOUR
    assert hours() == rows
    assert counted(answer(client)) == counted(before)


def test_the_hold_out_is_in_no_hour(client, clock, hours, held_out):
    hourly(client, holdout_percent=50)
    body = [{"experiment_id": "e", "unit_id": f"u{i}"} for i in range(200)]
    assigned = client.post("/assignments", json=body).json()
    apart = [item["unit_id"] for item in assigned if item["reason"] == "holdout"]
    assert 0 < len(apart) < 200
    send(client, *[event(f"u{i}", "exposure") for i in range(200)])
    convert(client, apart[:7])
    clock.now = NOON + HOUR
    assert impressions(answer(client)) == sum(row[3] for row in hours()) == 200 - len(apart)
    assert sum(row[4] for row in hours()) == 0
    assert [tuple(row[2:4]) for row in held_out()] == [(len(apart), 7)]
