"""What an experiment has brought so far, over HTTP."""

import pytest

from tests.support.experiments import create
from tests.support.totals import post, total


def gain(client, date="2026-03-10"):
    answer = client.get(f"/experiments/homepage/gain?for_date={date}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def comparison(client, date="2026-03-10"):
    return client.get(f"/experiments/homepage/comparison?for_date={date}").json()


def test_the_gain_is_the_moved_impressions_times_what_is_known_of_the_rates(client):
    post(client, total("a", "2026-03-08", 1000, 100), total("b", "2026-03-08", 3000, 450))
    body = gain(client)
    assert body["variants"] == [
        {"variant_id": "a", "impressions": 1000, "even_split": 2000},
        {"variant_id": "b", "impressions": 3000, "even_split": 2000},
    ]
    assert body["conversions"]["mean"] == pytest.approx(1000 * (451 / 3002 - 101 / 1002))
    low, high = body["conversions"]["interval_95"]
    assert low < body["conversions"]["mean"] < high
    assert (body["days"], body["value"], body["currency"]) == (1, None, None)


def test_the_gain_of_a_date_counts_only_days_before_it(client):
    post(client, total("a", "2026-03-08", 1000, 100), total("b", "2026-03-08", 3000, 450))
    before = gain(client, "2026-03-09")
    post(client, total("a", "2026-03-09", 9000, 9), total("b", "2026-03-09", 1, 1))
    assert gain(client, "2026-03-09") == before


def test_without_data_there_is_no_gain(client):
    create(client, "a", "b")
    assert gain(client)["conversions"] is None
    assert comparison(client)["variants"][0]["p_better"] is None


def test_a_retired_variant_counts_for_the_days_it_was_there(client, clock):
    post(client, *[total(v, "2026-03-09", 600, 60) for v in ("a", "b", "c")])
    client.patch("/experiments/homepage/variants/c", json={"retired_on": "2026-03-10"})
    clock.pass_days(1)
    post(client, total("a", "2026-03-10", 300, 30), total("b", "2026-03-10", 900, 90))
    even = {
        variant["variant_id"]: variant["even_split"] for variant in gain(client, "2026-03-11")["variants"]
    }
    assert even == {"a": 1200, "b": 1200, "c": 600}


def test_a_day_that_a_variant_has_not_reported_does_not_count(client):
    post(client, *[total(v, f"2026-03-0{day}") for v in ("a", "b") for day in (7, 8)])
    post(client, total("a", "2026-03-09", successes=900))
    assert gain(client)["days"] == 2


def test_value_is_in_the_experiments_currency(client):
    create(client, "a", "b", "c", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    for variant, impressions, revenue in (("a", 1000, 300.0), ("b", 3000, 1800.0), ("c", 900, 90.0)):
        row = total(variant, "2026-03-08", impressions, impressions // 10)
        post(client, row | {"revenue": revenue, "revenue_sq": revenue * 10})
    body = gain(client)
    assert body["currency"] == "EUR"
    assert body["value"]["mean"] > 0
    better = {variant["variant_id"]: variant["p_better"] for variant in comparison(client)["variants"]}
    assert better["b"] > 0.5 > better["c"]


def test_more_successes_than_impressions_give_no_gain(client):
    create(client, "a", "b", late_conversions=True)
    post(client, total("a", "2026-03-08", 10, 20), total("b", "2026-03-08", 100, 20))
    assert gain(client)["conversions"] is None


def test_each_variant_stands_beside_the_control_with_the_exact_probability_of_beating_it(client):
    """Beta(2,1) beats Beta(1,2) with probability 5/6."""
    post(client, total("control", "2026-03-08", 1, 0), total("bold", "2026-03-08", 1, 1))
    body = comparison(client)
    assert body["control"] == "control"
    found = body["variants"][0]
    assert found["p_better"] == pytest.approx(5 / 6, abs=1e-9)
    assert found["difference"] == pytest.approx(1 / 3)
    assert found["relative"] == pytest.approx(1)


def test_a_control_that_is_not_there_is_compared_with_nobody(client, clock):
    post(client, total("control", "2026-03-08"), total("bold", "2026-03-08"))
    client.patch("/experiments/homepage/variants/control", json={"retired_on": "2026-03-10"})
    assert comparison(client) == {
        "experiment_id": "homepage",
        "date": "2026-03-10",
        "control": None,
        "variants": [],
    }


@pytest.mark.parametrize("what", ["gain", "comparison"])
def test_an_unknown_experiment_is_not_found(client, what):
    assert client.get(f"/experiments/nobody/{what}").status_code == 404
