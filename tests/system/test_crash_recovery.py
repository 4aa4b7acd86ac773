"""The service is killed again and again while events come one to five times each: every one counts once."""

import json
import random
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from queue import Empty, Queue

import pytest

from tests.support.fixtures.events import event, totals
from tests.support.service_process import ServiceProcess
from tests.system.scaling.ports import free_port

UNITS, SENDERS, KILLS, UNITS_A_BATCH = 300, 6, 2, 8
GIVE_UP_SECONDS = 600


@pytest.fixture
def service(database_url):
    """A service process that can be killed and started again, always on the same port."""
    running = ServiceProcess(port=free_port(), DATABASE_URL=database_url, log=subprocess.DEVNULL)
    running.start()
    yield running
    running.stop()


def of_unit(unit):
    """Everything a unit does: one exposure, and every third converts and buys twice."""
    number = int(unit.removeprefix("u"))
    rewards = [
        event(unit, "conversion"),
        *(event(unit, "value", f"{unit}-{i}", value=number + i) for i in (1, 2)),
    ]
    return [event(unit, "exposure"), *(rewards if number % 3 == 0 else [])]


def batches():
    """Every unit's events in one to five batches, in any order and company."""
    chance = random.Random(1)
    copies = [f"u{i}" for i in range(UNITS) for _ in range(chance.randint(1, 5))]
    chance.shuffle(copies)
    groups = [copies[start : start + UNITS_A_BATCH] for start in range(0, len(copies), UNITS_A_BATCH)]
    return [[one for unit in group for one in of_unit(unit)] for group in groups]


def post_until_answered(service, body, until):
    """Send a batch, as any client does after a broken connection: again, until there is an answer."""
    while time.monotonic() < until:
        request = urllib.request.Request(
            f"{service.address}/events", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except (OSError, HTTPException, ValueError):  # refused, reset, cut in the middle, or 503
            time.sleep(0.05)
    raise TimeoutError("the service did not come back")


def test_totals_are_exact_after_the_service_was_killed_while_events_came(client, assign, service):
    assign("a", *[f"u{i}" for i in range(0, UNITS, 2)])
    assign("b", *[f"u{i}" for i in range(1, UNITS, 2)])
    answers = sent_through_kills(service)
    assert {item["status"] for answer in answers for item in answer["items"]} <= {
        "counted",
        "known",
        "duplicate",
    }
    assert list(totals(client).values()) == [expected(0), expected(1)]


def sent_through_kills(service):
    """Send all batches from several threads; kill the service whenever another part of them is answered."""
    todo, answers = Queue(), []
    for batch in batches():
        todo.put(batch)
    total, until = todo.qsize(), time.monotonic() + GIVE_UP_SECONDS

    def send():
        while True:
            try:
                batch = todo.get_nowait()
            except Empty:
                return
            answers.append(post_until_answered(service, batch, until))

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for kill in range(1, KILLS + 1):
        while len(answers) < kill * total / (KILLS + 1) and time.monotonic() < until:
            time.sleep(0.001)
        service.kill()
        service.start()
    for sender in senders:
        sender.join()
    assert len(answers) == total
    return answers


def expected(first):
    """The totals of every second unit from the first: each third of them earned (n + 1) + (n + 2)."""
    units = range(first, UNITS, 2)
    worth = [2 * n + 3 for n in units if n % 3 == 0]
    return len(units), len(worth), sum(worth), sum(value**2 for value in worth)
