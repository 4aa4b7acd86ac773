"""What a soak calls growth."""

import numpy as np
import pytest

from benchmarks.load.leak_detection import growth

SECONDS = np.arange(0, 600, 3)


def test_a_line_has_its_slope_and_no_doubt():
    found = growth(SECONDS, 100 + SECONDS / 60)
    assert (found.per_hour, found.low, found.high) == pytest.approx((60, 60, 60))


def test_nineteen_in_twenty_intervals_hold_the_slope():
    """The two ends of the tolerance: four standard errors of a share of 0.95 in 1,000."""
    chance, held = np.random.default_rng(20261122), 0
    for _ in range(1_000):
        found = growth(SECONDS, 100 + SECONDS / 60 + chance.normal(0, 2, len(SECONDS)))
        held += found.low <= 60 <= found.high
    assert held / 1_000 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 1_000))
