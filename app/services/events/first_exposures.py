"""In mode rendezvous a unit's first exposure draws and stores its assignment; nothing is stored before."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.events import EventIn, Reason
from app.services.assignments import bucketing, splits
from app.services.assignments.assignment_context import AssignmentContext, context_of
from app.services.assignments.splits import FrozenSplit
from app.services.events.rollup import CLOCK_SKEW, IngestRules, RollUp, StoredEvent, UnitState
from app.services.experiments import variant_queries
from app.services.experiments.settings_history import SettingsHistory
from app.storage.assignments import AssignmentRow, store_in_transaction


def bucket(
    session: Session,
    experiment_id: str,
    events: Sequence[EventIn],
    known: Sequence[StoredEvent],
    history: SettingsHistory,
    rules: IngestRules,
    salt: str,
) -> list[StoredEvent]:
    """Return what is known of events once the units that are exposed for the first time are drawn.

    The draw is the one the unit was shown; ``missing`` says why there is none. Nothing is stored.
    """
    drawing = cache(partial(_bucketing, session, experiment_id, history, rules, salt))
    found = []
    for event, one in zip(events, known, strict=True):
        if one.unit is not None or one.accepted_for is not None or rules.in_future(event):
            found.append(one)
        elif event.type != "exposure":
            found.append(replace(one, missing="no_exposure"))
        else:
            found.append(drawing().known(event))
    return found


def store(session: Session, found: RollUp) -> bool:
    """Store the draws of units whose first event was taken; say whether all of them had no assignment till now.

    Safe to race: a unit's first assignment stays.
    """
    rows = [unit.draw for _, unit in sorted(found.units.items()) if unit.draw is not None]
    return not rows or len(store_in_transaction(session, rows)) == len(rows)


@dataclass(frozen=True, slots=True)
class _ExposureBucketing:
    """What units that are exposed for the first time were drawn with.

    Parameters
    ----------
    began_on : the experiment's first day
    halted_on : the first day of the pause or archival that lasts; None while the experiment runs
    retired_on : of each variant there is
    split_of : the split of a revision, or of none, for a day; None where there is no such split
    """

    context: AssignmentContext
    began_on: dt.date
    halted_on: dt.date | None
    retired_on: Mapping[str, dt.date | None]
    split_of: Callable[[str | None, dt.date], FrozenSplit | None]
    rules: IngestRules
    salt: str

    def known(self, event: EventIn) -> StoredEvent:
        """Return the unit of an exposure as it was drawn, or why there is none."""
        row = self._row(event, self.rules.moment(event))
        if not isinstance(row, AssignmentRow):
            return StoredEvent(None, None, row)
        if row.variant_id not in self.retired_on:
            return StoredEvent(None, None, "retired_variant")
        retired_on = self.retired_on[row.variant_id]
        return StoredEvent(
            None, UnitState(row.unit_id, row.variant_id, row.kind, row.assigned_at, retired_on, draw=row)
        )

    def _row(self, event: EventIn, moment: dt.datetime) -> AssignmentRow | Reason:
        """Return what was drawn, or why nothing was.

        A halt is known by its day alone: what names its revision was drawn before it, and counts up to that day.
        So does the hold-out, which sees the control before and after.
        """
        if self.halted_on is not None and self.rules.day(moment) > self.halted_on:
            return "halted"
        return self._named(event, moment) if event.revision else self._unnamed(event, moment)

    def _named(self, event: EventIn, moment: dt.datetime) -> AssignmentRow | Reason:
        """Draw with the revision that was shown; who was shown one was not held out, whatever holds today."""
        split = self.split_of(event.revision, self._day(moment))
        if split is None:
            return "unknown_revision"
        return bucketing.bucket_by_shares(self.context, split, event.unit_id, self.salt, moment)

    def _unnamed(self, event: EventIn, moment: dt.datetime) -> AssignmentRow | Reason:
        """Ask the hold-out first, which is the same every day, then draw with the present shares."""
        if self.context.control is None:
            return "halted"
        if self._day(moment) < self.began_on:
            return "older_than_split"
        held_out = bucketing.holdout_assignment(self.context, event.unit_id, self.salt, moment)
        if held_out is not None:
            return held_out
        if self.halted_on is not None:
            return "halted"
        split = self.split_of(None, self._day(moment))
        if split is None:
            return "older_than_split"
        return bucketing.bucket_by_shares(self.context, split, event.unit_id, self.salt, moment)

    def _day(self, moment: dt.datetime) -> dt.date:
        return self.rules.day(moment + CLOCK_SKEW)


def _bucketing(
    session: Session, experiment_id: str, history: SettingsHistory, rules: IngestRules, salt: str
) -> _ExposureBucketing:
    variants = variant_queries.variants_of(session, experiment_id)
    context = context_of(experiment_id, history, variants, rules.now)
    halt = history.halt_on(history.latest.active_from)
    return _ExposureBucketing(
        context=context,
        began_on=history.periods[0].active_from,
        halted_on=None if halt is None else halt.shares_of,
        retired_on={variant.variant_id: variant.retired_on for variant in variants},
        split_of=cache(partial(_split_of, session, context, now=rules.now)),
        rules=rules,
        salt=salt,
    )


def _split_of(
    session: Session, context: AssignmentContext, revision: str | None, date: dt.date, now: dt.datetime
) -> FrozenSplit | None:
    """Return the split that a client drew with on a date: of the revision it was shown, else the present one."""
    if revision is None:
        present = splits.get_or_renew(session, context, now)
        return present if present.for_date <= date else None
    try:
        return splits.for_revision(session, context, revision, date)
    except NotFound:
        return None
