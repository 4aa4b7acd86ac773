"""Dated changes: settings and states apply from a day on and rewrite no earlier one."""

import datetime as dt

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.schemas.experiments.experiments import State
from app.schemas.experiments.settings import StoredSettings
from app.services.experiments import share_constraints, version_lock
from app.services.experiments.settings_history import SettingsHistory, local_date
from app.storage import tables


def apply_from_today(
    session: Session,
    experiment_id: str,
    timeline: SettingsHistory,
    state: State,
    settings: StoredSettings,
    now: dt.datetime,
) -> None:
    """Let a state and settings apply from today on, if they differ and today can be decided with them.

    Raises
    ------
    Invalid: floors and fixed shares do not fit the variants there are
    """
    if (settings, state) == (timeline.latest.settings, timeline.latest.state):
        return
    today = max(local_date(now, settings.time_zone), timeline.latest.active_from)
    share_constraints.validate(session, experiment_id, settings, today)
    write_period(session, experiment_id, today, state, settings, now)
    version_lock.increment_settings_version(session, experiment_id)


def write_period(
    session: Session,
    experiment_id: str,
    active_from: dt.date,
    state: State,
    settings: StoredSettings,
    now: dt.datetime,
) -> None:
    """Let settings and a state apply from a date on; a second change on the same day replaces the first."""
    values = {"state": state, "settings": settings.model_dump(mode="json"), "changed_at": now}
    session.execute(
        insert(tables.ExperimentSettingsRow)
        .values(experiment_id=experiment_id, active_from=active_from, **values)
        .on_conflict_do_update(index_elements=["experiment_id", "active_from"], set_=values)
    )
