"""Events of assigned units: each taken once, rolled up into daily totals in the same transaction."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.schemas.events import REASONS, EventIn, EventResult, EventsTaken
from app.services import callers, experiments, locks
from app.services.assignments import TOMBSTONE
from app.services.first_exposures import store_assignments
from app.services.metrics import upsert_from
from app.services.rollup import Conditions, Known, Outcome, RollUp, Sums, Unit, all_refused, roll_up
from app.services.timeline import Timeline, read_timelines

READ = text("""
    select event.unit_id as taken_for, unit.unit_id, unit.variant_id, unit.kind, unit.assigned_at,
           variant.retired_on, unit.exposed_at, unit.exposed_on, unit.converted_at, unit.value
    from unnest(cast(:unit_ids as text[]), cast(:digests as bytea[])) with ordinality
        as sent (unit_id, event_digest, place)
    left join events event
        on event.experiment_id = :experiment_id and event.event_digest = sent.event_digest
    left join assignments own
        on own.experiment_id = :experiment_id and own.unit_id = sent.unit_id
    left join assignments unit
        on unit.experiment_id = :experiment_id and unit.unit_id = coalesce(own.merged_into, own.unit_id)
    left join variants variant
        on variant.experiment_id = :experiment_id and variant.variant_id = unit.variant_id
    order by sent.place
""")
"""What is stored about each event, in the order of ``Known`` and ``Unit``.

The unit of a merged one is the unit it was merged into.
"""

STORE = text("""
    with taken as (
        insert into events
            (experiment_id, event_digest, unit_id, kind, occurred_at, value, counted_on, received_at)
        select :experiment_id, sent.*, :now
        from unnest(
            cast(:digests as bytea[]), cast(:unit_ids as text[]), cast(:kinds as text[]),
            cast(:moments as timestamptz[]), cast(:amounts as numeric[]), cast(:days as date[])
        ) as sent
    )
    update assignments as unit
    set exposed_at = changed.exposed_at, exposed_on = changed.exposed_on,
        converted_at = changed.converted_at, value = changed.value
    from unnest(
        cast(:changed_ids as text[]), cast(:exposed_at as timestamptz[]), cast(:exposed_on as date[]),
        cast(:converted_at as timestamptz[]), cast(:values as numeric[])
    ) as changed (unit_id, exposed_at, exposed_on, converted_at, value)
    where unit.experiment_id = :experiment_id and unit.unit_id = changed.unit_id
""")

COUNT = upsert_from("""
    select :experiment_id, sent.variant_id, sent.date,
           coalesce(there.impressions, 0) + sent.impressions, coalesce(there.successes, 0) + sent.successes,
           coalesce(there.revenue, 0) + sent.revenue, coalesce(there.revenue_sq, 0) + sent.revenue_sq,
           1, :now, :now
    from unnest(
        cast(:variant_ids as text[]), cast(:dates as date[]), cast(:impressions as bigint[]),
        cast(:successes as bigint[]), cast(:revenue as numeric[]), cast(:revenue_sq as numeric[])
    ) as sent (variant_id, date, impressions, successes, revenue, revenue_sq)
    left join experiment_metrics there
        on there.experiment_id = :experiment_id
        and there.variant_id = sent.variant_id and there.date = sent.date
""")
"""Whole new sums rather than additions: what would be inserted must fit the table's rules, and a refund does not.

The experiment's lock keeps them from changing in between.
"""

COUNT_HELD_OUT = text("""
    insert into holdout_metrics as stored (experiment_id, date, impressions, successes, revenue, revenue_sq)
    select :experiment_id, sent.*
    from unnest(
        cast(:dates as date[]), cast(:impressions as bigint[]), cast(:successes as bigint[]),
        cast(:revenue as numeric[]), cast(:revenue_sq as numeric[])
    ) as sent
    on conflict (experiment_id, date) do update set
        impressions = stored.impressions + excluded.impressions,
        successes = stored.successes + excluded.successes,
        revenue = stored.revenue + excluded.revenue,
        revenue_sq = stored.revenue_sq + excluded.revenue_sq
""")


def take(session: Session, sent: EventIn | Sequence[EventIn], salt: str, now: dt.datetime) -> EventsTaken:
    """Take events, one or several, and say of each what became of it.

    Safe to repeat: an event is known by its id and counts once. Safe to race: events of one experiment take their
    turns at its lock, and are stored in the transaction that counts them.

    Parameters
    ----------
    salt : of the draws (mode rendezvous)

    Raises
    ------
    NotFound: a single event of an experiment that does not exist
    Conflict: a single event of an experiment whose totals are reported
    Forbidden: an experiment outside the limit of the caller's key
    """
    events = [sent] if isinstance(sent, EventIn) else sent
    places = ["body"] if isinstance(sent, EventIn) else [f"body.{index}" for index in range(len(events))]
    callers.check_items(
        (f"{place}.experiment_id", event.experiment_id) for place, event in zip(places, events, strict=True)
    )
    outcomes = _outcomes(session, events, salt, now)
    if isinstance(sent, EventIn):
        _check_place(sent, outcomes[0])
    counts = Counter(outcome.status for outcome in outcomes)
    return EventsTaken(
        received=len(events),
        counted=counts["counted"],
        known=counts["known"],
        duplicate=counts["duplicate"],
        refused=counts["refused"],
        items=[_result(event, outcome) for event, outcome in zip(events, outcomes, strict=True)],
    )


def _check_place(event: EventIn, outcome: Outcome) -> None:
    if outcome.reason == "unknown_experiment":
        raise NotFound(f"there is no experiment {event.experiment_id!r}; create it with POST /experiments")
    if outcome.reason == "reported_totals":
        raise Conflict(
            f"the totals of experiment {event.experiment_id!r} are reported:"
            f" {experiments.SENT_WITH['reported']}"
        )


def _result(event: EventIn, outcome: Outcome) -> EventResult:
    detail = None if outcome.reason is None else REASONS[outcome.reason]
    if outcome.other_unit is not None and not outcome.other_unit.startswith(TOMBSTONE):
        detail = f"this event_id was taken for another unit, {outcome.other_unit!r}"
    return EventResult(
        event_id=event.event_id,
        status=outcome.status,
        reason=outcome.reason,
        detail=detail,
        counted_on=outcome.counted_on,
    )


def _outcomes(session: Session, events: Sequence[EventIn], salt: str, now: dt.datetime) -> list[Outcome]:
    """Take the events experiment by experiment, in the order of their ids: no two writers wait for each other."""
    numbered = sorted(enumerate(events), key=lambda item: item[1].experiment_id)
    groups = {name: list(group) for name, group in groupby(numbered, key=lambda item: item[1].experiment_id)}
    for experiment_id in groups:
        locks.lock_if_there(session, experiment_id)
    timelines = read_timelines(session, groups)
    outcomes = [Outcome("refused")] * len(events)
    first_totals = []
    for experiment_id, group in groups.items():
        of_experiment, timeline = [event for _, event in group], timelines.get(experiment_id)
        if timeline is None:
            found = all_refused(of_experiment, "unknown_experiment")
        elif timeline.source == "reported":
            found = all_refused(of_experiment, "reported_totals")
        else:
            found = _take(session, experiment_id, of_experiment, timeline, salt, now)
            if found.taken and timeline.source is None:
                first_totals.append(experiment_id)
        for (index, _), outcome in zip(group, found.outcomes, strict=True):
            outcomes[index] = outcome
    experiments.settle_source(session, first_totals, "tracked")
    return outcomes


def _take(
    session: Session,
    experiment_id: str,
    events: Sequence[EventIn],
    timeline: Timeline,
    salt: str,
    now: dt.datetime,
) -> RollUp:
    settings = timeline.latest.settings
    window = dt.timedelta(days=settings.reward_window_days)
    conditions = Conditions(now, ZoneInfo(settings.time_zone), window)
    known = _read(session, experiment_id, events)
    if settings.assignment_mode == "rendezvous" and any(one.unit is None for one in known):
        reasons = store_assignments(session, experiment_id, events, known, conditions, salt)
        known = [
            replace(one, missing=reasons.get(i, one.missing))
            for i, one in enumerate(_read(session, experiment_id, events))
        ]
    found = roll_up(events, known, conditions)
    if found.taken:
        _store(session, experiment_id, found, now)
    if found.totals:
        _count(session, experiment_id, found, now)
    if found.held_out:
        _count_held_out(session, experiment_id, found)
    return found


def digest_of(event_id: str) -> bytes:
    """Return what an event is known by once it was taken."""
    return sha256(event_id.encode()).digest()


def _read(session: Session, experiment_id: str, events: Sequence[EventIn]) -> list[Known]:
    """Return what is stored about each event."""
    rows = session.execute(
        READ,
        {
            "experiment_id": experiment_id,
            "unit_ids": [event.unit_id for event in events],
            "digests": [digest_of(event.event_id) for event in events],
        },
    )
    return [Known(row[0], None if row[1] is None else Unit(*row[1:])) for row in rows]


def _store(session: Session, experiment_id: str, found: RollUp, now: dt.datetime) -> None:
    """Store the events taken and what they changed of their units."""
    taken = found.taken
    units = [unit for _, unit in sorted(found.units.items())]
    session.execute(
        STORE,
        {
            "experiment_id": experiment_id,
            "now": now,
            "digests": [digest_of(one.event.event_id) for one in taken],
            "unit_ids": [one.unit_id for one in taken],
            "kinds": [one.event.type for one in taken],
            "moments": [one.occurred_at for one in taken],
            "amounts": [one.event.value for one in taken],
            "days": [one.counted_on for one in taken],
            "changed_ids": [unit.unit_id for unit in units],
            "exposed_at": [unit.exposed_at for unit in units],
            "exposed_on": [unit.exposed_on for unit in units],
            "converted_at": [unit.converted_at for unit in units],
            "values": [unit.value for unit in units],
        },
    )


def _count(session: Session, experiment_id: str, found: RollUp, now: dt.datetime) -> None:
    """Add to the daily totals and bump the version."""
    days = sorted(found.totals)
    session.execute(
        COUNT,
        {
            "experiment_id": experiment_id,
            "now": now,
            "variant_ids": [variant_id for variant_id, _ in days],
            "dates": [date for _, date in days],
            **_columns([found.totals[day] for day in days]),
        },
    )


def _count_held_out(session: Session, experiment_id: str, found: RollUp) -> None:
    """Add to the hold-out's totals, which decide nothing."""
    days = sorted(found.held_out)
    sums = _columns([found.held_out[day] for day in days])
    session.execute(COUNT_HELD_OUT, {"experiment_id": experiment_id, "dates": days, **sums})


def _columns(sums: Sequence[Sums]) -> dict[str, list[Any]]:
    return {
        "impressions": [of_day.impressions for of_day in sums],
        "successes": [of_day.successes for of_day in sums],
        "revenue": [of_day.revenue for of_day in sums],
        "revenue_sq": [of_day.revenue_sq for of_day in sums],
    }
