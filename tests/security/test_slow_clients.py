"""Clients that send or take as slowly as they can are cut off, and keep nobody else waiting."""

import json
import pickle
import socket
import time
from contextlib import ExitStack

import pytest

from app.server.slow_client_protocol import ClientTimeouts, SlowClientProtocol
from app.server.web_server import web_config
from app.settings import ServiceSettings
from tests.support import LIMIT
from tests.support.attacked import TOTAL, attacked_service, everything, served_meanwhile
from tests.support.databases import fresh_database
from tests.support.service_process import post

pytestmark = pytest.mark.system

IMPATIENT = {"GROUNDHOG_HEADER_TIMEOUT_SECONDS": "1", "GROUNDHOG_IDLE_TIMEOUT_SECONDS": "1"}
BODY = json.dumps(TOTAL).encode()
POST = (
    b"POST /metrics/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


@pytest.fixture(scope="module")
def attacked(server_url):
    """A service that is open and waits for nobody longer than a second, with one experiment."""
    with fresh_database(server_url) as url, attacked_service(url, **IMPATIENT) as service:
        post(f"{service.address}/metrics/", TOTAL)
        yield service


def begun(path):
    """The head of a POST whose body never comes whole."""
    kind = b"x-ndjson" if path in {b"/metrics/bulk", b"/experiments/import"} else b"json"
    return POST.replace(b"/metrics/", path).replace(b"json", kind) % 99


def drip(connection, text):
    """Send a text letter by letter, ten a second, until the other side has had enough; return its words."""
    connection.settimeout(0.1)
    for number in range(len(text)):
        try:
            connection.sendall(text[number : number + 1])
            return connection.recv(65_536)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("it was let")


def send_on(connection, piece):
    """Send again and again."""
    give_up = time.monotonic() + LIMIT
    while time.monotonic() < give_up:
        connection.sendall(piece)
        time.sleep(0.05)


def test_a_head_that_comes_letter_by_letter_is_cut_off(attacked):
    began = time.monotonic()
    with attacked.connect() as connection:
        said = drip(connection, b"GET /livez HTTP/1.1\r\nX-Slow: " + b"a" * 1_000)
    assert time.monotonic() - began > 0.9
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in said


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(attacked):
    began = time.monotonic()
    with attacked.connect() as connection:
        assert everything(connection) == b""
        assert time.monotonic() - began > 0.9


def test_a_second_request_that_never_comes_is_not_waited_for_either(attacked):
    with ExitStack() as opened:
        waiting = [opened.enter_context(attacked.connect()) for _ in range(3)]
        for connection, rest in zip(waiting, [b"\r\n", b"GET /li", b"\r\n\r\n\r\n"], strict=True):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            connection.sendall(rest)
        for connection in waiting:
            everything(connection)  # until it is closed


def test_a_body_that_stops_in_its_middle_is_cut_off(attacked):
    paths = (b"/metrics/", b"/metrics/bulk", b"/experiments/import", b"/events", b"/ofrep/v1/evaluate/flags")
    with ExitStack() as opened:
        began, waiting = time.monotonic(), [opened.enter_context(attacked.connect()) for _ in paths]
        for connection, path in zip(waiting, paths, strict=True):
            connection.sendall(begun(path) + BODY[:5])
        for connection in waiting:
            assert everything(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began > 0.9


def test_a_body_that_comes_letter_by_letter_is_cut_off_and_nothing_is_stored(attacked):
    slow = json.dumps(TOTAL | {"experiment_id": "crawling"}).encode() + b" " * 1_000
    with attacked.connect() as connection:
        connection.sendall(POST % len(slow))
        said = drip(connection, slow)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert attacked.ask("/experiments/crawling", method="GET")[0] == 404


def test_an_upload_may_take_its_time_as_long_as_it_moves(server_url):
    """Longer than nothing may come, at more than the least rate, and with seconds to spare after each piece."""
    lines = (json.dumps(TOTAL).encode() + b"\n") * 50
    head = b"POST /metrics/bulk HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\n"
    with (
        fresh_database(server_url) as url,
        attacked_service(url, GROUNDHOG_IDLE_TIMEOUT_SECONDS="5") as service,
        service.connect() as connection,
    ):
        connection.sendall(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % (6 * len(lines)))
        for _ in range(6):
            connection.sendall(lines)
            time.sleep(1)
        said = everything(connection)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b'"received":300' in said


def test_a_rejected_body_is_not_read_permanently(attacked):
    with attacked.connect() as connection:
        connection.sendall(POST % 1_000_000_000_000 + b" " * 1000)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(ConnectionError):
            send_on(connection, b" " * 1000)


def test_an_answer_that_nobody_takes_is_dropped(attacked, grows_little):
    with attacked.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 300)
        with pytest.raises(ConnectionError):
            send_on(connection, b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n" * 100)


def test_300_crawling_connections_keep_nobody_waiting_and_are_all_closed(attacked, grows_little):
    with ExitStack() as opened:
        crawling = [opened.enter_context(attacked.connect()) for _ in range(300)]
        for number, connection in enumerate(crawling):
            connection.sendall([b"GET /livez HT", POST % 99 + b"{", b""][number % 3])
        served_meanwhile(attacked)
        for connection in crawling:
            assert everything(connection)[:13] in {b"", b"HTTP/1.1 408 "}
        served_meanwhile(attacked)


def test_no_client_that_left_or_was_cut_off_counts_as_a_defect(attacked):
    for path in (b"/metrics/bulk", b"/experiments/import", b"/metrics/", b"/events"):
        with attacked.connect() as connection:
            connection.sendall(begun(path) + b"{")
            time.sleep(0.05)
    time.sleep(0.1)
    assert b'status="5' not in attacked.ask("/metrics", method="GET")[1]


def test_workers_are_given_the_same_patience():
    settings = ServiceSettings(
        workers=2, max_head_bytes=2048, header_timeout_seconds=3, idle_timeout_seconds=4, min_body_rate=5
    )
    config = pickle.loads(pickle.dumps(web_config(settings, "app.server.web_server:worker")))
    assert config.http.func is SlowClientProtocol
    assert config.http.args == (ClientTimeouts(2048, 3, 4, 5),)
