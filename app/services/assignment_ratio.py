"""How a tracked experiment's units were drawn, beside the shares they were drawn with."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.bandits.rounding import significant
from app.bandits.sample_ratio import assignment_ratio_p
from app.services.days import P_DIGITS, SampleRatio

DRAWN = text("""
    select cast(splits.shares as text) as shares, counts.variant_id,
           cast(sum(counts.units) as bigint) as units
    from assignment_counts counts
    join splits on splits.experiment_id = :experiment_id and splits.split = counts.split
    where counts.experiment_id = :experiment_id and counts.assigned_on < :date
    group by 1, 2
    order by 1, 2
""")
"""Splits of the same shares are one here: the test multiplies what each says, so nothing is lost."""


def arms_of(variant_ids: Sequence[str], splits: Iterable[Mapping[str, float]]) -> list[str]:
    """Return the variants, then those that only splits still know: deleted, but units were drawn beside them."""
    return list(dict.fromkeys([*variant_ids, *(name for shares in splits for name in shares)]))


def assignment_ratio(
    session: Session, experiment_id: str, variant_ids: Sequence[str], date: dt.date
) -> SampleRatio | None:
    """Return how units were drawn on the days before a date; None where none were.

    A variant that was deleted is tested with the others, but not told of.
    """
    rows = session.execute(DRAWN, {"experiment_id": experiment_id, "date": date}).all()
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
    living = slice(len(variant_ids))
    return SampleRatio(
        p=significant(float(assignment_ratio_p(units, shares)), P_DIGITS),
        of="units",
        over={"splits": len(strata)},
        counted=dict(zip(variant_ids, units.sum(axis=0)[living].tolist(), strict=True)),
        expected=dict(zip(variant_ids, expected[living].tolist(), strict=True)),
    )
