"""A real service to be attacked over a socket, its memory and its processor time watched."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.attacked import TOTAL, Attacked, attacked_service
from tests.support.databases import fresh_database
from tests.support.fixtures.keys import keyed, make_key  # noqa: F401 - fixtures
from tests.support.fixtures.transfer import elsewhere, exported  # noqa: F401 - fixtures
from tests.support.service_process import post


@pytest.fixture(scope="package")
def attacked(server_url: str) -> Iterator[Attacked]:
    """A service that is open, with one experiment."""
    with fresh_database(server_url) as url, attacked_service(url) as service:
        post(f"{service.address}/metrics/", TOTAL)
        yield service


@pytest.fixture
def grows_little(attacked: Attacked) -> Iterator[None]:
    """Watch the service's memory during a test: it grows by less than 100 MB at any time."""
    before, most, ended = attacked.megabytes(), [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            most[0] = max(most[0], attacked.megabytes())

    watching = threading.Thread(target=watch)
    watching.start()
    yield
    ended.set()
    watching.join()
    assert most[0] - before < 100
