"""What decides the shares of a date: the settings in force, the variants active, their totals before it."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.schemas.experiments import Settings
from app.services.timeline import Halt, Timeline

ALGORITHM = 1
"""Raised whenever the same inputs would give other shares than before."""

READ = text("""
    select v.variant_id, v.registered_on, v.active_from, v.retired_on, m.first_day, m.last_day,
           coalesce(m.impressions, 0) as impressions, coalesce(m.successes, 0) as successes,
           coalesce(m.days, 0) as days
    from variants v
    left join (
        select variant_id,
               min(date) as first_day,
               max(date) filter (where date < :date) as last_day,
               sum(impressions) filter (where date < :date) as impressions,
               sum(successes) filter (where date < :date) as successes,
               count(*) filter (where date < :date and impressions > 0) as days
        from experiment_metrics
        where experiment_id = :experiment_id and date <= :date
        group by variant_id
    ) m on m.variant_id = v.variant_id
    where v.experiment_id = :experiment_id
    order by v.position
""")
"""Totals strictly before the date; of the date itself only that a variant had been heard of."""


@dataclass(frozen=True, slots=True)
class ArmTotals:
    """The effective totals of one active variant, and how many days they come from."""

    variant_id: str
    impressions: int
    successes: int
    days: int
    last_day: dt.date | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything the shares of a date are a function of.

    During a halt they are those of the day it began. ``served`` are the arms that may still get traffic on the
    date; without a halt, all of them.
    """

    experiment_id: str
    settings: Settings
    halt: Halt | None
    arms: tuple[ArmTotals, ...]
    served: tuple[str, ...]

    @property
    def data_through(self) -> dt.date | None:
        """Return the last day whose data are used."""
        return max((arm.last_day for arm in self.arms if arm.last_day is not None), default=None)

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides, the algorithm's version included."""
        content = {
            "algorithm": ALGORITHM,
            "settings": self.settings.model_dump(mode="json", exclude={"time_zone"}, exclude_defaults=True),
            "halt": None if self.halt is None else [self.halt.state, str(self.halt.since)],
            "data_through": None if self.data_through is None else str(self.data_through),
            "arms": [[arm.variant_id, arm.impressions, arm.successes, arm.days] for arm in self.arms],
            "served": self.served,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_inputs(session: Session, experiment_id: str, timeline: Timeline, date: dt.date) -> Inputs:
    """Return what decides the shares of a date; rows dated on or after it have no influence.

    Raises
    ------
    Conflict: no variant is active on the date
    """
    halt = timeline.halt_on(date)
    decided_on = date if halt is None else halt.shares_of
    rows = session.execute(READ, {"experiment_id": experiment_id, "date": decided_on}).all()
    active = [row for row in rows if _active(row, decided_on)]
    members = [row for row in active if not _heard_of_only_that_day(row, decided_on)] or active
    served = tuple(row.variant_id for row in members if row.retired_on is None or date < row.retired_on)
    if not served:
        raise Conflict(f"experiment {experiment_id!r} has no active variant on {date}")
    return Inputs(
        experiment_id,
        timeline.on(decided_on).settings,
        halt,
        tuple(_totals(row) for row in members),
        served,
    )


def _active(row: Row[Any], date: dt.date) -> bool:
    began = row.active_from or min(row.first_day or row.registered_on, row.registered_on)
    return bool(began <= date and (row.retired_on is None or date < row.retired_on))


def _heard_of_only_that_day(row: Row[Any], date: dt.date) -> bool:
    """Return whether nothing but a row of the date itself makes the variant active: a peek at the future."""
    return bool(row.active_from is None and row.registered_on > date and row.first_day == date)


def _totals(row: Row[Any]) -> ArmTotals:
    return ArmTotals(row.variant_id, int(row.impressions), int(row.successes), row.days, row.last_day)
