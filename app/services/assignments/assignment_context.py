"""The terms on which an experiment's units are assigned today: its state, mode, hold-out and variants."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.experiments.experiments import State, Variant
from app.schemas.experiments.settings import StoredSettings
from app.services.experiments import lifecycle, variant_queries
from app.services.experiments.settings_history import SettingsHistory, read_histories
from app.storage import tables


@dataclass(frozen=True, slots=True)
class AssignmentContext:
    """What holds for an experiment's units until ``until``, as long as its ``settings_version`` stays.

    Parameters
    ----------
    date : the experiment's present day, which ends at ``until``
    control : the variant that is served where none is drawn; None where no variant is active
    values : what a client is given for each variant, retired ones included; None where nothing was chosen
    active : the variants that may get traffic on the date
    """

    experiment_id: str
    settings_version: int
    date: dt.date
    until: dt.datetime
    state: State
    settings: StoredSettings
    control: str | None
    values: Mapping[str, object]
    active: frozenset[str]

    def is_current(self, settings_version: int, now: dt.datetime) -> bool:
        """Say whether these are still the terms."""
        return self.settings_version == settings_version and now < self.until


def read_context(session: Session, experiment_id: str, now: dt.datetime) -> AssignmentContext:
    """Return the context in which units are assigned now.

    The settings' version is read first: a change that comes in between is seen as one, and read again.

    Raises
    ------
    NotFound: there is no such experiment
    """
    settings_version = read_settings_version(session, experiment_id)
    history = read_histories(session, [experiment_id])[experiment_id]
    variants = variant_queries.list_variants(session, [experiment_id]).get(experiment_id, [])
    return context_of(experiment_id, settings_version, history, variants, now)


def read_settings_version(session: Session, experiment_id: str) -> int:
    """Return the number of changes to an experiment's settings and variants.

    Raises
    ------
    NotFound: there is no such experiment
    """
    version = tables.ExperimentVersion
    found = session.scalar(select(version.settings_version).where(version.experiment_id == experiment_id))
    if found is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return found


def context_of(
    experiment_id: str,
    settings_version: int,
    history: SettingsHistory,
    variants: Sequence[Variant],
    now: dt.datetime,
) -> AssignmentContext:
    """Return the context that follows from an experiment's settings and variants."""
    settings, today = history.latest.settings, history.today(now)
    active = [variant for variant in variants if variant.active_on(today)]
    return AssignmentContext(
        experiment_id=experiment_id,
        settings_version=settings_version,
        date=today,
        until=_end_of(today, settings.time_zone),
        state=history.latest.state,
        settings=settings,
        control=lifecycle.control_of(active),
        values={variant.variant_id: variant.value for variant in variants},
        active=frozenset(variant.variant_id for variant in active),
    )


def _end_of(date: dt.date, time_zone: str) -> dt.datetime:
    midnight = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), ZoneInfo(time_zone))
    return midnight.astimezone(dt.UTC)
