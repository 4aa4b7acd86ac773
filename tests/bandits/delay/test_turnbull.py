"""Ages known to lie in intervals: the likelihood that is maximised, its curvature, and what cannot be told."""

import numpy as np
import pytest
from scipy.optimize import minimize

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.interval import greenwood_variance
from app.bandits.delay.turnbull import Intervals, fit_intervals


def intervals(*rows):
    """Rows of (after, by, known through, count)."""
    after, by, known_through, count = np.array(rows).T
    return Intervals(after, by, known_through, count.astype(float))


def log_likelihood(steps, data):
    """From the steps of log F between cells, with the one conversion that came at once."""
    log_f = -np.append(np.cumsum(steps[::-1])[::-1], 0)
    f = np.append(np.exp(log_f), 0.0)  # f[-1] is F(-1) = 0
    inside = (f[data.by] - f[data.after]) / f[data.known_through]
    return (data.counts * np.log(inside)).sum() + log_f[0]


OVERLAPPING = intervals(
    (-1, 0, 3, 40), (0, 2, 3, 50), (2, 3, 3, 30), (-1, 1, 3, 90), (1, 3, 3, 60), (-1, 0, 2, 35), (0, 2, 2, 61)
)
EXACT = intervals((-1, 0, 3, 40), (0, 1, 3, 30), (1, 2, 3, 20), (2, 3, 3, 10), (-1, 0, 1, 41), (0, 1, 1, 33))


def steps_of(fit):
    return np.diff(np.log(fit.fractions))


def test_the_limit_maximises_the_likelihood():
    best = minimize(lambda g: -log_likelihood(np.exp(g), OVERLAPPING), np.zeros(3), tol=1e-12)
    found = fit_intervals(OVERLAPPING, np.ones(4), tolerance=1e-13)
    assert steps_of(found) == pytest.approx(np.exp(best.x), abs=1e-5)


def test_the_variance_is_the_inverse_curvature_of_the_likelihood():
    found = fit_intervals(OVERLAPPING, np.ones(4), tolerance=1e-13)
    g, h = steps_of(found), 1e-4
    shifts = h * np.eye(3)
    curvature = [
        [
            sum(
                a * b * log_likelihood(g + a * shifts[i] + b * shifts[j], OVERLAPPING)
                for a in (1, -1)
                for b in (1, -1)
            )
            / (4 * h * h)
            for j in range(3)
        ]
        for i in range(3)
    ]
    covariance = np.linalg.inv(-np.array(curvature))
    expected = [covariance[j:, j:].sum() for j in range(3)]
    assert found.variance == pytest.approx([*expected, 0], rel=1e-4)


def test_known_ages_give_the_chain_ladder_and_greenwoods_variance():
    counts = AgeCounts.of_cohorts([[40, 30, 20, 10], [41, 33, 0, 0]], [3, 1])
    found = fit_intervals(EXACT, np.ones(4))
    assert found.fractions == pytest.approx(chain_ladder(counts), rel=1e-13)
    assert found.variance == pytest.approx(greenwood_variance(counts), rel=1e-5)
    assert found.counts.came == pytest.approx(counts.came, rel=1e-13)
    assert found.counts.at_risk[1:] == pytest.approx(counts.at_risk[1:], rel=1e-13)


def test_ages_that_only_first_reports_contain_show_no_delay():
    """The one cohort was reported at cells 2 and 3: what came by cell 2 may have come at once."""
    found = fit_intervals(intervals((-1, 2, 3, 80), (2, 3, 3, 20)), np.ones(4))
    assert found.fractions.tolist() == [81 / 101, 81 / 101, 81 / 101, 1]


def test_where_nothing_came_between_reports_the_curve_is_exactly_one():
    found = fit_intervals(intervals((-1, 0, 3, 80), (0, 3, 3, 0), (-1, 2, 2, 7)), np.ones(4))
    assert found.fractions.tolist() == [1, 1, 1, 1]
    assert found.variance.tolist() == [0, 0, 0, 0]


def test_within_an_interval_that_nothing_divides_ages_are_taken_for_alike():
    found = fit_intervals(intervals((-1, 0, 2, 10**6), (0, 2, 2, 10**6)), np.ones(3))
    assert np.diff(found.fractions) == pytest.approx([0.25, 0.25], abs=1e-6)


def test_what_the_data_cannot_tell_has_a_wide_variance():
    found = fit_intervals(intervals((-1, 0, 2, 100), (0, 2, 2, 100)), np.ones(3))
    assert found.variance[1] > 1000 > 1 > found.variance[0] - found.variance[1]


def test_a_curve_to_shrink_to_gives_thirty_conversions():
    toward = np.array([0.4, 0.7, 1])
    found = fit_intervals(intervals((-1, 0, 2, 0), (0, 1, 2, 0), (1, 2, 2, 30)), np.ones(3), toward)
    assert found.fractions == pytest.approx([12 / 60, 21 / 60, 1], rel=1e-13)
