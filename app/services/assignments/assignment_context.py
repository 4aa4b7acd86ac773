"""What an experiment's units are assigned by today: its state, mode, hold-out and variants."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.schemas.experiments.experiments import State, Variant
from app.schemas.experiments.settings import StoredSettings
from app.services.experiments.full_hours import end_of_day
from app.services.experiments.settings_history import SettingsHistory, read_settings_history
from app.services.experiments.variant_queries import control_of, variants_of


@dataclass(frozen=True, slots=True)
class AssignmentContext:
    """What applies to an experiment's units until ``until``, as long as its ``settings_version`` stays.

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
        """Return whether units are still assigned by it."""
        return self.settings_version == settings_version and now < self.until


def read_context(session: Session, experiment_id: str, now: dt.datetime) -> AssignmentContext:
    """Return what applies to units that are assigned now.

    The settings are read with their version and before the variants: a change in between is noticed as one, and
    the context is read again.

    Raises
    ------
    NotFound: there is no such experiment
    """
    history = read_settings_history(session, experiment_id)
    return context_of(experiment_id, history, variants_of(session, experiment_id), now)


def context_of(
    experiment_id: str, history: SettingsHistory, variants: Sequence[Variant], now: dt.datetime
) -> AssignmentContext:
    """Return what applies to units that are assigned now, from settings and variants that were read."""
    settings, today = history.latest.settings, history.today(now)
    active = [variant for variant in variants if variant.active_on(today)]
    return AssignmentContext(
        experiment_id=experiment_id,
        settings_version=history.settings_version,
        date=today,
        until=end_of_day(today, settings.time_zone),
        state=history.latest.state,
        settings=settings,
        control=control_of(active),
        values={variant.variant_id: variant.value for variant in variants},
        active=frozenset(variant.variant_id for variant in active),
    )
