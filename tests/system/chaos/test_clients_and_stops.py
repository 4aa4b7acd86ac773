"""Clients that break off, crawl or come while the service stops."""

import datetime as dt
import json
import socket
import threading
import time
from contextlib import ExitStack

import httpx2

from tests.system.chaos.load import KILLS, load
from tests.system.chaos.stored import Stored

STOPS = 10 if KILLS > 2 else 1
BODY = json.dumps(
    {"experiment_id": "cut", "variant_id": "a", "date": "2020-01-01", "impressions": 1, "successes": 1}
)


def opened(running, path, body, sent):
    """A connection on which a POST was begun and ``sent`` characters of its body went out."""
    connection = socket.create_connection(("127.0.0.1", running.port), 60)
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body[:sent]}".encode())
    return connection


def test_a_request_cut_in_its_middle_leaves_nothing(running):
    for path in (
        "/metrics",
        "/metrics/bulk",
        "/assignments",
        "/events",
        "/experiments",
        "/experiments/import",
    ):
        for sent in range(0, len(BODY), 10):
            opened(running, path, BODY, sent).close()
    assert httpx2.get(f"{running.address}/experiments/cut", timeout=60).status_code == 404


def test_crawling_clients_keep_nobody_else_waiting(running, settle):
    with ExitStack() as crawling, load(lambda: running.address) as writing:
        for _ in range(200):
            crawling.enter_context(opened(running, "/metrics", BODY, 5))
            begun = crawling.enter_context(socket.create_connection(("127.0.0.1", running.port), 60))
            begun.sendall(b"POST /metrics HTT")
        writing.wait_for(40)
        assert httpx2.get(f"{running.address}/livez", timeout=60).status_code == 200
    settle(running, writing, 400)


class Reporter(threading.Thread):
    """A client that reports day after day until its connection is refused or closed."""

    def __init__(self, address, experiment_id, under_way):
        super().__init__()
        self.address, self.experiment_id, self.under_way = address, experiment_id, under_way
        self.answered = set()

    def run(self):
        with httpx2.Client(timeout=120) as client:
            for number in range(10_000):
                date = str(dt.date(1990, 1, 1) + dt.timedelta(days=number))
                total = {"experiment_id": self.experiment_id, "variant_id": "a", "date": date}
                try:
                    answer = client.post(
                        f"{self.address}/metrics", json=total | {"impressions": 9, "successes": 1}
                    )
                except httpx2.TransportError:
                    return
                if answer.status_code == 200:
                    self.answered.add(("a", date))
                if number > 10:
                    self.under_way.set()


def test_a_stop_answers_every_request_that_it_took(running, record_property):
    """What was stored was acknowledged: a client that saw its connection refused or closed has stored nothing."""
    begin, acknowledged = time.monotonic(), 0
    for number in range(STOPS):
        under_way = threading.Event()
        reporters = [Reporter(running.address, f"stop-{number}-{i}", under_way) for i in range(8)]
        for reporter in reporters:
            reporter.start()
        assert under_way.wait(300)
        time.sleep(0.1)
        assert running.terminate() == 0
        for reporter in reporters:
            reporter.join(300)
        running.start()
        running.wait_until_ready()
        with Stored(running.address) as stored:
            for reporter in reporters:
                assert set(stored.totals(reporter.experiment_id)) == reporter.answered
                acknowledged += len(reporter.answered)
    record_property("chaos", (STOPS, acknowledged, 0, 0, 8 * STOPS, round(time.monotonic() - begin)))


def test_a_clock_that_jumps_changes_nothing_recorded(client, clock):
    total = {"experiment_id": "e", "date": str(clock().date() - dt.timedelta(days=1)), "impressions": 1000}
    client.post("/metrics", json=[total | {"variant_id": "a", "successes": 30},
                                  total | {"variant_id": "b", "successes": 50}])  # fmt: skip
    before = client.get("/allocations/e").content
    today = clock.now
    for days in (3650, -3650, 1, -1):
        clock.now = today + dt.timedelta(days=days)
        for path in ("/allocations/e", "/experiments/e", "/metrics/e", "/readyz", "/metrics"):
            assert client.get(path).status_code < 500
        client.post("/metrics", json=total | {"variant_id": "a", "successes": 30})
    clock.now = today
    assert client.get("/allocations/e").content == before
