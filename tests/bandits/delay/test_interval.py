"""How well curves are known: Greenwood's variance, and the coverage of the intervals."""

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.estimate import tracked_delay
from app.bandits.delay.interval import fraction_interval, greenwood_variance


def test_of_one_cohort_the_variance_is_that_of_a_binomial_fraction():
    """Var(log F) = (1 - F) / (N F) by the delta method, N the conversions, the imagined one among them."""
    counts = AgeCounts.of_cohorts([[120, 200, 79]], [2])
    fractions = chain_ladder(counts)
    assert greenwood_variance(counts) == pytest.approx((1 - fractions) / (400 * fractions), rel=1e-12)


def test_intervals_lie_around_the_fractions_and_within_0_and_1():
    counts = AgeCounts.of_cohorts([[0, 0, 5, 0], [3, 9, 9, 0]], [3, 2])
    fractions = chain_ladder(counts)
    low, high = fraction_interval(fractions, greenwood_variance(counts), counts.at_risk)
    assert ((low >= 0) & (low <= fractions) & (fractions <= high) & (high <= 1)).all()
    assert (low[0] < fractions[0] < high[0], low[3], high[3]) == (True, 1, 1)


def test_where_nothing_came_later_the_lower_end_is_the_binomial_one():
    """0 of 100 and 0 of 50 came later: F^50 = 2.5 %."""
    found = tracked_delay(AgeCounts.of_cohorts([[50, 0, 0], [50, 0, 0]], [2, 1]))
    assert found.low == pytest.approx([0.025 ** (1 / 50), 0.025 ** (1 / 50), 1], rel=1e-12)
    assert found.high.tolist() == [1, 1, 1]


@pytest.mark.statistics
def test_95_percent_intervals_cover_95_percent():
    runs, masses = 2_000, np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    tables = np.random.default_rng(5).multinomial(60, masses, (runs, 8))
    known_through = np.array([4, 4, 4, 4, 3, 2, 1, 0])
    truth, covered = np.cumsum(masses), np.zeros(5)
    for table in tables:
        found = tracked_delay(AgeCounts.of_cohorts(table, known_through))
        covered += (found.low <= truth) & (truth <= found.high)
    assert covered[:4] / runs == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / runs) ** 0.5)
