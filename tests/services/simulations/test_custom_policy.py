"""A policy of another package: installed, raced, and put in charge of a live experiment."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from app.bandits.policies import plugins
from app.bandits.policies.registry import POLICIES
from app.bandits.policies.thompson import ThompsonSampling
from app.errors import Invalid
from tests.support import ROOT

pytestmark = pytest.mark.system

EXPERIMENT = """
import json, sys
from datetime import UTC, datetime
from fastapi.testclient import TestClient
from app.main import create_app
from app.settings import ServiceSettings
from tests.support import ROOT

clock = lambda: datetime(2026, 3, 10, 12, tzinfo=UTC)
with TestClient(create_app(ServiceSettings(database_url=sys.argv[1]), clock)) as client:
    policy = {"kind": "softmax", "temperature": 0.05}
    client.post("/experiments", json={"experiment_id": "live", "policy": policy})
    day = {"experiment_id": "live", "date": "2026-03-09", "impressions": 98}
    client.post("/metrics/", json=[
        day | {"variant_id": "a", "successes": 9}, day | {"variant_id": "b", "successes": 19}])
    race = client.post("/simulations/email", json={
        "emails": 300, "days": 3, "replications": 2, "policies": [policy]})
    print(json.dumps([
        client.get("/allocations/live").json(),
        race.json(),
        [one["kind"] for one in client.get("/policies").json()["items"]],
        client.get("/openapi.json").json()["components"]["schemas"]["Policy"]["properties"]["kind"]["enum"],
    ]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment of a process that has the example's package on its path."""
    place, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "package"
    subprocess.run(["cp", "-r", ROOT / "examples" / "softmax-policy", source], check=True)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", place]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, source], check=True)
    return {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}"}


def said(installed, *arguments):
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scenario", ["email", "clv"])
def test_an_installed_policy_races_by_its_name(installed, scenario):
    size = {"email": ["--emails=300", "--days=3"], "clv": ["--customers=2000", "--days=10"]}[scenario]
    race = ["--policy=softmax:temperature=0.1", "--policy=uniform", "--replications=2", "--json"]
    told = said(installed, "-m", "app", "simulate", scenario, *size, *race)
    assert told["request"]["policies"][0] == {"kind": "softmax", "temperature": 0.1}
    assert [played["policy"]["kind"] for played in told["policies"]] == ["softmax", "uniform"]


def test_an_installed_policy_decides_a_live_experiment(installed, database_url):
    allocation, raced, kinds, described = said(installed, "-c", EXPERIMENT, database_url)
    assert allocation["policy"] == {"kind": "softmax", "temperature": 0.05}
    weight = 2.718281828459045 ** ((0.20 - 0.10) / 0.05)  # posterior means 20/100 and 10/100
    assert allocation["allocations"]["b"] == pytest.approx(100 * weight / (1 + weight), abs=1e-4)
    assert raced["fault"] is None
    assert raced["policies"][0]["policy"]["kind"] == "softmax"
    assert "softmax" in kinds
    assert "softmax" in described


def test_an_experiment_whose_policy_was_removed_says_so(client, monkeypatch):
    monkeypatch.setitem(POLICIES, "gone", POLICIES["uniform"])
    client.post("/experiments", json={"experiment_id": "live", "policy": {"kind": "gone"}})
    monkeypatch.delitem(POLICIES, "gone")
    for path in ("/allocations/live", "/experiments/live"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "has the policy 'gone' of a package that is not installed" in answer.json()["detail"]


class NoPolicy:
    """Neither a dataclass nor with shares."""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mine", "tests.nowhere:Policy", "No module named"),
        ("mine", "tests.services.simulations.test_custom_policy:Missing", "Missing"),
        ("mine", f"{__name__}:NoPolicy", "a policy is a dataclass"),
        ("thompson", "app.bandits.policies.uniform:Uniform", "there is another policy 'thompson'"),
        ("My Policy", "app.bandits.policies.uniform:Uniform", "no name in lower case"),
    ],
)
def test_what_is_no_policy_stops_the_start_with_its_reason(monkeypatch, name, value, message):
    monkeypatch.setattr(plugins, "entry_points", lambda group: [EntryPoint(name, value, group)])
    with pytest.raises(Invalid, match=message):
        plugins.load_plugins()
    assert POLICIES["thompson"] is ThompsonSampling
