"""The hold-out of an experiment whose conversions come late: in no total and no delay, compared as it is."""

import pytest

from tests.support.delay.units import send_all
from tests.support.fixtures.events import create

CURVE = {"kind": "curve", "fractions": [0.25, 0.5, 1]}


@pytest.fixture
def units(client, clock):
    """A tracked experiment with half of 400 units held out, all exposed yesterday; returns who is where."""
    create(client, source="tracked", policy={"kind": "uniform"}, holdout_percent=50)
    names = [f"u{i}" for i in range(400)]
    body = [{"experiment_id": "e", "unit_id": name} for name in names]
    assigned = {item["unit_id"]: item["reason"] for item in client.post("/assignments", json=body).json()}
    send_all(client, "exposure", names)
    clock.pass_days(1)
    return {reason: [name for name in names if assigned[name] == reason] for reason in ("drawn", "holdout")}


def allocation(client):
    return client.get("/allocations/e").raise_for_status().json()


def test_late_conversions_of_the_hold_out_are_no_delay(client, clock, units, query, held_out):
    send_all(client, "conversion", units["drawn"][:20], history=True)
    clock.pass_days(1)
    before = allocation(client), query("select * from received_metrics")
    send_all(client, "conversion", units["holdout"][:50])
    clock.pass_days(1)
    assert query("select * from received_metrics") == before[1]
    assert [row[2:4] for row in held_out()] == [(len(units["holdout"]), 50)]
    after = allocation(client)
    assert (after["variants"], "delay" in after) == (before[0]["variants"], "delay" in before[0])


def test_the_curve_is_that_of_the_units_that_were_drawn(client, clock, units):
    """The hold-out's conversions all come at once, half of the others' a day later: F(0) = 11 / 21."""
    send_all(client, "conversion", units["drawn"][:10])
    clock.pass_days(1)
    send_all(client, "conversion", units["drawn"][10:20])
    send_all(client, "conversion", units["holdout"][:80])
    clock.pass_days(1)
    found = client.get("/experiments/e/delay").json()
    assert found["estimate"]["came"] == [0, 10, 10]
    assert found["curve"] == pytest.approx([1 / 21, 11 / 21, 1])


def test_units_of_the_hold_out_are_not_among_those_whose_conversions_are_coming(client, units):
    """Known through the day of exposure: a quarter has come."""
    client.patch("/experiments/e", json={"delay": CURVE}).raise_for_status()
    found = client.get("/experiments/e/estimates").json()
    drawn = len(units["drawn"])
    assert found["immature"] == {"since": "2026-03-10", "units": drawn, "matured": 0.25}
    assert found["holdout"]["units"] == 400 - drawn


def test_the_lift_compares_conversions_that_have_come_alike(client, clock, units):
    client.patch("/experiments/e", json={"delay": CURVE}).raise_for_status()
    send_all(client, "conversion", units["drawn"][:30])
    send_all(client, "conversion", units["holdout"][:20])
    found = client.get("/experiments/e/estimates").json()["holdout"]
    drawn, kept_out = 30 / len(units["drawn"]), 20 / len(units["holdout"])
    assert (found["bandit_mean"], found["mean"]) == pytest.approx((drawn, kept_out))
    assert found["lift"] == pytest.approx(drawn - kept_out)


def test_the_comparison_is_of_the_units_that_were_drawn_as_far_as_they_count(client, clock, units):
    client.patch("/experiments/e", json={"delay": CURVE}).raise_for_status()
    send_all(client, "conversion", units["drawn"][:30])
    clock.pass_days(1)
    before = client.get("/experiments/e/comparison").json()
    send_all(client, "conversion", units["holdout"])
    clock.pass_days(0.1)
    assert client.get("/experiments/e/comparison").json() == before
    shown = {row["variant_id"]: row for row in allocation(client)["variants"]}
    assert before["variants"][0]["difference"] == pytest.approx(shown["b"]["mean"] - shown["a"]["mean"])
    assert sum(row["matured"] for row in shown.values()) == 1
