"""Full hours by UTC instant, and which of them an experiment of cadence hour has seen on a date.

An hour is known by its number since 1970-01-01 00:00 UTC: no change to or from daylight saving time repeats or
skips one.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from app.services.experiments.settings_history import SettingsHistory, local_date

HOUR = dt.timedelta(hours=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HOURS_A_DAY = 24
"""Of a setting in days: a window of one day is 24 hours, whatever the clocks do."""


def hour_of(moment: dt.datetime) -> int:
    """Return the number of the hour that a moment lies in."""
    return (moment - EPOCH) // HOUR


def start_of_hour(hour: int) -> dt.datetime:
    """Return the moment at which an hour begins, in UTC."""
    return EPOCH + hour * HOUR


def end_of_day(date: dt.date, time_zone: str) -> dt.datetime:
    """Return the moment at which a calendar day ends in a zone, in UTC."""
    midnight = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), ZoneInfo(time_zone))
    return midnight.astimezone(dt.UTC)


def day_of(hour: int, time_zone: str) -> dt.date:
    """Return the calendar day of a zone on which an hour begins."""
    return local_date(start_of_hour(hour), time_zone)


def running_hour(history: SettingsHistory, date: dt.date, now: dt.datetime) -> int | None:
    """Return the hour that runs as the shares of a date are decided; None where days decide.

    What was received before it decides. It is the present hour, for a past date the last one that began on it, and
    during a halt the one in which the halt began.
    """
    halt = history.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    period = history.at(decided_on)
    if period.settings.cadence == "day":
        return None
    moment = min(now, end_of_day(decided_on, period.settings.time_zone) - dt.timedelta.resolution)
    return hour_of(moment if halt is None else min(moment, period.changed_at))
