"""The settings and the state of an experiment, date by date."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bandits.policies.registry import POLICIES
from app.errors import FieldError, Invalid, NotFound, Unavailable
from app.schemas.experiments.experiments import State
from app.schemas.experiments.settings import StoredSettings
from app.storage import tables
from app.storage.pipeline import Statement, run_pipelined


def local_date(now: dt.datetime, time_zone: str) -> dt.date:
    """Return the calendar day it is at ``now`` in a zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


@dataclass(frozen=True, slots=True)
class SettingsPeriod:
    """Settings and state from ``active_from`` until the next phase."""

    active_from: dt.date
    state: State
    settings: StoredSettings


@dataclass(frozen=True, slots=True)
class Halt:
    """A pause or archival: its state and first day, and the day whose shares it holds.

    Archiving what is paused keeps the shares of the day the pause began.
    """

    state: State
    since: dt.date
    shares_of: dt.date


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """The phases of an experiment in order of time; there is always one.

    ``source`` says where its totals come from; None while that is not settled.
    """

    periods: tuple[SettingsPeriod, ...]
    source: str | None

    @property
    def latest(self) -> SettingsPeriod:
        """Return what applies now."""
        return self.periods[-1]

    def today(self, now: dt.datetime) -> dt.date:
        """Return the experiment's present day; none before its first, wherever its zone was moved since."""
        return max(local_date(now, self.latest.settings.time_zone), self.periods[0].active_from)

    def at(self, date: dt.date) -> SettingsPeriod:
        """Return the phase in force on a date; before the first, the first as if it were running."""
        index = bisect_right(self.periods, date, key=lambda phase: phase.active_from)
        if index == 0:
            return SettingsPeriod(self.periods[0].active_from, "running", self.periods[0].settings)
        return self.periods[index - 1]

    def halt_on(self, date: dt.date) -> "Halt | None":
        """Return the pause or archival that holds on a date; None where none does."""
        halt: Halt | None = None
        for phase in self.periods:
            if phase.active_from > date:
                break
            if phase.state == "running":
                halt = None
            elif halt is None:
                halt = Halt(phase.state, phase.active_from, phase.active_from)
            elif halt.state != phase.state:
                halt = Halt(phase.state, phase.active_from, halt.shares_of)
        return halt

    def in_state_since(self) -> dt.date:
        """Return the day the present state began."""
        since = self.latest.active_from
        for phase in reversed(self.periods):
            if phase.state != self.latest.state:
                break
            since = phase.active_from
        return since


HISTORY_SQL = """
    select v.version, e.source, s.active_from, s.state, s.settings
    from experiment_versions v
    join experiments e on e.experiment_id = v.experiment_id
    join experiment_settings s on s.experiment_id = v.experiment_id
    where v.experiment_id = %(experiment_id)s
    order by s.active_from
"""


def read_with_version(session: Session, experiment_id: str) -> tuple[int, SettingsHistory]:
    """Return the version and the timeline of an experiment, as of one moment.

    Raises
    ------
    NotFound: there is no such experiment
    """
    return parse_history(experiment_id, *run_pipelined(session, history_query(experiment_id)))


def history_query(experiment_id: str) -> Statement:
    """Return the statement whose rows ``parse_history`` reads."""
    return HISTORY_SQL, {"experiment_id": experiment_id}


def parse_history(experiment_id: str, rows: Sequence[tuple[Any, ...]]) -> tuple[int, SettingsHistory]:
    """Return what ``read_with_version`` does, from rows that were read.

    Raises
    ------
    NotFound: there are none
    """
    if not rows:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    phases = [
        SettingsPeriod(since, state, _settings(experiment_id, stored)) for _, _, since, state, stored in rows
    ]
    version, source = rows[0][:2]
    return version, SettingsHistory(tuple(phases), source)


def read_histories(session: Session, experiment_ids: Iterable[str]) -> dict[str, SettingsHistory]:
    """Return the timeline of each experiment that exists."""
    rows = session.execute(
        select(tables.ExperimentSettingsRow, tables.Experiment.source)
        .join(tables.Experiment)
        .where(tables.ExperimentSettingsRow.experiment_id.in_(list(experiment_ids)))
        .order_by(tables.ExperimentSettingsRow.experiment_id, tables.ExperimentSettingsRow.active_from)
    )
    phases: dict[str, list[SettingsPeriod]] = defaultdict(list)
    sources: dict[str, str | None] = {}
    for row, source in rows:
        settings = _settings(row.experiment_id, row.settings)
        phases[row.experiment_id].append(SettingsPeriod(row.active_from, row.state, settings))  # type: ignore[arg-type]
        sources[row.experiment_id] = source
    return {name: SettingsHistory(tuple(found), sources[name]) for name, found in phases.items()}


def _settings(experiment_id: str, stored: dict[str, Any]) -> StoredSettings:
    try:
        return StoredSettings.model_validate(stored)
    except ValidationError as error:
        kind = stored["policy"]["kind"]
        if kind in POLICIES:
            raise
        sentence = f"experiment {experiment_id!r} has the policy {kind!r} of a package that is not installed"
        raise Unavailable(f"{sentence}: install it and restart", retry_after=60) from error


def read_settings_history(session: Session, experiment_id: str) -> SettingsHistory:
    """Return the settings of an experiment, date by date.

    Raises
    ------
    NotFound: there is no such experiment
    """
    return read_with_version(session, experiment_id)[1]


def resolve_date(timeline: SettingsHistory, for_date: dt.date | None, now: dt.datetime) -> dt.date:
    """Return the date asked for, by default the experiment's today.

    Raises
    ------
    Invalid: it is after tomorrow
    """
    today = timeline.today(now)
    tomorrow = today + dt.timedelta(days=1)
    if for_date is not None and for_date > tomorrow:
        message = f"Input should be {tomorrow} (tomorrow in the experiment's time zone) or earlier"
        raise Invalid(f"{for_date} cannot be allocated yet", [FieldError("query.for_date", message)])
    return for_date or today
