"""An event that was rejected for a reason that passes with time is sent again for a while."""

import json

import pytest

from groundhog_client import Batching, Client, EventResult, EventsTaken, RetryPolicy, Unavailable
from groundhog_client._events import async_event_sender, event_sender
from groundhog_client._events.event_buffer import EventBuffer
from groundhog_client._events.pending import Pending

SOON = Batching(interval=0.01)


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def buffer(time, *names, **batching):
    made = EventBuffer(Batching(**batching), RetryPolicy(first_wait=1.0), time, lambda: 0.0)
    for name in names:
        made.add(Pending(json.dumps({"event_id": name}).encode(), time()))
    return made


def answer(box, reason, *rejected):
    """Settle the next batch: the named events are rejected for the reason, the others counted."""
    names = [json.loads(event)["event_id"] for event in box.batch()]
    items = [
        EventResult(
            one, "refused" if one in rejected else "counted", reason if one in rejected else None, "", None
        )
        for one in names
    ]
    refused = sum(item.status == "refused" for item in items)
    return names, box.settle(
        box.batch(), EventsTaken(len(items), len(items) - refused, 0, 0, refused, tuple(items))
    )


@pytest.mark.parametrize("reason", ["no_exposure", "before_assignment", "in_future"])
def test_it_is_sent_again_with_growing_waits_and_reported_in_the_end(time, reason):
    box, waits, reported = buffer(time, "a", retry_rejected_for=60.0), [], []
    while len(box):
        _, reported = answer(box, reason, "a")
        waits.append(box.seconds_until_due(hurry=True))
        time.now += min(waits[-1], 100.0)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 16.0, float("inf")]
    assert [(one.event, one.reason) for one in reported] == [({"event_id": "a"}, reason)]


@pytest.mark.parametrize("reason", ["unknown_unit", "forced", "too_late", "a_later_services"])
def test_a_reason_that_does_not_pass_is_reported_at_once(time, reason):
    box = buffer(time, "a")
    _, reported = answer(box, reason, "a")
    assert ([one.reason for one in reported], len(box)) == ([reason], 0)


def test_it_can_be_switched_off(time):
    box = buffer(time, "a", retry_rejected_for=0.0)
    _, reported = answer(box, "no_exposure", "a")
    assert ([one.reason for one in reported], len(box)) == (["no_exposure"], 0)


def test_it_keeps_no_other_back_and_goes_with_the_next_batch_when_it_is_due(time):
    box = buffer(time, "a", "b", interval=5.0)
    answer(box, "no_exposure", "a")
    assert (len(box), box.settled) == (1, 2)
    box.add(Pending(b'{"event_id": "c"}', time()))
    assert answer(box, "no_exposure")[0] == ["c"]
    time.now += 1.0
    box.add(Pending(b'{"event_id": "d"}', time()))
    assert answer(box, "no_exposure")[0] == ["a", "d"]
    assert (len(box), box.added, box.settled) == (0, 4, 4)


def test_a_failure_meanwhile_keeps_it(time):
    box = buffer(time, "a")
    answer(box, "no_exposure", "a")
    time.now += 1.0
    box.settle(box.batch(), Unavailable(503, "away"))
    assert [event["event_id"] for event in box.remaining()] == ["a"]
    assert answer(box, "no_exposure")[0] == ["a"]
    assert (len(box), box.settled) == (0, 1)


def test_held_ones_take_room(time):
    box = buffer(time, "a", "b", size=2, capacity=2)
    answer(box, "no_exposure", "a", "b")
    assert box.full


def test_closing_sends_it_again_soon_and_reports_it_then(time):
    box = buffer(time, "a", retry_rejected_for=600.0)
    for wait in (1.0, 2.0, 4.0):
        answer(box, "no_exposure", "a")
        time.now += wait
    answer(box, "no_exposure", "a")
    box.close_within(5.0)
    began, reported = time.now, []
    while len(box):
        time.now += box.seconds_until_due(hurry=True)
        _, reported = answer(box, "no_exposure", "a")
    assert (time.now - began, len(reported)) == (5.0, 1)


@pytest.fixture
def url(service_url):
    with Client(service_url) as client:
        client.create_experiment("button", ["blue", "green"], source="tracked")
        client.assign("button", "user-42")
    return service_url


def totals(client):
    days = list(client.each_daily_total("button"))
    return sum(day.impressions for day in days), sum(day.successes for day in days)


def test_a_conversion_counts_whose_exposure_another_process_sends_later(client_of, url):
    rejected, client = [], client_of(url)
    sender = client.event_sender(SOON, on_rejected=rejected.append)
    sender.conversion("button", "user-42")
    sender.flush()
    assert (len(sender), totals(client)) == (1, (0, 0))
    with Client(url) as other, other.event_sender(SOON) as others:
        others.exposure("button", "user-42")
    sender.close()
    assert (totals(client), rejected) == ((1, 1), [])


def test_a_conversion_without_any_exposure_is_reported_when_the_sender_closes(client_of, url, monkeypatch):
    for sender_module in (event_sender, async_event_sender):
        monkeypatch.setattr(sender_module, "CLOSING_RETRY", 0.3)  # in place of 5 seconds
    rejected, client = [], client_of(url)
    sender = client.event_sender(SOON, on_rejected=rejected.append)
    sender.conversion("button", "user-42")
    sender.close()
    assert [one.reason for one in rejected] == ["no_exposure"]
    assert len(sender) == 0
