"""What operators see: Prometheus figures, request ids, JSON log lines."""

import asyncio
import json
import logging
import re
from uuid import uuid4

import psycopg
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY

from app.api.problem_details import respond_shutting_down, respond_unexpected_error
from app.observability.logs import JsonFormatter
from app.observability.middleware import RequestMetricsMiddleware
from app.services.prometheus import PrometheusExporter
from app.settings import ServiceSettings
from tests.support.problems import problem
from tests.support.totals import small_total as total

HOMEPAGE = 'experiment="homepage"'


def figures(client):
    """Every figure there is, by its name and labels."""
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def added(client, name, act):
    """How much a figure grew while something was done."""
    before = figures(client).get(name, 0)
    act()
    return figures(client).get(name, 0) - before


def requests(method, route, status):
    return f'groundhog_http_requests_total{{method="{method}",route="{route}",status="{status}"}}'


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/metrics/homepage", "/metrics/{experiment_id}", 404),
        ("GET", "/allocations/homepage?for_date=0", "/allocations/{experiment_id}", 422),
        ("GET", "/allocations/homepage/history", "/allocations/{experiment_id}/history", 404),
        ("DELETE", "/experiments/a/variants/b", "/experiments/{experiment_id}/variants/{variant_id}", 404),
        ("DELETE", "/metrics/a/b/2026-03-01", "/metrics/{experiment_id}/{variant_id}/{date}", 404),
        ("POST", "/metrics", "/metrics", 422),
        ("POST", "/metrics/", "/metrics/", 422),
        ("POST", "/metrics/bulk", "/metrics/bulk", 415),
        ("PUT", "/experiments", "/experiments", 405),
        ("GET", "/livez", "/livez", 200),
        ("GET", "/", "/", 200),
        ("GET", "/static/api-docs.css", "/static/{path}", 200),
        ("GET", "/static/api/nowhere.js", "/static/{path}", 404),
        ("GET", "/nowhere/123", "unmatched", 404),
        ("GET", "/experiments/a/b/c", "unmatched", 404),
        ("GET", "/metrics/a%2Fb/", "unmatched", 404),
    ],
)
def test_a_request_is_counted_under_its_routes_template(client, method, path, route, status):
    assert added(client, requests(method, route, status), lambda: client.request(method, path)) == 1


def test_a_made_up_method_makes_up_no_time_series(client):
    name = uuid4().hex[:8].upper()
    client.request(name, "/experiments")
    assert name not in client.get("/metrics").text
    assert 'method="other"' in client.get("/metrics").text


def test_made_up_paths_share_one_time_series(client):
    name = uuid4().hex
    for path in (f"/{name}", f"/static/{name}", f"/metrics/{name}", f"/experiments/{name}/variants"):
        client.get(path)
    assert name not in client.get("/metrics").text


def test_durations_are_measured_by_route(client):
    name = 'groundhog_http_request_duration_seconds_count{method="GET",route="/livez"}'
    assert added(client, name, lambda: client.get("/livez")) == 1
    slow = 'groundhog_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/livez"}'
    assert figures(client)[slow] == figures(client)[name]


def rows(outcome):
    return f'groundhog_daily_metrics_rows_total{{outcome="{outcome}"}}'


@pytest.mark.parametrize(
    ("again", "outcome"),
    [(total(), "unchanged"), (total(successes=13), "updated"), (total(variant_id="b"), "inserted")],
)
def test_rows_are_counted_by_what_became_of_them(client, again, outcome):
    client.post("/metrics/", json=total())
    assert added(client, rows(outcome), lambda: client.post("/metrics/", json=[again])) == 1


def test_rows_of_rejected_and_of_replayed_requests_are_not_counted_as_stored(client):
    key = {"Idempotency-Key": uuid4().hex}
    client.post("/metrics/", json=total(), headers=key)
    again = [total(variant_id="b"), total(impressions=1)]
    assert added(client, rows("inserted"), lambda: client.post("/metrics/", json=again)) == 0
    assert added(client, rows("inserted"), lambda: client.post("/metrics/", json=total(), headers=key)) == 0


@pytest.mark.parametrize(("outcome", "number"), [("inserted", 1), ("superseded", 2), ("rejected", 1)])
def test_rows_of_an_upload_are_counted_by_what_became_of_them(client, outcome, number):
    lines = [total(), total(successes=1), total(successes=2), total(successes=101)]
    body = "\n".join(map(json.dumps, lines))
    sent = {"Content-Type": "application/x-ndjson"}
    post = lambda: client.post("/metrics/bulk?mode=partial", content=body, headers=sent)  # noqa: E731
    assert added(client, rows(outcome), post) == number


def allocations(source):
    return f'groundhog_allocations_total{{source="{source}"}}'


def test_allocations_are_counted_as_computed_and_then_as_served_from_memory(client):
    client.post("/metrics/", json=total())
    read = lambda: client.get("/allocations/homepage?for_date=2026-03-09")  # noqa: E731
    assert added(client, allocations("computed"), read) == 1
    assert added(client, allocations("cache"), read) == 1
    assert added(client, "groundhog_allocation_compute_seconds_count", read) == 0


def test_revisions_are_counted_when_they_are_recorded(client):
    client.post("/metrics/", json=total())
    read = lambda: client.get("/allocations/homepage?for_date=2026-03-10")  # noqa: E731
    assert added(client, "groundhog_allocation_revisions_total", read) == 1
    assert added(client, "groundhog_allocation_revisions_total", read) == 0


def test_the_age_of_the_newest_day_is_counted_from_its_end(client):
    client.post("/metrics/", json=[total(date="2026-03-01"), total(date="2026-03-07")])
    age = figures(client)[f"groundhog_daily_metrics_age_seconds{{{HOMEPAGE}}}"]
    assert age == 2.5 * 86_400  # 8 March 00:00 to 10 March 12:00


def test_shares_p_best_and_gates_are_those_of_the_newest_recorded_allocation(client):
    client.post(
        "/metrics/",
        json=[total(), total(variant_id="bold"), total(variant_id="new", impressions=0, successes=0)],
    )
    answer = client.get("/allocations/homepage?for_date=2026-03-10").json()
    shown = figures(client)
    for variant in answer["variants"]:
        labels = f'{{{HOMEPAGE},variant="{variant["variant_id"]}"}}'
        assert shown[f"groundhog_variant_share_ratio{labels}"] == pytest.approx(variant["share"] / 100)
        assert shown.get(f"groundhog_variant_p_best_ratio{labels}") == variant["p_best"]
    held = {gate["gate"] for gate in answer["gates"]}
    assert "burn_in" in held
    assert {name for name in shown if name.startswith(f"groundhog_gate_active{{{HOMEPAGE}")} == {
        f'groundhog_gate_active{{{HOMEPAGE},gate="{gate}"}}' for gate in held
    }


@pytest.mark.parametrize("limit", [0, 2])
def test_experiments_beyond_the_configured_number_are_counted_and_not_shown(make_client, limit):
    client = make_client(metrics_max_experiments=limit)
    client.post("/metrics/", json=[total(experiment_id=name) for name in "abc"])
    for name in "abc":
        client.get(f"/allocations/{name}")
    shown = figures(client)
    assert shown["groundhog_experiments"] == 3
    assert len([name for name in shown if name.startswith("groundhog_variant_share_ratio")]) == limit
    assert len([name for name in shown if name.startswith("groundhog_daily_metrics_age")]) == limit


def test_variants_beyond_the_configured_number_are_counted_by_experiment_and_not_shown(make_client):
    client = make_client(metrics_max_variants=5)
    for name in "abc":
        client.post(
            "/metrics/", json=[total(experiment_id=name, variant_id=f"v{number}") for number in range(3)]
        )
        client.get(f"/allocations/{name}")
    shown = figures(client)
    assert len([name for name in shown if name.startswith("groundhog_variant_share_ratio")]) == 5
    assert len([name for name in shown if name.startswith("groundhog_variant_p_best_ratio")]) == 5
    omitted = [shown[f'groundhog_variants_omitted{{experiment="{name}"}}'] for name in "abc"]
    assert omitted == [0, 1, 3]


def test_the_use_of_the_pool_is_shown(make_client):
    client = make_client(pool_size=3)
    with client.app.state.database.transaction() as session:
        session.connection()
        shown = figures(client)
    assert shown["groundhog_database_pool_size"] == 3
    assert shown["groundhog_database_pool_connections_in_use"] >= 1
    assert shown["groundhog_database_up"] == 1


def test_a_process_tells_of_its_pool_before_it_is_asked(make_client):
    """Prometheus asks one of several workers, which adds up what all of them have told."""
    client = make_client(pool_size=7)
    told = [
        REGISTRY.get_sample_value(f"groundhog_database_pool_{name}")
        for name in ("size", "connections_in_use")
    ]
    with client.app.state.database.transaction() as session:
        session.connection()
        told.append(REGISTRY.get_sample_value("groundhog_database_pool_connections_in_use"))
    assert told == [7, 0, 1]


def test_metrics_are_shown_while_requests_use_every_connection(make_client):
    client = make_client(pool_size=1)
    with client.app.state.database.transaction() as session:
        session.connection()
        shown = figures(client)
    assert shown["groundhog_database_pool_connections_in_use"] == 1
    assert shown["groundhog_database_up"] == 1
    assert figures(client)["groundhog_database_pool_connections_in_use"] == 0


def test_metrics_are_shown_when_the_database_does_not_answer(make_client, database_url, monkeypatch):
    monkeypatch.setattr("app.services.prometheus.TIMEOUT_SECONDS", 0.2)
    client = make_client()
    with psycopg.connect(database_url) as holding:
        holding.execute("lock table experiments in access exclusive mode")
        away = figures(client)
    assert away["groundhog_database_up"] == 0
    assert away["groundhog_database_pool_size"] > 0
    assert "groundhog_experiments" not in away
    assert figures(client)["groundhog_database_up"] == 1


def test_an_archived_experiment_is_counted_and_raises_no_alert_any_more(client):
    client.post("/metrics/", json=[total(), total(experiment_id="other")])
    client.get("/allocations/homepage")
    client.patch("/experiments/homepage", json={"state": "archived"})
    shown = figures(client)
    assert shown["groundhog_experiments"] == 2
    assert [name for name in shown if HOMEPAGE in name] == []
    client.patch("/experiments/homepage", json={"state": "running"})
    assert any(HOMEPAGE in name for name in figures(client))


def test_both_spellings_of_the_path_show_the_metrics_and_the_type_is_prometheus_own(client):
    for path in ("/metrics", "/metrics/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
        assert "# TYPE groundhog_http_requests_total counter" in answer.text


def test_every_metric_of_the_service_is_explained(client):
    client.get("/livez")
    text = client.get("/metrics").text
    ours = set(re.findall(r"^# TYPE (groundhog_\w+) ", text, re.MULTILINE))
    assert ours == set(re.findall(r"^# HELP (groundhog_\w+) \S", text, re.MULTILINE))


@pytest.mark.parametrize("given", ["a", "build-17.step_3", "0" * 64])
def test_a_fitting_request_id_is_taken_over(client, given):
    assert client.get("/livez", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "<script>", "\xe9", "{}"])
def test_any_other_request_id_is_replaced(client, given):
    answer = client.get("/livez", headers={b"X-Request-ID": given.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_every_request_gets_an_id_of_its_own(client):
    assert len({client.get("/livez").headers["X-Request-ID"] for _ in range(10)}) == 10


@pytest.fixture
def broken(client):
    """A service one of whose routes has a defect."""
    router = APIRouter()

    @router.get("/broken/{number}")
    def divide(number: int) -> float:
        return 1 / number

    client.app.include_router(router)
    return client


def test_a_defect_of_ours_is_a_500_with_a_request_id_and_without_its_cause(broken):
    answer = broken.get("/broken/0", headers={"X-Request-ID": "abc"})
    assert problem(answer, 500) == []
    assert answer.headers.get_list("X-Request-ID") == ["abc"]
    assert "division" not in answer.text


def test_a_defect_of_ours_is_counted_under_its_route(broken):
    assert added(broken, requests("GET", "/broken/{number}", 500), lambda: broken.get("/broken/0")) == 1


@pytest.mark.parametrize("path", ["/metrics/", "/ofrep/v1/evaluate/flags/homepage"])
def test_a_request_that_a_stop_gives_up_is_a_503(path):
    """Uvicorn cancels what is not answered after GROUNDHOG_SHUTDOWN_SECONDS."""

    async def cancelled(*_):
        raise asyncio.CancelledError

    told = []

    async def tell(message):
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    asyncio.run(
        RequestMetricsMiddleware(cancelled, respond_shutting_down, respond_unexpected_error)(
            scope, cancelled, tell
        )
    )
    head, body = told
    assert (head["status"], dict(head["headers"])[b"retry-after"]) == (503, b"1")
    assert b"sending it again is safe" in body["body"]


@pytest.fixture
def log_lines(caplog):
    """The JSON log lines so far, as the service's own formatter writes them at the time of the record."""
    lines = []

    class Collector(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    collector = Collector()
    collector.setFormatter(JsonFormatter())
    logging.getLogger("groundhog").addHandler(collector)
    caplog.set_level(logging.DEBUG, "groundhog")
    yield lines
    logging.getLogger("groundhog").removeHandler(collector)


def test_a_log_line_is_json_and_carries_the_request_id(client, log_lines):
    client.post("/metrics/", json=total(), headers={"X-Request-ID": "abc"})
    line = log_lines[-1]
    assert (line["request_id"], line["method"], line["path"], line["status"]) == (
        "abc",
        "POST",
        "/metrics/",
        200,
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert {"level", "logger", "message", "ms"} <= line.keys()


def test_a_line_break_in_a_path_does_not_forge_a_log_line(client, log_lines):
    client.get("/experiments/a%0A%7B%22level%22:%22error%22%7D")
    assert log_lines[-1]["path"] == '/experiments/a\n{"level":"error"}'
    assert "\n" not in json.dumps(log_lines[-1])


def test_the_log_of_a_defect_is_found_by_its_request_id(broken, log_lines):
    broken.get("/broken/0", headers={"X-Request-ID": "abc"})
    levels = {line["level"] for line in log_lines if line["request_id"] == "abc"}
    assert "error" in levels


def test_a_log_line_outside_any_request_has_no_id():
    record = logging.LogRecord("groundhog", logging.INFO, "", 1, "started %s", ("now",), None)
    line = json.loads(JsonFormatter().format(record))
    assert (line["request_id"], line["message"], line["level"]) == ("-", "started now", "info")


def test_an_application_that_ends_leaves_nothing_on_a_pool_that_goes_on(pooled_database):
    exporter = PrometheusExporter(pooled_database, ServiceSettings())
    with pooled_database.transaction() as session:
        session.connection()
        assert REGISTRY.get_sample_value("groundhog_database_pool_connections_in_use") == 1
    for _ in range(2):
        asyncio.run(exporter.close())
    with pooled_database.transaction() as session:
        session.connection()
        assert REGISTRY.get_sample_value("groundhog_database_pool_connections_in_use") == 0
