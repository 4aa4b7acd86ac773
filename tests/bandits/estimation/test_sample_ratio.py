"""The sample-ratio test: exact on one day, honest however often it is looked at, and not blind."""

import math

import numpy as np
import pytest
from scipy import stats

from app.bandits.estimation.sample_ratio import CONCENTRATION, SRM_ALPHA, sample_ratio_p

SPLIT = np.array([0.5, 0.3, 0.2])


def test_one_day_is_the_ratio_of_two_known_distributions():
    counts = np.array([70.0, 20.0, 10.0])
    mixed = stats.dirichlet_multinomial.logpmf([70, 20, 10], CONCENTRATION * SPLIT, 100)
    plain = stats.multinomial.logpmf([70, 20, 10], 100, SPLIT)
    assert sample_ratio_p([counts], [SPLIT]) == pytest.approx(math.exp(plain - mixed), rel=1e-9)


def test_the_alarm_is_given_below_one_in_a_thousand():
    assert SRM_ALPHA == 0.001


def test_the_second_day_is_held_against_what_the_first_taught():
    """alpha = (100 + N) theta (X + 100 theta) / (Y + 100 theta), X counted, Y expected of N on the first day."""
    counts = np.array([[70.0, 20.0, 10.0], [370.0, 320.0, 310.0]])
    shares = np.array([SPLIT, [0.3, 0.4, 0.3]])
    alpha = [100 * SPLIT]
    alpha.append(200 * shares[1] * (counts[0] + 100 * shares[1]) / (100 * SPLIT + 100 * shares[1]))
    logs = [
        stats.multinomial.logpmf(x, x.sum(), theta)
        - stats.dirichlet_multinomial.logpmf(x.astype(int), a, int(x.sum()))
        for x, theta, a in zip(counts, shares, alpha, strict=True)
    ]
    assert 1e-9 < math.exp(sum(logs)) < math.exp(logs[0]), "the second day counts"
    assert sample_ratio_p(list(counts), list(shares)) == pytest.approx(math.exp(sum(logs)), rel=1e-9)


@pytest.mark.parametrize("shares", [[], [SPLIT, SPLIT], [SPLIT[:2]]])
def test_every_day_and_every_arm_needs_its_share(shares):
    with pytest.raises(ValueError, match="zip"):
        sample_ratio_p([np.array([70.0, 20.0, 10.0])], shares)


def test_two_days_with_the_same_shares_are_one():
    first, second = np.array([70.0, 20.0, 10.0]), np.array([280.0, 75.0, 45.0])
    together = sample_ratio_p([first + second], [SPLIT])
    assert together < sample_ratio_p([first], [SPLIT])
    assert sample_ratio_p([first, second], [SPLIT] * 2) == pytest.approx(together, rel=1e-9)


def test_no_days_say_nothing():
    assert sample_ratio_p([], []) == 1


def test_an_arm_that_was_served_nothing_must_have_no_impressions():
    served = np.array([1.0, 0.0])
    assert sample_ratio_p([np.array([10.0, 0.0])], [served]) == 1
    assert sample_ratio_p([np.array([10.0, 1.0])], [served]) == 0


@pytest.mark.sampling
def test_false_alarms_stay_below_the_level_though_it_is_looked_at_every_day():
    """2,000 runs of 30 days, shares moving daily; at most 0.001 in expectation, four standard errors allowed."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(2_000):
        shares = rng.dirichlet([5, 3, 2], 30)
        counts = [rng.multinomial(1_000, share).astype(float) for share in shares]
        alarms += sample_ratio_p(counts, list(shares)) < SRM_ALPHA
    assert alarms / 2_000 <= SRM_ALPHA + 4 * math.sqrt(SRM_ALPHA * (1 - SRM_ALPHA) / 2_000)


def test_a_lost_twentieth_of_one_arms_traffic_is_found_within_two_weeks():
    rng = np.random.default_rng(2)
    real = np.array([0.475, 0.3, 0.2])
    counts = [rng.multinomial(10_000, real / real.sum()).astype(float) for _ in range(14)]
    assert sample_ratio_p(counts, [SPLIT] * 14) < SRM_ALPHA


def test_the_p_value_never_rises_again():
    rng = np.random.default_rng(3)
    counts = [np.array([700.0, 200.0, 100.0])] + [
        rng.multinomial(1_000, SPLIT).astype(float) for _ in range(9)
    ]
    values = [sample_ratio_p(counts[:days], [SPLIT] * days) for days in range(1, 11)]
    assert values == sorted(values, reverse=True)
