"""Variants and their totals before a date: sums where they decide the same, else by day or by hour."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.schemas.experiments.settings import StoredSettings
from app.services.allocations.inputs import (
    daily_totals,
    delayed_totals,
    hourly_totals,
    summed_totals,
    sums_by_age,
)
from app.services.allocations.inputs.daily_totals import UnreportedDays
from app.services.allocations.inputs.sample_ratio import SampleRatio, impression_ratio
from app.services.delay.delay_in_force import DelayInForce
from app.services.experiments.settings_history import SettingsHistory
from app.services.experiments.variant_queries import VariantDates, eligible_variants


@dataclass(frozen=True, slots=True)
class VariantsAndTotals:
    """All variants of an experiment, the eligible ones of a date, and the totals of these."""

    variants: Sequence[VariantDates]
    eligible: Sequence[VariantDates]
    table: daily_totals.TotalsTable
    unreported: UnreportedDays = field(default_factory=UnreportedDays)
    sample_ratio: SampleRatio | None = None
    delay: DelayInForce | None = None


def last_used(date: dt.date, settings: StoredSettings) -> dt.date:
    """Return the last day that may be used: D - 1 - maturity_days."""
    return date - dt.timedelta(days=1 + settings.maturity_days)


def read_totals(
    session: Session, experiment_id: str, history: SettingsHistory, date: dt.date, summed: bool
) -> VariantsAndTotals:
    """Return the days that decide, or their sums where these suffice."""
    settings, tracked = history.at(date).settings, history.source == "tracked"
    reading = delayed_totals.read(session, experiment_id, history, date)
    read = None
    if summed and summed_totals.can_use_sums(settings):
        read = _read_sums(session, experiment_id, date, settings, tracked, reading)
    return read or _read_days(session, experiment_id, date, settings, tracked, reading)


def read_hours(
    session: Session, experiment_id: str, date: dt.date, hour: int, settings: StoredSettings
) -> VariantsAndTotals:
    """Return the full hours before one that decide."""
    found = hourly_totals.read_hours(session, experiment_id, date, hour, settings)
    return VariantsAndTotals(found.variants, found.eligible, found.table, delay=found.delay)


def _read_sums(
    session: Session,
    experiment_id: str,
    date: dt.date,
    settings: StoredSettings,
    tracked: bool,
    delayed: delayed_totals.DelayedTotals,
) -> VariantsAndTotals | None:
    """Return the sums of all days, by age where conversions are still to come; None where they do not suffice."""
    last = last_used(date, settings)
    if not delayed.sums_are_alike:
        return _read_sums_by_age(session, experiment_id, date, settings, tracked, delayed)
    rows = summed_totals.read_sums(session, experiment_id, date, last)
    eligible = eligible_variants(rows, date)
    if not summed_totals.are_sufficient(eligible, complete_days=not tracked):
        return None
    shown = summed_totals.read_shown_days(session, experiment_id, eligible, last)
    return VariantsAndTotals(rows, eligible, summed_totals.table_of(eligible, shown))


def _read_sums_by_age(
    session: Session,
    experiment_id: str,
    date: dt.date,
    settings: StoredSettings,
    tracked: bool,
    delayed: delayed_totals.DelayedTotals,
) -> VariantsAndTotals | None:
    last, before = last_used(date, settings), delayed.received_since
    rows = sums_by_age.read_sums(
        session,
        experiment_id,
        date,
        last,
        oldest=delayed.oldest,
        zone=settings.time_zone,
        tracked=tracked,
        received_before=before,
    )
    eligible = eligible_variants(rows, date)
    if not summed_totals.are_sufficient(eligible, complete_days=not tracked):
        return None
    if before and not sums_by_age.without_gaps(eligible):
        return None
    shown = summed_totals.read_shown_days(session, experiment_id, eligible, last)
    table, delay = delayed.count(sums_by_age.table_of(eligible, shown, delayed.oldest), eligible, date)
    return VariantsAndTotals(rows, eligible, table, delay=delay)


def _read_days(
    session: Session,
    experiment_id: str,
    date: dt.date,
    settings: StoredSettings,
    tracked: bool,
    delayed: delayed_totals.DelayedTotals,
) -> VariantsAndTotals:
    last, reading = last_used(date, settings), delayed.reading(settings, tracked)
    rows = daily_totals.read_variant_days(session, experiment_id, date, last, reading)
    eligible = eligible_variants(rows, date)
    table, delay = delayed.count(daily_totals.table_of(eligible, reading), eligible, date)
    if tracked:  # a variant without a row had no units: every day is complete
        return VariantsAndTotals(rows, eligible, table, delay=delay)
    ratio = None
    if settings.traffic == "per_request":
        counted = daily_totals.table_of(rows, reading).totals
        ratio = impression_ratio(session, experiment_id, rows, counted, last, settings.time_zone)
    unreported = daily_totals.find_unreported_days(session, experiment_id, table, eligible)
    return VariantsAndTotals(rows, eligible, table, unreported, ratio, delay)
