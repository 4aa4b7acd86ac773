"""Whose schema a database has: ours, a newer version's, or another application's."""

import re
import subprocess
import sys
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import make_url

from app.errors import Conflict
from app.server import launcher
from app.storage import migrate
from app.storage.schema_version import SHARED_REVISIONS, TABLES
from tests.support import ROOT
from tests.support.databases import connect, fresh_database, names
from tests.support.problems import problem

VERSION = "select version_num from groundhog_version"
SHARED = "select version_num from alembic_version"


def run(url, *statements):
    with connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def read(url, query):
    with connect(url) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def foreign(empty_database_url):
    """A database that another Alembic application has migrated."""
    run(
        empty_database_url,
        "create table alembic_version (version_num varchar(32) primary key)",
        "insert into alembic_version values ('d4c0ffee0001')",
        "create table orders (order_id bigint)",
    )
    return empty_database_url


@pytest.fixture
def earlier(empty_database_url):
    """Return a maker of a database that a Groundhog without a version table of its own has migrated."""

    def make(revision=SHARED_REVISIONS[-1]):
        migrate.upgrade(empty_database_url, revision)
        run(
            empty_database_url,
            "alter table groundhog_version rename to alembic_version",
            "alter table alembic_version rename constraint groundhog_version_pkc to alembic_version_pkc",
        )
        return empty_database_url

    return make


@pytest.fixture
def migrated(server_url, untouched_url):
    """A migrated database that a test may break."""
    with fresh_database(server_url, untouched_url) as url:
        yield url


def test_the_database_of_another_alembic_application_is_not_migrated_yet(foreign, make_client):
    answer = make_client(database_url=foreign).get("/readyz")
    problem(answer, 503)
    assert answer.json()["detail"] == "the database has no schema of Groundhog: run `groundhog migrate`"


def test_the_tables_are_created_beside_those_of_another_alembic_application(foreign, make_client):
    migrate.upgrade(foreign)
    assert names(foreign) == {*TABLES, "groundhog_version", "alembic_version", "orders"}
    assert read(foreign, SHARED) == [("d4c0ffee0001",)]
    assert make_client(database_url=foreign).get("/readyz").json()["migration"] == migrate.head()


def test_foreign_tables_of_our_names_are_rejected_before_anything_is_created(foreign):
    run(foreign, "create table events (event_id bigint)", "create view variants as select 1 as one")
    with pytest.raises(Conflict, match=r"another application .*: events, variants\. Nothing was created"):
        migrate.upgrade(foreign)
    assert names(foreign) == {"alembic_version", "orders", "events"}


def test_a_foreign_table_with_the_name_of_a_new_one_is_rejected_and_nothing_changed(empty_database_url):
    migrate.upgrade(empty_database_url, SHARED_REVISIONS[0])
    run(empty_database_url, "create table audit (line text)")
    before = names(empty_database_url)
    with pytest.raises(Conflict, match=r'another application uses .*"audit" already exists'):
        migrate.upgrade(empty_database_url)
    assert (names(empty_database_url), read(empty_database_url, VERSION)) == (
        before,
        [(SHARED_REVISIONS[0],)],
    )


@pytest.fixture
def reader(empty_database_url):
    """The address of the database for a role that may create nothing in it."""
    role = f"groundhog_test_{uuid4().hex[:12]}"
    run(empty_database_url, f"create role {role} login password 'reads'")
    yield make_url(empty_database_url).set(username=role, password="reads").render_as_string(False)
    run(empty_database_url, f"drop role {role}")


def test_a_role_that_may_not_create_tables_is_rejected_in_a_sentence(reader):
    with pytest.raises(Conflict, match=r"may not change the schema .*permission denied"):
        migrate.upgrade(reader)


def test_a_schema_of_its_own_in_the_address_is_migrated_and_served(foreign, make_client):
    run(foreign, "create table experiments (title text)", "create schema groundhog")
    url = make_url(foreign).update_query_dict({"options": "-csearch_path=groundhog"})
    address = url.render_as_string(False)
    migrate.upgrade(address)
    client = make_client(database_url=address)
    assert client.get("/readyz").json()["migration"] == migrate.head()
    assert client.post("/experiments", json={"experiment_id": "e"}).status_code == 201
    assert client.post("/assignments", json={"experiment_id": "e", "unit_id": "u"}).status_code == 409
    assert read(foreign, "select experiment_id from groundhog.experiments") == [("e",)]
    assert names(foreign) == {"alembic_version", "orders", "experiments"}


@pytest.mark.parametrize("revision", SHARED_REVISIONS)
def test_a_database_of_an_earlier_version_is_migrated_in_place(earlier, revision, make_client):
    url = earlier(revision)
    run(url, "insert into experiments (experiment_id, created_at) values ('e', now())")
    migrate.upgrade(url)
    assert read(url, VERSION) == [(migrate.head(),)]
    assert read(url, "select experiment_id from experiments") == [("e",)]
    assert make_client(database_url=url).get("/readyz").status_code == 200


@pytest.mark.parametrize("revision", SHARED_REVISIONS)
def test_an_earlier_version_finds_nothing_to_migrate_afterwards(earlier, revision):
    url = earlier(revision)
    migrate.upgrade(url)
    assert read(url, SHARED) == [(SHARED_REVISIONS[-1],)]


def test_a_revision_of_another_application_beside_ours_stays(earlier):
    url = earlier()
    run(url, "insert into alembic_version values ('d4c0ffee0001')")
    migrate.upgrade(url)
    assert sorted(read(url, SHARED)) == [(SHARED_REVISIONS[-1],), ("d4c0ffee0001",)]
    assert read(url, VERSION) == [(migrate.head(),)]


def test_a_database_of_an_earlier_version_is_not_ready_before_its_migration(earlier, make_client):
    answer = make_client(database_url=earlier()).get("/readyz")
    problem(answer, 503)
    assert answer.json()["detail"] == (
        f"the schema is at {SHARED_REVISIONS[-1]}, this version needs {migrate.head()}: run `groundhog migrate`"
    )


@pytest.mark.system
def test_two_processes_that_take_over_an_earlier_schema_at_once_both_succeed(earlier):
    url = earlier()
    program = "import sys; from app.storage import migrate; migrate.upgrade(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert read(url, VERSION) == [(migrate.head(),)]


def test_the_migrations_still_make_what_the_tables_say_after_a_takeover(earlier):
    url = earlier()
    migrate.upgrade(url)
    command.check(migrate.config(url))


@pytest.mark.parametrize("unknown", ["of_another_branch", "0000", "d4c0ffee0001"])
def test_a_revision_that_is_neither_ours_nor_a_newer_one_is_named(migrated, unknown, make_client):
    run(migrated, f"update groundhog_version set version_num = '{unknown}'")
    with pytest.raises(Conflict, match=f"'{unknown}', which is neither known to this version nor a newer"):
        migrate.upgrade(migrated)
    answer = make_client(database_url=migrated).get("/readyz")
    problem(answer, 503)
    assert repr(unknown) in answer.json()["detail"]


def test_revisions_are_numbered_by_their_place_since_the_version_table_is_our_own():
    newest_first = [script.revision for script in migrate._scripts().walk_revisions()]
    ours = newest_first[::-1]
    assert tuple(ours[: len(SHARED_REVISIONS)]) == SHARED_REVISIONS
    places = range(len(SHARED_REVISIONS) + 1, len(ours) + 1)
    assert ours[len(SHARED_REVISIONS) :] == [f"{place:04}" for place in places]
    assert [migrate.is_newer(f"{place:04}") for place in (len(ours), len(ours) + 1)] == [False, True]


GONE = [
    ("drop table audit", "table audit"),
    ("alter table variants drop column value", "column variants.value"),
    ("alter table api_keys rename column scopes to rights", "column api_keys.scopes"),
]


@pytest.mark.parametrize(("statement", "named"), GONE)
def test_a_service_whose_tables_are_gone_is_not_ready_and_names_them(migrated, statement, named, make_client):
    run(migrated, statement)
    answer = make_client(database_url=migrated).get("/readyz")
    problem(answer, 503)
    assert f"this is missing: {named}." in answer.json()["detail"]
    with pytest.raises(Conflict, match=f"missing: {named}"):
        migrate.upgrade(migrated)


def test_of_many_missing_tables_ten_are_named(migrated, make_client):
    run(migrated, "drop schema public cascade", "create schema public")
    run(migrated, "create table groundhog_version (version_num text)")
    run(migrated, f"insert into groundhog_version values ('{migrate.head()}')")
    detail = make_client(database_url=migrated).get("/readyz").json()["detail"]
    assert detail.count("table ") == 10
    assert f" and {len(TABLES) - 10} more. Restore" in detail


def test_a_service_that_must_not_migrate_says_what_it_waits_for(migrated, capsys, monkeypatch):
    run(migrated, "alter table audit rename to diary")

    def mend(_):
        run(migrated, "alter table diary rename to audit")

    monkeypatch.setattr(launcher.time, "sleep", mend)
    launcher.wait_for_schema(migrated)
    assert "this is missing: table audit" in capsys.readouterr().out


def test_a_missing_table_is_an_internal_error_that_is_logged_and_no_outage(migrated, make_client, caplog):
    client = make_client(database_url=migrated)
    run(migrated, "drop table api_keys")
    answer = client.get("/experiments")
    problem(answer, 500)
    assert "Retry-After" not in answer.headers
    assert re.search(r"relation .{1,2}api_keys.{1,2} does not exist", caplog.text)  # as text or as JSON


def test_keys_that_were_read_stay_valid_while_their_table_is_gone(migrated, make_client, caplog):
    client = make_client(database_url=migrated, key_cache_seconds=0)
    assert client.get("/experiments").status_code == 200
    run(migrated, "drop table api_keys")
    assert client.get("/experiments").status_code == 200
    assert re.search(r"relation .{1,2}api_keys.{1,2} does not exist", caplog.text)  # as text or as JSON


@pytest.mark.parametrize(
    ("statement", "method", "path", "body"),
    [
        ("drop table audit", "POST", "/experiments", {"experiment_id": "e"}),
        ("alter table experiments drop column name", "GET", "/experiments", None),
        ("drop table experiment_versions cascade", "GET", "/allocations/e", None),
        ("drop table assignments", "POST", "/assignments", {"experiment_id": "e", "unit_id": "u"}),
    ],
)
def test_what_the_schema_lacks_is_500_and_never_an_outage(
    migrated, make_client, statement, method, path, body
):
    client = make_client(database_url=migrated)
    run(migrated, statement)
    answer = client.request(method, path, json=body)
    problem(answer, 500)
    assert "relation" not in answer.text
