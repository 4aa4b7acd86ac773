"""What a frequent request costs without a clock: its statements, and its waits for an answer of PostgreSQL."""

from itertools import count

import psycopg
import pytest

from tests.support.fixtures.hours import hourly
from tests.support.statements import Exchange, traced_connections

FLAGS = "/ofrep/v1/evaluate/flags"
WARM_UP = 8
"""Requests until psycopg has prepared what it prepares (after five), and everything cached is cached."""

numbers = count()


def totals(turn):
    return [
        {
            "experiment_id": "reported",
            "variant_id": name,
            "date": "2026-03-09",
            "impressions": 1000 + turn,
            "successes": 10,
        }
        for name in "abcd"
    ]


@pytest.fixture
def wire_and_client(make_client):
    """A service with experiments of each kind, and a traced connection for everything it does."""
    with traced_connections() as wire:
        client = make_client(pool_size=5)  # of its own, so that its connections are opened here
        for number in range(3):
            variants = [{"variant_id": "a"}, {"variant_id": "b"}]
            sent = {"experiment_id": f"tracked-{number}", "source": "tracked", "variants": variants}
            assert client.post("/experiments", json=sent).status_code == 201
        hourly(client)
        client.post("/metrics", json=totals(0))
        client.post(FLAGS, json={"context": {"targetingKey": "known"}})
        client.post("/events", json=unit() | {"event_id": "exposure", "type": "exposure"})
        yield wire, client


def unit(name="known"):
    return {"experiment_id": "tracked-1", "unit_id": name}


def read_unchanged(client):
    return client.get("/allocations/reported"), 200


def read_unchanged_hour(client):
    return client.get("/allocations/e"), 200


def assign_known(client):
    return client.post("/assignments", json=unit()), 200


def assign_new(client):
    return client.post("/assignments", json=unit(f"new-{next(numbers)}")), 201


def record_event(client):
    event = {"event_id": f"event-{next(numbers)}", "type": "value", "value": 1}
    answer = client.post("/events", json=unit() | event)
    assert answer.json()["counted"] == 1
    return answer, 200


def record_metrics(client):
    return client.post("/metrics", json=totals(1 + next(numbers))), 200


def evaluate_flag(client):
    return client.post(f"{FLAGS}/tracked-1", json={"context": {"targetingKey": "known"}}), 200


def evaluate_flags(client):
    return client.post(FLAGS, json={"context": {"targetingKey": "known"}}), 200


def evaluate_unchanged_flags(client):
    sent = {"context": {"targetingKey": "known"}}
    if "If-None-Match" not in client.headers:
        client.headers["If-None-Match"] = client.post(FLAGS, json=sent).headers["ETag"]
    return client.post(FLAGS, json=sent), 304


def counted(wire, client, *sends):
    """What the last request of a sequence exchanges, after as many rounds as everything needs to be prepared."""
    for _ in range(WARM_UP):
        for send in sends:
            answer, status = send(client)
            assert answer.status_code == status, answer.text
    for send in sends:
        wire.exchanged()
        send(client)
    return wire.exchanged()


@pytest.mark.parametrize(
    ("sends", "most"),
    [
        ([read_unchanged], Exchange(statements=1, round_trips=1)),
        ([read_unchanged_hour], Exchange(statements=1, round_trips=1)),
        ([record_metrics, read_unchanged], Exchange(statements=10, round_trips=8)),
        ([assign_known], Exchange(statements=1, round_trips=1)),
        ([assign_new], Exchange(statements=2, round_trips=2)),
        ([evaluate_flag], Exchange(statements=1, round_trips=1)),
        ([evaluate_flags], Exchange(statements=2, round_trips=2)),
        ([evaluate_unchanged_flags], Exchange(statements=2, round_trips=2)),
        ([record_event], Exchange(statements=7, round_trips=5)),
        ([record_metrics], Exchange(statements=7, round_trips=6)),
    ],
    ids=lambda value: " then ".join(send.__name__ for send in value) if isinstance(value, list) else "",
)
def test_a_frequent_request_exchanges_no_more_than(wire_and_client, sends, most):
    found = counted(*wire_and_client, *sends)
    assert found.statements <= most.statements
    assert found.round_trips <= most.round_trips


def test_the_count_is_of_what_is_sent(database_url):
    with traced_connections() as wire, psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("select 1")
        assert wire.exchanged() == Exchange(statements=2, round_trips=2)  # BEGIN is one, too
        with connection.pipeline():
            for number in range(4):
                connection.execute("select %s::int", [number])
        assert wire.exchanged() == Exchange(statements=4, round_trips=1)
