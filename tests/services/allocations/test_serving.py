"""The server of allocations: it can be closed and used again, and its threads are its own."""

import threading
from unittest.mock import patch

from app.services.allocations.replica_reader import ReplicaReader

ALLOCATE = ReplicaReader.allocate


def report(client):
    total = {"experiment_id": "e", "variant_id": "a", "date": "2026-03-09", "impressions": 9, "successes": 1}
    client.post("/metrics/", json=total).raise_for_status()


def test_an_application_that_was_stopped_serves_allocations_again(client):
    report(client)
    first = client.get("/allocations/e?as_of=now").content
    client.__exit__(None, None, None)
    client.__enter__()
    assert client.get("/allocations/e?as_of=now").content == first


def test_a_computation_runs_in_a_thread_of_the_server(client):
    """Other users of the event loop's own threads, such as the Prometheus scrape, do not wait for it."""
    report(client)
    threads = []

    def recorded(*arguments):
        threads.append(threading.current_thread().name)
        return ALLOCATE(*arguments)

    with patch.object(ReplicaReader, "allocate", recorded):
        client.get("/allocations/e").raise_for_status()
    (name,) = threads
    assert name.startswith("allocations_")
