"""In mode rendezvous a unit's first exposure draws and stores its assignment; nothing is stored before."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache, partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.events import EventIn, Reason
from app.services import draws, splits
from app.services.rollup import CLOCK_SKEW, Conditions, Known
from app.services.splits import Split
from app.services.terms import Terms, read_terms
from app.storage.assignments import Row

STORE = text("""
    with stored as (
        insert into assignments
            (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at)
        select :experiment_id, drawn.*
        from unnest(
            cast(:unit_ids as text[]), cast(:variant_ids as text[]), cast(:kinds as text[]),
            cast(:splits as bigint[]), cast(:propensities as double precision[]),
            cast(:revisions as text[]), cast(:moments as timestamptz[])
        ) as drawn
        on conflict do nothing
        returning variant_id, split
    )
    insert into assignment_counts as there (experiment_id, assigned_on, split, variant_id, units)
    select :experiment_id, splits.for_date, splits.split, stored.variant_id, count(*)
    from stored
    join splits on splits.experiment_id = :experiment_id and splits.split = stored.split
    group by splits.for_date, splits.split, stored.variant_id
    order by splits.split, stored.variant_id
    on conflict (experiment_id, assigned_on, split, variant_id)
        do update set units = there.units + excluded.units
""")

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
            rows.setdefault(unit_id, draws.draw(terms, split, unit_id, salt, moment))
    _store(session, experiment_id, [row for _, row in sorted(rows.items())])
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


def _store(session: Session, experiment_id: str, rows: Sequence[Row]) -> None:
    """Store assignments in the order of their units and count those that were drawn."""
    if rows:
        session.execute(
            STORE,
            {
                "experiment_id": experiment_id,
                "unit_ids": [row.unit_id for row in rows],
                "variant_ids": [row.variant_id for row in rows],
                "kinds": [row.kind for row in rows],
                "splits": [row.split for row in rows],
                "propensities": [row.propensity for row in rows],
                "revisions": [row.revision for row in rows],
                "moments": [row.assigned_at for row in rows],
            },
        )
