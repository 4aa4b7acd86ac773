"""What a unit gets: its stored assignment as it is served today, or a fresh draw. Pure functions."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from app.errors import Conflict
from app.schemas.experiments.experiments import State
from app.services.assignments.assignment_context import AssignmentContext
from app.services.assignments.rendezvous_hashing import is_held_out, pick_variant
from app.services.assignments.splits import FrozenSplit
from app.storage.assignments import AssignmentRow

Reason = Literal["drawn", "holdout", "forced", "retired", "paused", "archived"]


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """What a unit is served, and why.

    Parameters
    ----------
    assigned_at : when the assignment was stored; None where none is stored (yet)
    new : whether it was stored just now
    state : the experiment's: who has an assignment keeps it while it is halted
    """

    experiment_id: str
    unit_id: str
    variant_id: str
    value: object
    reason: Reason
    propensity: float | None = None
    revision: str | None = None
    assigned_at: dt.datetime | None = None
    new: bool = False
    state: State = "running"


def bucket(
    context: AssignmentContext, split: FrozenSplit, unit_id: str, salt: str, now: dt.datetime
) -> AssignmentRow:
    """Return the assignment of a unit that has none: held out, or drawn with a split's shares.

    The same for the same unit, context, split and salt, wherever and whenever it is computed.
    """
    return holdout_assignment(context, unit_id, salt, now) or bucket_by_shares(
        context, split, unit_id, salt, now
    )


def holdout_assignment(
    context: AssignmentContext, unit_id: str, salt: str, now: dt.datetime
) -> AssignmentRow | None:
    """Return the assignment of a unit that is held out, which no split is needed for; None if it is not.

    Raises
    ------
    Conflict: no variant is active today
    """
    percent = context.settings.holdout_percent
    if not percent or not is_held_out(salt, context.experiment_id, unit_id, percent):
        return None
    return AssignmentRow(context.experiment_id, unit_id, control(context), "holdout", None, None, None, now)


def bucket_by_shares(
    context: AssignmentContext, split: FrozenSplit, unit_id: str, salt: str, now: dt.datetime
) -> AssignmentRow:
    """Return the assignment of a unit that is not held out."""
    experiment_id = context.experiment_id
    variant_id = pick_variant(salt, experiment_id, unit_id, split.shares)
    propensity = split.shares[variant_id] / 100
    return AssignmentRow(
        experiment_id, unit_id, variant_id, "drawn", split.number, propensity, split.revision, now
    )


def to_result(
    context: AssignmentContext, unit_id: str, row: AssignmentRow, new: bool = False
) -> AssignmentResult:
    """Return what a unit with an assignment is served: its variant, or the control in a retired one's place."""
    if row.variant_id in context.active:
        return _served(context, unit_id, row.variant_id, row.kind, row, new)
    return _served(context, unit_id, control(context), "retired", row, new)


def unstored_result(context: AssignmentContext, row: AssignmentRow) -> AssignmentResult:
    """Return what a unit is served whose draw is stored no earlier than its first exposure."""
    return replace(to_result(context, row.unit_id, row), assigned_at=None)


def result_while_halted(context: AssignmentContext, unit_id: str) -> AssignmentResult:
    """Return what a unit without an assignment is served while the experiment is paused or archived."""
    assert context.state != "running"
    variant_id = control(context)
    value = context.values[variant_id]
    return AssignmentResult(
        context.experiment_id, unit_id, variant_id, value, context.state, state=context.state
    )


def control(context: AssignmentContext) -> str:
    """Return the control.

    Raises
    ------
    Conflict: no variant is active today
    """
    if context.control is None:
        raise Conflict(f"experiment {context.experiment_id!r} has no active variant on {context.date}")
    return context.control


def _served(
    context: AssignmentContext, unit_id: str, variant_id: str, reason: Reason, row: AssignmentRow, new: bool
) -> AssignmentResult:
    drawn = reason == "drawn"
    return AssignmentResult(
        experiment_id=context.experiment_id,
        unit_id=unit_id,
        variant_id=variant_id,
        value=context.values[variant_id],
        reason=reason,
        propensity=row.propensity if drawn else None,
        revision=row.revision if drawn else None,
        assigned_at=row.assigned_at,
        new=new,
        state=context.state,
    )
