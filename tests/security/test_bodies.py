"""Bodies that stand for more than they are: packed, deep, wide, or without an end."""

import gzip
import json
import zlib
from functools import cache

import pytest

from tests.support.attacked import costs_less_than, served_meanwhile
from tests.support.openapi.description import DESCRIPTION, SCHEMAS

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("grows_little")]
TAKING = [
    (
        method.upper(),
        path.replace("{experiment_id}", "e").replace("{variant_id}", "a").replace("{key}", "e"),
        kind,
    )
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
    for kind in operation.get("requestBody", {}).get("content", {})
]
"""Every operation that takes a body, with each type it takes."""


def within(schema):
    """Yield a schema and all that it is made of, but not what it refers to."""
    yield schema
    for part in [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from within(part)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from within(schema[name])


def referred(schema):
    """Return the names of the schemas that one leads to."""
    found, waiting = set(), [schema]
    while waiting:
        names = {part["$ref"].rpartition("/")[2] for part in within(waiting.pop()) if "$ref" in part}
        waiting += [SCHEMAS[name] for name in names - found]
        found |= names
    return found


SENT = set().union(
    *(
        referred(media["schema"])
        for operations in DESCRIPTION["paths"].values()
        for operation in operations.values()
        for media in operation.get("requestBody", {}).get("content", {}).values()
    )
)


JSON = b"Content-Type: application/json\r\n"


@cache
def bomb():
    """300 MB of zeros in a few bytes, packed when a test sends it: to pack them takes a second."""
    return gzip.compress(gzip.compress(bytes(300_000_000)))


PACKED = {
    "gzip": lambda: gzip.compress(b'{"experiment_id": "packed"}'),
    "a bomb": bomb,
    "deflate": lambda: zlib.compress(b'{"experiment_id": "packed"}'),
    "br": lambda: b"\x0b\x02\x80{}\x03",
    "gzip, gzip": bomb,
    "made-up": lambda: b"{}",
}


@pytest.mark.parametrize(("coding", "packed"), PACKED.items(), ids=PACKED)
def test_a_packed_body_is_rejected_by_every_operation_and_never_unpacked(attacked, coding, packed):
    body = packed()
    name = {"a bomb": "GZip"}.get(coding, coding)
    for method, path, kind in TAKING:
        head = f"Content-Type: {kind}\r\nContent-Encoding: {name}\r\n".encode()
        status, said = attacked.ask(path, head, body, method)
        assert status == (400 if path.startswith("/ofrep/") else 415), path
        assert b"Content-Encoding" in said
    assert attacked.ask("/experiments/packed", method="GET")[0] == 404


def test_a_packed_body_that_does_not_say_so_is_no_message(attacked):
    for method, path, kind in TAKING:
        status, _ = attacked.ask(path, f"Content-Type: {kind}\r\n".encode(), bomb(), method)
        assert 400 <= status < 500, path


def objects(number, members):
    """An array of objects with so many names that nobody knows."""
    return b"[" + b",".join([b"{" + b",".join(b'"%d":1' % n for n in range(members)) + b"}"] * number) + b"]"


SMALL = {
    "arrays without an end": b"[" * 100_000,
    "objects without an end": b'{"a":' * 20_000,
    "objects a little deep": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a hundred thousand digits": b"9" * 100_000,
    "a huge exponent": b'{"impressions": 1e999999999}',
    "a string without an end": b'"' + b"a" * 100_000,
    "escapes": b'"' + b"\\u0000" * 20_000 + b'"',
    "one name again and again": b"{" + b",".join([b'"experiment_id":"e"'] * 5_000) + b"}",
    "unknown names": objects(1, 5_000)[1:-1],
}
LARGE = {
    "arrays": b"[" * 2_000_000 + b"]" * 2_000_000,
    "digits": b'{"impressions": ' + b"9" * 4_000_000 + b"}",
    "items": b"[" + b",".join([b"1"] * 2_000_000) + b"]",
    "objects": objects(1_300_000, 0),
    "names": objects(1, 330_000)[1:-1],
    "objects with names": objects(4_000, 100),
    "spaces": b" " * 4_000_000 + b"[1]",
}


@pytest.mark.parametrize("body", SMALL.values(), ids=SMALL)
def test_a_hostile_document_is_rejected_by_every_operation(attacked, body):
    for method, path, kind in TAKING:
        if kind == "application/json":
            status, said = attacked.ask(path, JSON, body, method)
            assert 400 <= status < 500 or path == "/experiments", (path, said[:500])
            assert len(said) < 50_000


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_the_largest_hostile_documents_are_rejected_in_time(attacked, body):
    for method, path in (("POST", "/metrics/"), ("PATCH", "/experiments/e"), ("POST", "/simulations/replay")):
        with costs_less_than(8, attacked):
            status, said = attacked.ask(path, JSON, body, method)
        assert 400 <= status < 500, (path, said[:500])
        assert len(said) < 50_000
    served_meanwhile(attacked)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_array_that_is_taken_has_an_end(name):
    """A fault is told for each item: an array without a limit is refused at the cost of all of them."""
    found = [schema for schema in within(SCHEMAS[name]) if schema.get("type") == "array"]
    assert name not in SENT or all("maxItems" in schema for schema in found)


STREAMS = {
    "a line without an end": b"a" * 20_000_000,
    "empty lines": b"\n" * 300_000,
    "quotes": b'"' * 5_000_000,
    "commas": b"," * 5_000_000,
    "brackets": b"[" * 5_000_000,
    "many bad lines": b"[\n" * 20_000,
    "NUL": b"\x00" * 5_000_000,
    "no UTF-8": b"\xff\n" * 20_000,
}


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS)
def test_a_hostile_stream_is_rejected_in_few_words(attacked, kind, body):
    for path in ("/metrics/bulk?mode=partial", "/metrics/bulk", "/experiments/import", "/simulations/replay"):
        status, said = attacked.ask(path, f"Content-Type: {kind}\r\n".encode(), body)
        assert status < 500, (path, said[:300])
        assert b'"inserted":0' in said or status >= 400, path
        assert len(said) < 50_000


def test_a_body_of_more_bytes_than_are_taken_is_rejected_before_it_has_come(attacked):
    for method, path, kind in TAKING:
        if path in {"/metrics/bulk", "/experiments/import"}:
            continue
        head = f"Content-Type: {kind}\r\nContent-Length: 1000000000000\r\n\r\n".encode()
        request = f"{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n".encode() + head
        assert attacked.answer(request)[:12] in {b"HTTP/1.1 413", b"HTTP/1.1 400"}, path


def test_a_body_in_chunks_without_an_end_is_cut_off(attacked):
    chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    head = b"POST /metrics/ HTTP/1.1\r\nHost: here\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = attacked.answer(head, *[chunk] * 300)
    assert not answer or answer.startswith(b"HTTP/1.1 413 ")
    served_meanwhile(attacked)
    assert json.loads(attacked.ask("/livez", method="GET")[1]) == {"status": "alive"}
