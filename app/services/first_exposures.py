"""In mode rendezvous a unit's first exposure draws and stores its assignment; nothing is stored before."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache, partial

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.events import EventIn, Reason
from app.services import draws, splits
from app.services.rollup import CLOCK_SKEW, Conditions, Known
from app.services.splits import Split
from app.services.terms import Terms, read_terms
from app.storage.assignments import STORE, Row

Reasons = Mapping[int, Reason]
"""Why units have no assignment, by the places of their events."""


def store_assignments(
    session: Session,
    experiment_id: str,
    events: Sequence[EventIn],
    known: Sequence[Known],
    conditions: Conditions,
    salt: str,
) -> Reasons:
    """Store the assignments of units that are exposed for the first time; return why others have none.

    The draw is the one the unit was shown: with the split of the revision named, else with the present one. Safe
    to race: a unit's first assignment stays, so the caller reads afterwards which it is.
    """
    missing = [i for i, one in enumerate(known) if one.unit is None and one.taken_for is None]
    reasons: dict[int, Reason] = {i: "no_exposure" for i in missing if events[i].type != "exposure"}
    exposures = [i for i in missing if i not in reasons and not conditions.in_future(events[i])]
    if not exposures:
        return reasons
    terms = read_terms(session, experiment_id, conditions.now)
    if terms.state != "running" or terms.control is None:
        return reasons | dict.fromkeys(exposures, "halted")
    split_of = cache(partial(_split_of, session, terms, now=conditions.now))
    rows: dict[str, Row] = {}
    for i in sorted(exposures, key=lambda i: conditions.moment(events[i])):
        revision, moment = events[i].revision, conditions.moment(events[i])
        split = split_of(revision, conditions.day(moment + CLOCK_SKEW))
        if split is None:
            reasons[i] = "unknown_revision" if revision else "older_than_split"
        else:
            unit_id = events[i].unit_id
            rows.setdefault(unit_id, draws.draw(terms, split, unit_id, salt, min(moment, conditions.now)))
    _store(session, [row for _, row in sorted(rows.items())])
    return reasons


def _split_of(
    session: Session, terms: Terms, revision: str | None, date: dt.date, now: dt.datetime
) -> Split | None:
    """Return the split that a client drew with on a date: of the revision it was shown, else the present one."""
    if revision is None:
        present = splits.current(session, terms, now)
        return present if present.for_date <= date else None
    try:
        return splits.of_revision(session, terms, revision, date)
    except NotFound:
        return None


def _store(session: Session, rows: Sequence[Row]) -> None:
    if rows:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.execute(STORE, [list(column) for column in zip(*rows, strict=True)])
