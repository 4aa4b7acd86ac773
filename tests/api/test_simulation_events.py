"""A simulation's progress as server-sent events, byte for byte."""

import datetime as dt

import pytest
from fastapi import routing

from app.errors import NotFound, Unavailable
from app.schemas.simulations.simulations import Progress, SimulationSummary
from app.services.simulations import runs


def summary(state, done, fault=None):
    at = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
    progress = Progress(done=done, total=10)
    return SimulationSummary(
        id="s1", scenario="clv", state=state, created_at=at, progress=progress, fault=fault, request={}
    )


@pytest.fixture
def follow(client, monkeypatch):
    """Return a function that follows a run with these states, one at each read."""

    def events(*states):
        reads = iter(states)

        def read(*_):
            state = next(reads)
            if isinstance(state, Exception):
                raise state
            return state

        monkeypatch.setattr(runs, "read_interim", read)
        return client.get("/simulations/s1/events")

    return events


def test_an_event_per_change_has_the_state_as_its_name_and_compact_json(follow):
    response = follow(
        (summary("queued", 0), None),
        (summary("queued", 0), None),
        (summary("running", 4), {"days": [1]}),
        (summary("failed", 4, "no"), None),
    )
    assert response.text == (
        'event: queued\ndata: {"done":0,"total":10}\n\n'
        'event: running\ndata: {"done":4,"total":10,"standing":{"days":[1]}}\n\n'
        'event: failed\ndata: {"done":4,"total":10,"fault":"no"}\n\n'
    )
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"


def test_an_idle_stream_is_held_open_with_comments(follow, monkeypatch):
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.01)
    text = follow((summary("queued", 0), None), (summary("done", 10), None)).text
    first, *pings, last = text.removesuffix("\n\n").split("\n\n")
    assert first == 'event: queued\ndata: {"done":0,"total":10}'
    assert set(pings) == {": ping"}
    assert last == 'event: done\ndata: {"done":10,"total":10}'


def test_a_database_that_is_away_meanwhile_does_not_end_the_stream(follow):
    text = follow((summary("queued", 0), None), Unavailable("away"), (summary("done", 10), None)).text
    assert text.count("event:") == 2
    assert text.endswith('event: done\ndata: {"done":10,"total":10}\n\n')


@pytest.mark.parametrize(("error", "status"), [(NotFound("none"), 404), (Unavailable("away"), 503)])
def test_an_error_at_the_first_read_is_an_error_response(follow, error, status):
    response = follow(error)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
