"""Counts from 1 to the largest that is accepted, side by side: every curve, interval and e-value is a number."""

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts
from app.bandits.delay.differs import by_age, by_report, compare
from app.bandits.delay.estimate import reported_delay, tracked_delay
from app.bandits.delay.snapshots import Snapshots, linked_reports

MOST = 9_223_372_036_854_774_784.0
VARIANTS, DAYS, OLDEST = 2, 40, 30


def check(*estimates):
    for found in estimates:
        assert np.isfinite(found.low).all()
        assert (found.low <= found.high).all()


def check_reports(snapshots):
    seen = linked_reports(snapshots, OLDEST)
    common = reported_delay(seen)
    variant, period = np.divmod(np.arange(VARIANTS * DAYS), DAYS)
    own = [
        reported_delay(seen.select(variant[seen.cohort] == place), common.curve) for place in range(VARIANTS)
    ]
    check(common, *own)
    assert np.isfinite(compare(*by_report(seen, period, variant, VARIANTS)).e_value)


@pytest.mark.parametrize("seed", range(300))
def test_reports_at_any_ages(seed):
    chance = np.random.default_rng(seed)
    places = chance.choice(VARIANTS * DAYS * (OLDEST + 1), size=chance.integers(2, 80), replace=False)
    cohort, age = np.divmod(places, OLDEST + 1)
    impressions = np.floor(chance.random(len(places)) * chance.choice([1, 1e3, 1e12, MOST], size=len(places)))
    successes = np.floor(impressions * chance.choice([0, 0, 0.5, 1], size=len(places)))
    check_reports(Snapshots(cohort, age, impressions, successes))


def test_fractions_too_small_for_a_float():
    """Thirty cohorts, each known through the age at which all its conversions come: F(0) is about 1e-570."""
    cohort = np.repeat(np.arange(OLDEST), 2)
    age = np.stack([np.arange(OLDEST), np.arange(1, OLDEST + 1)], axis=1).ravel()
    check_reports(Snapshots(cohort, age, np.full(60, MOST), np.tile([0, MOST], OLDEST)))


@pytest.mark.parametrize("seed", range(300))
def test_receptions_at_any_ages(seed):
    chance = np.random.default_rng(seed)
    age, known_through = chance.integers(0, OLDEST + 1, (2, 20))
    counts = np.floor(chance.random(20) * chance.choice([1, 1e3, MOST], size=20))
    common = tracked_delay(AgeCounts.of_ages(age, known_through, counts, OLDEST))
    own = tracked_delay(AgeCounts.of_ages(age[:9], known_through[:9], counts[:9], OLDEST), common.curve)
    check(common, own)
    assert np.isfinite(compare(*by_age(known_through, age, age % 2, counts, 2)).e_value)
