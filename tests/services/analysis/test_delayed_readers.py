"""Everything that reads totals counts them as far as their conversions have come, as the shares of the date do."""

import numpy as np
import pytest
from scipy import integrate, stats

from tests.support.experiments import allocation, create
from tests.support.totals import post, total

FRACTIONS = [0.25, 0.5, 1.0]
DAYS = ["2026-03-07", "2026-03-08", "2026-03-09"]
IMPRESSIONS = {"a": [400, 500, 600], "b": [600, 700, 800]}
SUCCESSES = {"a": [40, 22, 12], "b": [69, 43, 30]}
COME = np.array([1.0, 0.5, 0.25])
"""F of the three days: the totals are known through the last one."""


def by_hand(variant_id, weights=(1, 1, 1)):
    """Return effective impressions and successes from n F, and what the successes were scaled by."""
    n, s = (np.array(rows[variant_id]) * np.array(weights) for rows in (IMPRESSIONS, SUCCESSES))
    matured, came = (n * COME).sum(), s.sum()
    r = came / matured
    scale = (n * COME * (1 - r) / (1 - r * COME)).sum() / matured
    return scale * matured, scale * came, scale


def posterior(variant_id, weights=(1, 1, 1)):
    impressions, successes, _ = by_hand(variant_id, weights)
    return stats.beta(1 + successes, 1 + impressions - successes)


def p_greater(one, other):
    """Return the probability that one is above the other, by an integral of its own."""
    low, high = one.ppf([1e-13, 1 - 1e-13])
    return integrate.quad(lambda x: one.pdf(x) * other.cdf(x), low, high, epsabs=1e-12, limit=200)[0]


def report(client, **settings):
    create(client, "a", "b", delay={"kind": "curve", "fractions": FRACTIONS}, **settings)
    rows = [
        total(name, day, IMPRESSIONS[name][t], SUCCESSES[name][t])
        for name in ("a", "b")
        for t, day in enumerate(DAYS)
    ]
    post(client, *[row | more(row) for row in rows])


def more(row):
    return {"revenue": 2 * row["successes"], "revenue_sq": 6 * row["successes"]}


@pytest.fixture
def delayed(client):
    """Two variants, of whose last day a quarter of the conversions has come and of the day before a half."""
    report(client)
    return client


def test_the_allocation(delayed):
    for variant in allocation(delayed)["variants"]:
        impressions, successes, _ = by_hand(variant["variant_id"])
        assert variant["impressions"] == pytest.approx(impressions, rel=1e-9)
        assert variant["successes"] == pytest.approx(successes, rel=1e-9)
        n = np.array(IMPRESSIONS[variant["variant_id"]])
        assert variant["matured"] == pytest.approx((n * COME).sum() / n.sum(), rel=1e-9)
        assert variant["mean"] == pytest.approx(posterior(variant["variant_id"]).mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        pytest.param({"window_days": 2}, (0, 1, 1), id="window"),
        pytest.param({"half_life_days": 1}, (0.25, 0.5, 1), id="half-life"),
        pytest.param({"maturity_days": 1}, (1, 1, 0), id="maturity"),
    ],
)
def test_the_allocation_of_weighted_days(client, settings, weights):
    report(client, **settings)
    for variant in allocation(client)["variants"]:
        impressions, successes, _ = by_hand(variant["variant_id"], weights)
        assert (variant["impressions"], variant["successes"]) == pytest.approx((impressions, successes))


def test_the_totals_of_the_page_of_metrics(delayed):
    for used in delayed.get("/metrics/homepage").json()["totals"]["variants"]:
        impressions, successes, _ = by_hand(used["variant_id"])
        assert used["raw"]["impressions"] == sum(IMPRESSIONS[used["variant_id"]])
        assert used["effective"]["impressions"] == pytest.approx(impressions, rel=1e-9)
        assert used["effective"]["successes"] == pytest.approx(successes, rel=1e-9)


def test_revenue_matures_with_its_successes(client):
    report(client, objective="value", currency="EUR", policy={"kind": "value_thompson"})
    for used in client.get("/metrics/homepage").json()["totals"]["variants"]:
        _, successes, _ = by_hand(used["variant_id"])
        assert used["effective"]["revenue"] == pytest.approx(2 * successes, rel=1e-9)
        assert used["effective"]["revenue_sq"] == pytest.approx(6 * successes, rel=1e-9)


def test_the_posterior(delayed):
    for curve in delayed.get("/experiments/homepage/posterior?points=9").json()["curves"]:
        density = posterior(curve["variant_id"]).pdf(curve["rate"])
        assert curve["density"] == pytest.approx(density, rel=5e-6)


def test_the_comparison_with_the_control(delayed):
    (b,) = delayed.get("/experiments/homepage/comparison").json()["variants"]
    before, after = posterior("a"), posterior("b")
    assert b["difference"] == pytest.approx(after.mean() - before.mean(), rel=1e-8)
    assert b["relative"] == pytest.approx(after.mean() / before.mean() - 1, rel=1e-8)
    assert b["p_better"] == pytest.approx(p_greater(after, before), abs=1e-8)


def test_the_gain(delayed):
    """Moved impressions are as they were; what one of them earns is its rate once all conversions have come."""
    found = delayed.get("/experiments/homepage/gain").json()["conversions"]
    moved = (sum(IMPRESSIONS["b"]) - sum(IMPRESSIONS["a"])) / 2
    a, b = posterior("a"), posterior("b")
    mean, spread = moved * (b.mean() - a.mean()), moved * np.sqrt(a.var() + b.var())
    assert found["mean"] == pytest.approx(mean, rel=1e-9)
    assert found["interval_95"] == pytest.approx(
        (mean - 1.959964 * spread, mean + 1.959964 * spread), rel=1e-6
    )


def test_the_gain_in_value(client):
    report(client, objective="value", currency="EUR", policy={"kind": "value_thompson"})
    shown = {row["variant_id"]: row for row in allocation(client)["variants"]}
    moved = (sum(IMPRESSIONS["b"]) - sum(IMPRESSIONS["a"])) / 2
    earned = shown["b"]["value_per_impression"] - shown["a"]["value_per_impression"]
    found = client.get("/experiments/homepage/gain").json()["value"]
    assert found["mean"] == pytest.approx(moved * earned, rel=1e-8)


def test_the_stop_advice(client):
    report(client, stop={"rule": "p_best", "threshold": 0.95, "minimum_days": 1})
    advice = allocation(client)["stop_advice"]
    a, b = posterior("a"), posterior("b")
    assert (advice["variant_id"], advice["days"]) == ("a" if a.mean() > b.mean() else "b", 3)
    assert advice["figure"] == pytest.approx(max(p_greater(a, b), p_greater(b, a)), abs=1e-8)


def test_the_history(delayed):
    allocation(delayed)
    (revision,) = delayed.get("/allocations/homepage/history").json()["items"]
    assert revision["p_best"]["b"] == pytest.approx(p_greater(posterior("b"), posterior("a")), abs=1e-8)


def test_the_explanation_has_the_booked_totals_and_what_has_come_of_them(delayed):
    explained = " ".join(allocation(delayed)["explain"])
    booked = sum(map(sum, IMPRESSIONS.values())), sum(map(sum, SUCCESSES.values()))
    n = np.array([IMPRESSIONS["a"], IMPRESSIONS["b"]])
    assert f"Used {booked[0]:,} impressions and {booked[1]:,} successes" in explained
    assert f"{100 * (n * COME).sum() / n.sum():.3g} % of the conversions have come" in explained


def test_a_change_is_explained_in_the_totals_that_decide(delayed, clock):
    before = allocation(delayed)
    clock.pass_days(1)
    after = allocation(delayed)
    by = after["variants"][0]["impressions"] - before["variants"][0]["impressions"]
    assert by == 0  # nobody has reported since: what has come is as it was
    post(delayed, total("a", DAYS[2], IMPRESSIONS["a"][2], SUCCESSES["a"][2] + 9))
    explained = allocation(delayed)["explain"]
    (sentence,) = [one for one in explained if one.startswith("a went")]
    assert "effective impressions" in sentence


@pytest.mark.parametrize("read", ["posterior", "comparison", "gain", "delay"])
def test_a_paused_experiment_is_read_as_of_the_day_it_was_paused(delayed, clock, read):
    delayed.patch("/experiments/homepage", json={"state": "paused"}).raise_for_status()
    before = allocation(delayed)["variants"]
    clock.pass_days(5)
    assert allocation(delayed)["variants"] == before
    assert delayed.get(f"/experiments/homepage/{read}").status_code == 200


def test_the_delay_reported_during_a_pause_is_the_one_that_is_held(delayed, clock):
    delayed.patch("/experiments/homepage", json={"state": "paused"}).raise_for_status()
    clock.pass_days(1)
    delayed.patch("/experiments/homepage", json={"delay": "none"}).raise_for_status()
    answer = allocation(delayed)
    report = delayed.get("/experiments/homepage/delay").json()
    assert report["curve"] == answer["delay"]["curve"] == FRACTIONS
