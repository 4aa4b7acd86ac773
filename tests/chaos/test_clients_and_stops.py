"""Clients that break off, crawl or come while the service stops."""

import datetime as dt
import json
import socket
import threading
import time
from contextlib import ExitStack

import httpx2

from tests.chaos.conftest import KILLS
from tests.chaos.load import load

BODY = json.dumps(
    {"experiment_id": "cut", "variant_id": "a", "date": "2020-01-01", "impressions": 1, "successes": 1}
)


def opened(running, path, body, sent):
    """A connection on which a POST was begun and ``sent`` characters of its body went out."""
    connection = socket.create_connection(("127.0.0.1", running.port), 10)
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
    assert httpx2.get(f"{running.address}/experiments", timeout=10).json()["items"] == []


def test_crawling_clients_keep_nobody_else_waiting(running, settle):
    with ExitStack() as crawling, load(lambda: running.address) as writing:
        for _ in range(200):
            crawling.enter_context(opened(running, "/metrics", BODY, 5))
            begun = crawling.enter_context(socket.create_connection(("127.0.0.1", running.port), 10))
            begun.sendall(b"POST /metrics HTT")
        writing.wait_for(40)
        assert httpx2.get(f"{running.address}/livez", timeout=5).status_code == 200
    settle(running, writing, 400)


def test_a_stop_answers_every_request_that_it_took(running):
    """What was stored was acknowledged: a client that saw its connection refused or closed has stored nothing."""
    answered, stored = set(), threading.Event()

    def report(worker):
        for number in range(10_000):
            date = str(dt.date(1990, 1, 1) + dt.timedelta(days=number))
            total = {"experiment_id": f"e{worker}", "variant_id": "a", "date": date}
            try:
                answer = httpx2.post(
                    f"{running.address}/metrics", json=total | {"impressions": 9, "successes": 1}, timeout=30
                )
            except httpx2.TransportError:
                return
            if answer.status_code == 200:
                answered.add((f"e{worker}", date))
            if number > 10:
                stored.set()

    for _ in range(min(KILLS, 10)):
        workers = [threading.Thread(target=report, args=(number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        assert stored.wait(60)
        time.sleep(0.1)
        assert running.terminate() == 0
        for worker in workers:
            worker.join(60)
        running.start()
        running.wait_until_ready()
        assert _all_stored(running, 8) == answered


def _all_stored(running, workers):
    found = set()
    for worker in range(workers):
        cursor = None
        while True:
            query = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            page = httpx2.get(f"{running.address}/metrics/e{worker}", params=query, timeout=30).json()
            found |= {(f"e{worker}", row["date"]) for row in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                break
    return found


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
