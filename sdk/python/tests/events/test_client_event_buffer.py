"""An event leaves the buffer only when the service took it, or rejected it by name."""

import json

import pytest

from groundhog_client import (
    Batching,
    EventResult,
    EventsTaken,
    FieldError,
    Forbidden,
    GroundhogError,
    Invalid,
    Problem,
    RetryPolicy,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
    UnreadableAnswer,
)
from groundhog_client._errors import problem_of
from groundhog_client._events.event_buffer import EventBuffer
from groundhog_client._events.pending import Pending


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def buffer(time, events=0, **batching):
    made = EventBuffer(Batching(**batching), RetryPolicy(first_wait=1.0), time, lambda: 0.0)
    for number in range(events):
        made.add(Pending(json.dumps({"event_id": f"e{number}"}).encode(), time()))
    return made


def taken(batch, *refused):
    items = tuple(
        EventResult(
            f"e{i}", "refused" if i in refused else "counted", "unknown_unit", "assign it first", None
        )
        for i in range(len(batch))
    )
    return EventsTaken(len(items), len(items) - len(refused), 0, 0, len(refused), items)


def test_a_batch_goes_when_enough_wait(time):
    box = buffer(time, 2, size=3, interval=10.0)
    assert box.seconds_until_due(hurry=False) == 10.0
    box.add(Pending(b"{}", time()))
    assert box.seconds_until_due(hurry=False) == 0.0
    assert len(box.batch()) == 3


def test_a_batch_goes_when_one_has_waited_long_enough_or_there_is_a_hurry(time):
    box = buffer(time, 1, size=3, interval=10.0)
    time.now += 9.0
    assert box.seconds_until_due(hurry=False) == 1.0
    assert box.seconds_until_due(hurry=True) == 0.0
    assert buffer(time).seconds_until_due(hurry=True) == float("inf")


def test_what_was_taken_leaves_and_what_was_rejected_is_reported(time):
    box = buffer(time, 5, size=3)
    (rejection,) = box.settle(box.batch(), taken(box.batch(), 1))
    assert (rejection.event, rejection.reason) == ({"event_id": "e1"}, "unknown_unit")
    assert [event["event_id"] for event in box.remaining()] == ["e3", "e4"]
    assert (box.added, box.settled) == (5, 3)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("refused"),
        Unavailable(503, "away"),
        Unauthorized(401, "no key"),
        Problem(407, "the proxy wants a password"),
        Problem(408, "slow"),
        TooManyRequests(429, "slower"),
        GroundhogError("broken"),
        UnreadableAnswer("<html>"),
    ],
)
def test_a_failure_keeps_every_event_and_the_waits_grow(time, error):
    box = buffer(time, 5, size=3)
    waits = []
    for _ in range(3):
        assert box.settle(box.batch(), error) == []
        waits.append(box.seconds_until_due(hurry=True))
        time.now += waits[-1]
    assert waits == [1.0, 2.0, 4.0]
    assert (len(box), box.last_error) == (5, error)


def test_retry_after_is_waited_for(time):
    box = buffer(time, 1)
    box.settle(box.batch(), Unavailable(503, "away", retry_after=30))
    assert box.seconds_until_due(hurry=True) == 31.0


def test_once_the_service_is_back_there_is_no_last_error(time):
    box = buffer(time, 1)
    box.settle(box.batch(), Unreachable("refused"))
    box.settle(box.batch(), taken(box.batch()))
    assert (len(box), box.last_error) == (0, None)


def test_an_event_the_service_cannot_read_is_reported_and_the_others_are_sent_again(time):
    box = buffer(time, 5, size=4)
    error = Invalid(422, "no", errors=[FieldError("body.2.unit_id", "too long"), FieldError("body", "no")])
    (rejection,) = box.settle(box.batch(), error)
    assert (rejection.event, rejection.reason, rejection.detail) == (
        {"event_id": "e2"},
        "invalid",
        "too long",
    )
    assert [event["event_id"] for event in box.remaining()] == ["e0", "e1", "e3", "e4"]
    assert (box.added, box.settled, box.seconds_until_due(hurry=True)) == (5, 1, 0.0)


def test_events_outside_the_keys_prefix_are_reported_and_the_others_are_sent_again(time):
    box = buffer(time, 3)
    places = [FieldError(f"body.{place}.experiment_id", "outside the limit") for place in (0, 2)]
    rejected = box.settle(box.batch(), Forbidden(403, "the API key is limited", errors=places))
    assert [(rejection.event["event_id"], rejection.reason) for rejection in rejected] == [
        ("e0", "forbidden"),
        ("e2", "forbidden"),
    ]
    assert [event["event_id"] for event in box.remaining()] == ["e1"]


REJECTED_AS_A_WHOLE = {
    400: "invalid",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "invalid",
    415: "invalid",
    422: "invalid",
}


@pytest.mark.parametrize(("status", "reason"), REJECTED_AS_A_WHOLE.items())
def test_where_the_answer_does_not_name_the_event_smaller_batches_find_it(time, status, reason):
    box, rejected = buffer(time, 8, size=8), []
    while len(box):
        batch = box.batch()
        bad = b'{"event_id": "e5"}' in batch
        rejected += box.settle(batch, problem_of(status, {}, b'{"detail": "no"}') if bad else taken(batch))
        assert box.seconds_until_due(hurry=True) in {0.0, float("inf")}
    assert [(rejection.event, rejection.reason, rejection.detail) for rejection in rejected] == [
        ({"event_id": "e5"}, reason, "no")
    ]
    assert box.settled == 8


def test_once_the_last_event_is_rejected_there_is_no_last_error(time):
    box = buffer(time, 2)
    error = Forbidden(403, "the API key has no scope for it")
    box.settle(box.batch(), error)
    assert box.last_error is error
    for _ in range(2):
        box.settle(box.batch(), error)
    assert (len(box), box.last_error) == (0, None)


def test_an_answer_that_leaves_out_events_settles_none(time):
    box = buffer(time, 3)
    box.settle(box.batch(), taken([b""]))
    assert len(box) == 3


@pytest.mark.parametrize(
    "batching", [{"size": 0}, {"size": 5_001, "capacity": 9_000}, {"size": 10, "capacity": 9}]
)
def test_batches_are_of_a_size_the_service_takes(batching):
    with pytest.raises(ValueError):
        Batching(**batching)
