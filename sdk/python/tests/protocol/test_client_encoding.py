"""Values of numpy and pandas are sent as what they stand for; what cannot be sent is named with its place."""

import datetime as dt
import json
import math
from decimal import Decimal
from fractions import Fraction

import httpx2
import numpy as np
import pytest

from client_testing.answers import Written
from groundhog_client import DailyTotal, Event, NotFound
from groundhog_client._protocol.encoding import encode, iso_day

STORED = {"received": 1, "inserted": 1, "updated": 0, "unchanged": 0}


class Timestamp(dt.datetime):
    """What pandas' Timestamp is: a datetime with more to it."""


class NotATime(dt.datetime):
    """What pandas' NaT is: a datetime that is not equal to itself."""

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True

    __hash__ = dt.datetime.__hash__


class Index:
    """Some library's integer."""

    def __index__(self):
        return 7


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.int64(120), 120),
        (np.uint8(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(9.25), 9.25),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        (np.array(4.5), 4.5),
        (np.str_("bold"), "bold"),
        (np.datetime64("2026-03-01"), "2026-03-01"),
        (np.datetime64("2026-03-01T00:00:00.000000000"), "2026-03-01"),
        (Timestamp(2026, 3, 1), "2026-03-01"),
        (Timestamp(2026, 3, 1, 8, 30, tzinfo=dt.UTC), "2026-03-01T08:30:00+00:00"),
        (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), "2026-03-01T00:00:00+00:00"),
        (Index(), 7),
        (Fraction(1, 4), 0.25),
        (Decimal("9.95"), 9.95),
    ],
)
def test_a_value_is_sent_as_what_it_stands_for(value, written):
    assert json.loads(encode({"value": value})) == {"value": written}


@pytest.mark.parametrize(
    "value", [math.nan, np.float32("nan"), Decimal("NaN"), math.inf, NotATime(2026, 3, 1)]
)
def test_what_is_no_number_or_time_is_named_with_its_row_and_field(connect, value):
    rows = [DailyTotal("e", "a", "2026-03-01", 10, 1, revenue=r) for r in (1.0, 2.0, value)]
    with pytest.raises(ValueError, match=r"body\.2\.revenue is .*, which JSON cannot hold; leave out"):
        connect(Written()).record_metrics(rows)


def test_what_is_missing_in_a_stream_is_named_with_its_line(connect):
    rows = ({"experiment_id": "e", "successes": 1 if i < 3 else math.nan} for i in range(1, 5))
    client = connect(lambda request: httpx2.Response(200, content=request.read()))
    with pytest.raises(ValueError, match=r"line 3: body\.successes is nan"):
        client.record_metrics_in_bulk(rows)


def test_what_json_has_no_form_for_is_named_with_its_row_and_field(connect):
    with pytest.raises(TypeError, match=r"body\.1\.impressions: object cannot be sent as JSON"):
        connect(Written()).record_metrics([{"impressions": 1}, {"impressions": object()}])


def test_text_that_is_not_unicode_is_named_with_its_place(connect):
    with pytest.raises(ValueError, match=r"body\.name"):
        connect(Written()).change_experiment("e", name="\ud800")


def test_totals_of_a_data_frame_are_taken(connect):
    written = Written(httpx2.Response(200, json=STORED))
    total = DailyTotal("e", "a", Timestamp(2026, 3, 1), np.int64(1000), np.int64(120), np.float64(9.5))
    connect(written).record_metrics(total)
    assert json.loads(written.requests[0].content) == {
        "experiment_id": "e",
        "variant_id": "a",
        "date": "2026-03-01",
        "impressions": 1000,
        "successes": 120,
        "revenue": 9.5,
    }


def test_a_day_of_a_data_frame_can_be_asked_for(connect):
    written = Written(httpx2.Response(404, json={"detail": "no"}), httpx2.Response(204))
    client = connect(written)
    with pytest.raises(NotFound):
        client.read_metrics("e", since=Timestamp(2026, 3, 1), limit=np.int64(3))
    client.delete_metrics("e", "a", Timestamp(2026, 3, 1))
    assert dict(written.requests[0].url.params) == {"since": "2026-03-01", "limit": "3"}
    assert written.requests[1].url.path == "/metrics/e/a/2026-03-01"


@pytest.mark.parametrize(
    "moment",
    [
        Timestamp(2026, 3, 1, 8, 30),
        dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        NotATime(2026, 3, 1),
        np.datetime64("2026-03-01T08:30"),
        np.datetime64("NaT"),
    ],
)
def test_a_moment_is_not_a_day(moment):
    with pytest.raises(ValueError, match="is not a day"):
        iso_day(moment)


@pytest.mark.parametrize(
    "day",
    [
        "2026-03-01",
        dt.date(2026, 3, 1),
        Timestamp(2026, 3, 1),
        np.datetime64("2026-03-01T00:00:00.000000000"),
    ],
)
def test_a_day_may_be_given_in_any_form(connect, day):
    written = Written(httpx2.Response(404, json={"detail": "no"}))
    with pytest.raises(NotFound):
        connect(written).read_allocation("e", for_date=day)
    assert dict(written.requests[0].url.params) == {"for_date": "2026-03-01"}


def test_an_event_that_cannot_be_sent_is_rejected_when_it_is_added_and_keeps_no_other_back(connect):
    sender = connect(Written()).event_sender()
    with pytest.raises(ValueError, match=r"body\.value is nan"):
        sender.value("e", "u", math.nan)
    with pytest.raises(TypeError, match=r"body\.unit_id: object cannot"):
        sender.add(Event("e", object(), "exposure"))
    assert len(sender) == 0
