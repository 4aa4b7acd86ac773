"""Intervals from data that Thompson sampling collected cover what they should, where the naive ones do not."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from app.bandits.allocation.decide import AllocationRules, BurnInRule
from app.bandits.allocation.decide_batch import decided_shares
from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import (
    adaptive_differences,
    adaptive_means,
    naive_means,
    stratified_means,
)
from app.bandits.estimation.estimate import Estimate
from app.bandits.estimation.lift import conversion_lift
from app.bandits.policies.registry import build_policy
from app.bandits.totals import Totals
from tests.support.samples import conversions_of

pytestmark = pytest.mark.sampling

RUNS = 2_000
MARGIN = 0.02
"""Coverage is 95 % to within two points: four standard errors of a part of 2,000 runs are 1.95 points."""

PRICES, BOUGHT = np.array([5.0, 20.0, 80.0]), [0.5, 0.4, 0.1]
"""What a conversion is worth, and how often."""


class World(NamedTuple):
    """Rates of the arms, units per batch, the floor, and by what each batch multiplies the rates."""

    rates: tuple[float, ...]
    units: int
    floor: float
    days: tuple[float, ...]

    @property
    def mean(self):
        """The arms' means over all units."""
        return np.array(self.rates) * np.mean(self.days)


EQUAL = World((0.1, 0.1, 0.1), 3_000, 0.01, (1,) * 10)
FOUR_BATCHES = World((0.3, 0.3), 1_500, 0.05, (1,) * 4)
ONE_IS_BETTER = World((0.1, 0.12, 0.13), 3_000, 0.05, (1,) * 8)
GROWING = World((0.1, 0.1), 2_000, 0.05, (0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2))
WORLDS = {"equal": EQUAL, "four batches": FOUR_BATCHES, "one is better": ONE_IS_BETTER}


@cache
def played(world, policy="thompson"):
    """2,000 runs of the service's own policy with its floors, its shares renewed after every batch."""
    rng, k = np.random.default_rng(7), len(world.rates)
    rules = AllocationRules(
        build_policy(policy), (1.0, 1.0), False, np.full(k, world.floor), np.full(k, np.nan), BurnInRule()
    )
    p, n, s = np.zeros((3, RUNS, len(world.days), k))
    for j, day in enumerate(world.days):
        shares = decided_shares(
            rules, Totals(n.sum(axis=1), s.sum(axis=1)), (n > 0).sum(axis=1).astype(float)
        )
        p[:, j] = shares / shares.sum(axis=1, keepdims=True)
        n[:, j] = rng.multinomial(world.units, p[:, j])
        s[:, j] = rng.binomial(n[:, j].astype(int), np.array(world.rates) * day)
    return AdaptiveBatches(p, n, s, s)


def coverage(interval, truth):
    """The part of the runs whose interval holds the truth, by arm."""
    return ((interval[..., 0] <= truth) & (truth <= interval[..., 1])).mean(axis=0)


def bias(estimate, truth):
    """The mean error in units of its own standard error over the runs, by arm."""
    error = estimate.mean - truth
    return error.mean(axis=0) / (error.std(axis=0) / np.sqrt(RUNS))


def plain_difference(estimate):
    """The second arm minus the first, as if the two were independent."""
    first, second = estimate.standard_error[:, :2].T
    return Estimate(estimate.mean[:, 1] - estimate.mean[:, 0], np.hypot(first, second))


@pytest.mark.parametrize("estimator", [adaptive_means, stratified_means])
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_the_intervals_of_means_cover_95_percent(world, estimator):
    found = coverage(estimator(played(world)).interval(), world.mean)
    assert found == pytest.approx(0.95, abs=MARGIN)


@pytest.mark.parametrize("world", [*WORLDS.values(), GROWING], ids=[*WORLDS, "growing"])
def test_the_intervals_of_differences_cover_95_percent(world):
    """Also where the days grow better: no constant difference is lost then, as both arms share the weights."""
    found = coverage(adaptive_differences(played(world), 0).interval(), world.mean - world.mean[0])
    assert found[1:] == pytest.approx(0.95, abs=MARGIN)


def test_among_equal_arms_naive_means_are_too_low_and_too_sure():
    """All arms convert at 10 %; the same interval is right when nobody looks at the data."""
    naive = naive_means(played(EQUAL))
    assert (bias(naive, 0.1) < -10).all()
    assert coverage(naive.interval(), 0.1).mean() < 0.95 - MARGIN / np.sqrt(3)
    assert coverage(plain_difference(naive).interval(), 0) < 0.95 - MARGIN
    unwatched = naive_means(played(EQUAL, "uniform"))
    assert (np.abs(bias(unwatched, 0.1)) < 4).all()
    assert coverage(unwatched.interval(), 0.1) == pytest.approx(0.95, abs=MARGIN)


def test_among_equal_arms_stratified_means_are_unbiased():
    assert (np.abs(bias(stratified_means(played(EQUAL)), 0.1)) < 4).all()


def test_adaptive_intervals_are_narrower_than_stratified_ones():
    """Their price: an estimate that came out low is the less certain one, so that the means are a little low."""
    adaptive, stratified = (estimator(played(EQUAL)) for estimator in (adaptive_means, stratified_means))
    assert adaptive.standard_error.mean() < 0.9 * stratified.standard_error.mean()
    centred = (adaptive.mean - 0.1) / adaptive.standard_error
    assert (np.abs(centred.mean(axis=0)) < 0.1).all()


def test_where_days_grow_better_stratified_means_hold_and_naive_ones_fail():
    batches = played(GROWING)
    assert coverage(stratified_means(batches).interval(), GROWING.mean) == pytest.approx(0.95, abs=MARGIN)
    assert (coverage(naive_means(batches).interval(), GROWING.mean) < 0.3).all()


def test_where_days_grow_better_two_weighted_means_may_not_be_subtracted():
    for estimator in (naive_means, adaptive_means):
        assert coverage(plain_difference(estimator(played(GROWING))).interval(), 0) < 0.3


def test_values_are_covered_too():
    """Each conversion is worth 5, 20 or 80; squares are not sums here."""
    batches, rng = played(FOUR_BATCHES), np.random.default_rng(8)
    bought = rng.multinomial(batches.sums.astype(int), BOUGHT)
    paid = AdaptiveBatches(batches.propensities, batches.units, bought @ PRICES, bought @ PRICES**2)
    worth = 0.3 * np.dot(BOUGHT, PRICES)
    for estimator in (adaptive_means, stratified_means):
        assert coverage(estimator(paid).interval(), worth) == pytest.approx(0.95, abs=MARGIN)
    assert coverage(adaptive_differences(paid, 0).interval(), 0)[1] == pytest.approx(0.95, abs=MARGIN)


def test_the_lift_against_a_holdout_is_covered_under_any_allocation():
    """What the bandit earned is its propensities' mixture of the arms, which differs by run."""
    batches, rng = played(ONE_IS_BETTER), np.random.default_rng(9)
    bandit = conversions_of(batches.units.sum(axis=(1, 2)), batches.sums.sum(axis=(1, 2)))
    holdout = conversions_of(np.full(RUNS, 3_000), rng.binomial(3_000, 0.1, RUNS))
    earned = (batches.propensities @ ONE_IS_BETTER.rates).mean(axis=1)
    found = conversion_lift(bandit, holdout)
    assert coverage(found.interval, earned - 0.1) == pytest.approx(0.95, abs=MARGIN)
    assert coverage(found.relative_interval, earned / 0.1 - 1) == pytest.approx(0.95, abs=MARGIN)
