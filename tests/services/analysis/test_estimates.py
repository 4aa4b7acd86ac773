"""Estimates from units: worked by hand, and beside what a small campaign really was."""

import json

import numpy as np
import psycopg
import pytest

from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import (
    adaptive_differences,
    adaptive_means,
    naive_means,
    stratified_means,
)
from tests.support.fixtures.events import create, event, send

SPLIT = """insert into splits (experiment_id, split, for_date, revision, shares, settings_version, frozen_at)
           values ('e', %s, '2026-03-09', 'r', %s, 1, '2026-03-09')"""


@pytest.fixture
def freeze(database_url):
    """Return a way to put splits there, numbered from 1: percent by variant."""

    def put(*shares):
        with psycopg.connect(database_url) as connection:
            for number, percent in enumerate(shares, start=1):
                connection.execute(SPLIT, [number, json.dumps(percent)])

    return put


def estimates(client, status=200):
    answer = client.get("/experiments/e/estimates")
    assert answer.status_code == status, answer.text
    return answer.json()


def of(found, variant_id):
    return next(variant for variant in found["variants"] if variant["variant_id"] == variant_id)


def play(client, assign, variant_id, split, propensity, units, converting):
    """Expose some units of a split and let the first of them convert."""
    names = [f"{variant_id}{split}-{i}" for i in range(units)]
    assign(variant_id, *names, split=split, propensity=propensity)
    send(client, *[event(name, "exposure") for name in names])
    send(client, *[event(name, "conversion") for name in names[:converting]])


def test_the_better_day_with_other_shares_is_divided_out(client, assign, freeze):
    """Both convert at 10 % on day 1 and at 30 % on day 2, split 50:50 and 10:90: both means are 20 %."""
    freeze({"a": 50, "b": 50}, {"a": 10, "b": 90})
    for split, (variant_id, propensity, units, converting) in [
        (1, ("a", 0.5, 50, 5)), (1, ("b", 0.5, 50, 5)), (2, ("a", 0.1, 10, 3)), (2, ("b", 0.9, 90, 27)),
    ]:  # fmt: skip
        play(client, assign, variant_id, split, propensity, units, converting)
    found = estimates(client)
    naive = [variant["naive"]["mean"] for variant in found["variants"]]
    assert naive == pytest.approx([8 / 60, 32 / 140])
    assert [variant["stratified"]["mean"] for variant in found["variants"]] == pytest.approx([0.2, 0.2])
    assert of(found, "b")["difference"]["mean"] == pytest.approx(0, abs=1e-12)
    assert (found["control"], of(found, "a")["difference"], found["splits"]) == ("a", None, 2)


def test_the_answer_carries_what_the_functions_say(client, assign, freeze):
    freeze({"a": 50, "b": 50}, {"a": 20, "b": 80})
    played = [[(40, 7), (30, 9)], [(15, 2), (60, 13)]]
    for split, (a, b) in enumerate(played, start=1):
        p = (0.5, 0.5) if split == 1 else (0.2, 0.8)
        play(client, assign, "a", split, p[0], *a)
        play(client, assign, "b", split, p[1], *b)
    units, successes = np.moveaxis(np.array(played, float), -1, 0)
    batches = AdaptiveBatches(np.array([[0.5, 0.5], [0.2, 0.8]]), units, successes, successes)
    found = estimates(client)["variants"]
    ways = {"naive": naive_means, "stratified": stratified_means, "adaptive": adaptive_means}
    for name, way in ways.items():
        expected = way(batches)
        for arm in (0, 1):
            assert found[arm][name] == approximately(expected, arm)
    assert found[1]["difference"] == approximately(adaptive_differences(batches, 0), 1)


def approximately(estimate, arm):
    return {
        "mean": pytest.approx(estimate.mean[arm]),
        "standard_error": pytest.approx(estimate.standard_error[arm]),
        "interval_95": pytest.approx(estimate.interval()[arm].tolist()),
    }


def test_a_variant_that_could_not_be_drawn_is_said_to_have_no_support(client, assign, freeze):
    freeze({"a": 50, "b": 50}, {"a": 100, "b": 0})
    play(client, assign, "a", 1, 0.5, 30, 6)
    play(client, assign, "b", 1, 0.5, 30, 9)
    play(client, assign, "a", 2, 1, 40, 20)
    without = of(estimates(client), "b")
    assert without["support"] == 0.6
    assert (
        without["note"]
        == "no support under 1 of 2 splits (propensity 0): they say nothing about this variant"
    )
    assert without["stratified"]["mean"] == pytest.approx(0.3)


def test_nothing_is_known_of_a_variant_that_was_never_drawn(client, assign, freeze):
    freeze({"a": 100, "b": 0})
    play(client, assign, "a", 1, 1, 30, 6)
    never = of(estimates(client), "b")
    nothing = {"mean": None, "standard_error": None, "interval_95": None}
    assert (never["units"], never["support"]) == (0, 0)
    assert [never[way] for way in ("naive", "stratified", "adaptive", "difference")] == [nothing] * 4


def test_forced_merged_and_unexposed_units_are_left_out(client, assign, freeze):
    freeze({"a": 50, "b": 50})
    play(client, assign, "a", 1, 0.5, 20, 5)
    assign("a", "waits")
    assign("b", "cookie", merged_into="a1-0")
    assign("b", "tester", kind="forced")
    send(client, event("cookie", "value"), event("tester", "exposure"))
    found = estimates(client)
    assert [variant["units"] for variant in found["variants"]] == [20, 0]
    assert (of(found, "a")["successes"], of(found, "a")["value"]) == (5, 10)


def test_value_is_averaged_where_it_is_the_objective(client, assign, freeze):
    client.patch(
        "/experiments/e", json={"objective": "value", "currency": "EUR", "policy": {"kind": "value_thompson"}}
    )
    freeze({"a": 50, "b": 50})
    play(client, assign, "a", 1, 0.5, 4, 0)
    send(client, event("a1-0", "value", "1", value=6), event("a1-1", "value", "2", value=2))
    found = estimates(client)
    assert (found["outcome"], found["currency"]) == ("value", "EUR")
    assert of(found, "a")["naive"]["mean"] == 2
    assert of(found, "a")["naive"]["standard_error"] == pytest.approx(
        (8 / 4) ** 0.5
    )  # 4, 2, 2, 0 off the mean


def test_the_lift_against_the_hold_out_is_newcombes(client, assign, freeze):
    """60 of 400 against 30 of 300, as in docs/explanation/allocation-algorithm.md."""
    freeze({"a": 50, "b": 50})
    play(client, assign, "a", 1, 0.5, 200, 30)
    play(client, assign, "b", 1, 0.5, 200, 30)
    kept_out = [f"h{i}" for i in range(300)]
    assign("a", *kept_out, kind="holdout")
    send(client, *[event(unit, "exposure") for unit in kept_out])
    send(client, *[event(unit, "conversion") for unit in kept_out[:30]])
    found = estimates(client)["holdout"]
    assert (found["units"], found["mean"], found["bandit_mean"]) == (300, 0.1, 0.15)
    assert (found["lift"], found["relative_lift"]) == pytest.approx((0.05, 0.5))
    assert found["interval_95"] == pytest.approx([-0.0004, 0.098], abs=1e-4)
    day = {"date": "2026-03-10", "impressions": 300, "successes": 30, "revenue": 0, "revenue_sq": 0}
    assert found["daily"] == [day]


def test_reported_totals_have_no_units_to_estimate_from(client):
    create(client)
    assert "there are no events yet" in estimates(client, 409)["detail"]
    total = {"experiment_id": "e", "variant_id": "a", "date": "2026-03-09", "impressions": 1, "successes": 0}
    client.post("/metrics/", json=total)
    assert "are reported" in estimates(client, 409)["detail"]
    assert client.get("/experiments/nowhere/estimates").status_code == 404


def test_a_tracked_experiment_without_any_unit_knows_nothing(client):
    create(client, source="tracked")
    found = estimates(client)
    assert (found["splits"], found["sample_ratio_p"], found["holdout"]) == (0, None, None)
    assert [variant["adaptive"]["mean"] for variant in found["variants"]] == [None, None]


def test_a_small_campaign_is_estimated_from_what_was_sent(client, clock):
    """Three days over HTTP; the stratified difference of 12 % and 30 % is found within four standard errors."""
    create(client, source="tracked", min_share=10)
    chance = np.random.default_rng(4)
    for day in range(3):
        units = [{"experiment_id": "e", "unit_id": f"{day}-{i}"} for i in range(1_000)]
        shown = {
            item["unit_id"]: item["variant_id"] for item in client.post("/assignments", json=units).json()
        }
        send(client, *[event(unit, "exposure") for unit in shown])
        rate = {"a": 0.12, "b": 0.30}
        send(client, *[event(u, "conversion") for u, v in shown.items() if chance.random() < rate[v]])
        clock.pass_days(1)
    found = estimates(client)
    difference = of(found, "b")["difference"]
    assert abs(difference["mean"] - 0.18) < 4 * difference["standard_error"]
    assert difference["interval_95"][0] > 0
    assert found["sample_ratio_p"] > 0.001
    assert sum(variant["units"] for variant in found["variants"]) == 3_000


def test_without_a_delay_all_conversions_have_come(client, assign, freeze):
    freeze({"a": 50, "b": 50})
    play(client, assign, "a", 1, 0.5, 10, 1)
    found = estimates(client)
    assert found["immature"] is None
    assert [variant["matured"] for variant in found["variants"]] == [1, 1]


def test_the_cohorts_whose_conversions_are_still_coming_are_named(client, assign, freeze, clock):
    """Two days after 40 and 20 units 60 % of theirs have come, a day after 10 and 30 units 20 %."""
    freeze({"a": 50, "b": 50})
    delay = {"kind": "curve", "fractions": [0.2, 0.6, 1.0]}
    client.patch("/experiments/e", json={"delay": delay}).raise_for_status()
    play(client, assign, "a", 1, 0.5, 40, 5)
    play(client, assign, "b", 1, 0.5, 20, 5)
    clock.pass_days(1)
    for variant_id, units in (("a", 10), ("b", 30)):
        names = [f"{variant_id}-late-{i}" for i in range(units)]
        assign(variant_id, *names, split=1, propensity=0.5)
        send(client, *[event(name, "exposure") for name in names])
    clock.pass_days(1)
    found = estimates(client)
    come = {"a": 40 * 0.6 + 10 * 0.2, "b": 20 * 0.6 + 30 * 0.2}
    assert found["immature"] == {
        "since": "2026-03-10",
        "units": 100,
        "matured": pytest.approx(sum(come.values()) / 100),
    }
    assert of(found, "a")["matured"] == pytest.approx(come["a"] / 50)
    assert of(found, "b")["matured"] == pytest.approx(come["b"] / 50)
    clock.pass_days(2)
    assert estimates(client)["immature"] is None
