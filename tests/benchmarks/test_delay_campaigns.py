"""What campaigns lose while conversions are on their way, and win back, with the product's own policy."""

import functools

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.estimate import reported_delay, tracked_delay
from app.bandits.delay.interval import greenwood_variance
from app.bandits.delay.snapshots import linked_reports
from app.bandits.policies.thompson import ThompsonSampling
from benchmarks.results.delay import readings, reports
from benchmarks.results.delay.campaigns import World, at_once, exactly, geometric, lift, play
from benchmarks.results.delay.lifts import known_curve

pytestmark = pytest.mark.statistics

RATES = np.array([0.12, 0.15, 0.13])
DAILY = reports.reported(reports.daily_reports(14))
WEEKLY = reports.reported(reports.weekly_reports(28))
DELAYS = {"exactly 3": exactly(3), "exactly 7": exactly(7), "mean 3": geometric(3), "mean 7": geometric(7)}


def mean_lift(masses, reading):
    world = World(RATES, masses)
    return lift(world, play(world, reading, 30, seed=1)).mean()


@functools.cache
def tracked_campaigns(delay, runs=500):
    return play(World(RATES, DELAYS[delay]), readings.tracked, runs, seed=3)


@functools.cache
def lift_at_low_rates(delay, reading):
    world = World(np.array([0.01, 0.012, 0.011]), DELAYS[delay])
    return lift(world, play(world, reading, 30, seed=1))


@pytest.mark.parametrize(
    ("delay", "least"), [("exactly 3", 10.6), ("exactly 7", 8.9), ("mean 3", 11.4), ("mean 7", 11.3)]
)
@pytest.mark.parametrize("reading", [readings.tracked, DAILY], ids=["tracked", "reported daily"])
def test_an_estimated_curve_wins_back_what_a_delay_costs(delay, least, reading):
    assert mean_lift(DELAYS[delay], reading) >= least


@pytest.mark.parametrize(
    ("delay", "least"), [("exactly 3", 9.3), ("exactly 7", 6.3), ("mean 3", 11.4), ("mean 7", 11.1)]
)
def test_weekly_reports_are_enough(delay, least):
    assert mean_lift(DELAYS[delay], WEEKLY) >= least


@pytest.mark.parametrize("reading", [readings.tracked, DAILY, WEEKLY], ids=["tracked", "daily", "weekly"])
def test_without_delay_nothing_changes(reading):
    world = World(RATES, at_once())
    booked, estimated = (play(world, read, 5, seed=1) for read in (readings.as_booked, reading))
    assert estimated.impressions.tolist() == booked.impressions.tolist()


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("reading", [readings.tracked, DAILY, WEEKLY], ids=["tracked", "daily", "weekly"])
def test_at_low_rates_it_is_never_worse_than_as_booked(delay, reading):
    """A hundred conversions a day: the gain is above four standard errors (1.8 to 3.7 points, 0.2 each)."""
    gained = lift_at_low_rates(delay, reading) - lift_at_low_rates(delay, readings.as_booked)
    assert gained.mean() > 4 * gained.std(ddof=1) / 30**0.5


@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
def test_tracked_curves_are_unbiased_and_their_intervals_cover(delay):
    played = tracked_campaigns(delay)
    counts = AgeCounts.of_cohorts(played.all_came, played.ages(29))
    truth = known_curve(DELAYS[delay][:30])[:29]
    found = chain_ladder(counts)[:, :29]
    margin = 4 * found.std(axis=0) / len(found) ** 0.5
    assert (np.abs(found.mean(axis=0) - truth) <= margin).all()
    each = [tracked_delay(AgeCounts(*one)) for one in zip(counts.came, counts.at_risk, strict=True)]
    covered = np.mean([(one.low[:29] <= truth) & (truth <= one.high[:29]) for one in each], axis=0)
    assert covered == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / len(found)) ** 0.5)


@pytest.mark.parametrize("delay", ["exactly 3", "exactly 7"])
def test_tracked_curves_of_exact_delays_are_right_within_their_standard_error(delay):
    played = tracked_campaigns(delay)
    counts = AgeCounts.of_cohorts(played.all_came, played.ages(29))
    truth, found = known_curve(DELAYS[delay]), chain_ladder(counts)
    for one, came, at_risk in zip(found, counts.came, counts.at_risk, strict=True):
        error = one * np.sqrt(greenwood_variance(AgeCounts(came, at_risk)))
        assert (np.abs(one - truth) <= 4 * error + 1e-12).all()


@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
def test_curves_of_daily_reports_are_unbiased(delay):
    played = tracked_campaigns(delay)
    at, truth = reports.daily_reports(14)(29), known_curve(DELAYS[delay][:14])[:13]
    found = np.array([curve_of(played, run, at).at(np.arange(13)) for run in range(500)])
    assert (np.abs(found.mean(axis=0) - truth) <= 4 * found.std(axis=0) / 500**0.5).all()


@pytest.mark.parametrize("delay", ["mean 3", "mean 7"])
def test_intervals_of_weekly_reports_cover_at_least_what_they_say(delay):
    """At least: the estimate is smoother than the likelihood's maximum, which the interval is meant for."""
    played = tracked_campaigns(delay)
    at, truth = reports.weekly_reports(28)(29), known_curve(DELAYS[delay][:28])[:27]
    each = [estimate_of(played, run, at) for run in range(500)]
    covered = np.mean([(one.low[:27] <= truth) & (truth <= one.high[:27]) for one in each], axis=0)
    assert (covered >= 0.95 - 4 * (0.95 * 0.05 / 500) ** 0.5).all()


def estimate_of(played, run, at):
    return reported_delay(linked_reports(reports.snapshots_of(played, run, at), 30))


def curve_of(played, run, at):
    return estimate_of(played, run, at).curve


@pytest.mark.parametrize(
    ("prior", "reading", "points"),
    [
        pytest.param((12, 88), readings.tracked, 6, id="rates around 12 %"),
        pytest.param((80, 20), readings.with_curve(known_curve(geometric(7))), 8, id="rates around 80 %"),
    ],
)
def test_p_best_is_as_often_right_as_it_says(prior, reading, points):
    """Mean delay 7 days, day 10, 400 impressions a day, 8,000 worlds drawn from the prior."""
    rates = np.random.default_rng(1).beta(*prior, size=(8_000, 3))
    played = play(World(rates, geometric(7), 400, 9, prior), reading, 8_000, seed=1)
    said = ThompsonSampling(prior).shares(reading(played, 8))
    right = rates.argmax(axis=1)[:, None] == np.arange(3)
    tenth = np.minimum((said * 10).astype(int), 9)
    off = [100 * abs(said[tenth == q].mean() - right[tenth == q].mean()) for q in range(10)]
    assert max(off) <= points


@pytest.mark.parametrize("carries_over", [0.0, 0.5], ids=["within the hour", "half in the next hour"])
def test_by_the_hour_a_day_is_long_enough_to_learn(carries_over):
    """24,000 units in a day; by the day, the first day is split evenly: 0."""
    masses = (1 - carries_over) * exactly(0) + carries_over * exactly(1)
    world = World(RATES, masses, per_day=1_000, days=24)
    found = lift(world, play(world, readings.tracked, 30, seed=1))
    assert found.mean() >= 9.5
    assert (found >= 6).mean() >= 0.9
