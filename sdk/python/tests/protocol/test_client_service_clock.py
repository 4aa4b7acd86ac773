"""The difference of the clocks is learned from the service's answers, and corrects times of this host."""

import datetime as dt
import json
from email.utils import format_datetime

import httpx2
import pytest

from client_testing.answers import Written
from groundhog_client import Client, Event
from groundhog_client._protocol.service_clock import HostTime, ServiceClock

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def seconds(number):
    return dt.timedelta(seconds=number)


def learned(date, sent_at=0.0, received_at=0.2, **headers):
    """The offset in seconds, after an answer with this Date to a request between these moments, all from noon."""
    clock = ServiceClock(lambda: NOON + seconds(received_at))
    clock.learn(
        {"date": format_datetime(NOON + seconds(date), usegmt=True), **headers}, NOON + seconds(sent_at)
    )
    return clock.offset.total_seconds()


@pytest.mark.parametrize("off", [-86_400, -600, -30, 30, 600, 86_400])
def test_a_difference_is_learned_to_a_second(off):
    assert learned(off) == pytest.approx(off, abs=0.5 + 0.2)


@pytest.mark.parametrize("off", [-5, -1, 0, 1, 4])
def test_a_small_difference_is_left_as_it_is(off):
    assert learned(off) == 0.0


def test_a_right_clock_is_not_blamed_for_a_slow_answer():
    assert learned(date=0, sent_at=0, received_at=9.9) == 0.0


def test_an_answer_that_took_long_teaches_nothing():
    assert learned(date=600, sent_at=0, received_at=11) == 0.0


def test_an_answer_of_a_cache_teaches_nothing():
    assert learned(-600, age="600") == 0.0


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 10 Mar 2026 12:00:00 -0000"])
def test_a_date_that_says_nothing_teaches_nothing(date):
    clock = ServiceClock(lambda: NOON)
    clock.learn({"date": date}, NOON)
    assert clock.offset == dt.timedelta(0)


def test_a_clock_that_was_set_right_is_believed_again():
    clock = ServiceClock(lambda: NOON)
    clock.learn({"date": format_datetime(NOON + seconds(600), usegmt=True)}, NOON)
    clock.learn({"date": format_datetime(NOON, usegmt=True)}, NOON)
    assert clock.offset == dt.timedelta(0)


TAKEN = {"received": 1, "counted": 1, "known": 0, "duplicate": 0, "refused": 0}
RESULT = {"event_id": "1", "status": "counted", "reason": None, "detail": None, "counted_on": None}


def dated(json_body, date):
    return httpx2.Response(200, json=json_body, headers={"Date": format_datetime(date, usegmt=True)})


def test_only_times_of_this_host_are_corrected(connect):
    ahead = HostTime.read() + seconds(600)
    written = Written(dated({"status": "alive"}, ahead), *[dated(TAKEN | {"items": [RESULT]}, ahead)] * 2)
    client = connect(written)
    client.check_alive()
    made = Event("e", "u", "exposure", event_id="1")
    client.record_events(made)
    client.record_events(Event("e", "u", "exposure", event_id="1", occurred_at=NOON))
    sent = [dt.datetime.fromisoformat(json.loads(one.content)["occurred_at"]) for one in written.requests[1:]]
    assert (sent[0] - made.occurred_at).total_seconds() == pytest.approx(600, abs=2)
    assert sent[1] == NOON


@pytest.fixture
def wrong_clock(request, monkeypatch):
    """This host's clock is minutes off."""
    right = HostTime.read.__func__
    monkeypatch.setattr(
        HostTime, "read", classmethod(lambda cls: right(cls) + dt.timedelta(minutes=request.param))
    )


@pytest.mark.parametrize("wrong_clock", [-20, 20], indirect=True)
@pytest.mark.usefixtures("wrong_clock")
def test_the_service_counts_the_events_of_a_host_whose_clock_is_off(client_of, service_url):
    rejected = []
    with Client(service_url) as setting_up:
        setting_up.create_experiment("button", ["blue", "green"], source="tracked")
        setting_up.assign("button", "user-42")
    client = client_of(service_url)
    sender = client.event_sender(
        on_rejected=rejected.append
    )  # nothing was asked: the offset is not known yet
    sender.exposure("button", "user-42")
    sender.conversion("button", "user-42")
    sender.close()
    days = list(client.each_daily_total("button"))
    assert (sum(day.impressions for day in days), sum(day.successes for day in days)) == (1, 1)
    assert rejected == []
