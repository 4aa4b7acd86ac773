"""Dated changes: settings and states apply from a day on and rewrite no earlier one."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.schemas.experiments.delay import Delay
from app.schemas.experiments.experiments import State, Variant
from app.schemas.experiments.settings import StoredSettings
from app.services.experiments import share_constraints, version_lock
from app.services.experiments.settings_history import (
    SettingsHistory,
    SettingsPeriod,
    local_date,
    parse_settings,
)
from app.storage import tables


def apply_from_today(
    session: Session,
    experiment_id: str,
    history: SettingsHistory,
    variants: Sequence[Variant],
    state: State,
    settings: StoredSettings,
    now: dt.datetime,
) -> SettingsHistory:
    """Let a state and settings apply from today on, if they differ, and return the history that results.

    Raises
    ------
    Invalid: floors and fixed shares do not fit the variants there are
    """
    if (settings, state) == (history.latest.settings, history.latest.state):
        return history
    today = max(local_date(now, settings.time_zone), history.today(now))
    share_constraints.validate(settings, variants, today)
    stored = write_period(session, experiment_id, today, state, settings, now)
    version_lock.increment_settings_version(session, experiment_id)
    return history.with_period(SettingsPeriod(today, state, stored, now))


def write_period(
    session: Session,
    experiment_id: str,
    active_from: dt.date,
    state: State,
    settings: StoredSettings,
    now: dt.datetime,
) -> StoredSettings:
    """Let settings and a state apply from a date on; a second change on the same day replaces the first.

    Return the settings as PostgreSQL stores them, with its order of keys.
    """
    values = {"state": state, "settings": _as_stored(settings), "changed_at": now}
    stored = session.execute(
        insert(tables.ExperimentSettingsRow)
        .values(experiment_id=experiment_id, active_from=active_from, **values)
        .on_conflict_do_update(index_elements=["experiment_id", "active_from"], set_=values)
        .returning(tables.ExperimentSettingsRow.settings)
    ).scalar_one()
    return parse_settings(experiment_id, stored)


def _as_stored(settings: StoredSettings) -> dict[str, Any]:
    """Return settings to be stored, without a default that earlier versions do not know and could not read."""
    stored = settings.model_dump(mode="json")
    if settings.delay == Delay():
        del stored["delay"]
    if settings.cadence == "day":
        del stored["cadence"]
    return stored
