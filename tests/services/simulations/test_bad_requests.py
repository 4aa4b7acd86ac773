"""What cannot be simulated is refused with the field at fault."""

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings


@pytest.fixture(scope="module")
def service():
    """A service without any database: what is refused never asks for one."""
    application = create_app(ServiceSettings(database_url="postgresql://nobody@localhost:1/none"))
    application.state.authenticator.set_keys(
        []
    )  # as if read before: no key was ever made, and the service is open
    with TestClient(application) as client:
        yield client


def case(scenario, request, field):
    return pytest.param(scenario, request, field, id=f"{scenario} {field} {str(request)[:60]}")


HALF = {"name": "A", "price": 1, "margin": 1, "download": 1, "share": 0.5}
TWO = [{"kind": "thompson"}, {"kind": "thompson"}]


@pytest.mark.parametrize(
    ("scenario", "request_", "field"),
    [
        case("email", {"rates": [0.1, 1.2]}, "rates.1"),
        case("email", {"rates": [0.1, -0.2]}, "rates.1"),
        case("email", {"rates": [0.1]}, "rates"),
        case("email", {"subjects": ["a"]}, "subjects"),
        case("email", {"subjects": ["a", "a"]}, "subjects"),
        case("email", {"subjects": ["a", "b"], "rates": [0.1, 0.2, 0.3]}, "rates"),
        case("email", {"emails": 0}, "emails"),
        case("email", {"emails": "1000"}, "emails"),
        case("email", {"emails": True}, "emails"),
        case("email", {"emails": 10, "days": 11}, "days"),
        case("email", {"replications": 0}, "replications"),
        case("email", {"seed": -1}, "seed"),
        case("email", {"epsilon": 0.1}, "epsilon"),
        case("email", {"policies": []}, "policies"),
        case("email", {"policies": [{"kind": "softmax"}]}, "policies.0.kind"),
        case("email", {"policies": [{"kind": "thompson", "epsilon": 0.1}]}, "policies.0"),
        case("email", {"policies": [{"kind": "epsilon_greedy", "epsilon": 2}]}, "policies.0"),
        case("email", {"policies": [{"kind": "epsilon_greedy", "epsilon": "0.1"}]}, "policies.0.epsilon"),
        case("email", {"policies": [{"kind": "epsilon_greedy", "epsilon": True}]}, "policies.0.epsilon"),
        case(
            "email",
            {"policies": [{"kind": "fixed", "shares": [0.5, 0.4]}], "rates": [0.1, 0.2]},
            "policies.0",
        ),
        case("email", {"policies": [{"kind": "fixed", "shares": [0.5, 0.5]}]}, "policies.0"),
        case("email", {"drift": {"kind": "random_walk", "sd": 0}}, "drift.random_walk.sd"),
        case("email", {"drift": {"kind": "change_points", "points": [{"at": 5, "rates": [0.1]}]}}, "drift"),
        case("email", {"delay": -1}, "delay"),
        case("email", {"delay": 1.5}, "delay"),
        case("email", {"delay": "3"}, "delay"),
        case("email", {"delay": {"mean": 3}, "cadence": "daily"}, "delay"),
        case("email", {"delay": {"kind": "weekly"}, "cadence": "daily"}, "delay"),
        case("email", {"delay": {"kind": "fixed", "days": 1.5}, "cadence": "daily"}, "delay.days"),
        case("email", {"delay": {"kind": "fixed", "mean": 1}, "cadence": "daily"}, "delay.days"),
        case("email", {"delay": {"kind": "geometric", "mean": -1}, "cadence": "daily"}, "delay.mean"),
        case("email", {"delay": {"kind": "geometric", "mean": 1, "at_once": 2}}, "delay.at_once"),
        case("email", {"delay": {"kind": "geometric", "mean": 3}}, "delay"),
        case("email", {"delay_correction": "curve"}, "delay_correction"),
        case("email", {"min_share": 30, "cadence": "daily"}, "min_share"),
        case("email", {"cost_per_email": [1, 2]}, "cost_per_email"),
        case("email", {"prior": {"a": 0, "b": 1}}, "prior.a"),
        case("clv", {"days": 0}, "days"),
        case("clv", {"delay_correction": "yes"}, "delay_correction"),
        case("clv", {"customers": 0}, "customers"),
        case("clv", {"quota": -1}, "quota"),
        case("clv", {"quota": 100_000}, "quota"),
        case("clv", {"channel_quotas": [10]}, "channel_quotas"),
        case("clv", {"decay": 1.5}, "decay"),
        case("clv", {"recontact_days": 3, "window_days": 21}, "recontact_days"),
        case("clv", {"start": 20221130}, "start"),
        case("clv", {"start": "2018-01-01"}, "start"),
        case("clv", {"exported": 10}, "exported"),
        case(
            "clv",
            {"products": [{"name": "A", "price": 1, "margin": 1, "download": 1, "share": 0.5}]},
            "products",
        ),
        case("clv", {"policies": TWO}, "policies"),
        case("clv", {"policies": [{"kind": "epsilon_ringtail", "epsilon": 2}]}, "policies.0"),
        case("clv", {"policies": [{"kind": "bayesian_groundhog", "prior": [1]}]}, "policies.0"),
        case("clv", {"policies": [{"kind": "bayesian_groundhog", "abstain": 1}]}, "policies.0.abstain"),
    ],
)
def test_what_cannot_be_simulated_is_rejected_naming_the_field(service, scenario, request_, field):
    answer = service.post(f"/simulations/{scenario}", json=request_)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == f"body.{field}"


@pytest.mark.parametrize(("scenario", "done"), [("email", "600,000"), ("clv", "5,000,000")])
def test_work_beyond_the_bound_is_rejected_with_the_bound(make_client, scenario, done):
    answer = make_client(simulation_max_decisions=500_000).post(f"/simulations/{scenario}", json={})
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(f"is {done}; the bound is 500,000")


@pytest.mark.parametrize("place", ["", "/events", "/export"])
def test_there_is_no_such_simulation(client, place):
    assert client.get(f"/simulations/nothing{place}").status_code == 404
