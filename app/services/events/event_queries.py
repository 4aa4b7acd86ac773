"""The statements by which events are read, stored and counted: one of each per experiment and request."""

import datetime as dt
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.schemas.events import EventIn
from app.services.events.rollup import RollUp, StoredEvent, TotalsDelta, UnitState

READ_SQL = text("""
    select event.unit_id as taken_for, unit.unit_id, unit.variant_id, unit.kind, unit.assigned_at,
           variant.retired_on, unit.exposed_at, unit.exposed_on, unit.converted_at, unit.value
    from unnest(cast(:unit_ids as text[]), cast(:digests as bytea[])) with ordinality
        as sent (unit_id, event_digest, place)
    left join lateral (
        select unit_id from events
        where experiment_id = :experiment_id and event_digest = sent.event_digest limit 1
    ) event on true
    left join lateral (
        select unit_id, merged_into from assignments
        where experiment_id = :experiment_id and unit_id = sent.unit_id limit 1
    ) own on true
    left join lateral (
        select * from assignments
        where experiment_id = :experiment_id and unit_id = coalesce(own.merged_into, own.unit_id) limit 1
    ) unit on true
    left join variants variant
        on variant.experiment_id = :experiment_id and variant.variant_id = unit.variant_id
    order by sent.place
""")
"""What is stored about each event, in the order of ``StoredEvent`` and ``UnitState``.

The unit of a merged one is the unit it was merged into. ``limit 1`` keeps the look-ups apart, each by its key: in
a join the statistics of other experiments decide, and for a few events all units of a new one may be read.
"""

STORE_SQL = text("""
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
      and unit.unit_id = any(cast(:changed_ids as text[]))
""")
"""The last condition says nothing new, but lets the units be found by their keys whatever the statistics."""

COUNT_SQL = text("""
    with apart as (
        select * from unnest(
            cast(:variant_ids as text[]), cast(:dates as date[]), cast(:received_on as date[]),
            cast(:impressions as bigint[]), cast(:successes as bigint[]),
            cast(:revenue as numeric[]), cast(:revenue_sq as numeric[])
        ) as sent (variant_id, date, received_on, impressions, successes, revenue, revenue_sq)
    ), sent as (
        select variant_id, date, sum(impressions) as impressions, sum(successes) as successes,
               sum(revenue) as revenue, sum(revenue_sq) as revenue_sq
        from apart group by variant_id, date
    ), written as (
        insert into experiment_metrics as stored
            (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
             times_written, created_at, updated_at)
        select :experiment_id, sent.variant_id, sent.date,
               coalesce(there.impressions, 0) + sent.impressions,
               coalesce(there.successes, 0) + sent.successes,
               coalesce(there.revenue, 0) + sent.revenue,
               coalesce(there.revenue_sq, 0) + sent.revenue_sq, 1, :now, :now
        from sent
        left join experiment_metrics there
            on there.experiment_id = :experiment_id
            and there.variant_id = sent.variant_id and there.date = sent.date
        on conflict (experiment_id, variant_id, date) do update set
            impressions = excluded.impressions,
            successes = excluded.successes,
            revenue = excluded.revenue,
            revenue_sq = excluded.revenue_sq,
            times_written = stored.times_written + 1,
            updated_at = excluded.updated_at
        where (stored.impressions, stored.successes, stored.revenue, stored.revenue_sq)
            is distinct from
            (excluded.impressions, excluded.successes, excluded.revenue, excluded.revenue_sq)
        returning 1
    ), received as (
        insert into received_metrics as stored
            (experiment_id, variant_id, date, received_on, impressions, successes, revenue, revenue_sq)
        select :experiment_id, * from apart
        on conflict (experiment_id, variant_id, date, received_on) do update set
            impressions = stored.impressions + excluded.impressions,
            successes = stored.successes + excluded.successes,
            revenue = stored.revenue + excluded.revenue,
            revenue_sq = stored.revenue_sq + excluded.revenue_sq
    ), by_hour as (
        insert into received_hours as stored
            (experiment_id, variant_id, hour, received_hour, impressions, successes, revenue, revenue_sq)
        select :experiment_id, * from unnest(
            cast(:hour_variant_ids as text[]), cast(:hours as int[]), cast(:received_hours as int[]),
            cast(:hour_impressions as bigint[]), cast(:hour_successes as bigint[]),
            cast(:hour_revenue as numeric[]), cast(:hour_revenue_sq as numeric[])
        )
        on conflict (experiment_id, variant_id, hour, received_hour) do update set
            impressions = stored.impressions + excluded.impressions,
            successes = stored.successes + excluded.successes,
            revenue = stored.revenue + excluded.revenue,
            revenue_sq = stored.revenue_sq + excluded.revenue_sq
    )
    update experiment_versions set version = version + 1
    where experiment_id = :experiment_id and exists (select from written)
""")
"""Whole new sums rather than additions: what would be inserted must fit the table's rules, and a refund does not.

The experiment's lock keeps them from changing in between.
"""

COUNT_HOLDOUT_SQL = text("""
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


def read(session: Session, experiment_id: str, events: Sequence[EventIn]) -> list[StoredEvent]:
    """Return what is stored about each event."""
    rows = session.execute(READ_SQL, sent_values(experiment_id, events))
    return [StoredEvent(row[0], None if row[1] is None else UnitState(*row[1:])) for row in rows]


def write(session: Session, experiment_id: str, found: RollUp, now: dt.datetime) -> None:
    """Store the events that were taken and what they change; a change of totals bumps the version."""
    if found.accepted:
        session.execute(STORE_SQL, stored_values(experiment_id, found, now))
    if found.totals:
        session.execute(COUNT_SQL, counted_values(experiment_id, found, now))
    if found.held_out:
        days = sorted(found.held_out)
        sums = _columns([found.held_out[day] for day in days])
        session.execute(COUNT_HOLDOUT_SQL, {"experiment_id": experiment_id, "dates": days, **sums})


def sent_values(experiment_id: str, events: Sequence[EventIn]) -> dict[str, Any]:
    """Return the values of ``READ_SQL``."""
    return {
        "experiment_id": experiment_id,
        "unit_ids": [event.unit_id for event in events],
        "digests": [_digest(event.event_id) for event in events],
    }


def stored_values(experiment_id: str, found: RollUp, now: dt.datetime) -> dict[str, Any]:
    """Return the values of ``STORE_SQL``."""
    taken, units = found.accepted, [unit for _, unit in sorted(found.units.items())]
    return {
        "experiment_id": experiment_id,
        "now": now,
        "digests": [_digest(one.event.event_id) for one in taken],
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
    }


def counted_values(experiment_id: str, found: RollUp, now: dt.datetime) -> dict[str, Any]:
    """Return the values of ``COUNT_SQL``."""
    days, hours = sorted(found.totals), sorted(found.hours)
    by_hour = _columns([found.hours[hour] for hour in hours])
    return {
        "experiment_id": experiment_id,
        "now": now,
        "hour_variant_ids": [variant_id for variant_id, _, _ in hours],
        "hours": [hour for _, hour, _ in hours],
        "received_hours": [received_hour for _, _, received_hour in hours],
        **{f"hour_{name}": values for name, values in by_hour.items()},
        "variant_ids": [variant_id for variant_id, _, _ in days],
        "dates": [date for _, date, _ in days],
        "received_on": [received_on for _, _, received_on in days],
        **_columns([found.totals[day] for day in days]),
    }


def _digest(event_id: str) -> bytes:
    """Return what an event is known by once it was taken."""
    return sha256(event_id.encode()).digest()


def _columns(sums: Sequence[TotalsDelta]) -> dict[str, list[Any]]:
    return {
        "impressions": [of_day.impressions for of_day in sums],
        "successes": [of_day.successes for of_day in sums],
        "revenue": [of_day.revenue for of_day in sums],
        "revenue_sq": [of_day.revenue_sq for of_day in sums],
    }
