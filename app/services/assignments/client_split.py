"""What a client needs to draw units as the service would, without a request for each of them."""

import datetime as dt

from sqlalchemy.orm import Session

from app.errors import Conflict
from app.schemas.assignments.splits import Split
from app.services.assignments import bucketing, splits
from app.services.assignments.assignment_context import read_context


def read_split(session: Session, experiment_id: str, salt: str, now: dt.datetime) -> Split:
    """Return what units without an assignment are drawn with now; reading it freezes it, as an assignment does.

    Raises
    ------
    NotFound: there is no such experiment
    Conflict: assignments are stored (mode sticky), and no client knows them; or no variant is active
    """
    context = read_context(session, experiment_id, now)
    if context.settings.assignment_mode == "sticky":
        raise Conflict(
            f"experiment {experiment_id!r} stores its assignments (assignment_mode sticky): use POST /assignments,"
            " or create it with assignment_mode rendezvous"
        )
    running = context.state == "running"
    split = splits.get_or_renew(session, context, now) if running else None
    return Split(
        experiment_id=experiment_id,
        state=context.state,
        salt=salt,
        holdout_percent=context.settings.holdout_percent,
        control=bucketing.control(context),
        values={variant_id: context.values[variant_id] for variant_id in sorted(context.active)},
        revision=None if split is None else split.revision,
        shares={} if split is None else dict(split.shares),
        until=context.until if split is None else split.until,
    )
