"""Units drawn here are the service's draws, also while it is away."""

import datetime as dt

import httpx2
import pytest

from client_testing.answers import EAGER, Written
from groundhog_client import Client, Conflict, Split
from groundhog_client._decisions.split_cache import REFRESH_SECONDS, SplitCache
from groundhog_client._protocol.service_clock import ServiceClock

SPLIT = {
    "experiment_id": "button",
    "state": "running",
    "salt": "pepper",
    "holdout_percent": 0.0,
    "control": "control",
    "values": {"control": None, "bold": {"colour": "red"}},
    "revision": "5f0c5f8b6a2f9d3e",
    "shares": {"control": 0.0, "bold": 100.0},
    "until": "2999-01-01T00:00:00Z",
}
VARIANTS = [{"variant_id": "control"}, {"variant_id": "bold", "value": {"colour": "red"}}]


def found(**fields):
    return httpx2.Response(200, json=SPLIT | fields, headers={"ETag": '"1"'})


def test_the_service_agrees_about_every_unit_and_counts_what_was_shown(service_url):
    with Client(service_url, retries=EAGER) as client:
        settings = {"assignment_mode": "rendezvous", "holdout_percent": 20, "source": "tracked"}
        client.create_experiment("button", VARIANTS, **settings)
        units = [f"user-{number}" for number in range(300)]
        here = [client.decide_locally("button", unit, within=30).assignment for unit in units]
        there = client.assign_many(("button", unit) for unit in units)
        assert here == list(there)
        assert {one.reason for one in here} == {"drawn", "holdout"}
        with client.event_sender() as sender:
            for unit in units:
                sender.record_exposure(client.decide_locally("button", unit))
        drawn = sum(one.reason == "drawn" for one in here)
        assert sum(day.impressions for day in client.each_daily_total("button")) == drawn


def test_a_hundred_units_are_one_request(connect):
    written = Written(found())
    client = connect(written)
    decisions = [client.decide_locally("button", f"user-{i}") for i in range(100)]
    assert len(written.requests) == 1
    assert {(one.variant_id, one.value["colour"], one.is_fallback) for one in decisions} == {
        ("bold", "red", False)
    }
    assert decisions[0].assignment.propensity == 1.0


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_a_halted_experiment_shows_the_control(connect, state):
    decision = connect(Written(found(state=state, shares={}, revision=None))).decide_locally(
        "button", "user-42"
    )
    assert (decision.variant_id, decision.assignment.reason) == ("control", state)


def test_a_service_that_was_never_reached_gives_the_default(connect):
    decision = connect(Written(*[httpx2.ConnectError("refused")] * 5)).decide_locally("button", "user-42")
    assert (decision.variant_id, decision.is_fallback) == ("control", True)


def test_an_experiment_with_sticky_assignments_is_not_drawn_here(connect):
    rejection = httpx2.Response(409, json={"detail": "ask POST /assignments"})
    with pytest.raises(Conflict):
        connect(Written(rejection)).decide_locally("button", "user-42")


def split(until):
    return Split("button", "running", "", 0.0, "control", {}, "r", {"control": 100.0}, until)


def test_a_split_is_asked_for_once_a_minute_and_when_it_ends():
    now = [0.0]
    splits, moment = SplitCache(lambda: now[0], ServiceClock()), dt.datetime.now(dt.UTC)
    long, short = split(moment + dt.timedelta(days=1)), split(moment + dt.timedelta(seconds=10))
    assert splits.get("button") is None
    splits.put("button", long)
    now[0] = REFRESH_SECONDS - 1
    assert splits.get("button") is long
    now[0] = REFRESH_SECONDS
    assert splits.get("button") is None
    splits.put("button", short)
    now[0] += 11
    assert splits.get("button") is None


def test_the_last_split_is_used_while_the_service_is_away():
    splits, last = SplitCache(lambda: 0.0, ServiceClock()), split(dt.datetime.now(dt.UTC))
    splits.put("button", last)
    assert splits.put("button", Conflict(409, "away")) is last
