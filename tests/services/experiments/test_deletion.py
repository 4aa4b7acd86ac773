"""An experiment is deleted with everything stored of it, and one created again under its id begins anew."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from app.services.experiments import deletion
from app.storage.tables import Base
from tests.support.fixtures.transfer import take

TWO = [{"variant_id": "a"}, {"variant_id": "b"}]


def create(client, experiment_id="e", **settings):
    new = {"experiment_id": experiment_id, "source": "tracked", "variants": TWO, **settings}
    client.post("/experiments", json=new).raise_for_status()


def assign(client, unit_id="u", experiment_id="e"):
    return client.post("/assignments", json={"experiment_id": experiment_id, "unit_id": unit_id})


def expose(client, unit_id="u", experiment_id="e"):
    event = {"experiment_id": experiment_id, "unit_id": unit_id, "event_id": unit_id, "type": "exposure"}
    return client.post("/events", json=event).json()["items"][0]["status"]


def delete(client, experiment_id="e", confirm=None):
    query = {} if confirm is None else {"confirm": confirm}
    return client.delete(f"/experiments/{experiment_id}", params=query)


@pytest.fixture
def stored(database_url):
    """Return a function that counts the rows of an experiment in every table, empty ones left out."""

    def count(experiment_id="e"):
        with psycopg.connect(database_url) as connection:
            counts = {
                table.name: connection.execute(
                    f"select count(*) from {table.name} where experiment_id = %s", [experiment_id]
                ).fetchone()[0]
                for table in Base.metadata.sorted_tables
                if "experiment_id" in table.primary_key.columns
            }
        return {name: number for name, number in counts.items() if number}

    return count


@pytest.fixture
def filled(client):
    """A client of a service with a tracked experiment: 3 units, 2 of them exposed, one recorded allocation."""
    create(client)
    for unit_id in ("u", "v", "w"):
        assign(client, unit_id)
    assert [expose(client, unit_id) for unit_id in ("u", "v")] == ["counted", "counted"]
    return client


@pytest.mark.parametrize("confirm", [None, "", "E", "other"])
def test_nothing_is_deleted_until_the_id_is_given_once_more(filled, stored, confirm):
    before = stored()
    answer = delete(filled, confirm=confirm)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.confirm")
    assert "2 variants" in answer.json()["detail"]
    assert "3 assignments and 2 events" in answer.json()["detail"]
    assert "DELETE /experiments/e?confirm=e" in answer.json()["detail"]
    assert (stored(), filled.get("/experiments/e").json()["state"]) == (before, "running")


def test_a_deletion_leaves_no_row_but_the_last_versions(filled, stored):
    create(filled, "other")
    others = stored("other")
    answer = delete(filled, confirm="e")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"daily_metrics": 0, "allocations": 0} == {
        "experiment_id": "e", "variants": 2, "daily_metrics": 0, "allocations": 0, "assignments": 3, "events": 2,
    }  # fmt: skip
    assert stored() == {"deleted_experiments": 1}
    assert stored("other") == others
    assert filled.get("/experiments/e").status_code == 404
    assert assign(filled).status_code == 404
    assert filled.get("/allocations/e").status_code == 404


def test_an_unknown_experiment_cannot_be_deleted(client):
    assert delete(client, "nothing").status_code == 404
    assert delete(client, "nothing", "nothing").status_code == 404


def test_the_audit_says_that_it_was_archived_and_deleted(filled, database_url):
    delete(filled)
    delete(filled, confirm="e")
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "select operation from audit where subjects = '{e}' and operation <> 'create_experiment' order by 1"
        ).fetchall()
    assert found == [("change_experiment",), ("delete_experiment",)]


def test_an_answer_of_the_deleted_experiment_is_never_served_for_the_new_one(make_client):
    writer, reader = make_client(), make_client()
    create(writer, fixed_share={"a": 90})
    old = reader.get("/allocations/e").json()
    assert old["allocations"]["a"] == 90
    delete(writer, confirm="e")
    create(writer, fixed_share={"a": 10})
    assert reader.get("/allocations/e").json()["allocations"]["a"] == 10
    assert writer.get("/allocations/e").json()["allocations"]["a"] == 10


def test_units_are_assigned_on_the_terms_of_the_new_experiment_by_every_process(make_client):
    writer, reader = make_client(), make_client()
    create(writer, fixed_share={"a": 100})
    assert {assign(reader, f"u{n}").json()["variant_id"] for n in range(8)} == {"a"}
    delete(writer, confirm="e")
    create(writer, fixed_share={"b": 100})
    assert {assign(reader, f"u{n}").json()["variant_id"] for n in range(8)} == {"b"}


def test_flags_are_read_again_when_one_experiment_is_deleted_and_another_created(make_client):
    writer, reader = make_client(), make_client()
    create(writer, "first")
    context = {"context": {"targetingKey": "u"}}

    def flags():
        found = reader.post("/ofrep/v1/evaluate/flags", json=context).json()["flags"]
        return [flag["key"] for flag in found]

    assert flags() == ["first"]
    delete(writer, "first", "first")
    create(writer, "second")
    assert flags() == ["second"]


def test_versions_grow_through_every_deletion(client, database_url):
    seen = []
    for _ in range(3):
        create(client)
        with psycopg.connect(database_url) as connection:
            seen.append(
                connection.execute("select version, settings_version from experiment_versions").fetchone()
            )
        delete(client, confirm="e")
    assert seen == sorted(set(seen))
    assert len({settings for _, settings in seen}) == 3


def test_an_import_of_the_deleted_experiment_starts_above_its_versions_with_the_same_bytes(
    filled, make_client, database_url
):
    reader = make_client()
    exported = filled.get("/experiments/e/export").content
    recorded = reader.get("/allocations/e").content
    filled.patch("/experiments/e", json={"min_share": 20})
    changed = reader.get("/allocations/e").content
    assert changed != recorded
    delete(filled, confirm="e")
    with psycopg.connect(database_url) as connection:
        last = connection.execute("select version, settings_version from deleted_experiments").fetchone()
    assert take(filled, exported).status_code == 201
    with psycopg.connect(database_url) as connection:
        now = connection.execute("select version, settings_version from experiment_versions").fetchone()
    assert (now[0] > last[0], now[1] > last[1]) == (True, True)
    assert reader.get("/allocations/e").content == recorded
    assert filled.get("/experiments/e/export").content.splitlines()[-1] == exported.splitlines()[-1]


def test_every_table_of_an_experiment_is_deleted_before_those_it_refers_to():
    names = [table.name for table in deletion.TABLES]
    assert len(names) == 16
    for table in deletion.TABLES:
        for key in table.foreign_keys:
            assert names.index(table.name) < names.index(key.column.table.name)


def test_writers_race_with_deletions_without_a_deadlock_or_an_orphan(make_client, stored):
    clients = [make_client() for _ in range(4)]
    create(clients[0])
    answers, done = [], threading.Event()

    def write(client, number):
        for step in range(10_000):
            units = [{"experiment_id": "e", "unit_id": f"{number} {step} {unit}"} for unit in range(20)]
            answers.append(client.post("/assignments", json=units))
            event = {"experiment_id": "e", "event_id": f"{number} {step}", "type": "exposure"}
            answers.append(client.post("/events", json=event | {"unit_id": units[0]["unit_id"]}))
            answers.append(client.get("/allocations/e"))
            if done.is_set():
                return

    def delete_and_create(client):
        for _ in range(8):
            answers.append(delete(client, confirm="e"))
            create(client)
        done.set()

    with ThreadPoolExecutor(4) as threads:
        working = [threads.submit(write, client, number) for number, client in enumerate(clients[1:])]
        threads.submit(delete_and_create, clients[0]).result()
        for each in working:
            each.result()
    assert {answer.status_code for answer in answers} <= {200, 404, 409}
    assert delete(clients[0], confirm="e").status_code == 200
    assert stored() == {"deleted_experiments": 1}


def test_a_statement_that_stores_assignments_is_waited_for(filled, stored, database_url):
    with psycopg.connect(database_url) as connection, ThreadPoolExecutor(1) as thread:
        connection.execute(
            "insert into assignments (experiment_id, unit_id, variant_id, kind, assigned_at)"
            " values ('e', 'late', 'b', 'holdout', now())"
        )
        deleting = thread.submit(delete, filled, "e", "e")
        assert stored()["assignments"] == 3  # of another transaction; the late one is not committed
        connection.commit()
        assert deleting.result(60).json()["assignments"] == 4
    assert stored() == {"deleted_experiments": 1}


ASSIGNED = (
    "insert into assignments (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at)"
    " values ('e', %s, 'a', 'drawn', 9, 0.5, 'r', now())"
)
COUNTED = (
    "insert into assignment_counts as c values ('e', '2026-03-10', 9, 'a', 1)"
    " on conflict (experiment_id, assigned_on, split, variant_id) do update set units = c.units + 1"
)


def test_a_statement_whose_counts_came_while_another_was_waited_for_is_waited_for_too(
    filled, stored, database_url, monkeypatch
):
    """It would wait for a variant that the deletion holds, and the deletion for its count."""
    with (
        psycopg.connect(database_url) as first,
        psycopg.connect(database_url) as second,
        ThreadPoolExecutor(1) as thread,
    ):
        first.execute(COUNTED)
        first.execute(ASSIGNED, ["first"])

        def finish():
            until_waited_for(second)
            second.execute(ASSIGNED, ["second"])
            second.commit()

        def meanwhile():
            first.commit()
            second.execute(COUNTED)
            yield thread.submit(finish)

        steps = meanwhile()
        monkeypatch.setattr(deletion.time, "sleep", lambda _: next(steps, None))
        assert delete(filled, "e", "e").json()["assignments"] == 5
    assert stored() == {"deleted_experiments": 1}


def until_waited_for(connection):
    """Wait until another transaction waits for a lock that this connection holds."""
    waiting = "select exists (select from pg_locks where not granted and %s = any(pg_blocking_pids(pid)))"
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as observer:
        end = time.monotonic() + 300
        while not observer.execute(waiting, [connection.info.backend_pid]).fetchone()[0]:
            assert time.monotonic() < end
