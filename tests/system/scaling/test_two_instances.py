"""Two instances behind a proxy keep nothing of their own: whichever answers, it answers the same."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from app.cli.main import commands
from app.storage import migrate
from tests.support.databases import fresh_database
from tests.support.service_process import get
from tests.support.totals import small_total as total
from tests.system.scaling.front import HAPROXY, Front, running_haproxy, running_instances

KEYS_KEPT = 0.2
LARGE = {"emails": 10_000, "replications": 1000, "days": 10}
SMALLER = {**LARGE, "replications": 4}
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture(scope="module")
def shared_url(server_url):
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture(scope="module")
def instances(shared_url):
    settings = {"DATABASE_URL": shared_url, "GROUNDHOG_KEY_CACHE_SECONDS": str(KEYS_KEPT)}
    with running_instances(2, **settings) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def front(instances):
    """One client of both, through haproxy; where that is missing, it takes turns by itself."""
    with ExitStack() as opened:
        addresses = instances
        if HAPROXY is not None:
            address, _ = opened.enter_context(running_haproxy(instances))
            addresses = [address]
        yield opened.enter_context(closing(Front(addresses)))


@pytest.fixture
def experiment_id():
    """An experiment of the test's own."""
    return f"e{uuid4().hex}"


@pytest.fixture
def both(instances):
    """A client of each."""
    with ExitStack() as opened:
        yield [opened.enter_context(closing(Front([address]))) for address in instances]


def together(work, number):
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(work, range(number)))


def test_both_are_asked(front, instances):
    before = [count_of_requests(address) for address in instances]
    for _ in range(10):
        assert front.get("/experiments").status_code == 200
    after = [count_of_requests(address) for address in instances]
    assert [b - a for a, b in zip(before, after, strict=True)] == [5, 5]


def count_of_requests(address):
    name = 'groundhog_http_requests_total{method="GET",route="/experiments",status="200"} '
    lines = get(f"{address}/metrics").decode().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_units_stay_on_their_variants(front, experiment_id):
    variants = [{"variant_id": name} for name in ("control", "a", "b")]
    front.post("/experiments", {"experiment_id": experiment_id, "source": "tracked", "variants": variants})

    def assign(number):
        unit = {"experiment_id": experiment_id, "unit_id": f"u{number % 20}"}
        assigned = front.post("/assignments", unit).json()
        return assigned["unit_id"], assigned["variant_id"], assigned["new"]

    found = together(assign, 120)
    assert len({(unit, variant) for unit, variant, _ in found}) == 20
    assert sum(new for *_, new in found) == 20


def test_a_request_that_is_sent_again_is_carried_out_once(front, experiment_id):
    rows = [total(experiment_id=experiment_id), total(experiment_id=experiment_id, variant_id="bold")]
    headers = {"Idempotency-Key": experiment_id}
    answers = together(lambda _: front.post("/metrics/", rows, headers=headers), 16)
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["inserted"] == 2
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 15


def test_what_one_stored_the_other_answers_by(front, experiment_id):
    front.post("/metrics/", total(experiment_id=experiment_id, variant_id="control"))
    bodies = set()
    for successes in range(10, 20):
        front.post("/metrics/", total(experiment_id=experiment_id, variant_id="bold", successes=successes))
        answers = {front.get(f"/allocations/{experiment_id}").text for _ in range(4)}
        assert len(answers) == 1
        bodies |= answers
    assert len(bodies) == 10


def test_a_simulation_of_one_is_followed_and_cancelled_at_the_other(both):
    one, other = both
    path = one.post("/simulations/email", LARGE, headers=ASYNC).headers["Location"]
    events = other.lines(f"{path}/events")
    assert any(line == "event: running" for line in events)
    assert other.request("DELETE", path).json()["state"] == "cancelled"
    assert one.get(path).json()["state"] == "cancelled"
    assert "event: cancelled" in list(events)


def test_a_simulation_tells_how_far_it_is_until_its_end_wherever_one_asks(front):
    path = front.post("/simulations/email", SMALLER, headers=ASYNC).headers["Location"]
    events = [json.loads(line[6:]) for line in front.lines(f"{path}/events") if line.startswith("data: ")]
    done = [event["done"] for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1]["total"]
    assert {front.get(path).text for _ in range(4)} == {front.get(path).text}


def wait_for(both, status, headers=None):
    """Wait until both have read the keys anew, and answer with a status."""
    give_up = time.monotonic() + 120
    while [one.get("/experiments", headers=headers).status_code for one in both] != [status, status]:
        assert time.monotonic() < give_up, f"they never answered with {status}"
        time.sleep(KEYS_KEPT / 2)


def test_a_key_is_known_to_both_at_once_and_revoked_at_both_in_time(both, shared_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", shared_url)

    def groundhog(*words):
        return CliRunner().invoke(commands, ["keys", *words])

    try:
        headers = {"X-API-Key": groundhog("create", "a team", "--scope", "read").stdout.strip()}
        wait_for(both, 401)
        assert [one.get("/experiments", headers=headers).status_code for one in both] == [200, 200]
        groundhog("revoke", headers["X-API-Key"].split("_")[1])
        wait_for(both, 401, headers)
    finally:
        with psycopg.connect(shared_url, autocommit=True) as connection:
            connection.execute("truncate api_keys")
        wait_for(both, 200)
