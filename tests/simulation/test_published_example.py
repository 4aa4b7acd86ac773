"""The simulator reproduces Google's published example."""

import numpy as np
import pytest

from app.bandits.best_arm.stopping import StopRule
from app.bandits.best_arm.value_remaining import p_champions_beaten
from app.bandits.posteriors.beta import BetaArms
from benchmarks.results.google import (
    CLASSICAL_DAYS,
    REMAINING,
    TAIL,
    ContentExperiment,
    run_content_experiment,
)

pytestmark = pytest.mark.statistics

PUBLISHED = ContentExperiment(runs=1000)


@pytest.fixture(scope="module")
def published():
    return run_content_experiment(PUBLISHED)


def agree(figures, known, known_error):
    """Within four combined standard errors."""
    return abs(figures.mean() - known) <= 4 * np.hypot(figures.std() / len(figures) ** 0.5, known_error)


@pytest.mark.parametrize(("days", "error"), [pytest.param(175, None, id="reported"), (174.0, 0.7)])
def test_days_saved(published, days, error):
    saved = CLASSICAL_DAYS - published.days
    assert agree(saved, days, saved.std() / 500**0.5 if error is None else error)


@pytest.mark.parametrize(("conversions", "error"), [pytest.param(97.5, None, id="reported"), (97.59, 0.22)])
def test_conversions_saved(published, conversions, error):
    saved = published.saved_conversions(PUBLISHED)
    assert agree(saved, conversions, saved.std() / 500**0.5 if error is None else error)


@pytest.mark.parametrize(("share", "runs"), [pytest.param(0.964, 500, id="reported"), (0.959, 5000)])
def test_the_right_arm_is_chosen(published, share, runs):
    assert agree(published.right, share, np.sqrt(share * (1 - share) / runs))


def test_few_runs_last_longer_than_the_classical_test(published):
    assert agree(published.days > CLASSICAL_DAYS, 0.014, np.sqrt(0.014 * 0.986 / 5000))


def test_the_stop_is_that_of_the_services_stop_rule():
    rng = np.random.default_rng(1)
    trials = rng.integers(500, 9000, (60, 2))
    successes = rng.binomial(trials, [0.04, 0.05])
    arms = BetaArms(1.0 + successes, 1.0 + trials - successes)
    advice = [StopRule().advice(BetaArms(arms.a[i], arms.b[i]), 14) for i in range(60)]
    beaten = p_champions_beaten(arms, np.array([one.champion for one in advice]), REMAINING)
    np.testing.assert_array_equal(beaten < TAIL, [one.stop for one in advice])


def test_a_run_that_never_stops_is_ended():
    found = run_content_experiment(ContentExperiment(rates=(0.05, 0.05), runs=3, most_days=20))
    assert found.days.max() <= 20
    assert found.to_dict(PUBLISHED)["reported"]["runs"] == 500
