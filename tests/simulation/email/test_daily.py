"""Daily play is the live service's decision, day by day."""

import numpy as np
import pytest

from app.bandits.allocation.decide import AllocationRules, BurnInRule, decide
from app.bandits.allocation.rounding import percentages
from app.bandits.policies.registry import build_policy
from app.bandits.totals import Totals
from app.simulation.delay.distribution import ConversionDelay
from app.simulation.email import EmailPolicyChoice, EmailScenario, play
from app.simulation.email.daily import DailyPlay
from app.simulation.email.known_by_day import KnownByDay
from app.simulation.email.policies import build_policy_to_play


def daily_play(scenario, kind, rows, seed):
    rng = np.random.default_rng(seed)
    known = KnownByDay(scenario, rows, np.random.default_rng(seed + 100))
    return DailyPlay(scenario, build_policy_to_play(kind, {}, (1, 1)), rows, rng, known)


@pytest.mark.parametrize("kind", ["thompson", "epsilon_greedy", "ucb1"])
def test_a_days_shares_are_the_services_decision_rounded_as_served(kind):
    scenario = EmailScenario(rates=(0.1, 0.2, 0.3), cadence="daily", min_share=0.05)
    rows, rng = 4, np.random.default_rng(2)
    daily = daily_play(scenario, kind, rows, 2)
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
    scenario = EmailScenario(rates=(0.1, 0.2), cadence="daily", delay=2, delay_correction="none")
    daily, known = daily_play(scenario, "thompson", 1, 3), []
    for day in range(5):
        so_far = np.full((2, 1), float(10 * day))
        daily.begin_day(so_far, so_far)
        daily.end_day(so_far + 10, so_far + 10)
        known.append(daily.known(so_far + 10, so_far + 10)[1][0, 0])
    assert known == [0, 0, 10, 20, 30]


def test_emails_are_drawn_with_the_days_shares():
    scenario = EmailScenario(rates=(0.1, 0.2, 0.3), cadence="daily")
    daily = daily_play(scenario, "thompson", 50, 4)
    daily.begin_day(np.zeros((3, 50)), np.zeros((3, 50)))
    daily.shares[:] = [0.7, 0.2, 0.1]
    rates = np.repeat([[0.1], [0.2], [0.3]], 50, axis=1)
    counts = daily.decide(np.random.default_rng(5).random((1000, 50)), rates)
    frequencies = counts.trials.sum(axis=1) / 50_000
    assert (np.abs(frequencies - [0.7, 0.2, 0.1]) < 4 * np.sqrt(0.25 / 50_000)).all()


MONTH = {
    "rates": (0.12, 0.15, 0.13),
    "emails": 300_000,
    "cadence": "daily",
    "policies": (EmailPolicyChoice("thompson"),),
    "replications": 8,
}


def lift(**given):
    return play(EmailScenario(**MONTH, **given)).policies[0].lift.mean


@pytest.mark.parametrize("correction", ["auto", "none"])
def test_a_delay_of_nothing_changes_no_byte(correction):
    small = {**MONTH, "emails": 3_000}
    prompt = play(EmailScenario(**small)).to_dict()
    for nothing in (
        0,
        ConversionDelay("none"),
        ConversionDelay("geometric", 0),
        ConversionDelay("fixed", 3, 1),
    ):
        assert play(EmailScenario(**small, delay=nothing, delay_correction=correction)).to_dict() == prompt


def test_as_many_days_or_a_fixed_delay_are_the_same():
    small = {**MONTH, "emails": 3_000}
    as_days, as_distribution = (
        play(EmailScenario(**small, delay=delay)).to_dict() for delay in (3, ConversionDelay("fixed", 3))
    )
    assert as_days == as_distribution


def test_what_converts_late_converts_all_the_same():
    """The even split never decides: its conversions are those of the world, whenever they come."""
    small = {**MONTH, "emails": 3_000}
    prompt, late = (
        play(EmailScenario(**small, delay=delay)).even_split.ledger.won
        for delay in (0, ConversionDelay("geometric", 7))
    )
    np.testing.assert_array_equal(prompt, late)


def test_the_even_split_knows_its_best_subject_later_under_a_delay():
    small = {**MONTH, "emails": 30_000, "replications": 50}
    prompt, late = (
        play(EmailScenario(**small, delay=delay)).even_split.ledger.decided_day for delay in (0, 5)
    )
    never = 30 + 1
    assert np.where(late < 0, never, late).mean() > np.where(prompt < 0, never, prompt).mean()


@pytest.mark.parametrize("delay", [ConversionDelay("geometric", 7), ConversionDelay("fixed", 7)])
def test_the_correction_wins_back_most_of_what_a_delay_costs(delay):
    assert lift(delay=delay) > lift(delay=delay, delay_correction="none") + 0.02


@pytest.mark.statistics
@pytest.mark.parametrize(
    ("delay", "booked", "corrected"),
    [
        (ConversionDelay("fixed", 3), 0.042, 0.109),
        (ConversionDelay("fixed", 7), 0.018, 0.092),
        (ConversionDelay("geometric", 3), 0.085, 0.120),
        (ConversionDelay("geometric", 7), 0.069, 0.118),
    ],
)
def test_the_lifts_are_those_of_the_prototype(delay, booked, corrected):
    """A numpy prototype of this world, 24 seeds, standard error 0.001; within four of both errors."""
    for correction, expected in (("none", booked), ("auto", corrected)):
        scenario = EmailScenario(**{**MONTH, "replications": 30}, delay=delay, delay_correction=correction)
        lifts = play(scenario).policies[0].ledger.won.sum(axis=0) / (300_000 * 0.4 / 3) - 1
        error = np.hypot(lifts.std(ddof=1) / 30**0.5, 0.001 + 0.0005)
        assert lifts.mean() == pytest.approx(expected, abs=4 * error)
