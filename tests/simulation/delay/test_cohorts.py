"""What is known of a campaign on each of its evenings, and what the service's curve makes of it."""

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import fractions_at
from app.bandits.delay.effective import matured_totals
from app.simulation.delay.cohorts import Cohorts
from app.simulation.delay.distribution import AT_ONCE, ConversionDelay

MEAN, RATE, PER_DAY, DAYS = 3.0, 0.1, 10_000, 60
GEOMETRIC = ConversionDelay("geometric", MEAN)


def played(delay, days=DAYS, rows=1, cells=2, seed=1):
    """Cohorts of `PER_DAY` trials a cell on each day, and the conversions (days, ages, r, m) behind them."""
    rng, cohorts, behind = np.random.default_rng(seed), Cohorts((rows, cells)), []
    for day in range(days):
        trials = np.full((rows, cells), float(PER_DAY))
        by_age = delay.drawn(rng.binomial(PER_DAY, RATE, trials.shape).astype(float), days - day, rng)
        cohorts.close_day(trials, by_age)
        behind.append(np.concatenate((by_age, np.zeros((day, rows, cells)))))
    return cohorts, np.array(behind)


def test_a_conversion_is_known_on_the_day_it_comes_and_not_before():
    cohorts, known = Cohorts((1, 1)), []
    for day in range(5):
        by_age = np.zeros((5 - day, 1, 1))
        if day == 0:
            by_age[3] = 1  # one conversion, three days later
        cohorts.close_day(np.ones((1, 1)), by_age)
        known.append(cohorts.successes.item())
    assert known == [0, 0, 0, 1, 1]
    assert cohorts.trials.item() == 5


def test_booked_conversions_are_those_that_the_distribution_function_says():
    """Of the cohort of day c a part F(T - c) is known in the end: binomial, within four standard deviations."""
    cohorts, _ = played(GEOMETRIC)
    chance = RATE * (1 - (MEAN / (1 + MEAN)) ** np.arange(1, DAYS + 1))
    sd = np.sqrt((PER_DAY * chance * (1 - chance)).sum())
    assert (np.abs(cohorts.successes - PER_DAY * chance.sum()) <= 4 * sd).all()


def test_all_conversions_are_booked_in_the_end():
    delay, rng, conversions = (
        ConversionDelay("geometric", 2),
        np.random.default_rng(3),
        np.array([[50.0, 70.0]]),
    )
    cohorts = Cohorts((1, 2))
    cohorts.close_day(np.full((1, 2), 1000.0), delay.drawn(conversions, 400, rng))
    for day in range(1, 400):
        cohorts.close_day(np.zeros((1, 2)), np.zeros((400 - day, 1, 2)))
    np.testing.assert_array_equal(cohorts.successes, conversions)
    np.testing.assert_array_equal(cohorts.matured().successes, conversions)
    np.testing.assert_array_equal(cohorts.matured().trials, 1000)


def test_totals_are_those_of_the_services_curve_over_every_cohort():
    """An independent computation with all cohorts and ages at once, none of them summed."""
    cohorts, behind = played(GEOMETRIC, rows=3)
    ages = np.minimum(np.arange(DAYS)[::-1], 30)
    counts = np.moveaxis(behind[:, :31].sum(axis=-1), 2, 0)
    fractions = fractions_at(chain_ladder(AgeCounts.of_cohorts(counts, ages)), ages)
    trials = np.full((3, DAYS, 2), float(PER_DAY))
    expected = matured_totals(trials, cohorts.successes[:, None], fractions[..., None])
    np.testing.assert_allclose(cohorts.matured().trials, expected.trials, rtol=1e-12)
    np.testing.assert_allclose(cohorts.matured().successes, expected.successes, rtol=1e-12)


@pytest.mark.parametrize("mean", [3, 7])
def test_the_matured_part_is_what_the_distribution_function_says(mean):
    """Sum of F(J) over cohorts; F conditional on the oldest age of the curve, 30. Estimated, so within 1 %."""
    cohorts, _ = played(ConversionDelay("geometric", mean), days=40, rows=20, cells=3)
    by_age = 1 - (mean / (1 + mean)) ** np.arange(1, 32)
    fractions = np.minimum(by_age / by_age[30], 1)
    truth = fractions[np.minimum(np.arange(40), 30)].mean()
    assert cohorts.matured().matured.mean() == pytest.approx(truth, rel=0.01)


@pytest.mark.parametrize("delay", [AT_ONCE, ConversionDelay("fixed", 0)])
def test_where_nothing_comes_late_the_totals_are_the_plain_sums_exactly(delay):
    cohorts, behind = played(delay, days=45, rows=2)
    matured = cohorts.matured()
    np.testing.assert_array_equal(matured.trials, np.full((2, 2), 45 * PER_DAY))
    np.testing.assert_array_equal(matured.successes, behind.sum(axis=(0, 1)))
    np.testing.assert_array_equal(matured.matured, 1)


def test_a_rate_is_unbiased_while_conversions_are_on_their_way():
    """Day 10 of a geometric delay of 7 days, 200 campaigns: as booked it is the mean of F over the days."""
    cohorts, _ = played(ConversionDelay("geometric", 7), days=10, rows=200)
    booked, matured = cohorts.successes / cohorts.trials, cohorts.matured()
    rate = matured.successes / matured.trials
    seen = 1 - (7 / 8) ** np.arange(1, 11)
    # the curve cannot know what comes after the oldest age seen, alike for all arms
    assert rate.mean() == pytest.approx(RATE * seen[-1], abs=4 * rate.std() / 20 + 1e-4)
    assert booked.mean() == pytest.approx(RATE * seen.mean(), abs=4 * booked.std() / 20)
