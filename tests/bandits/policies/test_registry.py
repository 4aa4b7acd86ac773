"""Policies under their names: those of other packages join, and what is no policy is refused."""

from dataclasses import dataclass

import pytest

from app.bandits.policies import registry
from app.bandits.policies.registry import POLICIES, build_policy, needs_value, register


@dataclass(frozen=True)
class Mine:
    def shares(self, totals):
        return totals.trials

    def draw(self, totals, rng, units=None):
        return 0


@dataclass(frozen=True)
class ByValue(Mine):
    by_value = True


@pytest.fixture(autouse=True)
def _own_names(monkeypatch):
    monkeypatch.setattr(registry, "POLICIES", dict(POLICIES))


def test_a_registered_policy_is_built_by_its_name_and_may_be_registered_again():
    for _ in range(2):
        register("my_policy2", Mine)
    assert isinstance(build_policy("my_policy2"), Mine)


@pytest.mark.parametrize(
    ("kind", "policy", "reason"),
    [
        pytest.param("Mine", Mine, "no name in lower case", id="capital"),
        pytest.param("a" * 65, Mine, "no name in lower case", id="65 letters"),
        pytest.param("thompson", Mine, "another policy", id="a name that is taken"),
        pytest.param("mine", Mine(), "is a dataclass", id="an instance"),
        pytest.param("mine", dict, "is a dataclass", id="no dataclass"),
        pytest.param("mine", dataclass(type("Empty", (), {})), "no method shares", id="no methods"),
    ],
)
def test_what_is_no_policy_is_not_registered(kind, policy, reason):
    with pytest.raises(ValueError, match=reason):
        register(kind, policy)


def test_a_name_may_have_64_letters():
    register("a" * 64, Mine)
    assert registry.POLICIES["a" * 64] is Mine


def test_only_policies_by_value_need_the_value_of_the_successes():
    register("mine", Mine)
    register("by_value", ByValue)
    by_value = {kind for kind in registry.POLICIES if needs_value(kind)}
    assert by_value == {"value_thompson", "value_epsilon_greedy", "by_value"}
