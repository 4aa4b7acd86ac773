"""The service itself fails, is killed and comes back while events are sent: the totals are exactly right."""

import subprocess
import sys
import threading
import time

import httpx2
import pytest

from groundhog_client import Batching, Client, RetryPolicy

pytestmark = pytest.mark.system

UNITS = 300
STUBBORN = RetryPolicy(timeout=5.0, deadline=120.0, attempts=10_000, first_wait=0.02, longest_wait=0.1)
SMALL = Batching(size=20, interval=0.02, deliver_within=120.0)


def assign_all(client: Client) -> None:
    client.create_experiment("button", ["blue", "green"], source="tracked")
    assigned = client.assign_many(("button", f"user-{i}") for i in range(UNITS))
    assert all(one.variant_id in {"blue", "green"} for one in assigned)


def send_all(sender) -> None:
    for i in range(UNITS):
        sender.exposure("button", f"user-{i}")
        if i % 3 == 0:
            sender.conversion("button", f"user-{i}")
        time.sleep(0.002)


def totals(client: Client) -> tuple[int, int]:
    found = list(client.each_daily_total("button"))
    return sum(day.impressions for day in found), sum(day.successes for day in found)


def test_a_service_killed_and_restarted_costs_no_event_and_counts_none_twice(service_process):
    rejected = []
    with Client(service_process.url, retries=STUBBORN) as client:
        assign_all(client)
        sender = client.event_sender(SMALL, on_rejected=rejected.append)
        sending = threading.Thread(target=send_all, args=(sender,))
        sending.start()
        time.sleep(0.2)
        service_process.kill()
        time.sleep(0.1)
        service_process.start()
        sending.join()
        sender.flush()
        assert totals(client) == (UNITS, UNITS / 3)
    assert rejected == []


class Unsteady(httpx2.HTTPTransport):
    """A connection on which requests and answers are lost in turn, and a gateway answers 503."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/events":
            return super().handle_request(request)
        self.requests += 1
        kind = self.requests % 4
        if kind == 0:
            return super().handle_request(request)
        if kind == 1:
            return httpx2.Response(503, headers={"Retry-After": "0"})
        if kind == 2:
            raise httpx2.WriteError("cut", request=request)
        super().handle_request(request).read()
        raise httpx2.ReadError("cut", request=request)


def test_a_bad_connection_costs_no_event_and_counts_none_twice(service_url):
    http = httpx2.Client(transport=Unsteady())
    with http, Client(service_url, retries=STUBBORN, http=http) as client:
        assign_all(client)
        with client.event_sender(SMALL) as sender:
            send_all(sender)
        assert totals(client) == (UNITS, UNITS / 3)


FORGETFUL = """
import sys
from groundhog_client import Batching, Client
sender = Client(sys.argv[1]).event_sender(Batching(interval=60))
for i in range(10):
    sender.exposure("button", f"user-{i}")
"""


def test_a_program_that_ends_without_closing_delivers_first(service_url):
    with Client(service_url) as client:
        assign_all(client)
        subprocess.run([sys.executable, "-c", FORGETFUL, service_url], check=True, timeout=30)
        assert totals(client) == (10, 0)
