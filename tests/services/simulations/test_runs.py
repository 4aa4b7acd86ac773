"""A simulation's way: at once, or queued, running and followed; cancelled, killed, left behind."""

import errno
import json
import os
import signal

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.services.simulations import worker_pool as players_of_service
from app.settings import ServiceSettings
from tests.support.fixtures.simulations import LARGE, SMALL, TELCO, end_of, players

ASYNC = {"Prefer": "respond-async"}


def result(answer):
    head = {"id", "state", "created_at", "progress", "fault"}
    return json.dumps({name: value for name, value in answer.json().items() if name not in head})


def test_a_small_run_is_answered_at_once_and_stored(client, simulate):
    answer = simulate()
    assert answer.status_code == 201
    assert answer.json()["state"] == "done"
    assert [played["policy"]["kind"] for played in answer.json()["policies"]] == [
        "thompson",
        "epsilon_greedy",
    ]
    assert client.get(answer.headers["Location"]).content == answer.content


def test_the_request_comes_back_with_every_default_and_gives_the_same_again(simulate):
    first = simulate()
    asked = first.json()["request"]
    assert asked["policies"][1] == {"kind": "epsilon_greedy", "epsilon": 0.1}
    assert asked["emails"] == 300
    assert asked["prior"] == {"a": 1.0, "b": 1.0}
    assert result(simulate(request=asked)) == result(first)


def test_the_same_telco_request_gives_the_same_bytes_of_result(make_client):
    one, other = (
        make_client(simulation_wait_seconds=600).post("/simulations/clv", json=TELCO) for _ in range(2)
    )
    assert result(one) == result(other)


def test_a_run_over_the_limit_is_followed_by_its_address(simulate, until):
    answer = simulate("clv", TELCO | {"customers": 100_000, "replications": 3})
    assert answer.status_code == 202
    run = until(answer.headers["Location"], "done")
    assert run["progress"]["done"] == run["progress"]["total"] == 100
    assert len(run["policies"]) == 5


def test_prefer_respond_async_is_obeyed(simulate, until):
    answer = simulate(**ASYNC)
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert "policies" not in answer.json()
    assert until(answer.headers["Location"], "done")["policies"]


def test_a_run_that_takes_longer_than_a_request_waits_goes_on(make_client, until):
    answer = make_client(simulation_wait_seconds=0).post("/simulations/email", json=SMALL)
    assert answer.status_code == 202
    assert until(answer.headers["Location"], "done")


def test_progress_comes_as_server_sent_events_until_the_end(client, simulate):
    location = simulate(**ASYNC).headers["Location"]
    events = client.get(f"{location}/events")
    assert events.headers["Content-Type"].startswith("text/event-stream")
    *_, last = events.text.strip().split("\n\n")
    assert last == 'event: done\ndata: {"done":1800,"total":1800}'


def test_a_cancelled_run_stops_working_and_its_record_says_so(client, simulate, until):
    location = simulate(request=LARGE).headers["Location"]
    until(location, "running")
    (player,) = players()
    assert client.delete(location).json()["state"] == "cancelled"
    assert end_of(player) == -signal.SIGKILL
    assert client.get(location).json()["state"] == "cancelled"
    assert simulate().status_code == 201


def test_a_run_cancelled_by_way_of_another_server_process_stops_too(make_client, simulate, until):
    location = simulate(request=LARGE).headers["Location"]
    until(location, "running")
    (player,) = players()
    make_client().delete(location)
    assert end_of(player) == -signal.SIGKILL


def test_a_run_is_cancelled_while_it_waits_for_its_turn(client, simulate, until):
    first, second = (simulate(request=LARGE).headers["Location"] for _ in range(2))
    until(first, "running")
    assert client.get(second).json()["state"] == "queued"
    assert client.delete(second).json()["state"] == "cancelled"
    assert client.delete(second).status_code == 200
    client.delete(first)


def test_what_is_over_cannot_be_cancelled(client, simulate):
    location = simulate().headers["Location"]
    assert client.delete(location).status_code == 409


def test_a_killed_worker_is_reported_and_replaced(simulate, until):
    location = simulate(request=LARGE).headers["Location"]
    until(location, "running")
    os.kill(players()[0].pid, signal.SIGKILL)
    run = until(location, "failed")
    assert run["fault"] == "its process was killed (signal 9)"
    assert simulate().json()["state"] == "done"


def test_a_process_that_cannot_be_started_fails_the_run_and_no_other(simulate, monkeypatch):
    def refuse():
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(players_of_service, "Worker", refuse)
        assert simulate().json()["fault"].startswith("no process could be started")
    assert simulate().json()["state"] == "done"


def test_a_stop_of_the_service_ends_its_runs_and_processes(client, database_url, clock):
    with TestClient(create_app(ServiceSettings(database_url=database_url), clock)) as stopping:
        location = stopping.post("/simulations/email", json=LARGE).headers["Location"]
        waiting = stopping.post("/simulations/email", json=LARGE).headers["Location"]
        while stopping.get(location).json()["state"] != "running":
            pass
    assert players() == []
    assert client.get(location).json()["fault"] == "the service stopped"
    assert client.get(waiting).json()["state"] == "failed"


def test_a_run_left_behind_by_a_service_that_died_is_failed(client, clock, database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "insert into simulations values ('lost', 'email', 'running', %(now)s, %(now)s, 5, 10, '{}')",
            {"now": clock()},
        )
    assert client.get("/simulations/lost").json()["state"] == "running"
    clock.pass_days(1)
    assert client.get("/simulations").json()["items"][0]["state"] == "failed"
    assert "orphaned" in client.get("/simulations/lost").json()["fault"]


def test_a_request_sent_twice_is_played_once(client, simulate):
    key = {"Idempotency-Key": "one"}
    first, again = simulate(**key), simulate(**key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (201, first.content)
    assert simulate(request=SMALL | {"seed": 2}, **key).status_code == 422
    assert len(client.get("/simulations").json()["items"]) == 1


def test_runs_are_listed_the_newest_first_page_by_page(client, clock, simulate):
    made = []
    for _ in range(3):
        made.append(simulate().json()["id"])
        clock.pass_days(1)
    first = client.get("/simulations", params={"limit": 2}).json()
    second = client.get("/simulations", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [run["id"] for run in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJub3ciLCJhIl0", "WzEsImEiXQ"])
def test_a_cursor_that_the_service_did_not_give_is_rejected(client, cursor):
    assert client.get("/simulations", params={"cursor": cursor}).status_code == 422


def test_a_race_is_watched_as_it_stands_until_it_is_over(client, simulate):
    """A fast machine may end a short race before it is watched; the next one is longer."""
    for replications in (4, 16, 64):
        race = TELCO | {"days": 250, "quota": 6, "replications": replications}
        location = simulate("clv", race, **ASYNC).headers["Location"]
        sent = [
            json.loads(event.partition("data: ")[2])
            for event in client.get(f"{location}/events").text.strip().split("\n\n")
        ]
        standings = [one["standing"] for one in sent if "standing" in one]
        if standings:
            break
    assert standings
    assert len(standings[-1]["policies"]) == 5
    assert all(len(line) <= len(standings[-1]["days"]) for line in standings[-1]["policies"])
    assert "standing" not in sent[-1]
