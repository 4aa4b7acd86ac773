"""What can be chosen, and what is refused by name."""

from datetime import date

import pytest

from app.simulation.clv.policies.random_crayfish import RandomCrayfish
from app.simulation.clv.policies.registry import RACE, preset, race_policy
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.products import PRODUCTS, Channel, Product
from app.simulation.clv.world.scenario import Scenario


@pytest.mark.parametrize(
    "field",
    ["days", "customers", "quota", "templates", "window_days", "contract_days", "horizon_days"],
)
def test_a_size_of_zero_is_rejected_by_its_name(field):
    with pytest.raises(ValueError, match=f"^{field} must be at least 1"):
        Scenario(**{field: 0})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("decay", 1.01),
        ("decay", float("nan")),
        ("churn", 1.0),
        ("discount", -0.1),
        ("discount", float("inf")),
        ("recontact_days", 20),
        ("channel_quotas", (200,)),
        ("channel_quotas", (0, 0)),
        ("channels", ()),
        ("channels", (Channel("call", -1.0, 0.1),)),
        ("channels", (Channel("call", 1.0, 1.1),)),
        ("products", PRODUCTS[:6]),
        ("products", (Product("a", 10, 5, 100, 0.9),)),
        ("products", (Product("a", 0, 5, 100, 1.0),)),
        ("start", date(2018, 12, 31)),
    ],
)
def test_an_impossible_number_is_rejected_by_its_name(field, wrong):
    with pytest.raises(ValueError, match=f"^{field} "):
        Scenario(**{field: wrong})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("policies", ()),
        ("policies", (RandomCrayfish(), RandomCrayfish())),
        ("replications", 0),
        ("exported", 10),
    ],
)
def test_an_impossible_race_is_rejected_by_the_invalid_field(field, wrong):
    with pytest.raises(ValueError, match=f"^{field} "):
        Race(**{field: wrong})


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("epsilon_ringtail", {"epsilon": 1.5}),
        ("epsilon_ringtail", {"epsillon": 0.1}),
        ("bayesian_groundhog", {"prior": [0, 300]}),
        ("bayesian_groundhog", {"prior": [1, 0.5]}),
        ("bayesian_groundhog", {"sale": -1}),
        ("contextual_groundhog", {"pooling": 0}),
        ("segment_junglefowl", {"gold": 10}),
        ("contextual_groundhog", {"segments": 3}),
        ("lazy_marmot", {}),
    ],
)
def test_an_unknown_policy_or_parameter_is_rejected(kind, parameters):
    with pytest.raises(ValueError):
        race_policy(kind, parameters)


def test_every_policy_can_be_built_again_from_its_description():
    for policy in preset():
        parameters = policy.described()
        assert race_policy(parameters.pop("kind"), parameters) == policy


def test_the_preset_has_the_five_policies_and_twenty_arms(world):
    assert [policy.described()["kind"] for policy in preset()] == list(RACE)
    assert len(RACE) == 5
    assert world.arms.k == 20


def test_the_work_of_a_race_is_its_decisions():
    assert Race(replications=3).work == 5 * 3 * 365 * 200
