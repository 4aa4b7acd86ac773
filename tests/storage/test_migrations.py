"""The schema: made, unmade and made again by the migrations, and fit for plain PostgreSQL and Citus alike."""

import re
import subprocess
import sys
import threading
import time

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, make_url
from sqlalchemy.exc import OperationalError

from app import errors
from app.api.problem_details import STATUS, TITLES
from app.server import launcher
from app.storage import migrate, tables
from tests.support import ROOT
from tests.support.databases import MIGRATION_LOCK, connect, names

KNOWN_TO_ALL = {"idempotency_keys", "simulations", "api_keys", "audit"}
"""Reference tables: on Citus every node holds a copy."""


def columns(url):
    with connect(url) as connection:
        return connection.execute(
            "select table_name, column_name, data_type, is_nullable from information_schema.columns"
            " where table_schema = 'public' order by 1, 2"
        ).fetchall()


def test_the_migrations_run_up_down_and_up_again(empty_database_url):
    migrate.upgrade(empty_database_url)
    made = columns(empty_database_url)
    command.downgrade(migrate.config(empty_database_url), "base")
    assert names(empty_database_url) == {"groundhog_version"}
    migrate.upgrade(empty_database_url)
    assert columns(empty_database_url) == made


def test_the_migrations_make_what_the_tables_say(migrated_url):
    command.check(migrate.config(migrated_url))  # raises where autogenerate would find something to do


def test_there_is_one_newest_migration_and_the_service_finds_it(migrated_url):
    with connect(migrated_url) as connection:
        at = connection.execute("select version_num from groundhog_version").fetchone()
    assert at == (migrate.head(),)


def test_a_schema_that_a_newer_version_made_is_left_alone_and_served(empty_database_url, make_client):
    migrate.upgrade(empty_database_url)
    with connect(empty_database_url) as connection:
        connection.execute("update groundhog_version set version_num = '9999'")
    migrate.upgrade(empty_database_url)
    answer = make_client(database_url=empty_database_url).get("/readyz")
    assert (answer.status_code, answer.json()["migration"]) == (200, "9999")


def test_a_schema_that_is_behind_is_not_ready(empty_database_url, make_client):
    migrate.upgrade(empty_database_url, "b3f256e1ac64")
    answer = make_client(database_url=empty_database_url).get("/readyz")
    assert answer.status_code == 503
    assert "groundhog migrate" in answer.json()["detail"]


def test_a_service_that_must_not_migrate_waits_until_somebody_has(empty_database_url, capsys):
    waiting = threading.Thread(target=launcher.wait_for_schema, args=[empty_database_url])
    waiting.start()
    said, give_up = "", time.monotonic() + 300
    while "Waiting for" not in said and time.monotonic() < give_up:
        said += capsys.readouterr().out
        time.sleep(0.01)
    assert "Waiting for `groundhog migrate`" in said
    assert names(empty_database_url) == set()
    migrate.upgrade(empty_database_url)
    waiting.join(300)
    assert not waiting.is_alive()


@pytest.mark.system
def test_two_processes_that_migrate_at_once_both_succeed(empty_database_url):
    program = "import sys; from app.storage import migrate; migrate.upgrade(sys.argv[1])"
    command = [sys.executable, "-c", program, empty_database_url]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert "experiment_metrics" in names(empty_database_url)


def test_a_migration_waits_for_one_that_runs(empty_database_url):
    with connect(empty_database_url) as running:
        running.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        second = threading.Thread(target=migrate.upgrade, args=[empty_database_url])
        second.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        give_up = time.monotonic() + 300
        while running.execute(waiting).fetchone() == (0,) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert names(empty_database_url) == set()
    second.join()
    assert "experiment_metrics" in names(empty_database_url)


def test_a_migration_among_writers_is_begun_again(empty_database_url):
    migrate.upgrade(empty_database_url, "b3f256e1ac64")
    with connect(empty_database_url) as writing, writing.transaction():
        writing.execute("insert into experiments (experiment_id, created_at) values ('e', now())")
        migration = threading.Thread(target=migrate.upgrade, args=[empty_database_url])
        migration.start()
        migration.join(3)  # longer than it waits for a lock
        assert migration.is_alive()
    migration.join(300)
    assert "assignments" in names(empty_database_url)


def test_a_migration_that_writers_never_let_pass_says_so(empty_database_url, monkeypatch):
    migrate.upgrade(empty_database_url, "b3f256e1ac64")
    monkeypatch.setattr(migrate, "MAX_ATTEMPTS", 1)
    with connect(empty_database_url) as writing, writing.transaction():
        writing.execute("insert into experiments (experiment_id, created_at) values ('e', now())")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(empty_database_url)
    assert "assignments" not in names(empty_database_url)


def test_every_rule_in_words_is_a_constraint_of_the_database(migrated_url):
    with connect(migrated_url) as connection:
        found = connection.execute("select conname from pg_constraint union select relname from pg_class")
        assert tables.CONSTRAINT_MESSAGES.keys() <= {row[0] for row in found}


def test_every_check_of_the_database_has_a_rule_in_words(migrated_url):
    with connect(migrated_url) as connection:
        found = connection.execute("select conname from pg_constraint where contype = 'c' and conrelid <> 0")
        ours = {row[0] for row in found if row[0].startswith("ck_")}
    assert ours <= tables.CONSTRAINT_MESSAGES.keys()


def test_every_key_of_an_experiments_table_starts_with_the_experiment(migrated_url):
    engine = create_engine(make_url(migrated_url).set(drivername="postgresql+psycopg"))
    database = inspect(engine)
    keys = [
        (table, columns)
        for table in database.get_table_names()
        for columns in (
            database.get_pk_constraint(table)["constrained_columns"],
            *(index["column_names"] for index in database.get_indexes(table) if index["unique"]),
        )
        if table not in KNOWN_TO_ALL | {"groundhog_version"}
    ]
    engine.dispose()
    assert len(keys) > 5
    assert [(table, columns) for table, columns in keys if columns[0] != "experiment_id"] == []


OURS = "'public'::regnamespace"
CLOCK = "pg_get_expr(adbin, adrelid) ~* 'now|current|clock'"


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("triggers", "select tgname from pg_trigger where not tgisinternal"),
        ("extensions", "select extname from pg_extension where extname <> 'plpgsql'"),
        ("sequences", f"select relname from pg_class where relkind = 'S' and relnamespace = {OURS}"),
        ("functions", f"select proname from pg_proc where pronamespace = {OURS}"),
        ("defaults by the clock", f"select adrelid::regclass from pg_attrdef where {CLOCK}"),
    ],
)
def test_the_schema_has_nothing_that_citus_or_a_plain_server_would_miss(migrated_url, what, query):
    with connect(migrated_url) as connection:
        assert connection.execute(query).fetchall() == [], what


SOURCES = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("migrations/**/*.py")])


COMMENT = re.compile(r"#[^\n]*|^\s*\"\"\".*?\"\"\"", re.DOTALL | re.MULTILINE)


def statements(source):
    """Return what a source says without its comments and docstrings, in lower case and in one line."""
    return " ".join(COMMENT.sub("", source.read_text(encoding="utf-8").lower()).split())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_statement_reads_the_servers_clock_or_merges(source):
    said = statements(source)
    assert not re.search(
        r"\b(func\.now|current_timestamp|localtimestamp|(clock|statement|transaction)_timestamp|timeofday"
        r"|merge into|on delete cascade)\b",
        said,
    )
    assert not re.search(r"do update set[^;]*?now\(\)", said)


def every_error(base=errors.GroundhogError):
    return {base}.union(*(every_error(kind) for kind in base.__subclasses__()))


def test_every_error_of_the_domain_has_a_status():
    ours = {kind for kind in every_error() if kind.__module__ == "app.errors"} - {errors.GroundhogError}
    assert set(STATUS) == ours
    assert all(status in TITLES for status in STATUS.values())
