"""What is no event is refused with its place, and nothing of the message is stored."""

import json

import psycopg
import pytest

from tests.support.fixtures.events import event, send, totals
from tests.support.problems import fields, problem

JSON = {"Content-Type": "application/json"}


def sent_with(field, text, **others):
    """The JSON of an event whose one field is the given JSON text."""
    return json.dumps({**event("u", "exposure"), **others, field: "@"}).replace('"@"', text)


NOT_MOMENTS = ['"2026-03-10T12:00:00"', '"2026-03-10"', '"12:00:00Z"', "1773144000", "0", "true", '""']
NOT_MOMENTS += ['"2026-02-30T12:00:00Z"', '"2026-03-10T12:00:00+25:00"', '"2026-03-10T23:59:60Z"']
NOT_MOMENTS += ['"1899-12-31T23:59:59Z"', '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"']
NOT_MOMENTS += ['"tomorrow"', '"2026-03-10T12:00:00Z\\u0000"', '"٢٠٢٦-03-10T12:00:00Z"', "NaN", "[]"]


@pytest.mark.parametrize("text", NOT_MOMENTS)
def test_a_moment_without_its_zone_or_none_at_all_is_rejected(client, assign, text):
    answer = client.post("/events", content=sent_with("occurred_at", text), headers=JSON)
    assert fields(answer, 422) == ["body.occurred_at"]


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-1e999", '"1"', "true", "1.000001e24", "9" * 4_000, "{}"]
)
def test_what_is_no_amount_is_rejected(client, assign, text):
    body = sent_with("value", text, type="value")
    assert fields(client.post("/events", content=body, headers=JSON), 422) == ["body.value"]


@pytest.mark.parametrize("field", ["unit_id", "event_id"])
@pytest.mark.parametrize(
    "text",
    ['""', '"a\\u0000b"', '"\\u0085"', '"a\\n"', '"\\ud800"', json.dumps("é" * 129), "5", "null", "[]"],
)
def test_an_id_is_up_to_256_bytes_without_control_characters(client, assign, field, text):
    assert fields(client.post("/events", content=sent_with(field, text), headers=JSON), 422) == [
        f"body.{field}"
    ]


@pytest.mark.parametrize(
    "name", ["é" * 128, "日本語 👩‍👩‍👧", "'; drop table events; --", "a%00b", " ", "x" * 256]
)
def test_any_other_text_is_an_id(client, assign, name):
    assign("a", name)
    assert (
        send(client, event(name, "exposure", name), event(name, "conversion", f"{name[:100]}c"))
        == [("counted", None)] * 2
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "click"}, "type"),
        ({"type": None}, "type"),
        ({"experiment_id": "a/b"}, "experiment_id"),
        ({"revision": "\x00"}, "revision"),
        ({"variant_id": "a"}, "variant_id"),
    ],
)
def test_a_field_that_means_nothing_is_rejected(client, assign, wrong, field):
    assert fields(client.post("/events", json=event("u", "exposure") | wrong), 422) == [f"body.{field}"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"type": "value"}, "type value needs a value"),
        ({"value": 3}, "only an event of type value has a value"),
        ({"type": "conversion", "value": 0}, "only an event of type value has a value"),
    ],
)
def test_a_value_goes_with_its_type_and_only_with_it(client, assign, wrong, message):
    answer = client.post("/events", json=event("u", "exposure") | wrong)
    assert problem(answer, 422) == [{"field": "body.value", "message": message}]


def test_malformed_items_are_named_by_their_index_and_nothing_is_stored(client, assign, database_url):
    assign("a", "u")
    late = event("u", "conversion", occurred_at="2026-03-10T12:00:00")
    answer = client.post("/events", json=[event("u", "exposure"), late, event("u", "value", value=None)])
    assert fields(answer, 422) == ["body.1.occurred_at", "body.2.value"]
    assert totals(client) == {}
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from events").fetchone() == (0,)


def test_more_than_5000_events_are_too_many(client):
    assert fields(client.post("/events", json=[event("u", "exposure")] * 5_001), 422) == ["body"]


def test_no_events_are_taken_as_none(client):
    assert client.post("/events", json=[]).json() == {
        "received": 0, "counted": 0, "known": 0, "duplicate": 0, "refused": 0, "items": [],
    }  # fmt: skip


def test_an_experiment_that_does_not_exist_is_not_found_alone_and_rejected_in_a_batch(client, assign):
    assign("a", "u")
    stray = event("u", "exposure", experiment_id="nowhere")
    assert "nowhere" in client.post("/events", json=stray).json()["detail"]
    assert client.post("/events", json=stray).status_code == 404
    assert send(client, stray, event("u", "exposure")) == [
        ("refused", "unknown_experiment"),
        ("counted", None),
    ]


def test_a_rejected_event_is_not_remembered(client, assign, database_url):
    assign("a", "u")
    send(client, event("u", "conversion"), event("nobody", "exposure"))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from events").fetchone() == (0,)


def test_a_request_sent_again_with_its_key_gets_the_first_answer(client, assign):
    assign("a", "u")
    key = {"Idempotency-Key": "events-1"}
    first = client.post("/events", json=[event("u", "exposure")], headers=key)
    again = client.post("/events", json=[event("u", "exposure")], headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert client.post("/events", json=[event("u", "value")], headers=key).status_code == 422
    assert totals(client) == {("a", "2026-03-10"): (1, 0, 0, 0)}
