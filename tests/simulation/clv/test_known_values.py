"""Exact expectations near the prototype's, the simulator near the expectations, and the race's own bounds."""

import numpy as np
import pytest

from app.simulation.clv.play import play
from app.simulation.clv.policies.bayesian_groundhog import BayesianGroundhog
from app.simulation.clv.policies.contextual_groundhog import ContextualGroundhog
from app.simulation.clv.policies.epsilon_ringtail import EpsilonRingtail
from app.simulation.clv.policies.random_crayfish import RandomCrayfish
from app.simulation.clv.policies.segment_junglefowl import SegmentJunglefowl
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.enumeration import enumerated
from app.simulation.clv.world.scenario import Scenario
from app.simulation.clv.world.world import World
from tests.support.simulation.clv_policies import ByCustomer, always

pytestmark = pytest.mark.statistics


def finals(policy, replications):
    return play(Race(policies=(policy,), replications=replications)).final(0)


def deviation(figures, expected):
    """In standard errors of the figures' mean."""
    return abs(figures.mean() - expected) / (figures.std(ddof=1) / np.sqrt(figures.size))


@pytest.fixture(scope="module")
def enumerations():
    """Of ten bases, for how much the figures depend on the base."""
    return [enumerated(World.of(Scenario(base_seed=seed))) for seed in range(10)]


@pytest.mark.parametrize(
    ("figure", "prototype"),
    [
        pytest.param(lambda e: e.uniform, 98_819, id="uniform"),
        pytest.param(lambda e: e.arms[e.best], 531_786, id="best single action"),
        pytest.param(lambda e: e.oracle, 1_072_899, id="oracle"),
        pytest.param(lambda e: e.able, 0.0957, id="able to buy"),
    ],
)
def test_exact_expectations_differ_from_the_prototypes_only_as_bases_do(enumerations, figure, prototype):
    figures = np.array([figure(e) for e in enumerations])
    assert abs(figures.mean() - prototype) < 4 * figures.std(ddof=1) * np.sqrt(1 + 1 / figures.size)


def test_the_best_single_action_is_to_call_about_complete_and_tv(world, known):
    assert world.arms.names[known.best] == "Internet Complete & TV Start, call, template 1"
    assert known.arms[known.best] / known.uniform == pytest.approx(5.38, abs=0.15)


def test_simulated_uniform_agrees_with_the_enumeration(known):
    assert deviation(finals(RandomCrayfish(), 30), known.uniform) < 4


def test_the_simulated_best_single_action_agrees_with_the_enumeration(known):
    assert deviation(finals(always(known.best), 30), known.arms[known.best]) < 4


def test_the_simulated_oracle_agrees_with_the_enumeration(known):
    assert deviation(finals(ByCustomer(known.choice), 30), known.oracle) < 4


def test_the_marketing_department_earns_twice_the_uniform(known):
    assert finals(SegmentJunglefowl(), 10).mean() >= 2 * known.uniform


def test_the_ringtail_earns_more_than_three_times_the_uniform(known):
    assert finals(EpsilonRingtail(), 10).mean() >= 3 * known.uniform


def test_the_groundhog_gets_near_the_best_single_action_and_never_locks_in(known):
    part = finals(BayesianGroundhog(), 100) / known.arms[known.best]
    assert part.mean() >= 0.85
    assert part.min() >= 0.65


def test_context_earns_far_more_than_the_best_single_action_on_the_same_contacts(known):
    assert finals(ContextualGroundhog(), 20).mean() >= 1.6 * known.arms[known.best]


def test_nothing_is_enumerated_where_contacts_depend_on_decisions():
    assert enumerated(World.of(Scenario(recontact_days=30))) is None
    assert enumerated(World.of(Scenario(channel_quotas=(100, 100)))) is None
