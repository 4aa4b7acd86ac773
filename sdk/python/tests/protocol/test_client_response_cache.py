"""Allocations are cached by their ETag, so that an unchanged one is not sent again."""

import datetime as dt
import json

import httpx2

from client_testing.answers import Written
from groundhog_client._operations.allocations import read_allocation
from groundhog_client._protocol.request import Answer
from groundhog_client._protocol.response_cache import ResponseCache

BODY = {
    "experiment_id": "homepage",
    "date": "2026-03-10",
    "allocations": {"control": 40.0, "bold": 60.0},
    "revision": "a58ce4ba2cb3c9c5",
    "policy": {"kind": "thompson"},
    "objective": "conversion",
    "settings": {},
    "data_through": None,
    "gates": [{"gate": "burn_in", "variants": ["bold"]}],
    "variants": [],
    "value_remaining": None,
    "stop_advice": None,
    "recorded": True,
    "explain": [],
}


def found(etag='"1"', **fields):
    return httpx2.Response(200, json={**BODY, **fields}, headers={"ETag": etag})


def unchanged(etag='"1"', **headers):
    return httpx2.Response(304, headers={"ETag": etag, **headers})


def test_an_unchanged_allocation_is_not_sent_twice(connect):
    written = Written(found(), unchanged(), found('"2"', revision="b" * 16), unchanged('"2"'))
    client = connect(written)
    answers = [client.read_allocation("homepage") for _ in range(4)]
    assert written.header("If-None-Match") == [None, '"1"', '"1"', '"2"']
    assert answers[0] == answers[1]
    assert answers[2] == answers[3] != answers[0]


def test_data_through_is_a_day_or_by_the_hour_a_moment(connect):
    client = connect(
        Written(found(data_through="2026-03-09"), found('"2"', data_through="2026-03-10T13:00:00Z"))
    )
    answers = [client.read_allocation("homepage").data_through for _ in range(2)]
    assert answers == [dt.date(2026, 3, 9), dt.datetime(2026, 3, 10, 13, tzinfo=dt.UTC)]


def test_a_stale_answer_is_marked_also_where_only_a_304_says_so(connect):
    stale = {"Groundhog-Stale": "true"}
    client = connect(Written(found(), unchanged(**stale), unchanged()))
    assert [client.read_allocation("homepage").stale for _ in range(3)] == [False, True, False]


def test_another_question_is_not_answered_by_it(connect):
    written = Written(found(), found(date="2026-03-09"), found(experiment_id="checkout"))
    client = connect(written)
    client.read_allocation("homepage")
    client.read_allocation("homepage", for_date="2026-03-09")
    client.read_allocation("checkout")
    assert written.header("If-None-Match") == [None, None, None]


def test_what_a_caller_does_to_an_answer_does_not_come_back(connect):
    client = connect(Written(found(), unchanged()))
    client.read_allocation("homepage").allocations["bold"] = 0.0
    assert client.read_allocation("homepage").allocations["bold"] == 60.0


def test_a_gates_numbers_are_beside_its_name(connect):
    (gate,) = connect(Written(found())).read_allocation("homepage").gates
    assert (gate.gate, gate.numbers) == ("burn_in", {"variants": ["bold"]})


def test_the_least_recently_used_answers_are_dropped_first():
    cache, answer = ResponseCache(2), Answer(200, {"etag": '"1"'}, json.dumps(BODY).encode())
    a, b, c = (read_allocation(name) for name in "abc")
    cache.put(a, answer)
    cache.put(b, answer)
    assert cache.get(a) is answer
    cache.put(c, answer)
    assert [cache.get(one) is None for one in (a, b, c)] == [False, True, False]


def test_nothing_is_cached_where_the_size_is_0(connect):
    written = Written(found(), found())
    client = connect(written, cache_size=0)
    client.read_allocation("homepage")
    client.read_allocation("homepage")
    assert written.header("If-None-Match") == [None, None]
