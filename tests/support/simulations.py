"""Small simulations over HTTP, and the processes that play them."""

import multiprocessing
import time

import pytest

SMALL = {"emails": 300, "days": 3, "replications": 2}
LARGE = {"emails": 10_000, "replications": 1000, "days": 10}
TELCO = {"customers": 2000, "days": 20, "quota": 20, "replications": 2}


@pytest.fixture
def client(make_client):
    """A client whose small simulations are answered at once, however much else the machine does."""
    return make_client(simulation_wait_seconds=600)


@pytest.fixture
def simulate(client):
    """Return a function that posts a request and gives the answer."""

    def post(scenario="email", request=SMALL, **headers):
        return client.post(f"/simulations/{scenario}", json=request, headers=headers)

    return post


@pytest.fixture
def until(client):
    """Return a function that waits for a state of a run and gives the run."""

    def wait(location, *states):
        end = time.monotonic() + 3000
        while (run := client.get(location).json())["state"] not in states:
            assert time.monotonic() < end, run
            time.sleep(0.05)
        return run

    return wait


def players():
    """The processes that play, in this test."""
    return [child for child in multiprocessing.active_children() if child.name == "simulation"]


def end_of(player):
    """How a process ended; the service's thread may be the one that learns it first."""
    end = time.monotonic() + 300
    while player.exitcode is None and time.monotonic() < end:
        time.sleep(0.02)
    return player.exitcode
