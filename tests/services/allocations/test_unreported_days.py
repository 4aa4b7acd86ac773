"""Days that a variant has not reported: awaited where no impressions would be surprising, else counted as 0."""

import datetime as dt

import pytest

from tests.support.experiments import allocation, create, gate
from tests.support.totals import post, total

DAYS = [f"2026-02-{day:02d}" for day in range(1, 29)]


@pytest.fixture
def month(client, clock):
    """A month in which b has 0.01 % of 4,000 impressions a day or so, and sends no row without impressions."""
    clock.now = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
    create(client, "a", "b", "c", min_share={"b": 0.01})
    for number, day in enumerate(DAYS):
        client.get("/allocations/homepage").raise_for_status()
        rows = [total("b", day, 1, 0)] if number % 3 == 1 else []
        if number == 0:
            rows = [total("b", day, 1000, 20)]
        post(client, total("a", day, 2000, 200), total("c", day, 2000, 204), *rows)
        clock.pass_days(1)


def test_days_without_a_row_of_a_tiny_share_count(client, month):
    body = allocation(client)
    assert gate(body) == []
    assert (body["data_through"], body["stop_advice"]["days"]) == ("2026-02-28", 28)
    assert {v["variant_id"]: v["impressions"] for v in body["variants"]} == {
        "a": 56_000,
        "b": 1_009,
        "c": 56_000,
    }


def test_the_answer_says_what_is_assumed_with_its_numbers(client, month):
    body = allocation(client)
    assert len(body["assumed_zero"]) == 18
    newest = body["assumed_zero"][-1]
    assert (newest["variant_id"], newest["date"], newest["share"]) == ("b", "2026-02-28", 0.01)
    assert newest["expected_impressions"] == pytest.approx(4000 * 0.0001 / 0.9999, rel=1e-9)
    assert (
        "b did not report 18 day(s), counted as 0 impressions: on 2026-02-28, with 0.01 % of the traffic, 0.4 were"
        " expected."
    ) in body["explain"]


def test_a_row_of_zero_decides_the_same_shares(client, month):
    assumed = allocation(client)
    post(client, *[total("b", zero["date"], 0, 0) for zero in assumed["assumed_zero"]])
    reported = allocation(client)
    assert reported["allocations"] == assumed["allocations"]
    assert reported["variants"] == assumed["variants"]
    assert "assumed_zero" not in reported
    assert reported["revision"] != assumed["revision"]


def test_gain_and_totals_count_the_same_days(client, month):
    assert client.get("/experiments/homepage/gain").json()["days"] == 28
    assert client.get("/metrics/homepage").json()["totals"]["left_out"] == []
    compared = client.get("/experiments/homepage/comparison").json()["variants"]
    post(client, *[total("b", zero["date"], 0, 0) for zero in allocation(client)["assumed_zero"]])
    assert client.get("/experiments/homepage/comparison").json()["variants"] == compared


def test_a_share_that_should_have_had_impressions_is_awaited(client, clock):
    """At 1 % beside 99 % of 1,000 impressions 10 are expected, and none have the probability 0.99^1000 = 4e-5."""
    create(client, "a", "b", fixed_share={"b": 1.0})
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09", 10, 1))
    client.get("/allocations/homepage")
    clock.pass_days(1)
    post(client, total("a", "2026-03-10"))
    body = allocation(client)
    assert body["gates"] == [{"gate": "incomplete_day", "days": 1, "missing": {"2026-03-10": ["b"]}}]
    assert "assumed_zero" not in body


def test_without_a_recorded_share_that_of_the_day_before_counts(client):
    """b had 2 of 1,002 impressions: of 1,000 it may have none, of 10,000 not."""
    create(client, "a", "b")
    post(client, total("a", "2026-03-07"), total("b", "2026-03-07", 2, 0), total("a", "2026-03-08"))
    assumed = allocation(client, "2026-03-09")
    assert (gate(assumed), assumed["assumed_zero"][0]["expected_impressions"]) == ([], 2)
    post(client, total("a", "2026-03-08", 10_000, 1_000))
    assert gate(allocation(client, "2026-03-09")) == ["incomplete_day"]


def test_assumed_days_outside_the_window_are_not_named(client):
    create(client, "a", "b", window_days=1)
    post(client, total("a", "2026-03-07"), total("b", "2026-03-07", 2, 0), total("a", "2026-03-08"))
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09", 2, 0))
    assert "assumed_zero" not in allocation(client, "2026-03-10")


def test_the_sample_ratio_counts_such_days(client, clock):
    create(client, "a", "b", "c", traffic="per_request", policy={"kind": "uniform"}, fixed_share={"c": 0.01})
    client.get("/allocations/homepage")
    clock.pass_days(1)
    post(
        client, total("c", "2026-03-09", 1, 0), total("a", "2026-03-10", 5300), total("b", "2026-03-10", 4700)
    )
    found = next(one for one in allocation(client)["gates"] if one["gate"] == "srm")
    assert (found["days"], found["variants"]["c"]["impressions"]) == (1, 0)
