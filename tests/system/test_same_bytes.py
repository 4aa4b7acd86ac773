"""Same data, same bytes: on processors whose logarithms and exponentials differ in their last digits, too."""

import datetime as dt
import json
import subprocess
import sys

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from app.storage import migrate
from tests.support import ROOT
from tests.support.databases import fresh_database
from tests.support.processors import SWITCHED_OFF, environment

pytestmark = pytest.mark.system

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
TODAY = "2026-03-10"
VALUE = {"objective": "value", "currency": "EUR"}
EXPERIMENTS = {
    "homepage_test": {},
    "top_two": {"policy": {"kind": "top_two_thompson"}, "min_share": 5},
    "ucb": {"policy": {"kind": "ucb1"}},
    "greedy": {"policy": {"kind": "epsilon_greedy"}, "prior": {"a": 0.5, "b": 20}},
    "fading": {"half_life_days": 2.5},
    "window": {"window_days": 2, "stop": {"rule": "expected_loss"}},
    "good_days": {"adjust": "day", "stop": {"rule": "p_best"}},
    "worth": {**VALUE, "policy": {"kind": "value_thompson"}},
    "worth_greedily": {**VALUE, "policy": {"kind": "value_epsilon_greedy"}},
    "skewed": {"traffic": "per_request"},
}
VARIANTS = {"control": (1000, 120), "bold": (1000, 150), "new": (40, 6), "large": (2_000_000, 291_000)}
"""Impressions and successes of the first day; the others have some more."""


def totals(experiment_id):
    by_value = EXPERIMENTS[experiment_id].get("objective") == "value"
    for day in range(1, 9):
        for place, (name, (impressions, successes)) in enumerate(VARIANTS.items()):
            converted = successes + (day * (7 + place)) % 11
            money = {"revenue": 17.25 * converted + day, "revenue_sq": 450.5 * converted}
            yield {
                "experiment_id": experiment_id,
                "variant_id": name,
                "date": f"2026-03-0{day}",
                "impressions": impressions + 13 * day * (1 + place),
                "successes": converted,
                **(money if by_value else {}),
            }


def fill(client):
    for experiment_id, settings in EXPERIMENTS.items():
        variants = [{"variant_id": name} for name in VARIANTS]
        body = {"experiment_id": experiment_id, "variants": variants, **settings}
        client.post("/experiments", json=body).raise_for_status()
        client.post("/metrics/", json=list(totals(experiment_id))).raise_for_status()
    body = {"experiment_id": "tracked", "source": "tracked", "holdout_percent": 20, "variants": variants}
    client.post("/experiments", json=body).raise_for_status()
    units = [{"experiment_id": "tracked", "unit_id": f"u{n}"} for n in range(400)]
    client.post("/assignments", json=units).raise_for_status()
    events = [
        {**unit, "event_id": f"{n}-{kind}", "type": kind}
        for n, unit in enumerate(units)
        for kind in (("exposure", "conversion") if n % 7 < 2 else ("exposure",))
    ]
    client.post("/events", json=events).raise_for_status()


PATHS = [
    *(f"/allocations/{name}?for_date={TODAY}&as_of=now" for name in (*EXPERIMENTS, "tracked")),
    *(f"/experiments/{name}/comparison?for_date={TODAY}" for name in EXPERIMENTS),
    *(f"/experiments/{name}/gain?for_date={TODAY}" for name in EXPERIMENTS),
    *(f"/experiments/{name}/posterior?for_date={TODAY}" for name in ("homepage_test", "fading", "greedy")),
    *(f"/metrics/{name}?for_date={TODAY}&limit=1" for name in ("fading", "good_days")),
    "/experiments/tracked/estimates",
]


@pytest.fixture(scope="module")
def filled_url(server_url):
    """A database with all experiments."""
    with fresh_database(server_url) as url:
        migrate.upgrade(url)
        with TestClient(create_app(ServiceSettings(database_url=url), lambda: NOW)) as client:
            fill(client)
        yield url


@pytest.fixture(scope="module")
def read(filled_url):
    """Return a reader of all answers in a process that does without some features; each is asked once."""
    seen = {}

    def read(without):
        if without not in seen:
            command = [sys.executable, "-m", "tests.system.read_answers", filled_url, NOW.isoformat(), *PATHS]
            variables = environment(without)
            said = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
            assert said.returncode == 0, said.stderr[-5_000:]
            seen[without] = json.loads(said.stdout)
        return seen[without]

    return read


@pytest.mark.parametrize("without", [name for name in SWITCHED_OFF if name != "nothing"])
def test_other_processors_give_the_same_bytes_and_etags(read, without):
    elsewhere, here = read(without), read("nothing")
    assert {path: elsewhere[path] for path in PATHS} == {path: here[path] for path in PATHS}
