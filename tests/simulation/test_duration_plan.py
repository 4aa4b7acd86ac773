"""How long an experiment takes, against what is known without playing it."""

from statistics import NormalDist

import numpy as np
import pytest

from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.policies.uniform import Uniform
from app.simulation.delay.distribution import ConversionDelay
from app.simulation.duration_plan import NEVER, DurationPlan, classical_days, play_plan


def plan(*rates, traffic=1000, **more):
    return DurationPlan(
        np.array(rates), traffic, **{"policy": ThompsonSampling(), "days": 30, "minimum_days": 1, **more}
    )


def test_a_difference_that_nobody_can_miss_is_known_after_a_day():
    outcome = play_plan(plan(0.1, 0.9, replications=20))
    assert outcome.day.tolist() == [1] * 20
    assert outcome.right.all()


def test_nothing_is_declared_before_the_least_number_of_days():
    assert set(play_plan(plan(0.1, 0.9, minimum_days=5, replications=20)).day) == {5}


def test_a_plan_that_knows_nothing_says_never():
    outcome = play_plan(plan(0.1, 0.1001, traffic=2, days=2, replications=20))
    assert (outcome.day == NEVER).all()
    assert not outcome.right.any()


def test_on_its_only_day_a_two_variant_plan_decides_as_often_as_the_normal_approximation_says():
    """P(best) >= 0.95 of either of two is |z| >= 1.645; with 5,000 trials each z is close to Normal(d, 1)."""
    p, q, n = 0.10, 0.108, 5_000
    r = 2_000
    outcome = play_plan(plan(p, q, traffic=2 * n, policy=Uniform(), days=1, replications=r))
    d = (q - p) / np.sqrt((p * (1 - p) + q * (1 - q)) / n)
    z = NormalDist(d)
    power = 1 - z.cdf(1.645) + z.cdf(-1.645)
    error = 4 * np.sqrt(power * (1 - power) / r)
    assert np.mean(outcome.day == 1) == pytest.approx(power, abs=error + 0.01)


def test_the_same_plan_gives_the_same_days():
    one, other = (play_plan(plan(0.1, 0.12, seed=3, replications=10)).day for _ in range(2))
    assert one.tolist() == other.tolist()


def test_more_traffic_decides_sooner():
    slow, fast = (play_plan(plan(0.1, 0.12, traffic=n, replications=100)).day.mean() for n in (500, 5_000))
    assert fast < slow


def test_the_classical_days_are_those_of_a_published_sample_size():
    """Fleiss, Levin, Paik (2003), without continuity correction: 0.60 against 0.70 takes 356 each."""
    assert classical_days(plan(0.6, 0.7, traffic=712)) == 1
    assert classical_days(plan(0.6, 0.7, traffic=711)) == 2
    assert classical_days(plan(0.2, 0.2)) == np.inf


def test_a_delay_of_nothing_changes_no_day():
    prompt, none = (
        play_plan(plan(0.1, 0.12, delay=delay, replications=20)).day
        for delay in (ConversionDelay(), ConversionDelay("geometric", 5, 1))
    )
    assert prompt.tolist() == none.tolist()


@pytest.mark.parametrize("correction", ["auto", "none"])
def test_nothing_is_known_before_the_first_conversion_comes(correction):
    """Exactly three days later: the first conversions are known at the end of day 4."""
    delayed = plan(0.1, 0.9, delay=ConversionDelay("fixed", 3), delay_correction=correction, replications=20)
    assert set(play_plan(delayed).day) == {4}


def test_conversions_on_their_way_make_a_plan_longer():
    prompt, late = (
        play_plan(plan(0.1, 0.12, delay=delay, days=60, replications=100))
        for delay in (ConversionDelay(), ConversionDelay("geometric", 7))
    )
    assert (prompt.day != NEVER).all()
    assert late.day.mean() > prompt.day.mean()


def test_a_plan_that_allows_for_the_delay_names_the_best_more_often():
    """Ten days of a mean delay of seven: what has come says less, and traffic just moved looks worse."""
    corrected, booked = (
        play_plan(
            plan(
                0.1,
                0.13,
                delay=ConversionDelay("geometric", 7),
                delay_correction=correction,
                minimum_days=10,
                days=10,
                replications=400,
            )
        ).right.mean()
        for correction in ("auto", "none")
    )
    error = np.sqrt((corrected * (1 - corrected) + booked * (1 - booked)) / 400)
    assert corrected > booked + 2 * error
