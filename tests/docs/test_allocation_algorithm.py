"""The worked examples of docs/explanation/allocation-algorithm.md, computed again."""

import re
from pathlib import Path

import numpy as np
import pytest

from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import adaptive_differences, naive_means, stratified_means
from app.bandits.estimation.lift import conversion_lift
from app.bandits.estimation.sample_ratio import SRM_ALPHA, assignment_ratio_p
from app.bandits.policies.registry import POLICIES
from app.schemas.experiments.settings import ExperimentSettings
from tests.support.experiments import allocation, create
from tests.support.samples import conversions_of
from tests.support.totals import post, total

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "allocation-algorithm.md").read_text()


def one_each(client, **successes):
    post(client, *[total(v, "2026-03-09", 1, s) for v, s in successes.items()])


def test_five_sixths(client):
    one_each(client, control=1, bold=0)
    assert allocation(client)["allocations"] == {"control": 83.3333, "bold": 16.6667}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"kind": "epsilon_greedy", "epsilon": 0.2}, {"a": 10.0, "b": 90.0}),
        ({"kind": "top_two_thompson", "beta": 0.5}, {"a": 50.0, "b": 50.0}),
    ],
)
def test_policies(client, policy, expected):
    create(client, "a", "b", policy=policy)
    one_each(client, a=0, b=1)
    assert allocation(client)["allocations"] == expected


def test_half_life(client):
    create(client, half_life_days=2)
    post(client, total("a", "2026-03-07", 100, 10), total("a", "2026-03-09", 100, 20))
    variant = allocation(client)["variants"][0]
    assert (variant["impressions"], variant["successes"]) == (150, 25)
    assert variant["mean"] == round((1 + 25) / (2 + 150), 10)


@pytest.mark.parametrize(("adjust", "means"), [("none", (0.11, 0.19)), ("day", (0.15, 0.15))])
def test_day_effects(client, adjust, means):
    """With the days divided out both have the mean of the two days, 15 %, as half the traffic came on each."""
    create(client, adjust=adjust)
    days = [
        ("2026-03-08", 0.1, {"control": 9000, "bold": 1000}),
        ("2026-03-09", 0.2, {"control": 1000, "bold": 9000}),
    ]
    post(client, *[total(v, date, n, round(rate * n)) for date, rate, sent in days for v, n in sent.items()])
    found = [variant["mean"] for variant in allocation(client)["variants"]]
    assert found == pytest.approx(means, rel=2e-3)


def test_fixed_share(client):
    create(client, "a", "b", "c", fixed_share={"a": 10})
    one_each(client, a=1, b=1, c=0)
    assert allocation(client)["allocations"] == {"a": 10.0, "b": 75.0, "c": 15.0}


def mean_of(client, date="2026-03-10"):
    return allocation(client, date)["variants"][0]["mean"]


def test_prior(client):
    create(client, prior={"a": 2, "b": 1})
    one_each(client, a=0)
    assert mean_of(client) == 1 / 2


@pytest.mark.parametrize(
    ("settings", "used"), [({"window_days": 2}, (100, 20)), ({"maturity_days": 1}, (100, 10))]
)
def test_window_and_maturity(client, settings, used):
    create(client, **settings)
    post(client, total("a", "2026-03-07", 100, 10), total("a", "2026-03-09", 100, 20))
    variant = allocation(client)["variants"][0]
    assert (variant["impressions"], variant["successes"]) == used


def test_min_share(client):
    create(client, "a", "b", min_share=10)
    one_each(client, a=1, b=0)
    assert allocation(client)["allocations"] == {"a": 76.6667, "b": 23.3333}


@pytest.mark.parametrize(("share", "expected"), [(None, [50.0, 50.0]), (10, [90.0, 10.0])])
def test_burn_in(client, share, expected):
    create(client, "control", "new", burn_in={"share": share})
    post(client, total("control", "2026-03-09", 10_000, 300))
    assert list(allocation(client)["allocations"].values()) == expected


@pytest.mark.parametrize(("cost", "worth"), [(None, 0.19996), (0.05, 0.14996)])
def test_value(client, cost, worth):
    members = [{"variant_id": "a"}, {"variant_id": "b", "cost_per_impression": cost}]
    settings = {"objective": "value", "currency": "EUR", "policy": {"kind": "value_thompson"}}
    client.post("/experiments", json={"experiment_id": "homepage", "variants": members, **settings})
    figures = (("a", 1000, 1000), ("b", 500, 2000))
    post(
        client,
        *[total(v, "2026-03-09", 10_000, s, revenue=r, revenue_sq=2 * r * r / s) for v, s, r in figures],
    )
    assert allocation(client)["variants"][1]["value_per_impression"] == pytest.approx(worth, abs=5e-6)


def test_late_conversions(client):
    create(client, "a", "b", late_conversions=True)
    days = {"2026-03-07": ((100, 10), (100, 30)), "2026-03-08": ((10, 150), (10, 5))}
    post(
        client, *[total(v, d, n, s) for d, pair in days.items() for v, (n, s) in zip("ab", pair, strict=True)]
    )
    third, second = (allocation(client, f"2026-03-0{day}") for day in (9, 8))
    assert third["gates"][0]["variants"] == {"a": {"impressions": 110.0, "successes": 160.0}}
    assert third["allocations"] == second["allocations"]


def test_stale_after_days(client):
    post(client, total("a", "2026-02-20"))
    named = [bool(allocation(client, f"2026-02-{day}")["gates"]) for day in (27, 28)]
    assert named == [False, True]


def test_stop_and_rollout(client):
    create(client, "a", "b", stop={"rule": "p_best", "threshold": 0.99, "minimum_days": 2})
    days = ("2026-03-08", "2026-03-09")
    post(client, *[total(v, d, 1000, s) for d in days for v, s in (("a", 100), ("b", 200))])
    assert [allocation(client, d)["stop_advice"]["stop"] for d in ("2026-03-09", "2026-03-10")] == [
        False,
        True,
    ]
    client.post("/experiments/homepage/rollout", json={"variant_id": "b"})
    assert allocation(client)["allocations"] == {"a": 0.0, "b": 100.0}


@pytest.mark.parametrize(("counted", "named"), [((5400, 4600), ["srm"]), ((5040, 4960), [])])
def test_traffic(client, clock, counted, named):
    create(client, "a", "b", traffic="per_request", policy={"kind": "uniform"})
    assert allocation(client)["allocations"] == {"a": 50.0, "b": 50.0}
    clock.pass_days(1)
    post(client, *[total(v, "2026-03-10", n, 100) for v, n in zip("ab", counted, strict=True)])
    assert [gate["gate"] for gate in allocation(client)["gates"]] == named


def test_estimates_from_adaptive_data():
    p = np.array([[0.5, 0.5], [0.1, 0.9]])
    sums = 10_000 * p * [[0.1], [0.3]]
    batches = AdaptiveBatches(p, 10_000 * p, sums, sums)
    assert naive_means(batches).mean == pytest.approx([0.133, 0.229], abs=5e-4)
    assert stratified_means(batches).mean == pytest.approx([0.2, 0.2])
    assert adaptive_differences(batches, 0).mean[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("assigned", "alarm"), [((11_520, 12_480), True), ((11_900, 12_100), False)])
def test_sample_ratio_of_assignments(assigned, alarm):
    p = assignment_ratio_p([assigned], [[0.5, 0.5]])
    assert p < SRM_ALPHA if alarm else p == 1


def test_lift():
    found = conversion_lift(conversions_of(400, 60), conversions_of(300, 30))
    assert (found.difference, found.relative) == pytest.approx((0.05, 0.5))
    assert found.interval == pytest.approx([-0.0004, 0.098], abs=1e-4)
    assert found.relative_interval == pytest.approx([-0.007, 1.266], abs=5e-4)


def test_the_page_names_every_setting_and_every_policy():
    headings = " ".join(re.findall(r"^### (.*)$", PAGE, re.MULTILINE))
    assert [name for name in ExperimentSettings.model_fields if name not in headings] == []
    assert [kind for kind in POLICIES if f"`{kind}`" not in PAGE] == []
