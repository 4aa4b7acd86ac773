"""Totals of which conversions are still to come: what is read of them, and how far they count."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.orm import Session

from app.bandits.arrays import Integers
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations.inputs.daily_totals import Reading, TotalsTable, day_number
from app.services.delay.delay_in_force import DelayInForce, counts_on_delay, read_delay
from app.services.experiments.settings_history import SettingsHistory
from app.services.experiments.variant_queries import VariantDates


@dataclass(frozen=True, slots=True)
class DelayedTotals:
    """How the totals of a date are to be read.

    Parameters
    ----------
    delay : the delay of their conversions; None where all come at once
    received_since : whether some of them were received on the date or later, of a tracked experiment
    """

    delay: DelayInForce | None
    received_since: bool

    @property
    def sums_are_alike(self) -> bool:
        """Return whether the sums of all that is stored decide as the days do."""
        return self.delay is None and not self.received_since

    @property
    def oldest(self) -> int:
        """Return the age from which on all conversions have come."""
        return 0 if self.delay is None else self.delay.oldest

    def reading(self, settings: StoredSettings, tracked: bool) -> Reading:
        """Return what has to be read of each day."""
        ages = None if tracked or self.delay is None else settings.time_zone
        return Reading(settings.objective == "value", ages, self.received_since)

    def count(
        self, table: TotalsTable, variants: Sequence[VariantDates], date: dt.date
    ) -> tuple[TotalsTable, DelayInForce | None]:
        """Return the totals with what has come of them, and the delay; None where everything has."""
        if self.delay is None:
            return table, None
        totals = table.totals
        ages: Integers = table.ages if table.ages is not None else _ages_received(table, date)
        fractions = self.delay.fractions([variant.variant_id for variant in variants], ages)
        fractions = np.where(totals.reported, fractions, 1.0)
        if (fractions == 1).all():
            return table, None
        return replace(table, totals=replace(totals, fractions=fractions)), self.delay


def _ages_received(table: TotalsTable, date: dt.date) -> Integers:
    """Return the ages (t, k) of tracked days, known through the day before a date."""
    ages = day_number(date) - 1 - table.totals.day[:, None]
    return np.broadcast_to(ages, table.totals.trials.shape).astype(np.intp)


def read(session: Session, experiment_id: str, history: SettingsHistory, date: dt.date) -> DelayedTotals:
    """Return how the totals of a date are to be read."""
    if not counts_on_delay(history.at(date).settings):
        return DelayedTotals(None, False)
    since = history.source == "tracked" and history.delay_seen is not None and history.delay_seen >= date
    return DelayedTotals(read_delay(session, experiment_id, history, date), since)
