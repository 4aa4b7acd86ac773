"""The cohorts of a tracked experiment whose conversions have not all arrived yet."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services.delay.delay_in_force import read_delay
from app.services.experiments import settings_history

COHORTS_SQL = text("""
    select variant_id, exposed_on, count(*) as units from assignments
    where experiment_id = :experiment_id and kind = 'drawn' and merged_into is null
      and exposed_on > :last_complete
    group by 1, 2
    order by exposed_on, variant_id
""")
"""Of the units that are estimated from: those that were merged or forced since count in the totals alone."""


@dataclass(frozen=True, slots=True)
class ImmatureCohorts:
    """Days of first exposure whose conversions are still coming.

    Parameters
    ----------
    since : the first of these days
    units : how many units were first exposed since then, by variant
    outstanding : of how many units' worth the conversions have not come, sum n (1 - F), by variant
    """

    since: dt.date
    units: Mapping[str, int]
    outstanding: Mapping[str, float]

    def matured(self, variant_id: str, units: int) -> float:
        """Return the fraction of the conversions of all ``units`` of a variant that has come."""
        return 1 - min(self.outstanding.get(variant_id, 0.0) / units, 1.0) if units else 1.0


def read(session: Session, experiment_id: str, now: dt.datetime) -> ImmatureCohorts | None:
    """Return the cohorts whose conversions had not all come by the end of yesterday; None without a delay."""
    history = settings_history.read_settings_history(session, experiment_id)
    today = history.today(now)
    delay = read_delay(session, experiment_id, history, today)
    if delay is None:
        return None
    oldest = max(curve.oldest for curve in (delay.curve, *delay.own.values()))
    values = {"experiment_id": experiment_id, "last_complete": today - dt.timedelta(days=1 + oldest)}
    rows = session.execute(COHORTS_SQL, values).all()
    units: dict[str, int] = {}
    outstanding: dict[str, float] = {}
    since = None
    for row in rows:
        age = np.array([[(today - row.exposed_on).days - 1]], np.intp)
        coming = 1 - float(delay.fractions([row.variant_id], age)[0, 0])
        if coming > 0:
            since = since or row.exposed_on
            units[row.variant_id] = units.get(row.variant_id, 0) + row.units
            outstanding[row.variant_id] = outstanding.get(row.variant_id, 0.0) + coming * row.units
    return None if since is None else ImmatureCohorts(since, units, outstanding)
