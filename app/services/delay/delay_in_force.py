"""The delay that the totals of a date are counted with."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.curve import DelayCurve
from app.schemas.experiments.settings import StoredSettings
from app.services.delay.evidence_by_day import ReportedEvidence, read_evidence_by_day, store_missing
from app.services.delay.received_counts import ReceivedCounts, read_received_counts, read_received_hours
from app.services.delay.reports import COHORT_DAYS
from app.services.experiments.full_hours import HOURS_A_DAY
from app.services.experiments.settings_history import SettingsHistory

REPORTED_MAX_DAYS = 30
"""After so many days all conversions of reported totals are there, where the settings do not say."""


@dataclass(frozen=True, slots=True)
class DelayInForce:
    """A delay curve, given or estimated.

    Parameters
    ----------
    curve : of all variants
    own : each variant's own, while their delays differ
    e_value, excess : the evidence that they differ, and of each variant the conversions that came late
    """

    kind: Literal["auto", "curve"]
    curve: DelayCurve
    own: Mapping[str, DelayCurve] = field(default_factory=dict)
    e_value: float = 1.0
    excess: Mapping[str, float] = field(default_factory=dict)

    @property
    def oldest(self) -> int:
        """The age by which all conversions have come, of each variant."""
        return max(curve.oldest for curve in (self.curve, *self.own.values()))

    def fractions(self, variant_ids: Sequence[str], ages: Integers) -> Floats:
        """Return which fraction (t, k) of each row's conversions has come by the ages (t, k) they are known at."""
        if not self.own:
            return self.curve.at(ages)
        by_variant = [self.own.get(name, self.curve).at(ages[:, i]) for i, name in enumerate(variant_ids)]
        return np.stack(by_variant, axis=-1)


def oldest_age(settings: StoredSettings, tracked: bool) -> int:
    """Return the age by which all conversions have come."""
    default = settings.reward_window_days if tracked else REPORTED_MAX_DAYS
    return settings.delay.max_days or default


def counts_on_delay(settings: StoredSettings) -> bool:
    """Return whether conversions that have not arrived yet are counted on at all under the settings."""
    return settings.delay.kind != "none" and not settings.late_conversions


def read_evidence(
    session: Session, experiment_id: str, history: SettingsHistory, date: dt.date
) -> ReceivedCounts | ReportedEvidence | None:
    """Return what the last 90 cohorts before a date say of the delay; None where they say nothing."""
    settings, tracked = history.at(date).settings, history.source == "tracked"
    oldest = oldest_age(settings, tracked)
    if tracked:
        return read_received_counts(session, experiment_id, date, COHORT_DAYS, oldest)
    return read_evidence_by_day(session, experiment_id, date, COHORT_DAYS, oldest, settings.time_zone)


def store_evidence(session: Session, experiment_id: str, history: SettingsHistory, date: dt.date) -> None:
    """Store what the reports before a date say of the delay, as far as it will be read for that date.

    The caller holds the experiment's lock.
    """
    halt = history.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    if history.source == "tracked" or not _is_estimated(history, decided_on):
        return
    settings = history.at(decided_on).settings
    oldest = oldest_age(settings, tracked=False)
    store_missing(session, experiment_id, decided_on, COHORT_DAYS, oldest, settings.time_zone)


def _is_estimated(history: SettingsHistory, date: dt.date) -> bool:
    """Return whether the delay of a date is estimated, and there may be something to estimate it from."""
    settings, seen = history.at(date).settings, history.delay_seen
    if not counts_on_delay(settings) or given(settings) is not None:
        return False
    return seen is not None and seen >= date - dt.timedelta(days=COHORT_DAYS)


def read_delay(
    session: Session, experiment_id: str, history: SettingsHistory, date: dt.date
) -> DelayInForce | None:
    """Return the delay that the totals of a date are counted with; None where all conversions come at once."""
    settings = history.at(date).settings
    if not counts_on_delay(settings):
        return None
    if (chosen := given(settings)) is not None:
        return chosen
    if not _is_estimated(history, date):
        return None
    evidence = read_evidence(session, experiment_id, history, date)
    return None if evidence is None else estimated(evidence)


def read_hourly_delay(
    session: Session, experiment_id: str, hour: int, settings: StoredSettings
) -> DelayInForce | None:
    """Return the delay in hours that is counted with as an hour begins; None where all come at once."""
    if not counts_on_delay(settings):
        return None
    if (chosen := given(settings)) is not None:
        return chosen
    evidence = read_hourly_evidence(session, experiment_id, hour, settings)
    return None if evidence is None else estimated(evidence)


def read_hourly_evidence(
    session: Session, experiment_id: str, hour: int, settings: StoredSettings
) -> ReceivedCounts | None:
    """Return what the cohorts of the last 90 times 24 hours say of the delay in hours; None where nothing."""
    oldest = HOURS_A_DAY * oldest_age(settings, tracked=True)
    return read_received_hours(session, experiment_id, hour, HOURS_A_DAY * COHORT_DAYS, oldest)


def given(settings: StoredSettings) -> DelayInForce | None:
    """Return the delay that the settings give; None where they give none."""
    fractions = settings.delay.fractions
    return None if fractions is None else DelayInForce("curve", DelayCurve(fractions))


def estimated(evidence: ReceivedCounts | ReportedEvidence) -> DelayInForce | None:
    """Return the delay as the data have it; while the variants' differ, with each one's own curve."""
    curve, difference = evidence.common.curve, evidence.difference()
    if curve.oldest == 0:
        return None
    own = {}
    if difference.alarm:
        own = {variant_id: delay.curve for variant_id, delay in evidence.own().items()}
    excess = dict(zip(evidence.variant_ids, difference.excess.tolist(), strict=True))
    return DelayInForce("auto", curve, own, difference.e_value, excess)
