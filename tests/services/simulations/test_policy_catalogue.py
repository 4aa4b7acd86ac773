"""What can be chosen in a scenario is what it can play."""

import pytest

from app.bandits.policies.registry import POLICIES
from app.schemas.simulations.simulations import SCENARIOS
from app.simulation.clv.policies.registry import RACE

LOG = "arm,propensity,reward\n" + "red,0.5,1\nblue,0.5,0\n" * 4


def kinds(client, scenario):
    items = client.get("/policies", params={"scenario": scenario}).raise_for_status().json()["items"]
    return {one["kind"]: one["parameters"]["properties"] for one in items}


def test_the_race_offers_its_own_policies_first_and_then_the_services(client):
    assert list(kinds(client, "clv")) == [*RACE, *POLICIES]


def test_every_policy_of_the_race_is_described(client):
    items = client.get("/policies", params={"scenario": "clv"}).json()["items"]
    assert all(one["summary"].endswith(".") and "_" not in one["summary"] for one in items)


def test_the_priors_of_the_race_can_be_chosen_beside_their_values(client):
    groundhog = kinds(client, "clv")["bayesian_groundhog"]
    assert groundhog["prior"]["default"] == [1.0, 300.0]
    assert len(groundhog["prior"]["prefixItems"]) == 2
    assert groundhog["sale"]["minimum"] == 0
    assert groundhog["abstain"]["default"] is False


def test_each_policy_of_a_scenario_plays_with_the_published_defaults(client):
    """Policies with a row per arm are left out: only the caller knows the arms."""
    world = {"email": {"emails": 50, "replications": 1, "days": 2}, "clv": {"days": 3, "customers": 200}}
    for scenario, small in world.items():
        chosen = [
            {"kind": kind, **{name: one["default"] for name, one in properties.items()}}
            for kind, properties in kinds(client, scenario).items()
            if kind != "fixed"
        ]
        asked = small | {"policies": chosen, "replications": 1}
        played = client.post(f"/simulations/{scenario}", json=asked).raise_for_status().json()
        assert len(played["policies"]) == len(chosen)


def test_a_replay_offers_what_it_can_judge(client):
    offered = [kind for kind in kinds(client, "replay") if kind != "fixed"]
    answer = client.post(
        "/simulations/replay", params={"policy": offered}, content=LOG, headers={"Content-Type": "text/csv"}
    )
    assert len(answer.raise_for_status().json()["policies"]) == len(offered)


@pytest.mark.parametrize("scenario", ["lottery", ""])
def test_an_unknown_scenario_is_rejected(client, scenario):
    answer = client.get("/policies", params={"scenario": scenario})
    assert answer.status_code == 422
    assert all(name in answer.json()["errors"][0]["message"] for name in SCENARIOS)
