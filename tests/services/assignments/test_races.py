"""Assignments under fire: other changes at the same time, variants that vanish, statements that are shared."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from app.settings import ServiceSettings
from app.storage.assignments import LOOK_UP_SQL, AssignmentRow, look_up, store
from app.storage.batched_statement import INDEX_ONLY_PLAN, BatchedStatement
from app.storage.database import Database
from tests.support.clock import SettableClock

UNITS = [f"u{number}" for number in range(40)]


def applications(make_client):
    """Four applications; the framework builds a route at its first use, which is not what races here."""
    clients = [make_client() for _ in range(4)]
    for client in clients:
        for path in ("", "/merge", "/overrides", "/forget"):
            client.post(f"/assignments{path}", json=[])
    return clients


def test_merges_overrides_and_forgetting_race_with_assignments_without_a_deadlock(create, make_client, rows):
    create()
    clients = applications(make_client)
    answers = []

    def assign(client):
        units = [{"experiment_id": "e", "unit_id": unit} for unit in UNITS]
        for _ in range(5):
            answers.extend([client.post("/assignments", json=units)])

    def change(client, shift):
        for number, unit in enumerate(UNITS):
            other = UNITS[(number + shift) % len(UNITS)]
            body = {"unit_id": unit, "into_unit_id": other}
            answers.append(client.post("/assignments/merge", json=body))
            forced = {"experiment_id": "e", "unit_id": other, "variant_id": "a"}
            answers.append(client.post("/assignments/overrides", json=forced))
            if number % 8 == 0:
                answers.append(client.post("/assignments/forget", json={"unit_id": unit}))

    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(assign, clients[0]),
            threads.submit(assign, clients[1]),
            threads.submit(change, clients[2], 1),
            threads.submit(change, clients[3], 7),
        ]:
            done.result()
    assert {answer.status_code for answer in answers} == {200}
    assert not any("error" in item for answer in answers if answer.text[0] == "[" for item in answer.json())
    pointers = dict(rows("select unit_id, merged_into from assignments"))
    deciding = {unit for unit, into in pointers.items() if into is None}
    assert {into for into in pointers.values() if into is not None} <= deciding


def test_first_calls_from_several_applications_agree(create, make_client, rows):
    create()
    clients = applications(make_client)
    units = [{"experiment_id": "e", "unit_id": unit} for unit in UNITS]
    together = threading.Barrier(8)

    def assign(number):
        together.wait(300)
        return clients[number % 4].post("/assignments", json=units).json()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(assign, range(8)))
    assert len({tuple(item["variant_id"] for item in answer) for answer in answers}) == 1
    assert sum(item["new"] for answer in answers for item in answer) == len(UNITS)
    assert rows("select sum(units) from assignment_counts") == [(len(UNITS),)]


def test_a_variant_deleted_between_the_draw_and_its_storing_is_drawn_no_more(
    create, assign_many, client, make_client, monkeypatch
):
    create()
    shared, other = client.app.state.assigner._store, applications(make_client)[0]
    store_now, deleted = shared.run, []

    async def store_after_the_deletion(fresh):
        if not deleted:
            deleted.append(await asyncio.to_thread(other.delete, "/experiments/e/variants/d"))
        return await store_now(fresh)

    monkeypatch.setattr(shared, "run", store_after_the_deletion)
    found = assign_many(UNITS)
    assert deleted[0].status_code == 204
    assert {item["reason"] for item in found} == {"drawn"}
    assert "d" not in {item["variant_id"] for item in found}


# ---- the shared statements


@pytest.fixture
def database(database_url):
    database = Database(ServiceSettings(database_url=database_url))
    yield database
    database.close()


def row(unit_id, variant_id="control", experiment_id="e"):
    return AssignmentRow(experiment_id, unit_id, variant_id, "drawn", 1, 0.5, "r", SettableClock().now)


def test_callers_that_wait_share_one_statement(database):
    statements = []

    async def execute(connection, keys):
        statements.append(list(keys))
        await asyncio.sleep(0.01)
        return set(keys)

    async def ask_all():
        shared = BatchedStatement(database, execute)
        answers = await asyncio.gather(*(shared.run([number]) for number in range(50)))
        await shared.close()
        return answers

    answers = asyncio.run(ask_all())
    assert all(number in answer for number, answer in enumerate(answers))
    assert statements == [[0], list(range(1, 50))] or statements == [list(range(50))]


def test_a_unit_that_two_of_them_bring_is_stored_and_counted_once(create, assign_many, database, rows):
    create()
    assign_many(["first"])

    async def store_twice():
        shared = BatchedStatement(database, store)
        answers = await asyncio.gather(*(shared.run([row("u"), row(f"own-{n}")]) for n in range(5)))
        await shared.close()
        return answers

    asyncio.run(store_twice())
    assert rows("select count(*) from assignments") == [(1 + 1 + 5,)]
    assert rows("select sum(units) from assignment_counts") == [(1 + 1 + 5,)]


def test_a_statement_survives_a_cut_connection(create, assign_many, database, migrated_url):
    create()
    assign_many(["u"])

    async def ask_before_and_after():
        shared = BatchedStatement(database, look_up)
        before = await shared.run([("e", "u")])
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'groundhog'"
            )
        after = await shared.run([("e", "u")])
        await shared.close()
        return before == after

    assert asyncio.run(ask_before_and_after())


def test_no_plan_reads_all_assignments_however_small_the_table_was(create, assign_many, migrated_url):
    create()
    assign_many(UNITS)
    named = LOOK_UP_SQL
    for number, name in enumerate(("experiments", "experiment_ids", "unit_ids"), start=1):
        named = named.replace(f"%({name})s", f"${number}")
    options = " ".join(
        f"-c {name}={value}"
        for name, value in {**INDEX_ONLY_PLAN, "plan_cache_mode": "force_generic_plan"}.items()
    )
    with psycopg.connect(migrated_url, options=options, autocommit=True) as connection:
        connection.execute("analyze assignments")
        connection.execute(f"prepare f (text[], text[], text[]) as {named}")
        plan = "\n".join(line for (line,) in connection.execute("explain execute f('{e}', '{e}', '{u1}')"))
    assert "Seq Scan on assignments" not in plan
    assert plan.count("pk_assignments") == 2
