"""The load generator measures what is there: against a server whose delays are known."""

import time
from itertools import repeat

import numpy as np

from benchmarks.load.open_loop import NO_ANSWER, Request, offer
from tests.benchmarks.stub import Stub

GET = Request("get", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", frozenset({200}))


def test_every_request_is_sent_once_and_counted_once():
    with Stub().running() as stub:
        offered = offer(stub.port, repeat(GET), rate=300, seconds=1)
    assert len(offered.latencies) == stub.received == 300
    assert not offered.wrong


def test_the_time_of_an_answer_is_the_latency():
    with Stub(delay=0.05).running() as stub:
        began = time.monotonic()
        offered = offer(stub.port, repeat(GET), rate=100, seconds=1)
        took = time.monotonic() - began
    assert min(offered.latencies) >= 0.05
    assert max(offered.latencies) < took  # no answer took longer than all of them


def test_requests_that_were_due_while_the_server_stood_still_are_counted_as_slow():
    """A client that waits would have sent one request per connection into the pause, and seen that few be slow."""
    connections, rate = 4, 200
    with Stub().running() as stub:
        stub.stand_still(after=0.5, seconds=0.5)
        offered = offer(stub.port, repeat(GET), rate, seconds=1.5, connections=connections)
    slow = sum(latency > 0.1 for latency in offered.latencies)
    expected = rate * 0.4
    assert slow > expected - 4 * np.sqrt(expected) > 10 * connections
    assert max(offered.latencies) >= 0.45


def test_more_than_can_be_served_queues_and_the_wait_is_counted():
    with Stub(delay=0.02).running() as stub:
        offered = offer(stub.port, repeat(GET), rate=100, seconds=1, connections=1)
    assert offered.served < 50
    assert offered.latencies[-1] > 0.5


def test_answers_with_another_status_are_reported():
    with Stub(status=503).running() as stub:
        offered = offer(stub.port, repeat(GET), rate=50, seconds=0.5)
    assert offered.wrong == {("get", 503): len(offered.latencies)}


def test_a_connection_that_was_cut_is_reported_and_opened_again():
    with Stub(cuts={3, 10}).running() as stub:
        offered = offer(stub.port, repeat(GET), rate=100, seconds=0.5, connections=2)
    assert offered.wrong == {("get", NO_ANSWER): 2}
    assert offered.unanswered == 2
    assert len(offered.latencies) == stub.received > 12


def test_what_is_never_answered_is_given_up_and_counted(monkeypatch):
    monkeypatch.setattr("benchmarks.load.open_loop.GRACE_SECONDS", 0.2)
    with Stub(delay=60).running() as stub:
        offered = offer(stub.port, repeat(GET), rate=50, seconds=0.3, connections=2)
    assert offered.unanswered == len(offered.latencies) > 2
    assert offered.served == 0
