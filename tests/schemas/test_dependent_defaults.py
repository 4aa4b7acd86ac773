"""A default that depends on another field follows it: no request fails for a field that was not sent."""

import pytest
from pydantic import ValidationError

from app.schemas.simulations.plans import MAX_DECISIONS, PlanRequest
from app.schemas.simulations.simulations import ClvRequest, EmailRequest
from app.schemas.validation import field_errors
from app.services.simulations import duration_plans, scenarios

RATES = [0.1, 0.2]


@pytest.mark.parametrize(("emails", "days"), [(1, 1), (10, 10), (29, 29), (30, 30), (10_000, 30)])
@pytest.mark.parametrize("cadence", ["per_email", "daily"])
def test_a_short_campaign_has_at_most_one_day_per_email(emails, days, cadence):
    prepared = scenarios.prepare("email", {"emails": emails, "cadence": cadence})
    assert prepared.request["days"] == days


@pytest.mark.parametrize(("recontact_days", "window_days"), [(None, 21), (1, 1), (20, 20), (90, 21)])
def test_a_contact_is_over_before_the_next(recontact_days, window_days):
    prepared = scenarios.prepare("clv", {"recontact_days": recontact_days})
    assert prepared.request["window_days"] == window_days


@pytest.mark.parametrize(("days", "minimum_days"), [(1, 1), (7, 7), (14, 14), (90, 14)])
def test_a_short_plan_may_decide_on_its_last_day(days, minimum_days):
    asked = PlanRequest(rates=RATES, traffic=1_000, days=days)
    duration_plans.check(asked)
    assert asked.minimum_days == minimum_days


@pytest.mark.parametrize(
    ("k", "days", "replications"), [(2, 90, 200), (20, 90, 111), (2, 1_000, 100), (20, 1_000, 10)]
)
def test_a_large_plan_is_played_as_often_as_is_allowed(k, days, replications):
    asked = PlanRequest(rates=[0.1] * k, traffic=1_000, days=days)
    duration_plans.check(asked)
    assert asked.replications == replications
    assert k * days * replications <= MAX_DECISIONS


@pytest.mark.parametrize("field", ["rates", "days"])
def test_a_field_that_is_wrong_is_the_only_one_named(field):
    with pytest.raises(ValidationError) as found:
        PlanRequest(**{"rates": RATES, "traffic": 1_000, field: None})
    assert [error.field for error in field_errors(found.value)] == [field]


@pytest.mark.parametrize(
    ("path", "sent", "named"),
    [
        ("/plans", {"rates": [2, 0.1], "traffic": 100}, ["body.rates.0"]),
        ("/simulations/email", {"emails": 0}, ["body.emails"]),
        ("/simulations/clv", {"recontact_days": 0}, ["body.recontact_days"]),
    ],
)
def test_a_response_names_only_what_was_sent(client, path, sent, named):
    answer = client.post(path, json=sent)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == named


@pytest.mark.parametrize(
    ("model", "field", "default"),
    [(EmailRequest, "days", 30), (ClvRequest, "window_days", 21), (PlanRequest, "minimum_days", 14),
     (PlanRequest, "replications", 200)],
)  # fmt: skip
def test_the_default_of_a_usual_request_is_published(model, field, default):
    schema = model.model_json_schema()
    assert schema["properties"][field]["default"] == default
    assert field not in schema.get("required", [])


def test_what_is_sent_is_never_changed():
    asked = PlanRequest(rates=RATES, traffic=1_000, days=7, minimum_days=9)
    assert asked.minimum_days == 9
