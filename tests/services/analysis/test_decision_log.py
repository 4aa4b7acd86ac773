"""A tracked experiment's own log, replayed: what other policies would have earned from the very units."""

import pytest

from tests.support.fixtures.events import event, send
from tests.support.problems import fields


@pytest.fixture
def played(client, assign):
    """At 75:25, a converts 10 of 60 and b 8 of 20; others that must not be in the log."""
    for variant_id, propensity, units, converting in (("a", 0.75, 60, 10), ("b", 0.25, 20, 8)):
        names = [f"{variant_id}{i}" for i in range(units)]
        assign(variant_id, *names, propensity=propensity)
        send(client, *[event(name, "exposure") for name in names])
        send(client, *[event(name, "value") for name in names[:converting]])
    assign("b", "tester", kind="forced")
    assign("b", "waits")
    assign("b", "cookie", merged_into="b0")


def replay(client, **body):
    return client.post("/simulations/replay", json={"experiment_id": "e", **body})


def test_each_variant_alone_gets_its_own_mean(client, played):
    answer = replay(client, since="2026-03-10", until="2026-03-10")
    assert answer.status_code == 201, answer.text
    even, a, b = (one["estimates"]["snips"]["mean"] for one in answer.json()["policies"])
    assert (a, b) == pytest.approx((10 / 60, 8 / 20), abs=1e-12)
    told = answer.json()["log"]
    assert (told["decisions"], told["arms"], told["mean_value"]) == (80, ["a", "b"], 180 / 80)
    assert even == pytest.approx((10 / 0.75 + 8 / 0.25) / (60 / 0.75 + 20 / 0.25))


def test_days_without_units_are_no_log(client, played):
    assert fields(replay(client, since="2026-03-11"), 422) == ["body.since"]


@pytest.mark.parametrize("wrong", [{"since": "yesterday"}, {"experiment_id": 1}, {"policies": []}])
def test_what_names_no_log_is_rejected(client, wrong):
    assert fields(replay(client, **wrong), 422) == [f"body.{next(iter(wrong))}"]


def test_only_a_tracked_experiment_has_a_log(client):
    assert replay(client).status_code == 404
    total = {"experiment_id": "e", "variant_id": "a", "date": "2026-03-09", "impressions": 1, "successes": 0}
    client.post("/metrics/", json=total)
    assert "has no log of units" in replay(client).json()["detail"]
