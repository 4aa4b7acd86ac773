"""Request lines and headers of every size and shape: bounded memory, one form of refusal, nothing smuggled."""

import json
import time

import pytest

from tests.support.attacked import costs_less_than, everything, served_meanwhile

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("grows_little")]
MEGABYTE = b"a" * 1_000_000


def refused(answer, status):
    """Check that an answer is one refusal as problem+json, after which nothing comes; None if it was cut off."""
    if answer:  # a client that is still sending may see no more than that it was cut off
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == status


def test_a_header_without_an_end_is_cut_off(attacked):
    refused(attacked.answer(b"GET /livez HTTP/1.1\r\nX-Giant: ", *[MEGABYTE] * 200), 431)
    served_meanwhile(attacked)


def test_a_flood_of_headers_is_cut_off(attacked):
    refused(attacked.answer(b"GET /livez HTTP/1.1\r\n", *[b"X-Flood: a\r\n" * 100_000] * 100), 431)
    served_meanwhile(attacked)


def test_a_request_line_without_an_end_is_cut_off(attacked):
    refused(attacked.answer(b"GET /", *[MEGABYTE] * 200), 431)
    refused(attacked.answer(b"A" * 10_000_000), 400)


@pytest.mark.parametrize("size", [60_000, 70_000])
def test_the_limit_of_a_head_holds_whether_it_comes_at_once_or_in_pieces(attacked, size):
    head = b"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-Large: " + b"a" * size + b"\r\n\r\n"
    status = b"HTTP/1.1 200" if size < 65_536 else b"HTTP/1.1 431"
    assert attacked.answer(head).startswith(status)
    with attacked.connect() as connection:
        for start in range(0, len(head), 30_000):
            connection.sendall(head[start : start + 30_000])
            time.sleep(0.02)
        assert everything(connection).startswith(status)


@pytest.mark.parametrize("path", ["/livez", "/experiments", "/allocations/e", "/", "/nowhere"])
def test_as_many_headers_as_fit_cost_little(attacked, path):
    with costs_less_than(2, attacked):
        status, _ = attacked.ask(path, b"a:\r\n" * 12_000, method="GET")
    assert status in {200, 404}


@pytest.mark.parametrize("path", ["/livez", "/experiments", "/metrics/e", "/allocations/e", "/", "/nowhere"])
def test_thousands_of_query_parameters_are_rejected_or_ignored_at_once(attacked, path):
    query = "&".join(f"p{number}=1" for number in range(7_000))
    with costs_less_than(2, attacked):
        status, said = attacked.ask(f"{path}?{query}", method="GET")
    assert status in {200, 404, 422}
    assert status == 200 or len(said) < 5_000


def test_a_parameter_sent_a_thousand_times_is_no_error_of_ours(attacked):
    query = "&".join(f"limit={number}" for number in range(1, 1_001))
    assert attacked.ask(f"/experiments?{query}", method="GET")[0] in {200, 422}


CHUNKED = b"POST /metrics/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_HTTP = {
    "noise": b"\x00\xff\x01" * 100,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "a header without a name": b"GET /livez HTTP/1.1\r\n: a\r\n\r\n",
    "a space before the colon": b"GET /livez HTTP/1.1\r\nX-A : a\r\n\r\n",
    "a NUL": b"GET /livez HTTP/1.1\r\nX-A: a\x00b\r\n\r\n",
    "a lone carriage return": b"GET /livez HTTP/1.1\r\nX-A: a\rX-B: b\r\n\r\n",
    "a folded header": b"GET /livez HTTP/1.1\r\nX-A: a\r\n b\r\nHost: here\r\nX: \x01\r\n\r\n",
    "two lengths": b"POST /metrics/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a length and chunks": CHUNKED.replace(b"\r\n", b"\r\nContent-Length: 3\r\n", 1) + b"0\r\n\r\n",
    "a negative length": b"POST /metrics/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a huge length": b"POST /metrics/ HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
    "a chunk of a negative size": CHUNKED + b"-1\r\n\r\n",
    "a chunk of a huge size": CHUNKED + b"fffffffffffffffff\r\n",
    "chunks in another coding": b"POST /metrics/ HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_rejected_once_and_the_connection_closed(attacked, sent):
    answer = attacked.answer(sent + b"\r\nGET /experiments HTTP/1.1\r\nHost: here\r\n\r\n")
    assert b'"items"' not in answer
    refused(answer, 400)


def test_a_length_that_hides_a_second_request_hides_it_in_the_body(attacked):
    hidden = b"GET /experiments HTTP/1.1\r\nHost: here\r\n\r\n"
    status, said = attacked.ask("/metrics/", b"Content-Type: application/json\r\n", hidden)
    assert status == 422
    assert b'"items"' not in said


def test_an_upgrade_is_not_followed(attacked):
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    answer = attacked.answer(b"GET /livez HTTP/1.1\r\nHost: here\r\n" + upgrade + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


TRAVERSALS = [
    "../pages.py",
    "..%2fpages.py",
    "%2e%2e/pages.py",
    "%2e%2e%2fpages.py",
    "..%5cpages.py",
    "....//pages.py",
    "..%c0%afpages.py",
    "%252e%252e%252fpages.py",
    "..;/pages.py",
    "..%u2215pages.py",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "~root/.bashrc",
    "C:%5cwindows%5cwin.ini",
    "groundhog.svg%00.py",
    "%00",
    "%00../pages.py",
    "groundhog.svg/../../pages.py",
    "groundhog.svg%20",
    ".",
    "..",
    "%2e",
    "%0d%0aX-Made-Up:%20a",
    "%ff%fe",
]
TRAVERSALS += ["", "a" * 5_000, "a/" * 2_000, "../" * 20 + "etc/passwd", "%2e%2e%2f" * 20 + "etc/passwd"]


@pytest.mark.parametrize(
    "folder", ["/static/", "/static/api/", "/static/dashboard/", "/static/dashboard/x/", "/"]
)
def test_no_path_leads_out_of_the_folder_of_static_files(attacked, folder):
    for traversal in TRAVERSALS:
        status, said = attacked.ask(folder + traversal, method="GET")
        assert status in {400, 404, 405} or folder + traversal == "/", traversal
        assert not any(secret in said for secret in (b"root:", b"import ", b"APIRouter", b"[fonts]")), (
            traversal
        )
        assert b"\r\nX-Made-Up" not in said


def test_a_line_break_in_a_path_breaks_no_header(attacked):
    for path in (
        "/experiments/a%0d%0aX-Made-Up:%20b",
        "/allocations/%0d%0a%0d%0a<html>",
        "/nowhere%0d%0aX-Made-Up: b",
    ):
        answer = attacked.answer(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
        assert b"X-Made-Up" not in answer.partition(b"\r\n\r\n")[0]
