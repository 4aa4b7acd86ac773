"""What depends on the objective follows it, and what does not fit is reported at its field."""

import pytest


def create(client, **settings):
    return client.post("/experiments", json={"experiment_id": "shop", **settings})


def change(client, **settings):
    return client.patch("/experiments/shop", json=settings)


def fields(response):
    assert response.status_code == 422, response.text
    return [error["field"] for error in response.json()["errors"]]


def test_a_new_experiment_by_value_is_decided_by_value_thompson(client):
    made = create(client, objective="value", currency="EUR")
    assert made.status_code == 201, made.text
    assert made.json()["policy"] == {"kind": "value_thompson"}


def test_the_missing_currency_is_named_at_its_field(client):
    assert fields(create(client, objective="value")) == ["body.currency"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"objective": "value", "currency": "EUR", "policy": {"kind": "ucb1"}}, "body.policy.kind"),
        ({"window_days": 7, "half_life_days": 7}, "body.half_life_days"),
        ({"adjust": "day", "late_conversions": True}, "body.adjust"),
        ({"stop": {"threshold": 2}}, "body.stop.threshold"),
        ({"source": "reported", "holdout_percent": 5}, "body.holdout_percent"),
        ({"variants": [{"variant_id": "a"}, {"variant_id": "a"}]}, "body.variants"),
    ],
)
def test_settings_that_do_not_go_together_name_the_field_to_change(client, settings, field):
    assert fields(create(client, **settings)) == [field]


def test_an_event_of_type_value_without_its_value_is_reported_at_that_field(client):
    event = {"experiment_id": "shop", "unit_id": "u", "event_id": "e", "type": "value"}
    assert fields(client.post("/events", json=event)) == ["body.value"]
    assert fields(client.post("/events", json=[event])) == ["body.0.value"]


@pytest.mark.parametrize(
    ("policy", "by_value"),
    [
        ({"kind": "thompson"}, {"kind": "value_thompson"}),
        ({"kind": "epsilon_greedy", "epsilon": 0.2}, {"kind": "value_epsilon_greedy", "epsilon": 0.2}),
        ({"kind": "uniform"}, {"kind": "uniform"}),
    ],
)
def test_a_change_of_the_objective_takes_the_policy_along_and_back(client, policy, by_value):
    create(client, policy=policy)
    there = change(client, objective="value", currency="EUR")
    assert (there.status_code, there.json()["policy"]) == (200, by_value), there.text
    back = change(client, objective="conversion")
    assert (back.status_code, back.json()["policy"], back.json()["currency"]) == (200, policy, None)


def test_a_policy_without_a_counterpart_is_not_replaced_silently(client):
    create(client, policy={"kind": "ucb1"})
    assert fields(change(client, objective="value", currency="EUR")) == ["body.policy.kind"]


def test_a_threshold_of_the_default_rule_is_not_taken_over_by_another_rule(client):
    """0.01 is a value remaining; as a P(best) it would advise to stop on the first day."""
    create(client, stop={"threshold": 0.01})
    assert fields(change(client, objective="value", currency="EUR")) == ["body.stop.threshold"]
    sent = change(client, objective="value", currency="EUR", stop={"rule": "p_best", "threshold": 0.95})
    assert sent.status_code == 200, sent.text
