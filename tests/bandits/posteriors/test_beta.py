"""The Beta posterior: intervals and densities against scipy, and what is refused."""

from math import log, pi

import mpmath
import numpy as np
import pytest
from scipy import stats

from app.bandits.numerics.stirling import COEFFICIENTS, stirling_remainder
from app.bandits.posteriors.beta import BetaArms
from app.bandits.totals import Totals


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(1, 1, id="uniform"),
        pytest.param(0.5, 0.5, id="Jeffreys"),
        pytest.param(0.05, 3, id="a far below 1"),
        pytest.param(7, 0.02, id="b far below 1"),
        pytest.param(121, 881, id="12 %"),
        pytest.param(1001, 99_999_001, id="rate 1e-5 at 1e8 trials"),
        pytest.param(5e7, 5e7, id="one half at 1e8 trials"),
        pytest.param(1e-5 * 30, 30, id="rate 1e-5 and few trials"),
    ],
)
def test_intervals_are_the_equal_tailed_quantiles(a, b, level):
    expected = stats.beta.ppf([(1 - level) / 2, (1 + level) / 2], a, b)
    assert BetaArms([a], [b]).interval(level)[0] == pytest.approx(expected, rel=1e-10, abs=1e-300)


def test_intervals_of_many_arms_have_their_shape():
    a = np.arange(1, 13.0).reshape(2, 6)
    interval = BetaArms(a, a + 3).interval()
    assert interval.shape == (2, 6, 2)
    assert interval[1, 2] == pytest.approx(stats.beta.ppf([0.025, 0.975], 9, 12), rel=1e-12)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, np.nan])
def test_a_level_outside_of_0_and_1_is_rejected(level):
    with pytest.raises(ValueError, match="level"):
        BetaArms([1], [1]).interval(level)


@pytest.mark.parametrize(("a", "b"), [(121, 881), (881, 121), (0.5, 0.3), (1e4, 9e8)])
def test_densities_agree_with_scipy(a, b):
    theta = stats.beta.ppf([1e-6, 0.1, 0.5, 0.9, 0.99], a, b)
    assert BetaArms([a], [b]).density(theta)[0] == pytest.approx(stats.beta.pdf(theta, a, b), rel=1e-8)


def test_densities_of_many_arms_have_their_shape():
    a, theta = np.arange(1, 7.0).reshape(2, 3), [0.1, 0.5, 0.7, 0.9]
    expected = stats.beta.pdf(theta, a[..., None], a[..., None] + 3)
    assert BetaArms(a, a + 3).density(theta) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("theta", [[0.0], [0.5, 1.0], [[0.5]], 0.5])
def test_densities_are_asked_for_between_0_and_1(theta):
    with pytest.raises(ValueError, match="theta"):
        BetaArms([2], [3]).density(theta)


def test_the_posterior_adds_successes_and_failures_to_the_prior():
    arms = BetaArms.from_totals(Totals([10, 20.5], [3, 0.5]), prior=(0.5, 2))
    assert (arms.a.tolist(), arms.b.tolist()) == ([3.5, 1.0], [9.0, 22.0])
    assert arms.mean == pytest.approx([3.5 / 12.5, 1 / 23])


@pytest.mark.parametrize("prior", [(0, 1), (1, 0), (-1, 2), (np.nan, 1), (1, np.inf)])
def test_an_improper_prior_is_rejected_whatever_the_data(prior):
    with pytest.raises(ValueError, match="prior"):
        BetaArms.from_totals(Totals([10], [3]), prior)


@pytest.mark.parametrize(
    ("a", "b"), [([0], [1]), ([1], [0]), ([np.nan], [1]), ([1], [np.inf]), ([1, 0], [1, 1])]
)
def test_parameters_that_are_not_finite_and_positive_are_rejected(a, b):
    with pytest.raises(ValueError, match="finite and positive"):
        BetaArms(a, b)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1]), (1, 1), ([], []), ([[], []], [[], []])])
def test_parameters_of_different_or_no_shape_are_rejected(a, b):
    with pytest.raises(ValueError, match="one shape"):
        BetaArms(a, b)


@pytest.mark.parametrize(("z", "remainder"), [(1, 1 - log(2 * pi) / 2), (2, 2 - log(4 * pi) / 2 - log(2))])
def test_stirlings_remainder_of_small_integers_is_known(z, remainder):
    """To 1e-15: the terms of the right side are below 4, each with a rounding of 2^-52 at most."""
    assert stirling_remainder(np.array([z], dtype=float)) == pytest.approx(remainder, abs=1e-15)


def test_stirlings_remainder_of_large_numbers_is_one_twelfth_of_the_inverse():
    assert stirling_remainder(np.array([1e8])) == pytest.approx(1 / 12e8, rel=1e-14)


def test_the_prior_is_uniform_unless_another_is_given():
    arms = BetaArms.from_totals(Totals([10], [3]))
    assert (arms.a.tolist(), arms.b.tolist()) == ([4], [8])


def exact_remainder(z):
    with mpmath.workdps(40):
        x = mpmath.mpf(z)
        return float(mpmath.loggamma(x) - ((x - 0.5) * mpmath.log(x) - x + mpmath.log(2 * mpmath.pi) / 2))


@pytest.mark.parametrize("z", [1, 1.0625, 1.8183336789205073, 2, 11.5, 12, 12.25, 13, 20, 100])
def test_stirlings_remainder_is_exact_to_the_last_digits(z):
    """Sums and products alone: up to 22 roundings of terms below 0.09 for z < 12, a few of 0.007 above."""
    assert stirling_remainder(np.array([float(z)]))[0] == pytest.approx(
        exact_remainder(z), rel=0, abs=3e-18 if z >= 12 else 2e-16
    )


@pytest.mark.parametrize("z", [0.001, 0.1, 0.5, 0.75, 0.9524911735808393, 0.99])
def test_stirlings_remainder_below_one_bears_any_processors_logarithm(z):
    """From 1.04 a 1 is taken off; numpy allows its logarithm 4 units in the last place: 1.5e-15 of 0.08."""
    assert stirling_remainder(np.array([z]))[0] == pytest.approx(exact_remainder(z), rel=2e-14)


def test_stirlings_coefficients_are_bernoullis():
    """B_2i / (2i (2i - 1))."""
    expected = [float(mpmath.bernoulli(2 * i) / (2 * i * (2 * i - 1))) for i in range(1, 8)]
    assert expected == pytest.approx(COEFFICIENTS, rel=1e-15)
