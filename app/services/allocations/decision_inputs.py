"""What decides the shares of a date: the settings in force, the variants active, their totals before it."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import (
    DailyTotals,
    EffectiveTotals,
    Weighting,
    effective_totals,
    last_possible_day,
)
from app.errors import Conflict
from app.schemas.experiments.settings import ASSIGNING, StoredSettings
from app.services.allocations import daily_totals, recorded, summed_totals
from app.services.allocations.sample_ratio import SampleRatio, assignment_ratio, impression_ratio
from app.services.experiments.settings_history import Halt, SettingsHistory

AnyVariant = TypeVar("AnyVariant", bound=daily_totals.VariantDates)

ALGORITHM = 1
"""Raised whenever the same inputs would give other shares than before."""


@dataclass(frozen=True)
class DecisionInputs:
    """Everything the shares of a date are a function of.

    During a halt they are those of the day it began, ``decided_on``. ``eligible`` are the arms that may still get
    traffic on the date; without a halt, all of them.

    Parameters
    ----------
    all_days : the days up to ``last`` that were read, or their sums
    incomplete_days : the incomplete days, each with the variants that had not reported it
    shares_before_halt : during a halt the percentages served before it on its first day, where they were recorded
    sample_ratio : how the impressions of recorded days compare with their shares (traffic per_request), or the
        units assigned before with theirs (a tracked experiment)
    days_without_revenue : for each variant, on how many days its successes came without revenue (objective value)
    """

    experiment_id: str
    decided_on: dt.date
    settings: StoredSettings
    halt: Halt | None
    variant_ids: tuple[str, ...]
    eligible: tuple[str, ...]
    all_days: DailyTotals
    incomplete_days: dict[dt.date, tuple[str, ...]]
    shares_before_halt: dict[str, float] | None
    days_without_revenue: dict[str, int]
    sample_ratio: SampleRatio | None

    @property
    def last(self) -> dt.date:
        """Return the last day that may be used: D - 1 - maturity_days."""
        return _last_used(self.decided_on, self.settings)

    @property
    def weighting(self) -> Weighting:
        """Return how days count under the settings."""
        chosen = self.settings
        return Weighting(chosen.window_days, chosen.half_life_days, chosen.adjust == "day")

    @cached_property
    def daily(self) -> DailyTotals:
        """Return the days that are used: those left out as incomplete are not among them."""
        left_out = [daily_totals.day_number(date) for date in self.incomplete_days]
        return self.all_days.kept(~np.isin(self.all_days.day, left_out))

    @property
    def missing_days(self) -> dict[dt.date, tuple[str, ...]]:
        """Return the days left out that would have counted: those within the window."""
        window = self.settings.window_days
        first = dt.date.min if window is None else self.last - dt.timedelta(days=window - 1)
        return {date: variants for date, variants in self.incomplete_days.items() if date >= first}

    @cached_property
    def current(self) -> EffectiveTotals:
        """Return the effective totals up to the last day, possible or not."""
        return effective_totals(self.daily, daily_totals.day_number(self.last), self.weighting)

    @cached_property
    def possible_through(self) -> dt.date | None:
        """Return the latest day up to which the totals are possible, None where there is none."""
        if self.current.possible.all():
            return self.last
        day = last_possible_day(self.daily, daily_totals.day_number(self.last), self.weighting)
        return None if day is None else daily_totals.date_of_day(day)

    @cached_property
    def used(self) -> EffectiveTotals:
        """Return the effective totals that decide: the current ones, or those of the last possible day."""
        if self.current.possible.all():
            return self.current
        through = self.possible_through or dt.date.min
        return effective_totals(
            self.daily.through(daily_totals.day_number(through)),
            daily_totals.day_number(through),
            self.weighting,
        )

    @property
    def data_through(self) -> dt.date | None:
        """Return the last day with data that are used."""
        day = self.daily.day
        day = day[day <= daily_totals.day_number(self.possible_through or dt.date.min)]
        return daily_totals.date_of_day(int(day[-1])) if len(day) else None

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides, the algorithm's version included."""
        figures = [self.used.trials, self.used.successes, self.used.value, self.used.value_sq, self.used.days]
        content = {
            "algorithm": ALGORITHM,
            "settings": self.settings.model_dump(
                mode="json", exclude={"time_zone", *ASSIGNING}, exclude_defaults=True
            ),
            "halt": None if self.halt is None else [self.halt.state, str(self.halt.since)],
            "arms": self.variant_ids,
            "served": self.eligible,
            "totals": [None if figure is None else figure.tolist() for figure in figures],
            "current": [self.current.trials.tolist(), self.current.successes.tolist()],
            "data_through": str(self.data_through),
            "left_out": {str(date): variants for date, variants in self.incomplete_days.items()},
            "held": self.shares_before_halt,
            "unvalued": self.days_without_revenue,
            "sample_ratio": None if self.sample_ratio is None else self.sample_ratio.p,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class VariantsAndTotals:
    """The variants of an experiment as they were read, those of the date, and the totals of these."""

    rows: Sequence[daily_totals.VariantDates]
    members: Sequence[daily_totals.VariantDates]
    table: daily_totals.TotalsTable
    left_out: dict[dt.date, tuple[str, ...]]
    sample_ratio: SampleRatio | None = None


def read_inputs(
    session: Session, experiment_id: str, timeline: SettingsHistory, date: dt.date, summed: bool = False
) -> DecisionInputs:
    """Return what decides the shares of a date; rows dated on or after it have no influence.

    Parameters
    ----------
    summed : let PostgreSQL sum the days where that decides the same; of single days nothing is then known

    Raises
    ------
    Conflict: no variant is active on the date
    """
    halt = timeline.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    settings = timeline.at(decided_on).settings
    tracked = timeline.source == "tracked"
    read = None
    if summed and summed_totals.can_use_sums(settings):
        read = _read_sums(session, experiment_id, decided_on, settings, tracked)
    if read is None:
        read = _read_days(session, experiment_id, decided_on, settings, tracked)
    served = tuple(row.variant_id for row in read.members if row.retired_on is None or date < row.retired_on)
    if not served:
        raise Conflict(f"experiment {experiment_id!r} has no active variant on {date}")
    ratio = read.sample_ratio
    if tracked:
        variant_ids = [row.variant_id for row in read.rows]
        ratio = assignment_ratio(session, experiment_id, variant_ids, decided_on)
    return DecisionInputs(
        experiment_id=experiment_id,
        decided_on=decided_on,
        settings=settings,
        halt=halt,
        variant_ids=tuple(row.variant_id for row in read.members),
        eligible=served,
        all_days=read.table.totals,
        incomplete_days=read.left_out,
        shares_before_halt=None
        if halt is None
        else recorded.shares_before_halt(session, experiment_id, decided_on),
        sample_ratio=ratio,
        days_without_revenue={
            row.variant_id: n
            for row, n in zip(read.members, read.table.days_without_revenue, strict=True)
            if n
        },
    )


def _last_used(date: dt.date, settings: StoredSettings) -> dt.date:
    return date - dt.timedelta(days=1 + settings.maturity_days)


def _read_sums(
    session: Session, experiment_id: str, date: dt.date, settings: StoredSettings, tracked: bool
) -> VariantsAndTotals | None:
    """Return the sums of all days; None where they do not suffice."""
    rows = summed_totals.read_sums(session, experiment_id, date, _last_used(date, settings))
    members = eligible_variants(rows, date)
    if not summed_totals.are_sufficient(members, waited_for=not tracked):
        return None
    return VariantsAndTotals(rows, members, summed_totals.table_of(members), {})


def _read_days(
    session: Session, experiment_id: str, date: dt.date, settings: StoredSettings, tracked: bool
) -> VariantsAndTotals:
    last, by_value = _last_used(date, settings), settings.objective == "value"
    rows = daily_totals.read_variant_days(session, experiment_id, date, last, by_value)
    members = eligible_variants(rows, date)
    table = daily_totals.table_of(members, by_value)
    if tracked:  # who has no row had no units: nobody is waited for
        return VariantsAndTotals(rows, members, table, {})
    ratio = None
    if settings.traffic == "per_request":
        ratio = impression_ratio(session, experiment_id, rows, last, settings.time_zone)
    return VariantsAndTotals(
        rows, members, table, daily_totals.find_incomplete_days(session, experiment_id, table, members), ratio
    )


def eligible_variants(rows: Sequence[AnyVariant], date: dt.date) -> list[AnyVariant]:
    """Return the variants of a date, in the order of registration.

    One that nothing but a row of the date itself makes known joins the day after, unless nobody else is there:
    otherwise that row would have had an influence on its own day.
    """
    active = [
        row
        for row in rows
        if first_eligible_day(row) <= date and (row.retired_on is None or date < row.retired_on)
    ]
    known = [row for row in active if row.active_from or row.registered_on <= date or row.first_day != date]
    return known or active


def first_eligible_day(row: daily_totals.VariantDates) -> dt.date:
    """Return the first day on which a variant may get traffic."""
    return row.active_from or min(row.first_day or row.registered_on, row.registered_on)
