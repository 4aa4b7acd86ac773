"""What decides the shares of a date: the settings in force, the eligible variants, their totals before it."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import (
    DailyTotals,
    EffectiveTotals,
    Weighting,
    effective_totals,
    last_possible_day,
)
from app.bandits.allocation.rounding import significant
from app.bandits.arrays import Booleans, Floats
from app.bandits.best_arm.stopping import experiment_days
from app.errors import Conflict
from app.schemas.experiments.settings import ASSIGNING, StoredSettings
from app.services.allocations import recorded
from app.services.allocations.inputs import (
    daily_totals,
)
from app.services.allocations.inputs.daily_totals import AssumedZero, UnreportedDays
from app.services.allocations.inputs.sample_ratio import SampleRatio, assignment_ratio
from app.services.allocations.inputs.variant_totals import last_used, read_hours, read_totals
from app.services.delay.delay_in_force import DelayInForce
from app.services.experiments import full_hours
from app.services.experiments.full_hours import HOURS_A_DAY
from app.services.experiments.settings_history import (
    Halt,
    SettingsHistory,
    read_settings_history,
    resolve_date,
)
from app.services.experiments.variant_queries import control_of

NO_PERIOD = daily_totals.day_number(dt.date.min)
"""Before all days and hours."""

ALGORITHM = 2
"""Raised whenever the same inputs would give other bytes than before (docs/decisions/0021)."""


DELAYED_DIGITS = 12
"""Of totals that count as far as their conversions have come: sums of products, right to 1e-15 in any order."""


@dataclass(frozen=True)
class DecisionInputs:
    """Everything the shares of a date are a function of.

    Parameters
    ----------
    decided_on : the date, or during a halt the day it began, whose shares are held
    control : the variant others are compared with, whether or not it takes part
    variant_ids, eligible : the arms, and those of them that may get traffic on the date; they differ during a halt
    all_days : the days up to ``last`` that were read, or their sums
    unreported : the days that lack reports: those left out, and where 0 impressions are assumed
    shares_before_halt : during a halt the percentages served before it on its first day, where they were recorded
    sample_ratio : how the impressions of recorded days compare with their shares (traffic per_request), or the
        units assigned before with theirs (a tracked experiment)
    days_without_revenue : for each variant, on how many days its successes came without revenue (objective value)
    delay : what the days' conversions that are still to come are counted with; None where all have come
    hour : with cadence hour the hour that runs: rows are hours, of what was received before it; None with days
    """

    experiment_id: str
    date: dt.date
    decided_on: dt.date
    settings: StoredSettings
    halt: Halt | None
    control: str | None
    variant_ids: tuple[str, ...]
    eligible: tuple[str, ...]
    all_days: DailyTotals
    unreported: UnreportedDays
    shares_before_halt: dict[str, float] | None
    days_without_revenue: dict[str, int]
    sample_ratio: SampleRatio | None
    delay: DelayInForce | None = None
    hour: int | None = None

    @property
    def last(self) -> dt.date:
        """Return the last day that may be used: D - 1 - maturity_days, with cadence hour that of the last hour."""
        if self.hour is not None:
            return full_hours.day_of(self.hour - 1, self.settings.time_zone)
        return last_used(self.decided_on, self.settings)

    @property
    def last_period(self) -> int:
        """Return the number of the last day, or hour, that may be used."""
        return daily_totals.day_number(self.last) if self.hour is None else self.hour - 1

    @property
    def weighting(self) -> Weighting:
        """Return how days, or hours, count under the settings."""
        window, half_life = self.settings.window_days, self.settings.half_life_days
        if self.hour is not None:
            window = None if window is None else window * HOURS_A_DAY
            half_life = None if half_life is None else half_life * HOURS_A_DAY
        return Weighting(window, half_life, self.settings.adjust == "day")

    @cached_property
    def daily(self) -> DailyTotals:
        """Return the days that are used: those left out as incomplete are not among them."""
        incomplete = [daily_totals.day_number(date) for date in self.unreported.incomplete]
        return self.all_days.select(~np.isin(self.all_days.day, incomplete))

    @property
    def missing_days(self) -> dict[dt.date, tuple[str, ...]]:
        """Return the days left out that would have counted: those within the window."""
        incomplete = self.unreported.incomplete
        return {date: variants for date, variants in incomplete.items() if date >= self._first}

    @property
    def assumed_zero(self) -> list[AssumedZero]:
        """Return where 0 impressions are assumed on the days that count."""
        return [zero for zero in self.unreported.assumed_zero if zero.date >= self._first]

    @property
    def _first(self) -> dt.date:
        """Return the first day that may be used."""
        window = self.settings.window_days
        return dt.date.min if window is None else self.last - dt.timedelta(days=window - 1)

    @cached_property
    def current(self) -> EffectiveTotals:
        """Return the effective totals up to the last day, possible or not."""
        return effective_totals(self.daily, self.last_period, self.weighting)

    @cached_property
    def _possible_period(self) -> int:
        if self.current.possible.all():
            return self.last_period
        period = last_possible_day(self.daily, self.last_period, self.weighting)
        return NO_PERIOD if period is None else period

    @property
    def possible_through(self) -> dt.date | None:
        """Return the latest day, or moment, up to which the totals are possible, None where there is none."""
        return None if self._possible_period == NO_PERIOD else self._end_of(self._possible_period)

    def _end_of(self, period: int) -> dt.date:
        """Return the date of a day, or the moment at which an hour ends."""
        if self.hour is None:
            return daily_totals.date_of_day(period)
        return full_hours.start_of_hour(period + 1)

    @cached_property
    def used(self) -> EffectiveTotals:
        """Return the effective totals that decide: the current ones, or those of the last possible day."""
        if self.current.possible.all():
            return self.current
        return self.weighted_totals(self.weighting)

    def weighted_totals(self, weighting: Weighting) -> EffectiveTotals:
        """Return the totals of the days that decide as they were booked, under another weighting."""
        through = self._possible_period
        return effective_totals(self.daily.through(through), through, weighting).as_booked

    @property
    def data_through(self) -> dt.date | None:
        """Return the last day with data that are used; of hours the moment at which the last one ended."""
        period = self.daily.day[self.daily.day <= self._possible_period]
        return self._end_of(int(period[-1])) if len(period) else None

    @property
    def last_day_with_data(self) -> dt.date | None:
        """Return the day of the last data that are used."""
        through = self.data_through
        if isinstance(through, dt.datetime):
            return full_hours.day_of(full_hours.hour_of(through) - 1, self.settings.time_zone)
        return through

    def experiment_days(self, judged: Booleans) -> int:
        """Return the days with impressions since each of the judged variants ``(k,)`` has had some."""
        return int(experiment_days(self.daily.shown[:, judged]))

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides, the algorithm's version included."""
        totals = [self.used.trials, self.used.successes, self.used.value, self.used.value_sq, self.used.days]
        current = [self.current.trials, self.current.successes]
        if self.delay is not None:  # summed by age or day by day: their last digits differ
            totals = [None if total is None else _rounded(total) for total in totals]
            current = [_rounded(total) for total in current]
        content: dict[str, object] = {
            "algorithm": ALGORITHM,
            "settings": self.settings.model_dump(
                mode="json", exclude={"time_zone", *ASSIGNING}, exclude_defaults=True
            ),
            "halt": None if self.halt is None else [self.halt.state, str(self.halt.since)],
            "arms": self.variant_ids,
            "served": self.eligible,
            "totals": [None if total is None else total.tolist() for total in totals],
            "current": [counts.tolist() for counts in current],
            "data_through": str(self.data_through),
            "left_out": {str(date): variants for date, variants in self.unreported.incomplete.items()},
            "held": self.shares_before_halt,
            "unvalued": self.days_without_revenue,
            "sample_ratio": None if self.sample_ratio is None else self.sample_ratio.p,
        }
        if self.delay is not None:
            curves = {"": self.delay.curve, **self.delay.own}
            content["delay"] = {variant_id: curve.fractions for variant_id, curve in curves.items()}
        if self.unreported.assumed_zero:
            content["assumed_zero"] = [
                [str(zero.date), zero.variant_id, zero.share, zero.expected]
                for zero in self.unreported.assumed_zero
            ]
        tried: Booleans = np.asarray(self.daily.shown.any(axis=0))
        days = self.experiment_days(tried)
        if tried.any() and days != self.used.days[tried].min():
            content["days"] = days  # of the stop advice; the others follow from the totals
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_inputs_on(
    session: Session, experiment_id: str, for_date: dt.date | None, now: dt.datetime, summed: bool = False
) -> DecisionInputs:
    """Return what decides the shares of a date, by default the experiment's today.

    Parameters
    ----------
    summed : as for `read_inputs`

    Raises
    ------
    NotFound: there is no such experiment
    Invalid: the date is after tomorrow
    Conflict: no variant is active on the date
    """
    history = read_settings_history(session, experiment_id)
    date = resolve_date(history, for_date, now)
    hour = full_hours.running_hour(history, date, now)
    return read_inputs(session, experiment_id, history, date, summed, hour)


def read_inputs(
    session: Session,
    experiment_id: str,
    history: SettingsHistory,
    date: dt.date,
    summed: bool = False,
    hour: int | None = None,
) -> DecisionInputs:
    """Return what decides the shares of a date; rows dated on or after it have no influence.

    Parameters
    ----------
    hour : of an experiment of cadence hour the hour that runs; what was received in it has no influence
    summed : let PostgreSQL sum the days where that decides the same; single days are then not read

    Raises
    ------
    Conflict: no variant is active on the date
    """
    halt = history.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    settings = history.at(decided_on).settings
    tracked = history.source == "tracked"
    if hour is None:
        read = read_totals(session, experiment_id, history, decided_on, summed)
    else:
        read = read_hours(session, experiment_id, decided_on, hour, settings)
    eligible = tuple(
        row.variant_id for row in read.eligible if row.retired_on is None or date < row.retired_on
    )
    if not eligible:
        raise Conflict(f"experiment {experiment_id!r} has no active variant on {date}")
    ratio = read.sample_ratio
    if tracked:
        variant_ids = [row.variant_id for row in read.variants]
        day = decided_on if hour is None else full_hours.day_of(hour, settings.time_zone)
        ratio = assignment_ratio(session, experiment_id, variant_ids, min(day, decided_on))
    return DecisionInputs(
        experiment_id=experiment_id,
        date=date,
        decided_on=decided_on,
        settings=settings,
        halt=halt,
        control=control_of(read.variants),
        variant_ids=tuple(row.variant_id for row in read.eligible),
        eligible=eligible,
        all_days=read.table.totals,
        unreported=read.unreported,
        shares_before_halt=None
        if halt is None
        else recorded.shares_before_halt(session, experiment_id, decided_on),
        sample_ratio=ratio,
        delay=read.delay,
        hour=hour,
        days_without_revenue={
            row.variant_id: days
            for row, days in zip(read.eligible, read.table.days_without_revenue, strict=True)
            if days
        },
    )


def _rounded(totals: Floats) -> Floats:
    return np.array([significant(float(total), DELAYED_DIGITS) for total in totals])
