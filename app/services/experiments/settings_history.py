"""The settings and the state of an experiment, date by date."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.bandits.policies.registry import POLICIES
from app.errors import FieldError, Invalid, NotFound, Unavailable
from app.schemas.experiments.experiments import State
from app.schemas.experiments.settings import StoredSettings
from app.storage.pipeline import Statement, run_pipelined


def local_date(now: dt.datetime, time_zone: str) -> dt.date:
    """Return the calendar day it is at ``now`` in a zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


@dataclass(frozen=True, slots=True)
class SettingsPeriod:
    """Settings and state from ``active_from``, when they were set at ``changed_at``, until the next period."""

    active_from: dt.date
    state: State
    settings: StoredSettings
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Halt:
    """A pause or archival: its state and first day, and the day whose shares it holds.

    Archiving a paused experiment keeps the shares of the day the pause began.
    """

    state: State
    since: dt.date
    shares_of: dt.date


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """The settings periods of an experiment in order of time; there is always one.

    Parameters
    ----------
    source : where its totals come from; None while that is undecided
    version, settings_version : the experiment's counters of changes when this was read
    delay_seen : the last day that was reported again, or in a tracked experiment the last one on which something
        was received of an earlier day; None where there is none, so that nothing is known of a delay
    """

    periods: tuple[SettingsPeriod, ...]
    source: str | None
    version: int
    settings_version: int
    delay_seen: dt.date | None = None

    @property
    def latest(self) -> SettingsPeriod:
        """Return the period in force now."""
        return self.periods[-1]

    def today(self, now: dt.datetime) -> dt.date:
        """Return the experiment's present day, which never goes back.

        After its time zone was moved west, the day of the change lasts until the new zone has reached its end.
        """
        return max(local_date(now, self.latest.settings.time_zone), self.latest.active_from)

    def day_at(self, moment: dt.datetime, now: dt.datetime) -> dt.date:
        """Return the experiment's day at a moment up to now: the zone's calendar day, but days never go back.

        What happened on the zone's present day belongs to today, and what happened since a change to the day from
        which the change applies, or a later one. So nothing that happens on a day is dated before it.
        """
        zone = self.latest.settings.time_zone
        day = local_date(moment, zone)
        if day >= local_date(now, zone):
            day = max(day, self.today(now))
        return max([day, *(period.active_from for period in self.periods if period.changed_at <= moment)])

    def at(self, date: dt.date) -> SettingsPeriod:
        """Return the period in force on a date; before the first, the first as if it were running."""
        index = bisect_right(self.periods, date, key=lambda period: period.active_from)
        if index == 0:
            return replace(self.periods[0], state="running")
        return self.periods[index - 1]

    def halt_on(self, date: dt.date) -> Halt | None:
        """Return the pause or archival in force on a date, if there is one."""
        halt: Halt | None = None
        for period in self.periods:
            if period.active_from > date:
                break
            if period.state == "running":
                halt = None
            elif halt is None:
                halt = Halt(period.state, period.active_from, period.active_from)
            elif halt.state != period.state:
                halt = Halt(period.state, period.active_from, halt.shares_of)
        return halt

    def in_state_since(self) -> dt.date:
        """Return the day the present state began."""
        since = self.latest.active_from
        for period in reversed(self.periods):
            if period.state != self.latest.state:
                break
            since = period.active_from
        return since

    def with_period(self, period: SettingsPeriod) -> "SettingsHistory":
        """Return the history after a change: a period that begins on the latest one's day replaces it."""
        earlier = [known for known in self.periods if known.active_from < period.active_from]
        return replace(
            self,
            periods=(*earlier, period),
            version=self.version + 1,
            settings_version=self.settings_version + 1,
        )


HISTORY_SQL = """
    select s.experiment_id, v.version, v.settings_version, e.source,
           case when e.source = 'tracked' then received.later else reported.again end as delay_seen,
           s.active_from, s.state, s.settings, s.changed_at
    from experiment_settings s
    join experiments e on e.experiment_id = s.experiment_id
    join experiment_versions v on v.experiment_id = s.experiment_id
    left join lateral (
        select max(date) as again from reports_by_day where experiment_id = s.experiment_id
    ) reported on true
    left join lateral (
        select max(received_on) as later from received_metrics
        where experiment_id = s.experiment_id and received_on > date
    ) received on true
    where s.experiment_id = any(%(experiment_ids)s)
    order by s.experiment_id, s.active_from
"""
"""Whether anything is known of a delay takes a look into two indexes, and spares the others a query."""


def read_settings_history(session: Session, experiment_id: str) -> SettingsHistory:
    """Return the settings of an experiment, date by date, and its version, as of one moment.

    Raises
    ------
    NotFound: there is no such experiment
    """
    return parse_history(experiment_id, *run_pipelined(session, history_query(experiment_id)))


def read_histories(session: Session, experiment_ids: Iterable[str]) -> dict[str, SettingsHistory]:
    """Return the settings history of each experiment that exists, all as of one moment."""
    (rows,) = run_pipelined(session, history_query(*experiment_ids))
    return _parse(rows)


def history_query(*experiment_ids: str) -> Statement:
    """Return the statement that reads settings histories, to be sent in a pipeline."""
    return HISTORY_SQL, {"experiment_ids": list(experiment_ids)}


def parse_history(experiment_id: str, rows: Sequence[tuple[Any, ...]]) -> SettingsHistory:
    """Return the history of one experiment from the rows of `history_query`.

    Raises
    ------
    NotFound: there are none
    """
    if not rows:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return _parse(rows)[experiment_id]


def _parse(rows: Sequence[tuple[Any, ...]]) -> dict[str, SettingsHistory]:
    histories = {}
    for (experiment_id, version, settings_version, source, seen), group in groupby(rows, lambda row: row[:5]):
        periods = tuple(
            SettingsPeriod(active_from, state, parse_settings(experiment_id, stored), changed_at)
            for *_, active_from, state, stored, changed_at in group
        )
        histories[experiment_id] = SettingsHistory(periods, source, version, settings_version, seen)
    return histories


def parse_settings(experiment_id: str, stored: dict[str, Any]) -> StoredSettings:
    """Return settings as they are stored.

    Raises
    ------
    Unavailable: their policy belongs to a package that is not installed
    """
    try:
        return StoredSettings.model_validate(stored)
    except ValidationError as error:
        kind = stored["policy"]["kind"]
        if kind in POLICIES:
            raise
        sentence = f"experiment {experiment_id!r} has the policy {kind!r} of a package that is not installed"
        raise Unavailable(f"{sentence}: install it and restart", retry_after=60) from error


def resolve_date(history: SettingsHistory, for_date: dt.date | None, now: dt.datetime) -> dt.date:
    """Return the date asked for, by default the experiment's today.

    Raises
    ------
    Invalid: it is after tomorrow
    """
    today = history.today(now)
    tomorrow = today + dt.timedelta(days=1)
    if for_date is not None and for_date > tomorrow:
        message = f"Input should be {tomorrow} (tomorrow in the experiment's time zone) or earlier"
        raise Invalid(f"{for_date} cannot be allocated yet", [FieldError("query.for_date", message)])
    return for_date or today
