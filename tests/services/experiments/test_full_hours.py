"""Hours and calendar days: where a day begins and ends, and to which day an hour belongs."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from app.services.experiments.full_hours import HOUR, day_of, end_of_day, hour_of, start_of_hour

INSTANT = dt.timedelta.resolution


def hours_between(first, last, zone):
    """The hours that begin from the end of one day to that of another."""
    ends = [end_of_day(date, zone) for date in (first, last)]
    return (ends[1] - ends[0]) / HOUR


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        pytest.param("Europe/Berlin", dt.date(2026, 3, 29), 23, id="summer time begins"),
        pytest.param("Europe/Berlin", dt.date(2026, 10, 25), 25, id="summer time ends"),
        pytest.param("America/New_York", dt.date(2026, 3, 8), 23, id="in New York it begins earlier"),
        pytest.param("America/Santiago", dt.date(2026, 9, 6), 23, id="midnight itself is skipped"),
        pytest.param("Australia/Lord_Howe", dt.date(2026, 4, 5), 24.5, id="by half an hour"),
        pytest.param("UTC", dt.date(2026, 3, 29), 24, id="never in UTC"),
    ],
)
def test_a_day_ends_where_the_zone_s_next_one_begins(zone, date, hours):
    assert hours_between(date - dt.timedelta(days=1), date, zone) == hours
    end = end_of_day(date, zone)
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in (end - INSTANT, end)]
    assert days == [date, date + dt.timedelta(days=1)]


@pytest.mark.parametrize("year_hour", [0, 2_087, 7_128, 8_759])
def test_an_hour_has_its_first_instant_and_not_the_next_one_s(year_hour):
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + year_hour * HOUR
    hour = hour_of(begin)
    assert start_of_hour(hour) == begin
    assert [hour_of(begin - INSTANT), hour_of(begin + HOUR - INSTANT), hour_of(begin + HOUR)] == [
        hour - 1, hour, hour + 1,
    ]  # fmt: skip


def test_both_hours_that_daylight_saving_time_repeats_belong_to_the_day():
    """2:00 to 3:00 on 25 October 2026 in Berlin: from 0:00 and from 1:00 UTC."""
    repeated = [
        dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold) for fold in (0, 1)
    ]
    hours = [hour_of(moment.astimezone(dt.UTC)) for moment in repeated]
    assert hours[1] - hours[0] == 1
    assert {day_of(hour, "Europe/Berlin") for hour in hours} == {dt.date(2026, 10, 25)}


def test_an_hour_that_two_days_share_belongs_to_the_one_it_begins_on():
    shared = hour_of(
        dt.datetime(2026, 3, 10, 18, 45, tzinfo=dt.UTC)
    )  # 0:15 in Kolkata, where it began at 23:30
    assert day_of(shared, "Asia/Kolkata") == dt.date(2026, 3, 10)
