"""The contract of an upgrade (docs/how-to/upgrading.md): an older version works on every newer schema."""

import psycopg
import pytest
from alembic.script import ScriptDirectory

from app.storage import migrate
from app.storage.tables import Base
from tests.storage.schemas import Schema, broken
from tests.support.databases import fresh_database

REVISIONS = [script.revision for script in ScriptDirectory.from_config(migrate.config()).walk_revisions()]
OLDER = REVISIONS[1:]
SAMPLES = {
    "bigint": 1,
    "boolean": False,
    "bytea": b"s" * 32,
    "date": "2026-03-10",
    "double precision": 0.5,
    "integer": 1,
    "json": '{"a": 50.0}',
    "jsonb": '{"min_share": 5}',
    "numeric": "1.50",
    "text[]": ["read"],
    "timestamp with time zone": "2026-03-10T12:00:00Z",
}
CHOSEN = {
    ("experiment_settings", "state"): "running",
    ("simulations", "state"): "queued",
    ("assignments", "kind"): "drawn",
    ("events", "kind"): "exposure",
    ("experiments", "source"): "reported",
    ("api_keys", "origins"): None,
    ("assignments", "former_kind"): None,
    ("assignments", "former_variant_id"): None,
}
"""What a rule demands of a text, or of a list."""


def write(connection, schema, mark):
    """Insert a row into every table, naming every column there is, as a version that knows this schema does."""
    for table in [table.name for table in Base.metadata.sorted_tables if table.name in schema.tables]:
        columns = {name: kind for (owner, name), (kind, _, _) in schema.columns.items() if owner == table}
        values = [CHOSEN.get((table, name), SAMPLES.get(kind, mark)) for name, kind in columns.items()]
        places = ", ".join(["%s"] * len(values))
        connection.execute(f"insert into {table} ({', '.join(columns)}) values ({places})", values)


def read(connection, schema):
    """Every row of every table, by the columns that a version which knows this schema names."""
    return {
        table: connection.execute(
            f"select {', '.join(name for owner, name in schema.columns if owner == table)} from {table} order by 1"
        ).fetchall()
        for table in sorted(schema.tables)
    }


@pytest.mark.parametrize("older", OLDER)
def test_no_migration_takes_away_or_demands_anything(older, empty_database_url):
    migrate.upgrade(empty_database_url, older)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        before = Schema.of(connection)
        migrate.upgrade(empty_database_url)
        assert broken(before, Schema.of(connection)) == []


@pytest.mark.parametrize("older", OLDER)
def test_what_an_older_version_writes_and_reads_is_the_same_after_the_upgrade(older, empty_database_url):
    migrate.upgrade(empty_database_url, older)
    with psycopg.connect(empty_database_url, autocommit=True, prepare_threshold=0) as connection:
        schema = Schema.of(connection)
        write(connection, schema, "a")
        before = read(connection, schema)
        migrate.upgrade(empty_database_url)
        assert read(connection, schema) == before
        write(connection, schema, "b")
        assert {table: len(rows) for table, rows in read(connection, schema).items()} == dict.fromkeys(
            before, 2
        )


def test_experiments_that_units_were_assigned_in_before_their_first_data_stay_flags(empty_database_url):
    migrate.upgrade(empty_database_url, "a60c5e2d9b17")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        for name, source in (("new", None), ("used", None), ("shop", "reported"), ("app", "tracked")):
            connection.execute(
                "insert into experiments (experiment_id, source, created_at) values (%s, %s, now())",
                [name, source],
            )
        connection.execute("""
            insert into variants (experiment_id, variant_id, position, is_control, registered_on)
            select experiment_id, 'a', 0, true, '2026-03-10' from experiments
        """)
        connection.execute("""
            insert into assignments (experiment_id, unit_id, variant_id, kind, assigned_at)
            select experiment_id, 'u', 'a', 'holdout', now() from experiments where experiment_id <> 'new'
        """)
        migrate.upgrade(empty_database_url)
        found = connection.execute("select experiment_id, flag from experiments order by 1").fetchall()
    assert found == [("app", None), ("new", None), ("shop", None), ("used", True)]


@pytest.fixture(scope="module")
def newest(server_url):
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        with psycopg.connect(url) as connection:
            yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "drop table audit",
        "alter table audit rename to diary",
        "alter table variants drop column value",
        "alter table variants rename column value to worth",
        "alter table variants alter column position type numeric",
        "alter table variants alter column value set not null",
        "alter table variants add column colour text not null",
        "alter table variants add constraint ck_variants_name check (name <> '')",
        "alter table experiment_metrics add constraint uq_a unique (experiment_id, date)",
        "alter table audit add constraint fk_audit_api_keys foreign key (key_id) references api_keys (key_id)",
        "alter table assignments drop constraint pk_assignments",
    ],
)
def test_a_migration_that_would_break_the_version_before_it_is_rejected(newest, statement):
    before = Schema.of(newest)
    newest.execute(statement)
    found = broken(before, Schema.of(newest))
    newest.rollback()
    assert found


@pytest.mark.parametrize(
    "statement",
    [
        "create table diary (diary_id text primary key)",
        "alter table variants add column colour text",
        "alter table variants add column colour text not null default 'none'",
        "alter table variants add column colour text, add constraint ck_colour check (colour <> '')",
        "create index ix_variants_name on variants (name)",
        "alter table experiments alter column created_at drop not null",
    ],
)
def test_a_migration_that_only_adds_is_allowed(newest, statement):
    before = Schema.of(newest)
    newest.execute(statement)
    found = broken(before, Schema.of(newest))
    newest.rollback()
    assert found == []
