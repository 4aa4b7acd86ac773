"""Curves of 500 simulated experiments beside the truth, F(J) / F(oldest age), tracked and reported."""

import functools
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import norm

from app.bandits.delay.chain_ladder import AgeCounts
from app.bandits.delay.estimate import reported_delay, tracked_delay
from app.bandits.delay.snapshots import Snapshots, linked_reports
from tests.support.delay.worlds import DELAYS, OLDEST, RATES

DAYS, RUNS, PER_ARM = 30, 500, 3_333
SIGMAS, OUTSIDE = 4, 2 * norm.sf(4)
DAY, AGE = np.arange(DAYS)[:, None], np.arange(OLDEST + 1)
HAPPENED = DAY + AGE < DAYS
WAYS = {
    "tracked": HAPPENED,
    "daily": HAPPENED & (AGE < 14),
    "weekly": HAPPENED & ((AGE == 0) | ((AGE < 28) & ((DAY + AGE) % 7 == 6))),
}
"""The ages (t, a) at which the cohorts are known."""


class Recovered(NamedTuple):
    """The truth (a,), and what was estimated (runs, a), where ten later conversions or more are expected."""

    truth: np.ndarray
    fractions: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def error(self):
        return self.fractions - self.truth

    @property
    def standard_error(self):
        """Of each fraction, from its 95 % interval, which is normal on the scale log(-log F)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = -np.log(self.fractions)
            of_log = rate * np.log(-np.log(self.low) / rate) / norm.ppf(0.975)
        return np.where(rate > 0, self.fractions * of_log, 0)


@functools.cache
def recover(delay, way, runs=RUNS):
    """Estimate the curves of experiments at 12, 15 and 13 %, 10,000 impressions a day split evenly."""
    known, masses = WAYS[way], DELAYS[delay]
    rng = np.random.default_rng(14)
    converted = rng.binomial(PER_ARM, RATES, (runs, DAYS, len(RATES)))
    came = rng.multinomial(converted, np.append(masses, max(1 - masses.sum(), 0)))[..., :-1]
    estimate = tracked if way == "tracked" else reported
    found = [estimate(one, known) for one in came]
    expected = np.cumsum((masses * known.sum(axis=0) * PER_ARM * RATES.sum())[::-1])[::-1]
    at = np.flatnonzero(expected[1:] >= 10)
    came_by = np.cumsum(masses)[: known.any(axis=0).sum()]
    each = [np.stack((one.curve.at(at), one.low[at], one.high[at])) for one in found]
    return Recovered(np.minimum(came_by[at] / came_by[-1], 1), *np.stack(each, axis=1))


def tracked(came, known):
    """Estimate from the ages (t, k, a) of one experiment's conversions."""
    return tracked_delay(AgeCounts.of_cohorts(came.sum(axis=1), known.sum(axis=1) - 1))


def reported(came, known):
    """Estimate from the totals that were reported at the ages known."""
    day, age = np.nonzero(known)
    arm = np.arange(len(RATES))
    successes = np.cumsum(came, axis=2)[day[:, None], arm, age[:, None]].astype(float)
    cohort, ages = (day[:, None] * len(arm) + arm).ravel(), np.repeat(age, len(arm))
    snapshots = Snapshots(cohort, ages, np.full(len(ages), float(PER_ARM)), successes.ravel())
    return reported_delay(linked_reports(snapshots, OLDEST))


def outside(found):
    """Say which fractions (runs, a) lie outside of the interval of four standard errors.

    It is the 95 % interval, widened on its own scale: log(-log F), or the binomial one where nothing came later.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, wider = -np.log(found.fractions), SIGMAS / norm.ppf(0.975)
        low, high = (np.exp(-rate * (-np.log(end) / rate) ** wider) for end in (found.low, found.high))
    none_later = found.fractions == 1
    low[none_later] = found.low[none_later] ** (np.log(OUTSIDE / 2) / np.log(0.025))
    high[none_later] = 1
    return (found.truth < low) | (found.truth > high)


def most(n, probability):
    """Return what a count of n trials exceeds by four standard errors."""
    return n * probability + SIGMAS * (n * probability * (1 - probability)) ** 0.5


@pytest.mark.statistics
@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
@pytest.mark.parametrize("way", ["tracked", "daily"])
def test_the_mean_curve_is_the_truth(delay, way):
    error = recover(delay, way).error
    assert (np.abs(error.mean(axis=0)) <= SIGMAS * error.std(axis=0, ddof=1) / RUNS**0.5).all()


@pytest.mark.statistics
@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
@pytest.mark.parametrize("way", WAYS)
def test_the_truth_is_within_four_standard_errors_of_the_curves(delay, way):
    """One fraction in 16,000 is outside by chance: 2 of 500 experiments have such a one."""
    found = outside(recover(delay, way))
    assert found.any(axis=1).sum() <= most(RUNS, OUTSIDE * found.shape[1])


@pytest.mark.sampling
@pytest.mark.parametrize("way", WAYS)
def test_the_truth_is_within_four_standard_errors_of_twenty_curves(way):
    assert outside(recover("mean 7", way, 20)).any(axis=1).sum() <= 1


@pytest.mark.statistics
@pytest.mark.parametrize("delay", ["exactly 3", "exactly 7"])
@pytest.mark.parametrize("way", WAYS)
def test_curves_of_an_exact_delay_are_within_four_standard_errors(delay, way):
    found = recover(delay, way)
    assert (np.abs(found.error) <= SIGMAS * found.standard_error + 1e-12).all()


@pytest.mark.statistics
@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
def test_the_bias_of_weekly_reports_is_below_half_a_standard_error(delay):
    """The imputation stops early: the maximum of the likelihood has no bias and twice the error."""
    found = recover(delay, "weekly")
    assert (np.abs(found.error.mean(axis=0)) <= 0.5 * found.standard_error.mean(axis=0)).all()
