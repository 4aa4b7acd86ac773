"""Real worker processes, all at once: one variant for each unit, whoever asks whom, and after kill -9."""

import http.client
import json
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

import psycopg
import pytest
from scipy.stats import chisquare

from tests.support import LIMIT
from tests.support.service_process import ServiceProcess, post

UNITS, BATCH, CALLERS, WORKERS = 10_000, 1_000, 20, "4"

TRIES = 5
SHARES = {"control": 40.0, "a": 30.0, "b": 15.0, "c": 10.0, "d": 5.0}
EXPERIMENT = {
    "experiment_id": "e",
    "source": "tracked",
    "policy": {"kind": "fixed", "shares": SHARES},
    "variants": [{"variant_id": name} for name in SHARES],
}


@pytest.fixture
def start(database_url):
    """Return a starter of services; they are killed without a word."""
    with ExitStack() as started:

        def start(*options):
            service = ServiceProcess(*options, DATABASE_URL=database_url, log=subprocess.DEVNULL)
            service.start()
            started.callback(service.kill)
            service.wait_until_ready()
            return service

        yield start


@contextmanager
def connected(address):
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=LIMIT)) as connection:
        yield connection


def call(connection, body):
    connection.request("POST", "/assignments", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status in {200, 201}, content
    return json.loads(content)


def ask(address, body):
    """Ask over a new connection, again where it is closed, as clients do; return how often that was."""
    for lost in range(TRIES):
        with suppress(ConnectionError, http.client.HTTPException), connected(address) as connection:
            return call(connection, body), lost
    raise AssertionError(f"{TRIES} connections were closed one after the other")


def batches():
    for start in range(0, UNITS, BATCH):
        units = [{"experiment_id": "e", "unit_id": f"u{n}"} for n in range(start, start + BATCH)]
        yield json.dumps(units)


def test_ten_thousand_units_with_twenty_first_calls_each_over_four_workers(database_url, start):
    bodies, together = list(batches()), threading.Barrier(CALLERS)

    def ask_for_all(_):
        found, lost = [], 0
        try:
            for body in bodies:
                together.wait(LIMIT)  # all of them come with these units at the same moment
                items, again = ask(address, body)
                found, lost = found + items, lost + again * len(items)
        finally:
            if len(found) < UNITS:
                together.abort()  # the others would wait for it
        return [item["variant_id"] for item in found], sum(item["new"] for item in found), lost

    address = start("--workers", WORKERS).address
    post(f"{address}/experiments", EXPERIMENT)
    with ThreadPoolExecutor(CALLERS) as threads:
        answers = list(threads.map(ask_for_all, range(CALLERS)))
    variants = answers[0][0]
    assert all(seen == variants for seen, _, _ in answers)
    said_to_be_new, lost = sum(new for _, new, _ in answers), sum(lost for _, _, lost in answers)
    assert UNITS - lost <= said_to_be_new <= UNITS  # exactly all of them where no answer was lost
    counted = Counter(variants)
    wanted = [share * UNITS / 100 for share in SHARES.values()]
    assert chisquare([counted[name] for name in SHARES], wanted).pvalue > 0.001
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select unit_id, variant_id from assignments").fetchall()
        counts = connection.execute(
            "select variant_id, sum(units) from assignment_counts group by 1"
        ).fetchall()
    assert dict(rows) == {f"u{n}": variant for n, variant in enumerate(variants)}
    assert dict(counts) == counted


def test_what_was_answered_before_a_kill_9_stays(database_url, start):
    service = start()
    address = service.address
    post(f"{address}/experiments", EXPERIMENT)
    answered = {}
    enough = threading.Event()

    def ask(caller):
        with connected(address) as connection, suppress(OSError, http.client.HTTPException):
            for number in count():
                unit = {"experiment_id": "e", "unit_id": f"u{caller}-{number}"}
                answered[unit["unit_id"]] = call(connection, json.dumps(unit))["variant_id"]
                if len(answered) > 300:
                    enough.set()

    threads = [threading.Thread(target=ask, args=(caller,)) for caller in range(8)]
    for thread in threads:
        thread.start()
    assert enough.wait(LIMIT)
    service.kill()
    for thread in threads:
        thread.join(LIMIT)
    address = start().address
    units = [{"experiment_id": "e", "unit_id": unit_id} for unit_id in answered][:1_000]
    with connected(address) as connection:
        again = call(connection, json.dumps(units))
    assert [item["variant_id"] for item in again] == [answered[unit["unit_id"]] for unit in units]
    assert not any(item["new"] for item in again)
    with psycopg.connect(database_url) as database:
        stored = database.execute("select count(*) from assignments").fetchone()
        counted = database.execute("select sum(units) from assignment_counts").fetchone()
    assert stored == counted
