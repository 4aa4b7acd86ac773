"""Sample ratio: how impressions and units were split, compared with the shares they were split by."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.bandits.allocation.effective_totals import DailyTotals
from app.bandits.allocation.missing_reports import MissingReports
from app.bandits.allocation.rounding import significant
from app.bandits.estimation.sample_ratio import assignment_ratio_p, sample_ratio_p
from app.services.allocations.inputs.daily_totals import VariantDays, day_number

P_DIGITS = 4
"""Of the p-value: log-gammas of 1e8 units differ between processors by 1e-6, and it differs as much."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """A sample-ratio test: its p-value, and what was counted and expected by variant.

    Parameters
    ----------
    of : what is counted
    over : the number of days, or of splits with different shares, that were compared
    """

    p: float
    of: Literal["impressions", "units"]
    over: dict[str, int]
    counted: dict[str, float]
    expected: dict[str, float]


UNITS_SQL = text("""
    select cast(splits.shares as text) as shares, counts.variant_id,
           cast(sum(counts.units) as bigint) as units
    from assignment_counts counts
    join splits on splits.experiment_id = :experiment_id and splits.split = counts.split
    where counts.experiment_id = :experiment_id and counts.assigned_on < :date
    group by 1, 2
    order by 1, 2
""")
"""Splits of the same shares are added up: the test multiplies their likelihoods, so nothing is lost."""


def arms_of(variant_ids: Sequence[str], splits: Iterable[Mapping[str, float]]) -> list[str]:
    """Return the variants, then deleted ones that still have a share in some split."""
    return list(dict.fromkeys([*variant_ids, *(name for shares in splits for name in shares)]))


def assignment_ratio(
    session: Session, experiment_id: str, variant_ids: Sequence[str], date: dt.date
) -> SampleRatio | None:
    """Return how units were drawn on the days before a date; None where none were.

    A deleted variant is tested with the others, but not reported.
    """
    rows = session.execute(UNITS_SQL, {"experiment_id": experiment_id, "date": date}).all()
    if not rows:
        return None
    strata = {shares: split for split, shares in enumerate(dict.fromkeys(row.shares for row in rows))}
    percent = [json.loads(shares) for shares in strata]
    arms = arms_of(variant_ids, percent)
    place = {variant_id: arm for arm, variant_id in enumerate(arms)}
    units = np.zeros((len(strata), len(arms)))
    for row in rows:
        units[strata[row.shares], place[row.variant_id]] = row.units
    shares = np.array([[split.get(name, 0.0) / 100 for name in arms] for split in percent])
    expected = (units.sum(axis=1, keepdims=True) * shares).sum(axis=0)
    present = slice(len(variant_ids))
    return SampleRatio(
        p=significant(float(assignment_ratio_p(units, shares)), P_DIGITS),
        of="units",
        over={"splits": len(strata)},
        counted=dict(zip(variant_ids, units.sum(axis=0)[present].tolist(), strict=True)),
        expected=dict(zip(variant_ids, expected[present].tolist(), strict=True)),
    )


RECORDED_IN_TIME_SQL = text("""
    select for_date, min(cast(answer -> 'allocations' as text)) as shares
    from allocations
    where experiment_id = :experiment_id and for_date <= :last
      and cast(recorded_at at time zone :zone as date) <= for_date
    group by for_date
    having count(distinct cast(answer -> 'allocations' as text)) = 1
    order by for_date
""")
"""The days with the same shares all day, recorded before the day ended."""


def impression_ratio(
    session: Session,
    experiment_id: str,
    variants: Sequence[VariantDays],
    totals: DailyTotals,
    last: dt.date,
    zone: str,
) -> SampleRatio | None:
    """Return how impressions were split on the days whose shares were recorded in time; None without such days."""
    place = {int(day): at for at, day in enumerate(totals.day)}
    counts, shares = [], []
    values = {"experiment_id": experiment_id, "last": last, "zone": zone}
    for row in session.execute(RECORDED_IN_TIME_SQL, values):
        at = place.get(day_number(row.for_date))
        percent = json.loads(row.shares)
        share = np.array([percent.get(variant.variant_id, 0.0) / 100 for variant in variants])
        if at is None:
            continue
        if not MissingReports(share, totals.reported[at], totals.trials[at]).awaited.any():
            counts.append(totals.trials[at])
            shares.append(share)
    if not counts:
        return None
    expected = sum(count.sum() * share for count, share in zip(counts, shares, strict=True))
    variant_ids = [variant.variant_id for variant in variants]
    return SampleRatio(
        significant(sample_ratio_p(counts, shares), P_DIGITS),
        "impressions",
        {"days": len(counts)},
        dict(zip(variant_ids, sum(counts).tolist(), strict=True)),
        dict(zip(variant_ids, expected.tolist(), strict=True)),
    )
