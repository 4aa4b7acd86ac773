"""Whole histories summed by PostgreSQL, for experiments whose days all count alike."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.arrays import Booleans
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations.inputs.daily_totals import TotalsTable, day_number
from app.services.experiments.variant_queries import VariantDates

SUMS_SQL = text("""
    select v.variant_id, v.is_control, v.registered_on, v.active_from, v.retired_on,
           coalesce(m.first_day, (
               select min(t.date) from experiment_metrics t
               where t.experiment_id = :experiment_id and t.variant_id = v.variant_id and t.date <= :date
           )) as first_day,
           m.last_day, m.first_shown, m.last_shown,
           coalesce(m.reported, 0) as reported, coalesce(m.days, 0) as days,
           coalesce(m.impressions, 0) as impressions, coalesce(m.successes, 0) as successes
    from variants v
    left join (
        select variant_id, min(date) as first_day, max(date) as last_day, count(*) as reported,
               min(date) filter (where impressions > 0) as first_shown,
               max(date) filter (where impressions > 0) as last_shown,
               count(*) filter (where impressions > 0) as days,
               cast(sum(impressions) as float8) as impressions, cast(sum(successes) as float8) as successes
        from experiment_metrics
        where experiment_id = :experiment_id and date <= :last
        group by variant_id
    ) m on m.variant_id = v.variant_id
    where v.experiment_id = :experiment_id
    order by v.position
""")

SHOWN_SQL = text("""
    select variant_id, array_agg(date - date '2000-01-01' order by date) as days
    from experiment_metrics
    where experiment_id = :experiment_id and date <= :last and impressions > 0 and variant_id = any(:variants)
    group by variant_id
""")
"""The days with impressions of variants that had none on some day in between; mostly there is no such variant."""


@dataclass(frozen=True, slots=True)
class VariantSums(VariantDates):
    """A variant with the sums of its days up to the last that may be used.

    Parameters
    ----------
    last_day : the last of these days; None where it has none
    first_shown, last_shown : the first and the last of them with impressions
    reported, days : how many it reported, and on how many of them it had impressions
    """

    last_day: dt.date | None
    first_shown: dt.date | None
    last_shown: dt.date | None
    reported: int
    days: int
    impressions: float
    successes: float

    @property
    def shown_range(self) -> NDArray[np.int64]:
        """Return the numbers of the days from the first to the last with impressions."""
        if self.first_shown is None or self.last_shown is None:
            return np.empty(0, np.int64)
        return np.arange(day_number(self.first_shown), day_number(self.last_shown) + 1)


def can_use_sums(settings: StoredSettings) -> bool:
    """Return whether shares follow from sums under these settings, unless a day has to be left out."""
    alike = settings.window_days is None and settings.half_life_days is None and settings.adjust == "none"
    return alike and settings.objective == "conversion" and settings.traffic != "per_request"


def read_sums(session: Session, experiment_id: str, date: dt.date, last: dt.date) -> list[VariantSums]:
    """Return every variant in the order of registration, with the sums of its days up to ``last``."""
    values = {"experiment_id": experiment_id, "date": date, "last": last}
    return [VariantSums(*row) for row in session.connection().execute(SUMS_SQL, values)]


def are_sufficient(variants: Sequence[VariantSums], complete_days: bool) -> bool:
    """Return whether the sums decide as the days would.

    They do where they are possible and, if only complete days count, every variant reported each day from its
    first to the last of all: then no day lacks a report.
    """
    if any(variant.successes > variant.impressions for variant in variants):
        return False
    if not complete_days:
        return True
    last = _last_day(variants)
    return all(_without_gap(variant, last) for variant in variants)


def _without_gap(variant: VariantSums, last: dt.date | None) -> bool:
    if variant.last_day is None:
        return True
    days = day_number(variant.last_day) - day_number(variant.first_day or variant.last_day) + 1
    return variant.last_day == last and variant.reported == days


def _last_day(variants: Sequence[VariantSums]) -> dt.date | None:
    return max((variant.last_day for variant in variants if variant.last_day is not None), default=None)


def read_shown_days(
    session: Session, experiment_id: str, variants: Sequence[VariantSums], last: dt.date
) -> dict[str, NDArray[np.int64]]:
    """Return the numbers of the days up to ``last`` on which each variant had impressions."""
    days = {variant.variant_id: variant.shown_range for variant in variants}
    with_gaps = [variant.variant_id for variant in variants if len(variant.shown_range) != variant.days]
    if with_gaps:
        values = {"experiment_id": experiment_id, "last": last, "variants": with_gaps}
        rows = session.connection().execute(SHOWN_SQL, values)
        days |= {row.variant_id: np.array(row.days, np.int64) for row in rows}
    return days


def table_of(variants: Sequence[VariantSums], shown_days: Mapping[str, NDArray[np.int64]]) -> TotalsTable:
    """Return the sums as one row (1, k), of the last day; none where nothing was reported.

    Parameters
    ----------
    shown_days : as `read_shown_days` returns them
    """
    last = last_day_number(variants)
    columns = [(v.reported > 0, v.impressions, v.successes, v.days) for v in variants]
    reported, trials, successes, summed = np.array(columns, float).reshape(len(variants), 4).T
    rows = slice(0 if last is None else 1)
    day = np.array([last or 0])
    totals = DailyTotals(
        day[rows],
        reported[None][rows] > 0,
        trials[None][rows],
        successes[None][rows],
        summed_days=summed[None][rows],
        summed_shown=shown_table(variants, shown_days),
    )
    return TotalsTable(totals, (0,) * len(variants))


def last_day_number(variants: Sequence[VariantSums]) -> int | None:
    """Return the number of the last day that any variant reported; None without one."""
    last = _last_day(variants)
    return None if last is None else day_number(last)


def shown_table(variants: Sequence[VariantSums], shown_days: Mapping[str, NDArray[np.int64]]) -> Booleans:
    """Return whether each of k variants had impressions on each of d days, (d, k)."""
    days = [shown_days[variant.variant_id] for variant in variants]
    found = np.concatenate([np.empty(0, np.int64), *days])
    first = int(found.min()) if len(found) else 0
    shown = np.zeros((int(found.max()) - first + 1 if len(found) else 0, len(days)), np.bool_)
    for arm, of_arm in enumerate(days):
        shown[of_arm - first, arm] = True
    return shown
