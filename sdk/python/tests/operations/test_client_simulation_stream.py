"""A simulation is followed to its end over any number of connections, or until time is up."""

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import ConnectionLost, NotFound, RetryPolicy, Unavailable, UnreadableAnswer

DONE = {"id": "s1", "scenario": "email", "state": "done", "created_at": "2026-03-10T12:00:00Z"}
DONE |= {"progress": {"done": 9, "total": 9}, "fault": None, "request": {}, "policies": [{"policy": {}}]}


def events(*said):
    lines = [f'event: {state}\ndata: {{"done":{done},"total":9}}\n\n' for state, done in said]
    return httpx2.Response(200, text="".join(lines), headers={"Content-Type": "text/event-stream"})


def test_each_change_comes_once_although_the_connection_is_lost(connect):
    written = Written(
        events(("queued", 0), ("running", 3)),
        httpx2.ConnectError("refused"),
        httpx2.Response(503, json={"detail": "away"}),
        events(("running", 3), ("running", 6), ("done", 9)),
    )
    found = connect(written).follow_simulation("s1")
    assert [(event.state, event.done) for event in found] == [
        ("queued", 0),
        ("running", 3),
        ("running", 6),
        ("done", 9),
    ]


def test_waiting_returns_the_result(connect):
    written = Written(events(("done", 9)), httpx2.Response(200, json=DONE))
    found = connect(written).wait_for_simulation("s1")
    assert found.over
    assert found.result == {"policies": [{"policy": {}}]}


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_an_end_that_is_no_success_is_an_end(connect, state):
    assert [event.over for event in connect(Written(events((state, 2)))).follow_simulation("s1")] == [True]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([httpx2.Response(404, json={"detail": "no such simulation"})], NotFound),
        ([httpx2.Response(503, json={"detail": "away"})] * 3, Unavailable),
        ([httpx2.ReadTimeout("silence")] * 3, ConnectionLost),
        ([httpx2.Response(200, text="<html>")], ConnectionLost),
        (
            [httpx2.Response(200, text="data: x\n\n", headers={"Content-Type": "text/event-stream"})],
            UnreadableAnswer,
        ),
    ],
)
def test_it_ends_with_the_error_that_does_not_go_away(connect, answers, error):
    if error is ConnectionLost:
        answers = answers * 3
    with pytest.raises(error):
        list(
            connect(Written(*answers), retries=RetryPolicy(attempts=2, first_wait=0.0)).follow_simulation(
                "s1"
            )
        )


def test_time_can_be_up(connect):
    slow = Written(*[events(("running", 1))] * 10_000)
    with pytest.raises(TimeoutError, match="it continues"):
        connect(slow).wait_for_simulation("s1", within=0.05)
