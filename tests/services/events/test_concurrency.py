"""Events that come at once, with others and with changes of their units: none is lost, none counts twice."""

import random
import threading
import time

import psycopg
import pytest

from tests.support.fixtures.events import create, event, send, totals

UNITS = [f"u{i}" for i in range(60)]


def at_once(*works):
    """Run some works at the same time; what one of them raises is raised."""
    faults = []

    def guarded(work):
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


@pytest.fixture
def sum_of_units(database_url):
    """What the units' own rows add up to, by variant."""

    def read(experiment_id="e"):
        with psycopg.connect(database_url) as connection:
            return connection.execute(
                """select variant_id, count(exposed_at), count(converted_at), coalesce(sum(value), 0),
                          coalesce(sum(value ^ 2), 0)
                   from assignments where experiment_id = %s group by 1 order by 1""",
                [experiment_id],
            ).fetchall()

    return read


def shuffled(seed):
    """Every unit's exposure, conversion and value in both experiments, in an order of its own."""
    sent = [
        event(unit, kind, experiment_id=experiment_id)
        for experiment_id in ("e", "f")
        for unit in UNITS
        for kind in ("exposure", "conversion", "value")
    ]
    random.Random(seed).shuffle(sent)
    return sent


def test_the_same_events_in_any_order_at_once_count_once_and_wait_for_nobody_in_a_circle(
    client, assign, sum_of_units
):
    create(client, "f")
    for experiment_id in ("e", "f"):
        assign("a", *UNITS[::2], experiment_id=experiment_id)
        assign("b", *UNITS[1::2], experiment_id=experiment_id)
    at_once(*[lambda seed=seed: send(client, *shuffled(seed)) for seed in range(12)])
    for experiment_id in ("e", "f"):
        assert list(totals(client, experiment_id).values()) == [(30, 30, 300, 3000)] * 2
        assert [row[1:] for row in sum_of_units(experiment_id)] == [(30, 30, 300, 3000)] * 2


def test_single_events_of_one_unit_at_once_add_up(client, assign):
    assign("a", "u")
    send(client, event("u", "exposure"))
    at_once(*[lambda i=i: send(client, event("u", "value", f"v{i}", value=i)) for i in range(1, 21)])
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 210, 210**2)}


def test_a_variant_retired_while_events_come_keeps_what_was_counted(client, assign, sum_of_units):
    assign("a", *UNITS)
    sends = [
        lambda part=part: send(client, *[event(u, "exposure") for u in part]) for part in parts(UNITS, 10)
    ]
    at_once(*sends, lambda: client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"}))
    counted = totals(client).get(("a", "2026-03-10"), (0,))[0]
    assert counted == sum_of_units()[0][1]


def test_units_forgotten_while_their_events_come_count_once_and_leave_no_name(client, assign, database_url):
    assign("a", *UNITS)
    exposures = [event(u, "exposure") for u in UNITS]
    forget = [lambda u=u: client.post("/assignments/forget", json={"unit_id": u}) for u in UNITS[::3]]
    at_once(*[lambda part=part: send(client, *part) for part in parts(exposures * 2, 20)], *forget)
    again = send(client, *exposures)
    assert set(again) <= {("duplicate", None), ("refused", "unknown_unit")}
    with psycopg.connect(database_url) as connection:
        for table in ("assignments", "events"):
            named = f"select count(*) from {table} where unit_id = any(%s)"
            assert connection.execute(named, [UNITS[::3]]).fetchone() == (0,)
        taken = connection.execute("select count(*) from events").fetchone()[0]
    assert totals(client)["a", "2026-03-10"][0] == taken


def test_units_merged_while_their_events_come_count_what_their_rows_say(client, assign, sum_of_units):
    assign("a", *UNITS)
    pairs = [{"unit_id": u, "into_unit_id": v} for u, v in zip(UNITS[::2], UNITS[1::2], strict=True)]
    merge = [lambda pair=pair: client.post("/assignments/merge", json=pair) for pair in pairs]
    events = [event(u, kind) for u in UNITS for kind in ("exposure", "value")]
    at_once(*merge, *[lambda part=part: send(client, *part) for part in parts(events, 20)])
    assert totals(client)["a", "2026-03-10"] == sum_of_units()[0][1:]


def parts(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def test_an_event_sent_again_for_a_forgotten_unit_is_a_duplicate_without_a_name(client, assign):
    assign("a", "u")
    send(client, event("u", "exposure"))
    client.post("/assignments/forget", json={"unit_id": "u"})
    (item,) = client.post("/events", json=event("u", "exposure")).json()["items"]
    assert (item["status"], item["detail"]) == ("duplicate", None)


def test_an_event_sent_again_after_a_merge_is_a_duplicate_of_its_own_unit(client, assign):
    assign("a", "account", "cookie")
    send(client, event("cookie", "exposure"))
    client.post("/assignments/merge", json={"unit_id": "cookie", "into_unit_id": "account"})
    (item,) = client.post("/events", json=event("cookie", "exposure")).json()["items"]
    assert (item["status"], item["detail"]) == ("duplicate", None)


def test_a_batch_of_two_hundred_experiments_is_taken_in_time(client, database_url):
    with psycopg.connect(database_url) as connection:
        for statement in MANY:
            connection.execute(statement)
    began = time.process_time()  # grows with the work, not with what else the machine does
    sent = [event("u", "exposure", experiment_id=f"x{i}") for i in range(1, 201)]
    assert set(send(client, *sent)) == {("counted", None)}
    assert time.process_time() - began < 20


MANY = [
    """insert into experiments (experiment_id, source, created_at)
       select 'x' || i, 'tracked', now() from generate_series(1, 200) i""",
    "insert into experiment_versions select 'x' || i, 1, 1 from generate_series(1, 200) i",
    """insert into experiment_settings (experiment_id, active_from, state, settings, changed_at)
       select 'x' || i, '2026-03-01', 'running', '{}', now() from generate_series(1, 200) i""",
    """insert into variants (experiment_id, variant_id, position, is_control, registered_on)
       select 'x' || i, 'a', 0, false, '2026-03-01' from generate_series(1, 200) i""",
    """insert into assignments
           (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at)
       select 'x' || i, 'u', 'a', 'drawn', 1, 1, 'r', '2026-03-09' from generate_series(1, 200) i""",
]
