"""PostgreSQL away: what is answered then, and that all recovers by itself."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from app.storage.embedded import EmbeddedPostgres
from tests.support.clock import SettableClock
from tests.support.fixtures.hours import hourly, show
from tests.support.problems import problem, unavailable
from tests.support.totals import small_total as total


@contextmanager
def answered(server: EmbeddedPostgres) -> Iterator[TestClient]:
    """Run a service that has answered two dates of one experiment."""
    settings = ServiceSettings(database_url=server.url_for("groundhog"), pool_timeout_seconds=2)
    with TestClient(create_app(settings, SettableClock()), raise_server_exceptions=False) as client:
        client.post("/metrics/", json=[total(), total(variant_id="bold", successes=15)])
        client.before = client.get("/allocations/homepage?for_date=2026-03-10")
        client.get("/allocations/homepage?for_date=2026-03-09")
        yield client


@pytest.fixture(scope="module")
def long_running(server: EmbeddedPostgres) -> Iterator[TestClient]:
    with answered(server) as client:
        yield client


@pytest.fixture
def service(server: EmbeddedPostgres, long_running: TestClient) -> TestClient:
    """A service that has answered two dates of one experiment, and then lost its database."""
    server.stop()  # safe to repeat
    return long_running


WRITES = [
    ("POST", "/metrics/", total(date="2026-03-03")),
    ("POST", "/metrics/", [total(date="2026-03-03")]),
    ("POST", "/experiments", {"experiment_id": "checkout"}),
    ("PATCH", "/experiments/homepage", {"name": "x"}),
    ("POST", "/experiments/homepage/variants", {"variant_id": "new"}),
    ("PATCH", "/experiments/homepage/variants/bold", {"name": "x"}),
    ("DELETE", "/experiments/homepage/variants/bold", None),
    ("DELETE", "/metrics/homepage/bold/2026-03-02", None),
]


def test_writes_and_reads_answer_503_and_say_when_to_try_again(service):
    for method, path, body in WRITES:
        unavailable(service.request(method, path, json=body))
    for path in (
        "/metrics/homepage",
        "/experiments",
        "/experiments/homepage",
        "/allocations/homepage/history",
    ):
        unavailable(service.get(path))


def test_an_upload_answers_503(service):
    text = "experiment_id,variant_id,date,impressions,successes\nhomepage,bold,2026-03-03,10,1\n"
    unavailable(service.post("/metrics/bulk", content=text, headers={"Content-Type": "text/csv"}))


def test_an_allocation_served_before_is_repeated_and_marked_stale(service):
    answer = service.get("/allocations/homepage?for_date=2026-03-10")
    assert (answer.status_code, answer.content) == (200, service.before.content)
    assert answer.headers["ETag"] == service.before.headers["ETag"]
    assert answer.headers["Groundhog-Stale"] == "true"
    assert "Groundhog-Stale" not in service.before.headers


def test_todays_allocation_is_repeated_without_naming_the_date(service):
    answer = service.get("/allocations/homepage")
    assert (answer.status_code, answer.content) == (200, service.before.content)


def test_an_hour_s_answer_is_repeated_in_the_next_hour_and_marked_stale(server, url):
    clock = SettableClock()
    application = create_app(ServiceSettings(database_url=url, pool_timeout_seconds=2), clock)
    with TestClient(application, raise_server_exceptions=False) as client:
        hourly(client)
        before = client.get("/allocations/e")
        show(client, 10)
        clock.now += dt.timedelta(hours=1)
        server.stop()
        stale = client.get("/allocations/e")
    assert (stale.status_code, stale.content) == (200, before.content)
    assert (stale.headers["ETag"], stale.headers["Groundhog-Stale"]) == (before.headers["ETag"], "true")


def test_a_stale_answer_can_be_revalidated(service):
    headers = {"If-None-Match": service.before.headers["ETag"]}
    answer = service.get("/allocations/homepage?for_date=2026-03-10", headers=headers)
    assert (answer.status_code, answer.headers["Groundhog-Stale"]) == (304, "true")


@pytest.mark.parametrize(
    "path",
    [
        "/allocations/homepage?for_date=2026-03-08",
        "/allocations/homepage?for_date=2026-03-11",
        "/allocations/homepage?for_date=2026-03-10&as_of=now",
        "/allocations/checkout?for_date=2026-03-10",
        "/allocations/nowhere",
    ],
)
def test_what_was_not_served_before_is_503_and_never_another_answer(service, path):
    unavailable(service.get(path))


def test_the_process_is_alive_not_ready_and_its_metrics_say_why(service):
    assert service.get("/livez").json() == {"status": "alive"}
    unavailable(service.get("/readyz"))
    figures = service.get("/metrics")
    assert figures.status_code == 200
    assert "\ngroundhog_database_up 0.0\n" in figures.text
    assert "groundhog_experiments " not in figures.text


def test_a_stale_answer_is_counted_as_one(service):
    count = 'groundhog_allocations_total{source="stale"}'
    before = figure(service, count)
    service.get("/allocations/homepage?for_date=2026-03-10")
    assert figure(service, count) == before + 1


def figure(client, name):
    lines = (line.rpartition(" ") for line in client.get("/metrics").text.splitlines())
    return next((float(value) for found, _, value in lines if found == name), 0.0)


def test_bad_input_is_still_distinguished_from_a_missing_database(service):
    problem(service.post("/metrics/", json=total(impressions=-1)), 422)
    problem(service.get("/nowhere"), 404)


def test_all_recovers_by_itself_as_soon_as_it_is_back(server, url):
    with answered(server) as service:
        server.stop()
        server.start()
        give_up = time.monotonic() + 120  # on whatever machine
        while service.get("/readyz").status_code != 200 and time.monotonic() < give_up:
            time.sleep(0.05)
        rows = [total(date="2026-03-03", variant_id=name) for name in ("control", "bold")]
        assert service.post("/metrics/", json=rows).json()["inserted"] == 2
        answer = service.get("/allocations/homepage?for_date=2026-03-10")
        assert "Groundhog-Stale" not in answer.headers
        assert answer.json()["variants"][0]["impressions"] == 200
        assert "\ngroundhog_database_up 1.0\n" in service.get("/metrics").text


def test_connections_cut_behind_its_back_cost_no_request(url):
    """What a restarted or failed-over server leaves: sockets that are dead, one for each pooled connection."""
    application = create_app(ServiceSettings(database_url=url), SettableClock())
    with TestClient(application, raise_server_exceptions=False) as client:
        client.post("/metrics/", json=total())
        client.get("/allocations/homepage?for_date=2026-03-10")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'groundhog'"
            )
        assert client.post("/metrics/", json=total(successes=13)).json()["updated"] == 1
        answer = client.get("/allocations/homepage?for_date=2026-03-10")
        assert (answer.status_code, answer.json()["variants"][0]["successes"]) == (200, 13)


def test_a_writer_that_waits_too_long_for_a_lock_is_asked_to_try_again(url):
    application = create_app(ServiceSettings(database_url=url, lock_timeout_ms=100), SettableClock())
    with TestClient(application, raise_server_exceptions=False) as client:
        client.post("/metrics/", json=total())
        with psycopg.connect(url.replace("+psycopg", "")) as holder:
            holder.execute("select * from experiment_versions for update")
            unavailable(client.post("/metrics/", json=total(successes=13)))
        assert client.get("/metrics/homepage").json()["items"][0]["successes"] == 12


def test_a_pool_without_a_free_connection_is_503(url):
    application = create_app(
        ServiceSettings(database_url=url, pool_size=1, pool_timeout_seconds=0.1), SettableClock()
    )
    with TestClient(application, raise_server_exceptions=False) as client:
        with application.state.database.transaction() as session:
            session.connection()
            unavailable(client.get("/experiments"))
        assert client.get("/experiments").status_code == 200
