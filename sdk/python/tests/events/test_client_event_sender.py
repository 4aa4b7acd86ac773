"""Events go in batches, none is lost and none counts twice, whatever the service does meanwhile."""

import json
import threading
import time

import httpx2
import pytest

from client_testing.answers import EAGER
from groundhog_client import Batching, BufferFull, Client, EventsNotSent, GroundhogError, RetryPolicy


class Events:
    """A service that stores the events it is sent, each once, unless it is away."""

    def __init__(self):
        self.stored, self.batches, self.failures = {}, [], []

    def __call__(self, request):
        sent = json.loads(request.content)
        self.batches.append(len(sent))
        if self.failures:
            return self.fail(sent, self.failures.pop(0))
        return self.keep(sent)

    def fail(self, sent, failure):
        if isinstance(failure, httpx2.Response):
            return httpx2.Response(failure.status_code, headers=failure.headers)
        self.keep(sent)  # it was done, only the answer is lost
        raise failure

    def keep(self, sent):
        items = [self.result(event) for event in sent]
        counts = {
            status: sum(item["status"] == status for item in items)
            for status in ("counted", "known", "duplicate", "refused")
        }
        return httpx2.Response(200, json={"received": len(items), **counts, "items": items})

    def result(self, event):
        name, status, reason = event["event_id"], "counted", None
        if event["unit_id"] == "nobody":
            status, reason = "refused", "unknown_unit"
        elif name in self.stored:
            status = "duplicate"
        else:
            self.stored[name] = event
        return {"event_id": name, "status": status, "reason": reason, "detail": reason, "counted_on": None}

    def units(self):
        return sorted(int(event["unit_id"]) for event in self.stored.values())


@pytest.fixture
def events():
    return Events()


def comes(wished, within=30.0):
    until = time.monotonic() + within
    while not wished() and time.monotonic() < until:
        time.sleep(0.005)
    return wished()


def send(sender, *units):
    for unit in units:
        sender.exposure("button", str(unit))


def test_enough_events_go_at_once(connect, events):
    sender = connect(events).event_sender(Batching(size=3, interval=60))
    send(sender, *range(7))
    assert comes(lambda: (events.batches, len(sender)) == ([3, 3], 1))


def test_fewer_go_when_the_time_has_come(connect, events):
    send(connect(events).event_sender(Batching(interval=0.05)), 1, 2)
    assert comes(lambda: events.units() == [1, 2])


def test_flushing_returns_when_the_service_has_them(connect, events):
    sender = connect(events).event_sender(Batching(interval=60))
    send(sender, 1, 2)
    sender.flush()
    assert events.units() == [1, 2]
    send(sender, 3)
    sender.close()
    assert events.units() == [1, 2, 3]
    with pytest.raises(GroundhogError, match="closed"):
        send(sender, 4)


def test_closing_the_client_delivers_too(connect, events):
    client = connect(events)
    send(client.event_sender(Batching(interval=60)), 1, 2)
    client.close()
    assert events.units() == [1, 2]


def test_what_kind_of_event_it_is_and_when_it_happened_is_sent(connect, events):
    sender = connect(events).event_sender()
    sender.exposure("button", "1")
    sender.conversion("button", "2")
    sender.value("button", "3", 12.5)
    sender.flush()
    found = sorted(events.stored.values(), key=lambda event: event["unit_id"])
    assert [(event["type"], event.get("value")) for event in found] == [
        ("exposure", None),
        ("conversion", None),
        ("value", 12.5),
    ]
    assert all(event["occurred_at"].endswith("+00:00") for event in found)


FAILURES = [
    httpx2.Response(503, headers={"Retry-After": "0"}),
    httpx2.ReadError("cut"),
    httpx2.ReadTimeout("slow"),
    httpx2.RemoteProtocolError("gone"),
    httpx2.Response(401),
]


def test_nothing_is_lost_and_nothing_counts_twice_while_the_service_fails(connect, events):
    events.failures = FAILURES * 5
    sender = connect(events).event_sender(Batching(size=10, interval=0.01))
    send(sender, *range(100))
    sender.close()
    assert events.units() == list(range(100))
    assert not events.failures


def test_many_threads_may_share_a_sender(events):
    http = httpx2.Client(transport=httpx2.MockTransport(events))
    with Client("http://groundhog", http=http, retries=EAGER) as client:
        sender = client.event_sender(Batching(size=7, interval=0.01, capacity=20))
        threads = [
            threading.Thread(target=send, args=(sender, *range(first, first + 50)))
            for first in range(0, 400, 50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert events.units() == list(range(400))


def test_adding_waits_while_there_is_no_room(connect, events):
    events.failures = [httpx2.Response(503)] * 3
    retries = RetryPolicy(first_wait=0.05, longest_wait=0.05)
    sender = connect(events, retries=retries).event_sender(Batching(size=2, capacity=4))
    began = time.monotonic()
    send(sender, *range(12))
    assert time.monotonic() - began > 0.05
    sender.close()
    assert events.units() == list(range(12))


def test_adding_raises_when_no_room_comes(connect, events):
    events.failures = [httpx2.Response(503)] * 10_000
    batching = Batching(size=2, capacity=4, room_within=0.4, deliver_within=0.05)
    sender = connect(events, retries=RetryPolicy(first_wait=0.01)).event_sender(batching)
    with pytest.raises(BufferFull, match="4 events wait, because of: 503"):
        send(sender, *range(5))
    with pytest.raises(EventsNotSent, match="4 events were not taken") as error:
        sender.close()
    assert [event["unit_id"] for event in error.value.events] == ["0", "1", "2", "3"]


def test_what_could_not_be_delivered_can_be_sent_again_as_it_is(connect, events):
    events.failures = [httpx2.ReadError("cut")] * 10_000
    sender = connect(events, retries=RetryPolicy(first_wait=0.01)).event_sender(Batching(deliver_within=0.05))
    send(sender, 1, 2)
    with pytest.raises(EventsNotSent) as error:
        sender.close()
    events.failures = []
    assert connect(events).record_events(error.value.events).duplicate == 2
    assert events.units() == [1, 2]


def test_what_the_service_rejects_is_reported_with_the_reason(connect, events):
    rejected = []
    sender = connect(events).event_sender(on_rejected=rejected.append)
    send(sender, 1, "nobody", 2)
    sender.flush()
    assert [(one.event["unit_id"], one.reason) for one in rejected] == [("nobody", "unknown_unit")]
    assert events.units() == [1, 2]


@pytest.mark.parametrize("status", [403, 404, 409])
def test_an_event_for_which_whole_batches_are_rejected_keeps_no_other_back(connect, events, status):
    def answer(request):
        return httpx2.Response(status) if b'"poison"' in request.content else events(request)

    rejected = []
    sender = connect(answer).event_sender(Batching(size=10, interval=60), on_rejected=rejected.append)
    send(sender, *range(4), "poison", *range(4, 25))
    sender.close()
    assert [rejection.event["unit_id"] for rejection in rejected] == ["poison"]
    assert events.units() == list(range(25))


def test_a_rejection_is_logged_by_default(connect, events, caplog):
    sender = connect(events).event_sender()
    send(sender, "nobody")
    sender.flush()
    assert "an event was rejected (unknown_unit)" in caplog.text


def test_an_error_in_on_rejected_is_logged_and_the_sending_continues(connect, events, caplog):
    called = []

    def on_rejected(rejection):
        called.append(rejection.event["unit_id"])
        raise RuntimeError("no disk")

    sender = connect(events).event_sender(Batching(size=2, interval=60), on_rejected=on_rejected)
    send(sender, "nobody", "nobody", 1, 2, "nobody", 3)
    sender.close()
    assert (called, events.units()) == (["nobody"] * 3, [1, 2, 3])
    assert caplog.text.count("RuntimeError: no disk") == 3


def test_flushing_returns_once_every_rejection_was_reported(connect, events):
    rejected = []
    sender = connect(events).event_sender(
        Batching(size=1), on_rejected=lambda rejection: (time.sleep(0.2), rejected.append(rejection))
    )
    send(sender, "nobody")
    assert comes(lambda: len(sender) == 0)  # it is settled, and being rejected
    sender.flush()
    assert len(rejected) == 1


def test_an_attempt_that_breaks_in_an_unforeseen_way_is_made_again(connect, events, caplog):
    events.failures = [RuntimeError("the transport is broken")] * 3
    sender = connect(events).event_sender(Batching(interval=60))
    send(sender, 1, 2)
    sender.flush()
    assert (events.batches, events.units()) == ([2, 2, 2, 2], [1, 2])
    assert "RuntimeError: the transport is broken" in caplog.text


def test_the_last_error_is_there_while_it_lasts(connect, events):
    events.failures = [httpx2.Response(503, json={"detail": "the database is away"})] * 10_000
    sender = connect(events, retries=RetryPolicy(first_wait=0.01)).event_sender(Batching(interval=0.0))
    send(sender, 1)
    assert comes(lambda: sender.last_error is not None)
    events.failures = []
    sender.flush()
    assert sender.last_error is None


def test_a_sender_without_events_closes_at_once(connect, events):
    connect(events).event_sender().close()
    assert events.batches == []
