"""The Grafana dashboard and the alert rules query series that a real Prometheus has of a real service."""

import datetime as dt
import json
import shutil
import subprocess
import time
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.databases import fresh_database
from tests.support.service_process import get, post, running_service

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/groundhog.json").read_text())
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']}, {target['legendFormat']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]
WITHOUT_QUERY = {"row", "text"}
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="there is no prometheus here (Debian: apt install prometheus)",
    ),
]


def test_every_alert_fires_on_its_cause_and_on_nothing_less():
    done = subprocess.run(
        ["promtool", "test", "rules", DEPLOY / "prometheus/alerts_test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested():
    tested = (DEPLOY / "prometheus/alerts_test.yml").read_text()
    names = [
        line.split()[-1]
        for line in (DEPLOY / "prometheus/alerts.yml").read_text().splitlines()
        if "- alert:" in line
    ]
    assert names
    assert [name for name in names if f"alertname: {name}" not in tested] == []


@pytest.fixture(scope="module")
def scraped(server_url, tmp_path_factory):
    """The address of a Prometheus that has scraped a service with an experiment that has an active gate."""
    with fresh_database(server_url) as url, running_service(url) as service:
        _use(service.address)
        with _prometheus(service.address, tmp_path_factory.mktemp("prometheus")) as prometheus:
            _wait_for_samples(prometheus, 3)
            yield prometheus


def _use(address):
    yesterday = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
    total = {"experiment_id": "watched", "date": yesterday, "impressions": 1000}
    totals = [total | {"variant_id": "a", "successes": 30}, total | {"variant_id": "b", "successes": 40}]
    post(f"{address}/metrics", totals)
    post(f"{address}/experiments/watched/variants", {"variant_id": "c"})  # in burn-in: a gate is active
    get(f"{address}/allocations/watched")
    event = {"experiment_id": "tracked", "unit_id": "u", "event_id": "seen", "type": "exposure"}
    post(
        f"{address}/experiments",
        {"experiment_id": "tracked", "variants": [{"variant_id": "a"}, {"variant_id": "b"}]},
    )
    post(f"{address}/assignments", {"experiment_id": "tracked", "unit_id": "u"})
    post(f"{address}/events", [event])


@contextmanager
def _prometheus(address, folder):
    """Run Prometheus on a free port of the loopback with the alert rules, scraping twice a second."""
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 1s}\n"
        f"rule_files: [{DEPLOY / 'prometheus/alerts.yml'}]\n"
        "scrape_configs:\n"
        "  - job_name: groundhog\n"
        f"    static_configs: [{{targets: ['{address.removeprefix('http://')}']}}]\n"
    )
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += ["--web.listen-address=127.0.0.1:0", "--log.level=info"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            prometheus = f"http://{_address_in(process.stderr)}"
            _wait_until_answered(f"{prometheus}/-/ready")
            yield prometheus
        finally:
            process.terminate()
            process.stderr.read()


def _address_in(log):
    for line in log:
        if 'msg="Listening on"' in line:
            return line.split("address=")[1].split()[0]
    raise AssertionError("Prometheus ended before it listened")


def _wait_until_answered(url):
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        try:
            get(url)
        except OSError:  # it listens before it is ready, and says 503
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} did not answer in time")


def _ask(prometheus, query):
    answer = json.loads(get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def _wait_for_samples(prometheus, least):
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        counted = _ask(prometheus, "max(count_over_time(groundhog_experiments[1m]))")
        if counted and float(counted[0]["value"][1]) >= least:
            return
        time.sleep(0.1)
    raise TimeoutError("Prometheus has not scraped the service")


def test_every_panel_has_a_query_that_is_tested():
    drawing = [panel for panel in DASHBOARD["panels"] if panel["type"] not in WITHOUT_QUERY]
    assert [panel["title"] for panel in drawing if not panel.get("targets")] == []
    assert [
        panel["title"] for panel in DASHBOARD["panels"] if panel.get("panels")
    ] == []  # none hidden in a row
    assert len(QUERIES) >= len(drawing) > 0


@pytest.mark.parametrize("query", QUERIES)
def test_every_panel_has_data(scraped, query):
    query = query.replace("$__rate_interval", "30s").replace("$experiment", "watched")
    assert _ask(scraped, query) != [], query


def test_the_rules_are_loaded_and_evaluate(scraped):
    groups = json.loads(get(f"{scraped}/api/v1/rules"))["data"]["groups"]
    assert [rule["health"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
    assert sum(len(group["rules"]) for group in groups) == 10


def test_the_list_of_experiments_comes_from_an_existing_series(scraped):
    query = DASHBOARD["templating"]["list"][0]["query"]["query"]
    series = query.removeprefix("label_values(").partition(",")[0]
    assert {found["metric"]["experiment"] for found in _ask(scraped, series)} == {"tracked", "watched"}
