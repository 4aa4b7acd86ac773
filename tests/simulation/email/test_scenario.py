"""An e-mail scenario is complete by default, and refuses what cannot be played."""

import pytest

from app.bandits.allocation.decide import BurnInRule
from app.simulation.delay.distribution import ConversionDelay
from app.simulation.email import ChangePoint, EmailPolicyChoice, EmailScenario, RandomWalk


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("subjects", {"subjects": ("only one",)}),
        ("subjects", {"subjects": ("a", "a")}),
        ("rates", {"rates": (0.1, 1.2)}),
        ("rates", {"rates": (0.1, float("nan"))}),
        ("rates", {"subjects": ("a", "b", "c"), "rates": (0.1, 0.2)}),
        ("emails", {"emails": 0}),
        ("days", {"days": 0}),
        ("days", {"days": 11, "emails": 10}),
        ("replications", {"replications": 0}),
        ("seed", {"seed": -1}),
        ("world_seed", {"world_seed": -1}),
        ("delay", {"delay": -1}),
        ("delay", {"delay": ConversionDelay("fixed", 3)}),
        ("delay_correction", {"delay_correction": "curve"}),
        ("cadence", {"cadence": "hourly"}),
        ("holdout_percent", {"holdout_percent": 100}),
        ("prior", {"prior": (0, 1)}),
        ("min_share", {"min_share": 0.3}),
        ("burn_in", {"burn_in": BurnInRule(days=-1)}),
        ("cost_per_email", {"cost_per_email": -1}),
        ("value_per_conversion", {"value_per_conversion": (1.0, 2.0)}),
        ("policies", {"policies": ()}),
        ("policies.1", {"policies": (EmailPolicyChoice("thompson"), EmailPolicyChoice("thomson"))}),
        ("policies.0", {"policies": (EmailPolicyChoice("epsilon_greedy", {"epsilon": 2}),)}),
        ("policies.0", {"policies": (EmailPolicyChoice("epsilon_greedy_original", {"eps": 0.1}),)}),
        ("policies.0", {"policies": (EmailPolicyChoice("fixed", {"shares": (0.5, 0.5)}),)}),
        ("drift", {"drift": (ChangePoint(0, (0.1,) * 5),)}),
        ("drift", {"drift": (ChangePoint(9, (0.1,) * 5), ChangePoint(9, (0.2,) * 5))}),
        ("drift", {"drift": (ChangePoint(9, (0.1,) * 4),)}),
    ],
)
def test_what_cannot_be_played_is_rejected_by_the_fields_name(field, given):
    with pytest.raises(ValueError, match=rf"^{field}: "):
        EmailScenario(**given)


def test_a_random_walk_needs_a_step():
    with pytest.raises(ValueError, match=r"^drift: "):
        RandomWalk(0)


def test_subjects_without_names_are_numbered():
    assert EmailScenario(rates=(0.1, 0.2)).names == ("subject 1", "subject 2")


def test_the_number_of_subjects_may_be_chosen_with_a_world_seed():
    assert EmailScenario(subjects=("a", "b", "c"), world_seed=1).true_rates.shape == (3,)
