"""Uploads of any length: sent while they are made, and sent again only where they can be made again."""

import io
import json

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import ConnectionLost, DailyTotal

STORED = {"received": 2, "inserted": 2, "updated": 0, "unchanged": 0}
STORED |= {"superseded": 0, "rejected": 1, "errors": [{"line": 2, "field": None, "message": "no"}]}
TOTALS = [DailyTotal("e", name, "2026-03-01", 10, 1) for name in ("a", "b")]
CSV = b"experiment_id,variant_id,date,impressions,successes\ne,a,2026-03-01,10,1\n"


def stored():
    return httpx2.Response(200, json=STORED)


def test_totals_are_sent_as_a_line_each(connect):
    written = Written(stored())
    answer = connect(written).record_metrics_in_bulk(iter(TOTALS), mode="partial")
    (request,) = written.requests
    lines = [json.loads(line) for line in request.content.splitlines()]
    assert [line["variant_id"] for line in lines] == ["a", "b"]
    assert (request.url.params["mode"], request.headers["Content-Type"]) == (
        "partial",
        "application/x-ndjson",
    )
    assert request.headers["Transfer-Encoding"] == "chunked"
    assert answer.errors[0].line == 2


@pytest.mark.parametrize("kind", ["path", "file", "bytes"])
def test_a_csv_is_sent_as_it_is(connect, tmp_path, kind):
    place = tmp_path / "totals.csv"
    place.write_bytes(CSV)
    source = {"path": place, "file": io.BytesIO(CSV), "bytes": CSV}[kind]
    written = Written(stored())
    connect(written).record_metrics_in_bulk(source, form=None if kind == "path" else "csv")
    assert written.requests[0].content == CSV
    assert written.requests[0].headers["Content-Type"] == "text/csv"


@pytest.mark.parametrize("kind", ["path", "file", "bytes", "list"])
def test_what_can_be_read_again_is_sent_again_from_its_start(connect, tmp_path, kind):
    place = tmp_path / "totals.csv"
    place.write_bytes(CSV)
    file = io.BytesIO(b"not this" + CSV)
    file.seek(8)
    source = {"path": place, "file": file, "bytes": CSV, "list": TOTALS}[kind]
    written = Written(httpx2.ReadError("cut"), stored())
    connect(written).record_metrics_in_bulk(source)
    first, second = written.requests
    assert first.content == second.content != b""
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_what_can_be_read_only_once_is_sent_only_once(connect):
    written = Written(httpx2.ReadError("cut"))
    with pytest.raises(ConnectionLost):
        connect(written).record_metrics_in_bulk(iter(TOTALS))
    assert len(written.requests) == 1


def test_a_long_upload_is_made_while_it_is_sent():
    from groundhog_client._protocol.uploads import CHUNK, stream_of

    made = 0

    def many():
        nonlocal made
        for made in range(1, 10_000_000):  # noqa: B007
            yield TOTALS[0]

    chunk = next(stream_of(many(), "ndjson").chunks())
    assert CHUNK <= len(chunk) < CHUNK + 200
    assert made < 2_000


def test_a_text_and_totals_as_csv_are_no_source(connect):
    client = connect(Written())
    with pytest.raises(TypeError, match="pathlib"):
        client.record_metrics_in_bulk("totals.csv")
    with pytest.raises(TypeError, match="NDJSON"):
        client.record_metrics_in_bulk(TOTALS, form="csv")
