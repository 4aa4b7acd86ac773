"""Plans over HTTP."""

import pytest


def plan(client, **asked):
    body = {"rates": [0.1, 0.13], "traffic": 2000, "days": 40, "replications": 50, **asked}
    return client.post("/plans", json=body)


def test_a_plan_says_when_how_often_and_how_rightly_it_decides(client):
    body = plan(client).json()
    assert body["decided"] == 1
    assert body["right"] > 0.9
    assert 14 <= body["days"]["mean"] < 40
    assert body["decided_by_day"][:13] == [0] * 13
    assert body["decided_by_day"][-1] == body["decided"]
    assert len(body["decided_by_day"]) == 40


def test_the_same_plan_is_answered_alike(client):
    assert plan(client).content == plan(client).content


@pytest.mark.parametrize("delay", [7, {"kind": "geometric", "mean": 7, "at_once": 0.1}])
def test_a_plan_is_longer_where_conversions_come_later(client, delay):
    prompt, late = (plan(client, minimum_days=1, delay=one) for one in (0, delay))
    assert late.json()["days"]["mean"] > prompt.json()["days"]["mean"]


@pytest.mark.parametrize("delay", [0, {"kind": "none"}, {"kind": "fixed", "days": 3, "at_once": 1}])
def test_a_delay_of_nothing_is_answered_as_none(client, delay):
    assert plan(client, delay=delay).content == plan(client).content


def test_equal_rates_have_no_classical_test(client):
    assert plan(client, rates=[0.1, 0.1], days=20, replications=5).json()["classical_days"] is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"rates": [0.1]}, "body.rates"),
        ({"rates": [0.1, 1.2]}, "body.rates.1"),
        ({"traffic": 0}, "body.traffic"),
        ({"min_share": 50.0, "rates": [0.1, 0.2, 0.3]}, "body.min_share"),
        ({"minimum_days": 41}, "body.minimum_days"),
        ({"policy": {"kind": "value_thompson"}}, "body.policy.kind"),
        ({"days": 1000, "replications": 2000}, "body.replications"),
        ({"trafic": 1}, "body.trafic"),
        ({"delay": {"kind": "geometric"}}, "body.delay.mean"),
        ({"delay": -1}, "body.delay"),
        ({"delay_correction": "curve"}, "body.delay_correction"),
    ],
)
def test_a_plan_that_cannot_be_played_names_the_field(client, asked, field):
    answer = plan(client, **asked)
    assert answer.status_code == 422
    assert field in [fault["field"] for fault in answer.json()["errors"]]
