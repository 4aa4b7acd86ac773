"""The e-mail world gives the figures that are known of it from elsewhere."""

import numpy as np
import pytest

from app.simulation.email import EmailPolicyChoice, EmailScenario, play

pytestmark = pytest.mark.statistics

ORIGINAL = EmailScenario(
    policies=(EmailPolicyChoice("epsilon_greedy_original", {"epsilon": 0.1}), EmailPolicyChoice("thompson")),
    replications=4000,
    days=1,
)


@pytest.fixture(scope="module")
def original():
    """4,000 replications of the original's campaign; no decisions but at the end."""
    return play(ORIGINAL)


def agree(figures, known, known_error):
    """Within four standard errors of both."""
    error = np.hypot(figures.std(ddof=1) / len(figures) ** 0.5, known_error)
    return abs(figures.mean() - known) <= 4 * error


def test_the_original_rates_are_those_of_world_seed_42():
    known = [0.486978, 0.319439, 0.529299, 0.448684, 0.147089]
    np.testing.assert_allclose(EmailScenario().true_rates, known, atol=5e-7)


def test_an_oracle_and_an_even_split_convert_what_the_rates_say(original):
    split = original.even_split.ledger
    assert split.oracle[0] == pytest.approx(5292.99, abs=0.005)
    assert agree(split.won.sum(axis=0), 3862.98, 0)
    np.testing.assert_array_equal(split.sent, 2000)


def test_epsilon_greedy_as_the_original_defined_it(original):
    found = original.policies[0].ledger
    assert agree(found.won.sum(axis=0), 5067.7, 2.0)
    assert agree(found.regret, 225.8, 1.8)
    assert found.won.sum(axis=0).std(ddof=1) == pytest.approx(124, rel=4 / np.sqrt(2 * 4000) + 0.01)
    assert agree(found.to_best / 10_000, 0.738, 0.003)


def test_thompson_decides_every_email(original):
    found = original.policies[1].ledger
    assert agree(found.won.sum(axis=0), 5216.4, 1.5)
    assert agree(found.regret, 75.2, 1.1)
    assert found.won.sum(axis=0).std(ddof=1) == pytest.approx(69, rel=4 / np.sqrt(2 * 4000) + 0.01)
    assert agree(found.to_best / 10_000, 0.885, 0.002)


def test_nobody_lifts_more_than_the_best_subject_would(original):
    lifts = [played.lift.mean for played in original.policies]
    assert max(lifts) < 5292.99 / 3862.98 - 1 == pytest.approx(0.3702, abs=5e-5)


@pytest.mark.parametrize(
    ("rates", "emails", "kind", "parameters", "replications", "low", "high", "error"),
    [
        pytest.param(
            (0.10, 0.12, 0.14, 0.16, 0.20), 10_000, "thompson", {}, 300, 66.0, 67.4, 0.8, id="thompson"
        ),
        pytest.param(
            (0.10, 0.12, 0.14, 0.16, 0.20),
            10_000,
            "epsilon_greedy_original",
            {},
            500,
            116,
            120,
            1,
            id="greedy on s / n",
        ),
        pytest.param((0.7, 0.8, 0.9), 1000, "thompson", {}, 2000, 11.0, 11.0, 0.2, id="thompson, 3 arms"),
    ],
)
def test_regret_follows_the_known_laws(rates, emails, kind, parameters, replications, low, high, error):
    choice = EmailPolicyChoice(kind, parameters)
    scenario = EmailScenario(
        rates=rates, emails=emails, policies=(choice,), replications=replications, days=1
    )
    regret = play(scenario).policies[0].ledger.regret
    assert agree(regret, np.clip(regret.mean(), low, high), error)


def test_ucb1_regrets_what_auer_and_others_say():
    choice = EmailPolicyChoice("ucb1", {"daily_trials": 1})
    rates = (0.10, 0.12, 0.14, 0.16, 0.20)
    scenario = EmailScenario(rates=rates, policies=(choice,), replications=12, days=1)
    assert agree(play(scenario).policies[0].ledger.regret, 301, 1.0)
