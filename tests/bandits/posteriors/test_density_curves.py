"""Curves for drawing hold nearly all of the mass and follow the density."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.density_curves import posterior_curves


def test_curves_are_densities_over_the_arms_own_intervals():
    a, b = np.array([121.0, 2, 0.5]), np.array([881.0, 3, 0.5])
    curves = posterior_curves(BetaArms(a, b), points=401)
    assert curves.theta.shape == curves.density.shape == (3, 401)
    assert curves.density == pytest.approx(stats.beta.pdf(curves.theta, a[:, None], b[:, None]), rel=1e-8)
    assert np.trapezoid(curves.density[:2], curves.theta[:2]) == pytest.approx(0.9998, abs=1e-4)
    assert curves.theta[:, [0, -1]] == pytest.approx(BetaArms(a, b).interval(0.9998))


def test_two_points_are_the_ends_and_101_the_usual_number():
    arms = BetaArms([3, 4], [5, 6])
    assert posterior_curves(arms, 2).theta == pytest.approx(arms.interval(0.9998))
    assert posterior_curves(arms).theta.shape == (2, 101)


def test_curves_of_extremely_vague_arms_stay_finite():
    assert np.isfinite(posterior_curves(BetaArms([1e-3, 1e3], [1e3, 1e-3])).density).all()


@pytest.mark.parametrize(("arms", "points"), [(BetaArms([1], [1]), 1), (BetaArms([[1]], [[1]]), 10)])
def test_curves_need_two_points_and_one_bandit(arms, points):
    with pytest.raises(ValueError, match="at least two points"):
        posterior_curves(arms, points)
