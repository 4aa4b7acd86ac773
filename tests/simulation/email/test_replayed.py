"""The steps of one replication, for the replay, against what must come out of them."""

import pytest

from app.simulation.email import ChangePoint, EmailPolicyChoice, EmailScenario, play

TURNED = EmailScenario(
    rates=(0.2, 0.8),
    emails=200,
    days=2,
    replications=3,
    drift=(ChangePoint(100, (0.8, 0.2)),),
    policies=(EmailPolicyChoice("fixed", {"shares": (0.0, 1.0)}),),
)


def steps(played):
    return played.to_dict(TURNED)["one_replication"]


def test_always_the_second_subject_gives_nothing_up_until_the_rates_turn():
    found = steps(play(TURNED).policies[0])
    assert found["top_arm_share"] == pytest.approx([min(1.0, 50 / step) for step in range(1, 101)])
    assert found["pseudo_regret"] == pytest.approx([max(0.0, 1.2 * (step - 50)) for step in range(1, 101)])


def test_the_even_split_sends_half_to_the_best_whichever_that_is():
    found = steps(play(TURNED).even_split)
    assert found["top_arm_share"] == [0.5] * 100
    assert found["pseudo_regret"] == pytest.approx([0.6 * step for step in range(1, 101)])


def test_what_was_given_up_and_what_converted_make_the_best_subjects_conversions():
    """Always sending the best one converts 0.8 of all e-mails in expectation."""
    found = steps(play(TURNED).policies[0])
    converted = [sum(step) for step in zip(*found["conversions"], strict=True)]
    together = [a + b for a, b in zip(converted, found["realised_regret"], strict=True)]
    assert together == pytest.approx([1.6 * step for step in range(1, 101)])
