"""The delay of a tracked experiment with a million events, against one with a twentieth of them.

Both have 90 days of five arms. What was received is counted by day of exposure and day received, and the delay is
estimated from these counts. Units and events are written straight into the database, with the counts that
`POST /events` makes of them.
"""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import psycopg

from benchmarks import processes
from benchmarks.measurement import Measurement, Target, milliseconds
from benchmarks.service import Service

VARIANTS, DAYS, AGES = 5, 90, 31
CONVERSIONS = {"received-few": 1, "received-many": 20}
"""At each age, of every variant and day; as many units again never convert."""
REPEATS = 51

UNITS = """
    insert into assignments
        (experiment_id, unit_id, variant_id, kind, assigned_at, exposed_at, exposed_on, converted_at)
    select %(name)s, concat_ws('-', arm, day, age, unit), 'variant-' || arm, 'forced', exposed, exposed,
           cast(exposed at time zone 'UTC' as date),
           case when unit <= %(conversions)s then exposed + make_interval(days => age) end
    from generate_series(1, %(variants)s) arm, generate_series(1, %(days)s) day,
         generate_series(0, %(oldest)s) age, generate_series(1, 2 * %(conversions)s) unit,
         lateral (select (%(today)s::date - day) + time '12:00' at time zone 'UTC' as exposed) moment
    where age < day
"""
EVENTS = """
    insert into events (experiment_id, event_digest, unit_id, kind, occurred_at, counted_on, received_at)
    select experiment_id, sha256(convert_to(event.kind || unit_id, 'UTF8')), unit_id, event.kind, moment,
           exposed_on, moment
    from assignments,
         lateral (values ('exposure', exposed_at), ('conversion', converted_at)) event (kind, moment)
    where experiment_id = %(name)s and moment is not null
"""
RECEIVED = """
    insert into received_metrics
        (experiment_id, variant_id, date, received_on, impressions, successes, revenue, revenue_sq)
    select experiment_id, variant_id, counted_on, cast(received_at at time zone 'UTC' as date),
           count(*) filter (where events.kind = 'exposure'),
           count(*) filter (where events.kind = 'conversion'), 0, 0
    from events join assignments using (experiment_id, unit_id)
    where experiment_id = %(name)s
    group by 1, 2, 3, 4
"""
TOTALS = """
    insert into experiment_metrics
        (experiment_id, variant_id, date, impressions, successes, revenue, revenue_sq, times_written, created_at,
         updated_at)
    select experiment_id, variant_id, date, sum(impressions), sum(successes), 0, 0, 1, now(), now()
    from received_metrics where experiment_id = %(name)s group by 1, 2, 3
"""


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the processor time of the delay read with many events over that with few."""
    with service.connect() as connection:
        connection.autocommit = True
        events = [_prepare(service, connection, name) for name in CONVERSIONS]
        connection.execute("vacuum analyze")
    paths = [f"/experiments/{name}/delay" for name in CONVERSIONS]
    for path in paths:
        service.get(path)
    pairs = [[_seconds(service, path) for path in paths] for _ in range(REPEATS)]
    few, many = zip(*pairs, strict=True)
    fewer, more = (f"{number:,}" for number in events)
    yield Measurement(
        f"GET /experiments/{{id}}/delay, 5 variants, 90 days: processor time with {more} events / with {fewer}",
        [more / less for less, more in pairs],
        Target("<=", 1.2),
        f"{milliseconds(many)} against {milliseconds(few)}",
    )


def _seconds(service: Service, path: str) -> float:
    """Return the processor seconds of a GET."""
    before = processes.precise_processor_seconds(service.pids)
    service.get(path)
    return processes.precise_processor_seconds(service.pids) - before


def _prepare(service: Service, connection: psycopg.Connection[Any], name: str) -> int:
    """Store an experiment with its units, its events and what is counted of them; return how many events."""
    variants = [{"variant_id": f"variant-{arm}"} for arm in range(1, VARIANTS + 1)]
    experiment = {"experiment_id": name, "source": "tracked", "variants": variants}
    service.post("/experiments", json.dumps(experiment).encode())
    values = {
        "name": name,
        "variants": VARIANTS,
        "days": DAYS,
        "oldest": AGES - 1,
        "conversions": CONVERSIONS[name],
        "today": dt.datetime.now(dt.UTC).date(),
    }
    connection.execute(UNITS, values)
    events = connection.execute(EVENTS, values).rowcount
    connection.execute(RECEIVED, values)
    connection.execute(TOTALS, values)
    return events
