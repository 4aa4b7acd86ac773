"""What `groundhog distribute` sends to Citus, against functions of its names that only take notes.

Citus itself is not there: that its workers take all of this is not shown here.
"""

import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, make_url
from typer.testing import CliRunner

from app.cli.main import commands
from app.storage import citus
from app.storage.tables import Base
from tests.support.databases import connect
from tests.support.totals import small_total as total

STAND_IN = """
create table spread
    (table_name regclass, citus_table_type text, distribution_column text, together text, nth serial);
create view citus_tables as select table_name, citus_table_type, distribution_column from spread;
create function create_reference_table(regclass) returns void begin atomic
    insert into spread values ($1, 'reference', null, null);
end;
create function create_distributed_table(regclass, text, colocate_with text default 'default') returns void
begin atomic
    insert into spread values ($1, 'distributed', $2, $3);
end
"""
KINDS = {step.table: step.kind for step in citus.all_steps()}


@pytest.fixture
def distribute(monkeypatch, database_url):
    """The command, on a plain server."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return lambda: CliRunner().invoke(commands, ["distribute"])


@pytest.fixture
def sql(database_url):
    """The database, with stand-ins for what Citus brings."""
    with connect(database_url) as connection:
        connection.execute(STAND_IN)
        yield connection
        connection.execute("drop table spread cascade")


def spread(sql):
    rows = "select table_name::text, citus_table_type, distribution_column, together from spread order by nth"
    return sql.execute(rows).fetchall()


def test_a_plain_postgresql_stays_as_it_is(distribute):
    said = distribute()
    assert (said.exit_code, said.output.split(";")[0]) == (0, "This is a plain PostgreSQL")


def test_every_table_is_spread_once_and_again_is_nothing(distribute, sql):
    said = distribute()
    assert (said.exit_code, said.output.splitlines()[-1]) == (
        0,
        f"Distributed {len(KINDS)} of {len(KINDS)} tables; the others already were.",
    )
    done = spread(sql)
    assert distribute().output == f"Distributed 0 of {len(KINDS)} tables; the others already were.\n"
    assert spread(sql) == done
    assert (
        {table: kind for table, kind, *_ in done} == KINDS == dict.fromkeys(Base.metadata.tables, "") | KINDS
    )


def test_reference_tables_come_first_and_one_experiment_lies_on_one_node(distribute, sql):
    distribute()
    kinds = [kind for _, kind, *_ in spread(sql)]
    assert kinds == sorted(kinds, reverse=True)
    distributed = [row for row in spread(sql) if row[1] == "distributed"]
    assert distributed[0] == ("experiment_versions", "distributed", "experiment_id", "default")
    assert {row[2:] for row in distributed[1:]} == {("experiment_id", "experiment_versions")}


def test_it_goes_on_where_it_was_broken_off_and_spreads_what_a_migration_added(distribute, sql):
    distribute()
    sql.execute("delete from spread where table_name = 'splits'::regclass")
    sql.execute("update spread set citus_table_type = 'local' where table_name = 'events'::regclass")
    said = distribute().output.splitlines()
    assert sorted(said[:-1]) == ["events: distributed", "splits: distributed"]


def test_a_table_that_is_spread_otherwise_is_named(distribute, sql):
    sql.execute("select create_distributed_table('events', 'unit_id')")
    said = distribute()
    assert said.exit_code == 1
    assert "the table events is distributed by unit_id" in said.exception.detail


def test_which_tables_every_node_has():
    assert {table for table, kind in KINDS.items() if kind == "reference"} == {
        "experiments",
        "variants",
        "idempotency_keys",
        "simulations",
        "api_keys",
        "audit",
    }


@pytest.fixture(scope="module")
def schema(migrated_url):
    engine = create_engine(make_url(migrated_url).set(drivername="postgresql+psycopg"))
    yield inspect(engine)
    engine.dispose()


def test_every_key_of_a_distributed_table_has_the_experiment(schema):
    keys = [
        (table, columns)
        for table, kind in KINDS.items()
        if kind == "distributed"
        for columns in (
            schema.get_pk_constraint(table)["constrained_columns"],
            *(key["column_names"] for key in schema.get_unique_constraints(table)),
            *(index["column_names"] for index in schema.get_indexes(table) if index["unique"]),
        )
    ]
    assert len(keys) >= 9
    assert [(table, columns) for table, columns in keys if "experiment_id" not in columns] == []


def test_no_foreign_key_points_to_a_distributed_table_but_from_the_same_experiment(schema):
    for table in KINDS:
        for key in schema.get_foreign_keys(table):
            to, columns = key["referred_table"], key["constrained_columns"]
            inside = KINDS[table] == "distributed" and "experiment_id" in columns
            assert KINDS[to] == "reference" or inside, (table, to)


UPSERT = re.compile(r"\bdo\s+update\s+set\b(.*?)(?:\breturning\b|\"\"\"|\Z)", re.DOTALL)
CLOCKS = r"current_date|current_time|current_timestamp|localtime|localtimestamp"
SOURCES = sorted(Path(citus.__file__).parents[1].rglob("*.py"))


@pytest.fixture(scope="module")
def volatile(migrated_url):
    """The functions that Citus refuses in DO UPDATE: all whose answer is not the arguments' alone."""
    with connect(migrated_url) as connection:
        rows = connection.execute("select distinct proname from pg_proc where provolatile <> 'i'")
        return {name for (name,) in rows}


def calls_of_upserts(text, volatile):
    parts = " ".join(UPSERT.findall(text.lower()))
    return [*volatile.intersection(re.findall(r"(\w+)\s*\(", parts)), *re.findall(rf"\b({CLOCKS})\b", parts)]


def test_no_upsert_calls_what_differs_from_node_to_node(volatile):
    texts = {source.name: source.read_text() for source in SOURCES}
    assert len([name for name, text in texts.items() if UPSERT.search(text)]) >= 4
    assert {name: calls for name, text in texts.items() if (calls := calls_of_upserts(text, volatile))} == {}


@pytest.mark.parametrize(
    "value", ["now()", "statement_timestamp ()", "random()::int", "localtimestamp", "gen_random_uuid()"]
)
def test_what_differs_from_node_to_node_would_be_noticed(volatile, value):
    assert (
        len(calls_of_upserts(f"on conflict (a)\n  do update\n  set b = {value} returning a", volatile)) == 1
    )


@pytest.fixture
def sent(monkeypatch):
    """Every statement that goes to the server during the test."""
    statements = []

    def noting(execute):
        def note(cursor, query, *parameters, **options):
            statements.append(query.decode() if isinstance(query, bytes) else str(query))
            return execute(cursor, query, *parameters, **options)

        return note

    for cursor in (psycopg.Cursor, psycopg.AsyncCursor):
        for name in ("execute", "executemany"):
            monkeypatch.setattr(cursor, name, noting(getattr(cursor, name)))
    return statements


def test_what_is_sent_merges_nothing_reads_no_clock_in_an_upsert_and_locks_one_experiment(
    sent, client, volatile
):
    variants = [{"variant_id": name} for name in ("control", "bold")]
    client.post("/experiments", json={"experiment_id": "checkout", "source": "tracked", "variants": variants})
    unit = {"experiment_id": "checkout", "unit_id": "u"}
    client.post("/assignments", json=unit)
    exposure = {**unit, "event_id": "e", "type": "exposure", "occurred_at": "2026-03-10T12:00:00Z"}
    assert client.post("/events", json=[exposure]).json()["counted"] == 1
    client.post("/metrics/", json=[total(), total(variant_id="bold")], headers={"Idempotency-Key": "k"})
    csv = "experiment_id,variant_id,date,impressions,successes\nhomepage,bold,2026-03-03,10,1\n"
    assert client.post("/metrics/bulk", content=csv, headers={"Content-Type": "text/csv"}).status_code == 200
    client.patch("/experiments/homepage", json={"min_share": 5})
    client.get("/allocations/homepage")
    said = [" ".join(statement.lower().split()) for statement in sent]
    upserts = [statement for statement in said if UPSERT.search(statement)]
    locks = [statement for statement in said if " for update" in statement]
    assert len(upserts) >= 3
    assert len(locks) >= 3
    assert not [s for s in said if re.search(r"\bmerge into\b|create trigger", s)]
    assert [call for s in upserts for call in calls_of_upserts(s, volatile)] == []
    assert not [s for s in locks if "experiment_id" not in s.split(" where ")[-1]]
