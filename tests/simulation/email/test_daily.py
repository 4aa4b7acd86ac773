"""Daily play is the live service's decision, day by day."""

import numpy as np
import pytest

from app.bandits.allocation.decide import AllocationRules, BurnInRule, decide
from app.bandits.allocation.rounding import percentages
from app.bandits.policies.registry import build_policy
from app.bandits.totals import Totals
from app.simulation.email import EmailScenario
from app.simulation.email.daily import DailyPlay
from app.simulation.email.policies import build_policy_to_play


@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "ucb1"])
def test_a_days_shares_are_the_services_decision_rounded_as_served(kind):
    scenario = EmailScenario(rates=(0.1, 0.2, 0.3), cadence="daily", min_share=0.05)
    rows, rng = 4, np.random.default_rng(2)
    daily = DailyPlay(scenario, build_policy_to_play(kind, {}, (1, 1)), rows, rng)
    sent, won, days = np.zeros((3, 3, rows))
    rules = AllocationRules(
        build_policy(kind), (1, 1), False, np.full(3, 0.05), np.full(3, np.nan), BurnInRule()
    )
    for _ in range(4):
        daily.begin_day(sent, won)
        for i in range(rows):
            shares = decide(rules, Totals(sent[:, i], won[:, i]), days[:, i]).shares
            np.testing.assert_array_equal(daily.shares[i], [float(p) / 100 for p in percentages(shares)])
        today = rng.integers(0, 40, (3, rows))
        days += today > 0
        sent, won = sent + today, won + rng.binomial(today, 0.2)


def test_conversions_are_known_after_the_delay():
    daily = DailyPlay(
        EmailScenario(rates=(0.1, 0.2), cadence="daily", delay=2),
        build_policy_to_play("thompson", {}, (1, 1)),
        1,
        np.random.default_rng(3),
    )
    known = []
    for day in range(5):
        figures = np.full((2, 1), float(10 * day))
        daily.begin_day(figures, figures)
        known.append(daily.known(figures + 10, figures + 10)[1][0, 0])
    assert known == [0, 0, 10, 20, 30]


def test_emails_are_drawn_with_the_days_shares():
    scenario = EmailScenario(rates=(0.1, 0.2, 0.3), cadence="daily")
    daily = DailyPlay(scenario, build_policy_to_play("thompson", {}, (1, 1)), 50, np.random.default_rng(4))
    daily.begin_day(np.zeros((3, 50)), np.zeros((3, 50)))
    daily.shares[:] = [0.7, 0.2, 0.1]
    rates = np.repeat([[0.1], [0.2], [0.3]], 50, axis=1)
    counts = daily.decide(np.random.default_rng(5).random((1000, 50)), rates)
    frequencies = counts.trials.sum(axis=1) / 50_000
    assert (np.abs(frequencies - [0.7, 0.2, 0.1]) < 4 * np.sqrt(0.25 / 50_000)).all()
