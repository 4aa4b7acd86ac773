"""Each setting does what docs/explanation/allocation-algorithm.md says of it."""

import pytest

from tests.support.experiments import allocation, create, gate
from tests.support.totals import post, total


def change(client, **settings):
    answer = client.patch("/experiments/homepage", json=settings)
    assert answer.status_code == 200, answer.text


def used(client, date="2026-03-10"):
    variants = allocation(client, date)["variants"]
    return {v["variant_id"]: (v["impressions"], v["successes"]) for v in variants}


def two_days(client):
    """Day 9 weighs fully; day 7 is two days older."""
    post(
        client,
        *[total(v, "2026-03-07", 100, 10) for v in ("control", "bold")],
        *[total(v, "2026-03-09", 100, s) for v, s in (("control", 20), ("bold", 30))],
    )


def test_a_window_uses_only_the_last_days(client):
    create(client, window_days=2)
    two_days(client)
    assert used(client) == {"control": (100, 20), "bold": (100, 30)}


def test_a_window_longer_than_the_history_equals_none(client):
    create(client, window_days=3650)
    two_days(client)
    assert used(client) == {"control": (200, 30), "bold": (200, 40)}


def test_a_half_life_halves_the_weight_of_older_days_and_not_the_prior(client):
    """One half-life of two days: 100 + 100/2 impressions, 30 + 10/2 successes; prior Beta(1, 1) stays whole."""
    create(client, half_life_days=2)
    two_days(client)
    body = allocation(client, "2026-03-10")
    assert used(client) == {"control": (150, 25), "bold": (150, 35)}
    assert body["variants"][1]["mean"] == round((1 + 35) / (2 + 150), 10)


def test_a_half_life_as_long_as_allowed_is_nearly_none(client):
    create(client, half_life_days=36_500)
    two_days(client)
    assert used(client)["bold"] == pytest.approx((200, 40), abs=0.01)


def test_unripe_days_are_left_out(client):
    create(client, maturity_days=1)
    two_days(client)
    body = allocation(client, "2026-03-10")
    assert (used(client)["bold"], body["data_through"]) == ((100, 10), "2026-03-07")


def test_day_effects_are_divided_out(client):
    """Both convert twice as well on day 9; bold had most of its traffic then, and is no better for it."""
    create(client, adjust="day")
    post(
        client,
        total("control", "2026-03-08", 9000, 900),
        total("bold", "2026-03-08", 1000, 100),
        total("control", "2026-03-09", 1000, 200),
        total("bold", "2026-03-09", 9000, 1800),
    )
    means = [variant["mean"] for variant in allocation(client, "2026-03-10")["variants"]]
    assert means[0] == pytest.approx(means[1], rel=1e-3)


def test_floors_can_differ_by_variant(client):
    create(client, "a", "b", "c", min_share={"a": 20, "b": 5})
    post(client, *[total(v, "2026-03-09", 1000, s) for v, s in (("a", 10), ("b", 10), ("c", 500))])
    assert allocation(client)["allocations"] == {"a": 20.0, "b": 5.0, "c": 75.0}


def test_a_fixed_share_is_exact_and_the_others_share_the_rest_by_the_policy(client):
    create(client, "a", "b", "c", fixed_share={"a": 10})
    post(client, *[total(v, "2026-03-09", 1, s) for v, s in (("a", 1), ("b", 1), ("c", 0))])
    assert allocation(client)["allocations"] == {"a": 10.0, "b": 75.0, "c": 15.0}  # 90 % times 5/6 and 1/6


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"kind": "uniform"}, {"a": 50.0, "b": 50.0}),
        ({"kind": "epsilon_greedy", "epsilon": 0.2}, {"a": 10.0, "b": 90.0}),
        ({"kind": "epsilon_greedy"}, {"a": 5.0, "b": 95.0}),
        ({"kind": "fixed", "shares": {"a": 30, "b": 70}}, {"a": 30.0, "b": 70.0}),
        ({"kind": "thompson"}, {"a": 16.6667, "b": 83.3333}),
    ],
)
def test_the_policy_can_be_chosen(client, policy, expected):
    create(client, "a", "b", policy=policy)
    post(client, total("a", "2026-03-09", 1, 0), total("b", "2026-03-09", 1, 1))
    assert allocation(client)["allocations"] == expected


def test_parameters_may_be_sent_in_an_object_of_their_own(client):
    create(client, "a", "b", policy={"kind": "epsilon_greedy", "parameters": {"epsilon": 0.3}})
    change(client, policy={"parameters": {"epsilon": 0.2}})
    assert client.get("/experiments/homepage").json()["policy"] == {"kind": "epsilon_greedy", "epsilon": 0.2}


def test_another_policy_starts_from_its_own_defaults(client):
    create(client, "a", "b", policy={"kind": "epsilon_greedy", "epsilon": 0.5})
    change(client, policy={"kind": "top_two_thompson"})
    assert client.get("/experiments/homepage").json()["policy"] == {"kind": "top_two_thompson", "beta": 0.5}


def test_the_value_objective_prefers_what_earns_more(client):
    """The second converts half as often and earns four times as much per success."""
    create(client, "a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    post(
        client,
        total("a", "2026-03-09", 10_000, 1000, revenue=1000, revenue_sq=1100),
        total("b", "2026-03-09", 10_000, 500, revenue=2000, revenue_sq=8500),
    )
    body = allocation(client)
    assert body["allocations"]["b"] > 99.9
    assert body["currency"] == "EUR"
    assert body["variants"][1]["value_per_impression"] == pytest.approx(2000 / 10_000, rel=0.01)
    low, high = body["variants"][1]["value_interval_95"]
    assert low < body["variants"][1]["value_per_impression"] < high


def test_costs_are_subtracted_per_impression_from_the_day_they_were_set(client, clock):
    create(client, "a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    clock.pass_days(-1)
    rows = [total(v, "2026-03-08", 10_000, 1000, revenue=1000, revenue_sq=1100) for v in ("a", "b")]
    post(client, *rows)
    clock.pass_days(1)
    client.patch("/experiments/homepage/variants/b", json={"cost_per_impression": 0.05})
    body = allocation(client)
    assert body["variants"][1]["value_per_impression"] == pytest.approx(0.1 - 0.05, rel=0.01)
    assert body["allocations"]["a"] > 99.9


def test_the_value_objective_without_revenue_says_so(client):
    create(client, "a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    post(client, total("a", "2026-03-09", revenue=10), total("b", "2026-03-09"))
    body = allocation(client)
    assert (body["allocations"], gate(body)) == ({"a": 50.0, "b": 50.0}, ["no_revenue"])
    assert body["gates"][0]["days_without"] == {"b": 1}


def test_without_squares_the_answer_says_that_it_is_overconfident(client):
    create(client, "a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"})
    post(client, *[total(v, "2026-03-09", revenue=100) for v in ("a", "b")])
    assert any("overconfident" in sentence for sentence in allocation(client)["explain"])


def test_a_rollout_gives_everything_is_recorded_and_can_be_undone(client):
    create(client, "a", "b")
    post(client, total("a", "2026-03-09", 1, 1), total("b", "2026-03-09", 1, 0))
    before = allocation(client)["allocations"]
    assert client.post("/experiments/homepage/rollout", json={"variant_id": "b"}).status_code == 200
    assert (allocation(client)["allocations"], gate(allocation(client))) == (
        {"a": 0.0, "b": 100.0},
        ["rollout"],
    )
    assert client.delete("/experiments/homepage/rollout").json()["rollout"] is None
    assert allocation(client)["allocations"] == before
    assert len(client.get("/allocations/homepage/history").json()["items"]) == 3


def test_what_was_rolled_out_cannot_retire(client):
    create(client, "a", "b")
    client.post("/experiments/homepage/rollout", json={"variant_id": "b"})
    answer = client.patch("/experiments/homepage/variants/b", json={"retired_on": "2026-03-11"})
    assert answer.status_code == 409


def test_every_policy_is_listed_with_the_schema_of_its_parameters(client):
    items = {item["kind"]: item for item in client.get("/policies").json()["items"]}
    assert set(items) == {
        "thompson", "top_two_thompson", "epsilon_greedy", "ucb1", "uniform", "fixed", "value_thompson",
        "value_epsilon_greedy",
    }  # fmt: skip
    epsilon = items["epsilon_greedy"]["parameters"]["properties"]["epsilon"]
    assert (epsilon["minimum"], epsilon["maximum"], epsilon["default"]) == (0, 1, 0.1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"policy": {"kind": "magic"}}, "one of thompson, top_two_thompson"),
        ({"policy": {"kind": "epsilon_greedy", "epsilon": 2}}, "[0, 1]"),
        ({"policy": {"kind": "epsilon_greedy", "epsilon": "a lot"}}, "number"),
        ({"policy": {"kind": "epsilon_greedy", "eps": 0.1}}, "no parameter 'eps'"),
        ({"policy": {"kind": "fixed", "shares": {"a": 30, "b": 60}}}, "sum to 100, not 90"),
        ({"policy": {"kind": "fixed", "shares": {"z": 100}}}, "name a variant: a, b"),
        ({"policy": {"kind": "value_thompson"}}, "objective conversion goes with thompson"),
        ({"objective": "value"}, "needs the currency"),
        (
            {"objective": "value", "currency": "EUR", "policy": {"kind": "ucb1"}},
            "objective value goes with value_thompson",
        ),
        ({"objective": "value", "policy": {"kind": "uniform"}}, "currency"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "EURO"}, "3 characters"),
        ({"currency": "XXX"}, "ISO 4217"),
        ({"prior": {"a": 0}}, "greater than 0"),
        ({"prior": {"b": -1}}, "greater than 0"),
        ({"window_days": 0}, "greater than or equal to 1"),
        ({"half_life_days": 0}, "greater than or equal to 0.01"),
        ({"stop": {"threshold": 1.0}}, "strictly between 0 and 1"),
        ({"stop": {"rule": "p_best", "threshold": 95}}, "strictly between 0 and 1"),
        ({"window_days": 7, "half_life_days": 7}, "window_days"),
        ({"adjust": "day", "late_conversions": True}, "late_conversions"),
        ({"adjust": "hour"}, "'none' or 'day'"),
        ({"min_share": 101}, "less than or equal to 100"),
        ({"min_share": 51}, "102 %, over 100"),
        ({"min_share": {"a": 60, "b": 50}}, "110 %, over 100"),
        ({"min_share": {"z": 1}}, "name a variant: a, b"),
        ({"fixed_share": {"a": 60, "b": 30}}, "90 %, not 100"),
        ({"fixed_share": {"a": -1}}, "greater than or equal to 0"),
        ({"fixed_share": {"a": 80}, "min_share": 30}, "110 %, over 100"),
        ({"burn_in": {"share": 200}}, "less than or equal to 100"),
        ({"maturity_days": -1}, "greater than or equal to 0"),
        ({"time_zone": "Mars/Olympus"}, "IANA time zone"),
        ({"stop": {"rule": "gut"}}, "'p_best', 'expected_loss' or 'value_remaining'"),
        ({"stop": {"minimum_days": 0}}, "greater than or equal to 1"),
    ],
)
def test_settings_without_a_meaning_are_rejected_on_creation_and_on_change(client, settings, words):
    refused = client.post(
        "/experiments",
        json={
            "experiment_id": "homepage",
            "variants": [{"variant_id": "a"}, {"variant_id": "b"}],
            **settings,
        },
    )
    assert (refused.status_code, words in refused.text) == (422, True), refused.text
    create(client, "a", "b")
    before = client.get("/experiments/homepage").json()
    changed = client.patch("/experiments/homepage", json=settings)
    assert (changed.status_code, words in changed.text) == (422, True), changed.text
    assert client.get("/experiments/homepage").json() == before


def test_a_negative_cost_is_rejected(client):
    create(client, "a")
    body = {"variant_id": "b", "cost_per_impression": -1}
    assert client.post("/experiments/homepage/variants", json=body).status_code == 422


def test_a_retirement_that_would_leave_fixed_shares_short_is_rejected(client):
    create(client, "a", "b", "c", fixed_share={"a": 50, "b": 50})
    change(client, fixed_share={"a": 40, "b": 40})
    answer = client.patch("/experiments/homepage/variants/c", json={"retired_on": "2026-03-11"})
    assert (answer.status_code, "80 %, not 100" in answer.text) == (422, True)


def test_a_loss_may_be_limited_in_currency_units(client):
    create(
        client, "a", "b", objective="value", currency="EUR", policy={"kind": "value_thompson"},
        stop={"rule": "expected_loss", "threshold": 5.0},
    )  # fmt: skip
    post(client, *[total(v, "2026-03-09", revenue=100, revenue_sq=120) for v in ("a", "b")])
    assert allocation(client)["stop_advice"]["threshold"] == 5.0


def test_costs_have_a_meaning_only_with_the_value_objective(client):
    create(client, "a")
    body = {"variant_id": "b", "cost_per_impression": 1}
    assert "objective value" in client.post("/experiments/homepage/variants", json=body).text


def test_a_fixed_policy_waits_for_no_data(client):
    """A ramp must not begin with half of the users."""
    create(client, "a", "b", policy={"kind": "fixed", "shares": {"a": 99, "b": 1}})
    assert allocation(client)["allocations"] == {"a": 99.0, "b": 1.0}
    post(client, total("a", "2026-03-09"))
    client.post("/experiments/homepage/variants", json={"variant_id": "c"})
    assert allocation(client)["allocations"] == {"a": 99.0, "b": 1.0, "c": 0.0}


def test_fixed_shares_must_fit_the_variants_of_every_day_that_is_known(client):
    later = {"variant_id": "c", "active_from": "2026-03-13"}
    body = {"experiment_id": "homepage", "variants": [{"variant_id": "a"}, {"variant_id": "b"}, later]}
    answer = client.post("/experiments", json=body | {"fixed_share": {"a": 50, "b": 30}})
    assert (answer.status_code, "active on 2026-03-10" in answer.text) == (422, True)


def test_a_variant_joins_today_or_later(client):
    create(client, "a")
    body = {"variant_id": "b", "active_from": "2026-03-09"}
    assert client.post("/experiments/homepage/variants", json=body).status_code == 422


def test_what_retires_cannot_be_rolled_out(client):
    create(client, "a", "b")
    client.patch("/experiments/homepage/variants/b", json={"retired_on": "2026-03-12"})
    assert client.post("/experiments/homepage/rollout", json={"variant_id": "b"}).status_code == 409


def test_the_control_is_the_one_marked_else_the_one_so_named_else_the_first(client):
    create(client, "a", "control", "c")
    assert client.get("/experiments/homepage").json()["control"] == "control"
    client.patch("/experiments/homepage/variants/c", json={"is_control": True})
    assert client.get("/experiments/homepage").json()["control"] == "c"


def test_mean_and_loss_add_up_to_the_same_for_every_judged_variant(client):
    """E[max] = mean + loss; one in burn-in has no influence on either."""
    create(
        client, "a", "b", "new", objective="value", currency="EUR", policy={"kind": "value_thompson"},
        burn_in={"impressions": 500},
    )  # fmt: skip
    figures = {"a": (1000, 10, 100, 2000), "b": (1000, 12, 110, 2100), "new": (100, 50, 50_000, 6e7)}
    rows = [total(v, "2026-03-09", n, s, revenue=r, revenue_sq=q) for v, (n, s, r, q) in figures.items()]
    post(client, *rows)
    a, b, new = allocation(client)["variants"]
    sums = [v["value_per_impression"] + v["expected_loss"] for v in (a, b)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)
    assert (new["value_per_impression"], new["value_interval_95"]) == (None, None)
