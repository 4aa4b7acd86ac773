"""The service behind pgbouncer in transaction mode, without `ignore_startup_parameters`."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.storage import migrate
from tests.support.databases import MIGRATION_LOCK, connect, names
from tests.support.problems import problem
from tests.support.totals import small_total as total
from tests.system.scaling.pooler import through

SHARES = {"control": 50.0, "bold": 50.0}
TRACKED = {
    "experiment_id": "checkout",
    "source": "tracked",
    "policy": {"kind": "fixed", "shares": SHARES},
    "variants": [{"variant_id": name} for name in SHARES],
}


def exposure(number):
    event = {"experiment_id": "checkout", "unit_id": f"u{number}", "event_id": f"e{number}"}
    return {**event, "type": "exposure", "occurred_at": "2026-03-10T12:00:00Z"}


@pytest.fixture
def pooled_url(pgbouncer, database_url):
    return through(pgbouncer, database_url)


@pytest.fixture
def pooled(make_client, pooled_url):
    """A service that knows its database through pgbouncer only."""
    return make_client(database_url=pooled_url, prepare_threshold=None)


def sessions(url, query):
    """What each of the pooler's two sessions says: while one is in a transaction, the other one is lent."""
    with connect(url) as one, connect(url) as other, one.transaction(), other.transaction():
        return [connection.execute(query).fetchone() for connection in (one, other)]


def left_behind(url):
    """What sessions keep beside their defaults."""
    changed = "(select count(*) from pg_settings where source = 'session' and name like '%timeout')"
    prepared = "(select count(*) from pg_prepared_statements)"
    locks = "(select count(*) from pg_locks where locktype = 'advisory')"
    return sessions(url, f"select {changed}, {prepared}, {locks}")


def test_the_pooler_lends_several_sessions_in_turns(pooled_url):
    assert len(set(sessions(pooled_url, "select pg_backend_pid()"))) == 2


def test_totals_go_in_and_the_same_allocation_comes_out_as_without(pooled, client):
    rows = [total(), total(variant_id="bold", successes=15)]
    assert pooled.post("/metrics/", json=rows).json()["inserted"] == 2
    answer = pooled.get("/allocations/homepage?for_date=2026-03-10")
    assert answer.json()["recorded"] is True
    assert client.get("/allocations/homepage?for_date=2026-03-10").content == answer.content
    csv = "experiment_id,variant_id,date,impressions,successes\nhomepage,bold,2026-03-03,10,1\n"
    stored = pooled.post("/metrics/bulk", content=csv, headers={"Content-Type": "text/csv"})
    assert stored.json()["inserted"] == 1


def test_units_stay_on_their_variants_and_events_count_once(pooled, client):
    pooled.post("/experiments", json=TRACKED)
    units = [{"experiment_id": "checkout", "unit_id": f"u{n}"} for n in range(50)]
    first, again = (served.post("/assignments", json=units).json() for served in (pooled, client))
    assert [one["variant_id"] for one in first] == [one["variant_id"] for one in again]
    events = [exposure(n) for n in range(50)]
    sent = [pooled.post("/events", json=events).json() for _ in range(2)]
    assert [(one["counted"], one["duplicate"]) for one in sent] == [(50, 0), (0, 50)]


def test_forty_at_once_on_two_sessions_leave_nothing_behind(pooled, pooled_url):
    pooled.post("/experiments", json=TRACKED)

    def ask(number):
        unit = {"experiment_id": "checkout", "unit_id": f"u{number % 10}"}
        assigned = pooled.post("/assignments", json=unit)
        pooled.post("/metrics/", json=total(variant_id=f"v{number % 3}"), headers={"Idempotency-Key": "k"})
        return (
            assigned.json()["unit_id"],
            assigned.json()["variant_id"],
            pooled.get("/allocations/checkout").content,
        )

    with ThreadPoolExecutor(40) as threads:
        found = list(threads.map(ask, range(40)))
    assert len({(unit, variant) for unit, variant, _ in found}) == 10
    assert len({body for *_, body in found}) == 1
    assert left_behind(pooled_url) == [(0, 0, 0)] * 2


def test_moments_are_in_utc_whatever_the_role_says(pooled, database_url):
    with connect(database_url) as connection:
        connection.execute("alter role current_user set timezone = 'Asia/Tokyo'")
        try:
            pooled.post("/metrics/", json=total())
            moment = pooled.get("/experiments/homepage").json()["created_at"]
        finally:
            connection.execute("alter role current_user reset timezone")
    assert moment == "2026-03-10T12:00:00Z"


def test_the_limit_of_a_wait_holds(make_client, pooled_url, database_url):
    impatient = make_client(database_url=pooled_url, prepare_threshold=None, lock_timeout_ms=100)
    impatient.post("/metrics/", json=total())
    with connect(database_url) as other, other.transaction():
        other.execute("select from experiment_versions for update")
        problem(impatient.post("/metrics/", json=total(successes=13)), 503)


def test_a_service_that_reads_only_writes_nothing(make_client, pooled, pooled_url):
    pooled.post("/experiments", json=TRACKED)
    reader = make_client(database_url=pooled_url, prepare_threshold=None, read_only=True)
    assert reader.get("/allocations/checkout").json()["recorded"] is False
    problem(reader.post("/metrics/", json=total()), 503)
    problem(reader.post("/assignments", json={"experiment_id": "checkout", "unit_id": "u"}), 503)


def test_a_migration_waits_for_one_that_runs_and_leaves_no_lock(pgbouncer, empty_database_url):
    url = through(pgbouncer, empty_database_url)
    with connect(empty_database_url) as running:
        running.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        second = threading.Thread(target=migrate.upgrade, args=[url])
        second.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        give_up = time.monotonic() + 300
        while running.execute(waiting).fetchone() == (0,) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert names(empty_database_url) == set()
    second.join()
    migrate.upgrade(url)
    assert "experiment_metrics" in names(empty_database_url)
    assert left_behind(url) == [(0, 0, 0)] * 2


def test_with_prepared_statements_it_says_what_to_set(make_client, pooled_url):
    answer = make_client(database_url=pooled_url).get("/readyz")
    problem(answer, 503)
    assert "GROUNDHOG_PREPARE_THRESHOLD=none" in answer.json()["detail"]
