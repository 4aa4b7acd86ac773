"""The statements by which events are read, stored and counted: one of each for the events of any experiments."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from app.schemas.events import EventIn
from app.services.events.rollup import RollUp, StoredEvent, TotalsDelta, UnitState
from app.storage.pipeline import Statement, run_at_commit, run_pipelined

READ_SQL = """
    select event.unit_id as taken_for, unit.unit_id, unit.variant_id, unit.kind, unit.assigned_at,
           variant.retired_on, unit.exposed_at, unit.exposed_on, unit.converted_at, unit.value
    from unnest(%(experiment_ids)s::text[], %(unit_ids)s::text[], %(digests)s::bytea[]) with ordinality
        as sent (experiment_id, unit_id, event_digest, place)
    left join lateral (
        select unit_id from events
        where experiment_id = sent.experiment_id and event_digest = sent.event_digest limit 1
    ) event on true
    left join lateral (
        select unit_id, merged_into from assignments
        where experiment_id = sent.experiment_id and unit_id = sent.unit_id limit 1
    ) own on true
    left join lateral (
        select * from assignments
        where experiment_id = sent.experiment_id and unit_id = coalesce(own.merged_into, own.unit_id) limit 1
    ) unit on true
    left join lateral (
        select retired_on from variants
        where experiment_id = sent.experiment_id and variant_id = unit.variant_id limit 1
    ) variant on true
    order by sent.place
"""
"""What is stored about each event, in the order of ``StoredEvent`` and ``UnitState``.

The unit of a merged one is the unit it was merged into. ``limit 1`` keeps the look-ups apart, each by its key: in
a join the statistics of other experiments decide, and for a few events all units of a new one may be read.
"""

STORE_SQL = """
    with taken as (
        insert into events
            (experiment_id, event_digest, unit_id, kind, occurred_at, value, counted_on, received_at)
        select * from unnest(
            %(experiment_ids)s::text[], %(digests)s::bytea[], %(unit_ids)s::text[], %(kinds)s::text[],
            %(moments)s::timestamptz[], %(amounts)s::numeric[], %(days)s::date[], %(received_at)s::timestamptz[]
        )
    )
    update assignments as unit
    set exposed_at = changed.exposed_at, exposed_on = changed.exposed_on,
        converted_at = changed.converted_at, value = changed.value
    from unnest(
        %(changed_in)s::text[], %(changed_ids)s::text[], %(exposed_at)s::timestamptz[],
        %(exposed_on)s::date[], %(converted_at)s::timestamptz[], %(values)s::numeric[]
    ) as changed (experiment_id, unit_id, exposed_at, exposed_on, converted_at, value)
    where unit.experiment_id = changed.experiment_id and unit.unit_id = changed.unit_id
      and unit.experiment_id = any(%(experiments)s::text[]) and unit.unit_id = any(%(changed_ids)s::text[])
"""
"""The last conditions say nothing new, but let the units be found by their keys whatever the statistics."""

COUNT_SQL = """
    with apart as (
        select * from unnest(
            %(experiment_ids)s::text[], %(variant_ids)s::text[], %(dates)s::date[], %(received_on)s::date[],
            %(times)s::timestamptz[], %(impressions)s::bigint[], %(successes)s::bigint[],
            %(revenue)s::numeric[], %(revenue_sq)s::numeric[]
        ) as sent
            (experiment_id, variant_id, date, received_on, time, impressions, successes, revenue, revenue_sq)
    ), sent as (
        select experiment_id, variant_id, date, max(time) as time,
               sum(impressions) as impressions, sum(successes) as successes,
               sum(revenue) as revenue, sum(revenue_sq) as revenue_sq
        from apart group by experiment_id, variant_id, date
    ), written as (
        insert into experiment_metrics as stored
            (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq,
             times_written, created_at, updated_at)
        select sent.experiment_id, sent.variant_id, sent.date,
               coalesce(there.impressions, 0) + sent.impressions,
               coalesce(there.successes, 0) + sent.successes,
               coalesce(there.revenue, 0) + sent.revenue,
               coalesce(there.revenue_sq, 0) + sent.revenue_sq, 1, sent.time, sent.time
        from sent
        left join lateral (
            select * from experiment_metrics
            where experiment_id = sent.experiment_id and variant_id = sent.variant_id and date = sent.date
            limit 1
        ) there on true
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
        returning stored.experiment_id
    ), received as (
        insert into received_metrics as stored
            (experiment_id, variant_id, date, received_on, impressions, successes, revenue, revenue_sq)
        select experiment_id, variant_id, date, received_on, impressions, successes, revenue, revenue_sq
        from apart
        on conflict (experiment_id, variant_id, date, received_on) do update set
            impressions = stored.impressions + excluded.impressions,
            successes = stored.successes + excluded.successes,
            revenue = stored.revenue + excluded.revenue,
            revenue_sq = stored.revenue_sq + excluded.revenue_sq
    )
    update experiment_versions set version = version + 1
    where experiment_id = any(array(select experiment_id from written))
"""
"""Whole new sums rather than additions: what would be inserted must fit the table's rules, and a refund does not.

The experiments' locks keep them from changing in between.
"""

COUNT_HOURS_SQL = """
    insert into received_hours as stored
        (experiment_id, variant_id, hour, received_hour, impressions, successes, revenue, revenue_sq)
    select * from unnest(
        %(experiment_ids)s::text[], %(variant_ids)s::text[], %(hours)s::int[], %(received_hours)s::int[],
        %(impressions)s::bigint[], %(successes)s::bigint[], %(revenue)s::numeric[], %(revenue_sq)s::numeric[]
    )
    on conflict (experiment_id, variant_id, hour, received_hour) do update set
        impressions = stored.impressions + excluded.impressions,
        successes = stored.successes + excluded.successes,
        revenue = stored.revenue + excluded.revenue,
        revenue_sq = stored.revenue_sq + excluded.revenue_sq
"""

COUNT_HOLDOUT_SQL = """
    insert into holdout_metrics as stored
        (experiment_id, date, impressions, successes, revenue, revenue_sq)
    select * from unnest(
        %(experiment_ids)s::text[], %(dates)s::date[], %(impressions)s::bigint[], %(successes)s::bigint[],
        %(revenue)s::numeric[], %(revenue_sq)s::numeric[]
    )
    on conflict (experiment_id, date) do update set
        impressions = stored.impressions + excluded.impressions,
        successes = stored.successes + excluded.successes,
        revenue = stored.revenue + excluded.revenue,
        revenue_sq = stored.revenue_sq + excluded.revenue_sq
"""

Found = Sequence[tuple[str, RollUp]]
"""What events change, by experiment in the order of their ids."""


def read_query(events: Sequence[EventIn]) -> Statement:
    """Return the statement that reads what is stored about each event, to be sent in a pipeline."""
    return READ_SQL, {
        "experiment_ids": [event.experiment_id for event in events],
        "unit_ids": [event.unit_id for event in events],
        "digests": [_digest(event.event_id) for event in events],
    }


def parse_known(rows: Iterable[tuple[Any, ...]]) -> list[StoredEvent]:
    """Return the answer to ``read_query``."""
    return [StoredEvent(row[0], None if row[1] is None else UnitState(*row[1:])) for row in rows]


def read(session: Session, events: Sequence[EventIn]) -> list[StoredEvent]:
    """Return what is stored about each event."""
    (rows,) = run_pipelined(session, read_query(events))
    return parse_known(rows)


def write(session: Session, found: Found) -> None:
    """Store, with the commit, the events that were taken and what they change; changed totals bump the version."""
    run_at_commit(session, *write_statements(found))


def write_statements(found: Found) -> list[Statement]:
    """Return the statements that store the events that were taken and what they change, if anything."""
    statements: list[Statement] = []
    if any(of_one.accepted for _, of_one in found):
        statements.append((STORE_SQL, _stored_values(found)))
    if any(of_one.totals for _, of_one in found):
        statements.append((COUNT_SQL, _counted_values(found)))
    if any(of_one.hours for _, of_one in found):
        statements.append((COUNT_HOURS_SQL, _hour_values(found)))
    if any(of_one.held_out for _, of_one in found):
        statements.append((COUNT_HOLDOUT_SQL, _held_out_values(found)))
    return statements


def _stored_values(found: Found) -> dict[str, Any]:
    taken = [(experiment_id, one) for experiment_id, of_one in found for one in of_one.accepted]
    units = [
        (experiment_id, unit) for experiment_id, of_one in found for _, unit in sorted(of_one.units.items())
    ]
    return {
        "experiment_ids": [experiment_id for experiment_id, _ in taken],
        "digests": [_digest(one.event.event_id) for _, one in taken],
        "unit_ids": [one.unit_id for _, one in taken],
        "kinds": [one.event.type for _, one in taken],
        "moments": [one.occurred_at for _, one in taken],
        "amounts": [one.event.value for _, one in taken],
        "days": [one.counted_on for _, one in taken],
        "received_at": [one.received_at for _, one in taken],
        "experiments": [experiment_id for experiment_id, _ in found],
        "changed_in": [experiment_id for experiment_id, _ in units],
        "changed_ids": [unit.unit_id for _, unit in units],
        "exposed_at": [unit.exposed_at for _, unit in units],
        "exposed_on": [unit.exposed_on for _, unit in units],
        "converted_at": [unit.converted_at for _, unit in units],
        "values": [unit.value for _, unit in units],
    }


def _counted_values(found: Found) -> dict[str, Any]:
    days = [(name, of_one.now, *day) for name, of_one in found for day in sorted(of_one.totals.items())]
    return {
        "experiment_ids": [experiment_id for experiment_id, *_ in days],
        "times": [now for _, now, *_ in days],
        "variant_ids": [variant_id for _, _, (variant_id, _, _), _ in days],
        "dates": [date for _, _, (_, date, _), _ in days],
        "received_on": [received_on for _, _, (_, _, received_on), _ in days],
        **_columns([sums for *_, sums in days]),
    }


def _hour_values(found: Found) -> dict[str, Any]:
    hours = [(name, *hour) for name, of_one in found for hour in sorted(of_one.hours.items())]
    return {
        "experiment_ids": [experiment_id for experiment_id, *_ in hours],
        "variant_ids": [variant_id for _, (variant_id, _, _), _ in hours],
        "hours": [hour for _, (_, hour, _), _ in hours],
        "received_hours": [received_hour for _, (_, _, received_hour), _ in hours],
        **_columns([sums for *_, sums in hours]),
    }


def _held_out_values(found: Found) -> dict[str, Any]:
    days = [(name, *day) for name, of_one in found for day in sorted(of_one.held_out.items())]
    return {
        "experiment_ids": [experiment_id for experiment_id, *_ in days],
        "dates": [date for _, date, _ in days],
        **_columns([sums for *_, sums in days]),
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
