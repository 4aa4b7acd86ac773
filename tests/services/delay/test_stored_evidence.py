"""What reports say of the delay is stored by day, and computed again for the days that changed."""

import psycopg
import pytest

from tests.support.totals import DAYS, history, send, total


@pytest.fixture
def database(database_url):
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture
def reported(client):
    """Two variants whose days were reported again and again, and an allocation that was read."""
    send(client, *history(), *({**row, "variant_id": "variant"} for row in history()))
    return answer(client)


def answer(client):
    found = client.get("/allocations/homepage").json()
    return found["revision"], found["delay"]


def stored_days(database):
    return [str(date) for (date,) in database.execute("select date from delay_evidence order by date")]


def test_an_allocation_stores_what_each_day_says(reported, database):
    assert stored_days(database) == [
        str(date) for (date,) in database.execute("select distinct date from reports_by_day order by date")
    ]


def test_what_is_stored_says_what_the_reports_say(client, reported, database):
    database.execute("delete from delay_evidence")
    estimate = client.get("/experiments/homepage/delay").json()
    client.post("/metrics/", json=[total(date="2026-03-10")])
    answer(client)
    assert stored_days(database)
    assert client.get("/experiments/homepage/delay").json() == estimate


def test_reading_the_delay_stores_nothing(client, reported, database):
    database.execute("delete from delay_evidence")
    client.get("/experiments/homepage/delay")
    assert stored_days(database) == []


@pytest.mark.parametrize(
    "change",
    [
        total(date=DAYS[2], successes=140, as_of="2026-03-09"),
        total(date=DAYS[2], successes=77, as_of=DAYS[2]),
        total(date=DAYS[2], successes=119, as_of=DAYS[5]),
    ],
    ids=["a further report", "a corrected old one", "one replaced in force"],
)
def test_a_change_of_a_days_reports_counts_in_the_next_answer(client, reported, database, change):
    before = stored_days(database)
    assert sum(send(client, change)[:2]) == 1
    assert stored_days(database) == [day for day in before if day != DAYS[2]]
    found = answer(client)
    assert found[0] != reported[0]
    database.execute("delete from delay_evidence")
    database.execute("delete from allocations")
    assert answer(client) == found


def test_a_deleted_total_is_deleted_from_the_evidence(client, reported, database):
    assert client.delete(f"/metrics/homepage/control/{DAYS[2]}").status_code == 204
    assert DAYS[2] not in stored_days(database)


def test_other_ages_are_computed_anew(client, reported, database):
    client.patch("/experiments/homepage", json={"delay": {"kind": "auto", "max_days": 2}}).raise_for_status()
    client.get("/allocations/homepage", params={"for_date": "2026-03-11"}).raise_for_status()
    assert {ages for (ages,) in database.execute("select ages from delay_evidence")} == {3}
