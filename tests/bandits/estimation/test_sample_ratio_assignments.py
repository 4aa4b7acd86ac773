"""The sample-ratio test of assignments: a known mixture, honest after every batch, and not blind."""

import math

import numpy as np
import pytest

from app.bandits.estimation.sample_ratio import SRM_ALPHA, TILTS, assignment_ratio_p

RUNS = 2_000


def moving_shares(rng, runs, splits, k=3):
    """Shares that wander as a bandit's do, none below 2 %."""
    drawn = rng.dirichlet(np.full(k, 0.7), (runs, splits))
    return 0.02 + (1 - 0.02 * k) * drawn


def most_allowed(level, runs):
    """Alarms in `runs` of which a part `level` is expected, with four standard errors."""
    return runs * level + 4 * math.sqrt(runs * level * (1 - level))


def test_it_is_the_mean_likelihood_ratio_of_tilted_worlds():
    counts, shares = np.array([[31, 9, 0], [40, 80, 30]]), np.array([[0.5, 0.5, 0], [0.3, 0.4, 0.3]])
    ratios = []
    for arm in range(3):
        for tilt in (*TILTS, *(-tilt for tilt in TILTS)):
            tilted = shares.copy()
            tilted[:, arm] *= math.exp(tilt)
            tilted /= tilted.sum(axis=1, keepdims=True)
            drawn = shares > 0
            ratios.append(np.prod((tilted[drawn] / shares[drawn]) ** counts[drawn]))
    assert assignment_ratio_p(counts, shares) == pytest.approx(1 / np.mean(ratios), rel=1e-9)


def test_nothing_assigned_says_nothing():
    assert assignment_ratio_p(np.zeros((0, 2)), np.zeros((0, 2))) == 1
    assert assignment_ratio_p(np.zeros((1, 2)), [[0.5, 0.5]]) == 1


def test_a_split_as_it_should_be_gives_no_alarm():
    assert assignment_ratio_p([[5_000, 3_000, 2_000]], [[0.5, 0.3, 0.2]]) == 1


def test_an_arm_that_is_never_drawn_has_no_units():
    shares = [[[0.5, 0.5], [1, 0]]] * 2
    found = assignment_ratio_p([[[5, 5], [10, 0]], [[5, 5], [10, 1]]], shares)
    assert found.tolist() == [1, 0]


def test_a_hundred_million_units_are_no_trouble():
    n = 10**8
    assert assignment_ratio_p([[n // 2, n // 2]], [[0.5, 0.5]]) == 1
    assert assignment_ratio_p([[n // 2 + 40_000, n // 2 - 40_000]], [[0.5, 0.5]]) < SRM_ALPHA


@pytest.mark.sampling
def test_false_alarms_stay_at_or_below_the_level_though_it_is_looked_at_after_every_batch():
    """2,000 runs of 20 splits, drawn anew for each; an alarm at any of the 20 looks counts."""
    rng = np.random.default_rng(1)
    shares = moving_shares(rng, RUNS, 20)
    counts = rng.multinomial(300, shares)
    least = np.min([assignment_ratio_p(counts[:, :t], shares[:, :t]) for t in range(1, 21)], axis=0)
    for level in (SRM_ALPHA, 0.01, 0.05):
        assert (least < level).sum() <= most_allowed(level, RUNS)


@pytest.mark.sampling
def test_false_alarms_stay_below_the_level_though_older_splits_still_get_units():
    """Four processes, each with its own idea of the split in force: units of all splits come interleaved."""
    rng = np.random.default_rng(2)
    shares = moving_shares(rng, RUNS, 4)
    counts, alarm = np.zeros(shares.shape), np.zeros(RUNS, dtype=bool)
    for _ in range(25):
        counts += rng.multinomial(rng.integers(0, 100, (RUNS, 4)), shares)
        alarm |= assignment_ratio_p(counts, shares) < 0.05
    assert alarm.sum() <= most_allowed(0.05, RUNS)


def returning_units(rng, runs, days=15, fresh=300):
    """First assignments, all visits (sticky units return every second day) and shares, (runs, days, 2)."""
    rising = np.linspace(0.5, 0.9, days)
    shares = np.broadcast_to(np.stack((1 - rising, rising), axis=-1), (runs, days, 2))
    first = rng.multinomial(fresh, shares)
    known = np.cumsum(first, axis=1) - first
    return first, first + rng.binomial(known, 0.5), shares


@pytest.mark.sampling
def test_sticky_units_that_return_raise_no_alarm_because_first_assignments_alone_count():
    first, visits, shares = returning_units(np.random.default_rng(3), RUNS)
    looks = [assignment_ratio_p(first[:, :t], shares[:, :t]) for t in range(1, 16)]
    assert (np.min(looks, axis=0) < SRM_ALPHA).sum() <= most_allowed(SRM_ALPHA, RUNS)
    assert (assignment_ratio_p(visits, shares) < SRM_ALPHA).all(), "all visits would alarm in every run"


@pytest.mark.sampling
@pytest.mark.parametrize("splits", [1, 12, 240])
def test_48_to_52_where_it_should_be_even_is_found_in_24_000_units_however_many_splits(splits):
    rng = np.random.default_rng(4)
    counts = rng.multinomial(24_000 // splits, [0.48, 0.52], (400, splits))
    shares = np.full(counts.shape, 0.5)
    assert (assignment_ratio_p(counts, shares) < SRM_ALPHA).mean() > 0.9


def test_a_lost_tenth_of_one_of_five_arms_is_found_under_moving_shares():
    rng = np.random.default_rng(5)
    shares = moving_shares(rng, 400, 50, k=5)
    real = shares * [0.9, 1, 1, 1, 1]
    counts = rng.multinomial(600, real / real.sum(axis=-1, keepdims=True))
    assert (assignment_ratio_p(counts, shares) < SRM_ALPHA).mean() > 0.9


@pytest.mark.parametrize(
    ("assigned", "propensities", "message"),
    [
        pytest.param([1, 2], [0.5, 0.5], "one shape", id="one axis"),
        pytest.param([[1, 2]], [[0.5, 0.25, 0.25]], "one shape", id="other arms"),
        pytest.param(np.zeros((1, 0)), np.zeros((1, 0)), "one shape", id="no arms"),
        pytest.param(np.zeros((1, 1, 0)), np.zeros((1, 1, 0)), "one shape", id="no arms of several"),
        pytest.param([[1, -1]], [[0.5, 0.5]], "assigned must be", id="negative"),
        pytest.param([[1, math.nan]], [[0.5, 0.5]], "assigned must be", id="not a number"),
        pytest.param([[1, 1]], [[50, 50]], "sum to 1", id="percent"),
        pytest.param([[1, 1]], [[0.5, 0.4]], "sum to 1", id="too little"),
        pytest.param([[1, 1]], [[0.6, 0.5]], "sum to 1", id="too much"),
        pytest.param([[1, 1, 1]], [[-0.2, 0.6, 0.6]], "sum to 1", id="below 0"),
        pytest.param([[1, 1]], [[0.5, math.nan]], "sum to 1", id="unknown"),
    ],
)
def test_what_is_no_split_is_rejected(assigned, propensities, message):
    with pytest.raises(ValueError, match=message):
        assignment_ratio_p(assigned, propensities)
