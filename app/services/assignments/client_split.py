"""What a client must know to draw units as the service would, without asking for each of them."""

import datetime as dt

from sqlalchemy.orm import Session

from app.errors import Conflict
from app.schemas.assignments.splits import Split
from app.services.assignments import bucketing, splits
from app.services.assignments.assignment_context import read_context


def read_split(session: Session, experiment_id: str, salt: str, now: dt.datetime) -> Split:
    """Return what units without an assignment are drawn with now; its first use freezes it, as an assignment does.

    Raises
    ------
    NotFound: there is no such experiment
    Conflict: a unit keeps what is stored of it (mode sticky), which no client can know; or no variant is active
    """
    terms = read_context(session, experiment_id, now)
    if terms.settings.assignment_mode == "sticky":
        raise Conflict(
            f"experiment {experiment_id!r} keeps what it assigned: ask POST /assignments,"
            " or create it with assignment_mode rendezvous"
        )
    running = terms.state == "running"
    split = splits.get_or_renew(session, terms, now) if running else None
    return Split(
        experiment_id=experiment_id,
        state=terms.state,
        salt=salt,
        holdout_percent=terms.settings.holdout_percent,
        control=bucketing.control(terms),
        values={variant_id: terms.values[variant_id] for variant_id in sorted(terms.active)},
        revision=None if split is None else split.revision,
        shares={} if split is None else dict(split.shares),
        until=terms.until if split is None else split.until,
    )
