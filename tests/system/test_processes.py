"""Answers are the same from every worker and after a restart."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from tests.support import LIMIT, ROOT


@contextmanager
def service(database_url, *options):
    """Run the command as a user would, on a free port; stop it by Ctrl-C."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", *options]
    environment = os.environ | {"DATABASE_URL": database_url}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[-1]
            wait_until_ready(address)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            assert process.wait(LIMIT) == 0


def wait_until_ready(address):
    give_up = time.monotonic() + LIMIT
    while time.monotonic() < give_up:
        try:
            get(f"{address}/readyz")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{address} is not ready")


def get(url):
    """Every call opens a connection of its own, so that any worker may answer."""
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return answer.read()


def post(url, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return json.load(answer)


def test_answers_are_byte_identical_across_two_workers_and_a_restart(database_url):
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    totals = [
        {"experiment_id": "e", "variant_id": v, "date": str(yesterday), "impressions": 997, "successes": s}
        for v, s in (("a", 101), ("b", 113), ("c", 97))
    ]
    path = f"/allocations/e?for_date={yesterday + dt.timedelta(days=1)}"
    with service(database_url, "--workers", "2") as address:
        post(f"{address}/metrics/", totals)
        answers = {get(address + path) for _ in range(40)}
    with service(database_url) as address:
        answers.add(get(address + path))
    assert len(answers) == 1
