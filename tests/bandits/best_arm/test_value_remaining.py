"""Value remaining against an independent integral and exact draws."""

import numpy as np
import pytest
from scipy import integrate, stats

from app.bandits.best_arm.best_arm import best_arm, p_value_remaining, value_remaining
from app.bandits.posteriors.beta import BetaArms


def by_scipy(a, b, champion, v):
    """P(some other theta_j > (1 + v) theta_c), integrated over the champion's distribution function."""
    others = [j for j in range(len(a)) if j != champion]

    def integrand(u):
        x = (1 + v) * stats.beta.ppf(u, a[champion], b[champion])
        return 1 - np.prod([stats.beta.cdf(x, a[j], b[j]) for j in others])

    return integrate.quad(integrand, 0, 1, epsabs=1e-10, limit=400)[0]


@pytest.mark.parametrize("v", [0, 0.01, 0.2, 3])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param([13, 16, 14], [89, 86, 88], id="12, 15 and 13 %"),
        pytest.param([2.5, 1, 3.5], [1.5, 2, 1], id="vague"),
        pytest.param([0.5, 0.5], [0.5, 0.5], id="Jeffreys"),
        pytest.param([900, 950], [100, 60], id="rates near 1"),
    ],
)
def test_the_probability_agrees_with_adaptive_quadrature(a, b, v):
    champion = int(best_arm(BetaArms(a, b)).p_best.argmax())
    found = p_value_remaining(BetaArms(a, b), v)
    assert found == pytest.approx(by_scipy(a, b, champion, v), abs=1e-8)


@pytest.mark.parametrize("v", [0.05, 0.6])
@pytest.mark.parametrize(
    ("a", "b"), [([0.5, 200], [0.5, 300]), ([1, 4000, 3900], [2, 6000, 6000]), ([40000, 1, 2], [60000, 1, 2])]
)
def test_a_vague_champion_beside_sure_arms_and_the_reverse_are_judged_as_exactly(a, b, v):
    found = p_value_remaining(BetaArms(a, b), v, champion=0)
    assert found == pytest.approx(by_scipy(a, b, 0, v), abs=1e-7)


def test_nothing_raised_leaves_the_others_probability_of_being_best():
    arms = BetaArms([1e6, 1.001e6, 9.9e5], [9e6, 9e6, 9e6])
    p_best = best_arm(arms).p_best
    assert p_value_remaining(arms, 0) == pytest.approx(1 - p_best[1], abs=1e-12)
    assert p_value_remaining(arms, 0, champion=2) == pytest.approx(1 - p_best[2], abs=1e-12)


@pytest.mark.parametrize("quantile", [0.8, 0.95, 0.999])
def test_the_quantile_is_where_the_probability_is_what_it_should_be(quantile):
    arms = BetaArms([51, 60, 70, 66], [451, 440, 430, 431])
    v = value_remaining(arms, quantile)
    assert p_value_remaining(arms, v) == pytest.approx(1 - quantile, rel=1e-8)


def test_uniform_rates_have_a_closed_form():
    """theta_2 > (1 + v) theta_1 for two uniforms: 1 / (2 (1 + v)), so the 0.95 quantile is 9."""
    assert value_remaining(BetaArms([1, 1], [1, 1]), 0.95, champion=0) == pytest.approx(9, rel=1e-8)


def test_nothing_remains_beside_a_sure_champion():
    assert value_remaining(BetaArms([500, 10], [500, 990])) == 0


def test_nothing_remains_for_a_single_arm():
    assert value_remaining(BetaArms([5], [5])) == 0
    assert p_value_remaining(BetaArms([5], [5]), 0.5) == 0


def test_a_champion_that_cannot_be_raised_below_1_has_won():
    assert p_value_remaining(BetaArms([900, 100], [100, 900]), 1.0, champion=0) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("v", [-0.1, np.nan, np.inf])
def test_an_improvement_below_0_is_rejected(v):
    with pytest.raises(ValueError, match="v must"):
        p_value_remaining(BetaArms([1, 1], [1, 1]), v)


@pytest.mark.parametrize("quantile", [0, 1, np.nan])
def test_a_quantile_outside_of_0_and_1_is_rejected(quantile):
    with pytest.raises(ValueError, match="quantile"):
        value_remaining(BetaArms([1, 1], [1, 1]), quantile)


def test_several_bandits_at_once_are_rejected():
    with pytest.raises(ValueError, match="one bandit"):
        value_remaining(BetaArms(np.ones((2, 2)), np.ones((2, 2))))


@pytest.mark.parametrize(("a", "remains"), [([520, 455], False), ([520, 475], True)])
def test_nothing_remains_once_the_champion_is_sure_enough(a, remains):
    arms = BetaArms(a, [1000, 1000])
    assert (p_value_remaining(arms, 0) > 0.05) == remains
    assert (value_remaining(arms) > 0) == remains


@pytest.mark.parametrize("quantile", [0.5, 0.95])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param([0.05, 0.04, 0.06], [0.05, 0.05, 0.04], id="very vague"),
        pytest.param([0.2, 3], [400, 9000], id="rare and unsure"),
        pytest.param([990, 0.3], [10, 0.3], id="sure and near 1 beside vague"),
        pytest.param([30000, 30010, 29990], [1e6, 1e6, 1e6], id="many trials"),
    ],
)
def test_the_quantile_of_unusual_arms_is_where_the_probability_is_what_it_should_be(a, b, quantile):
    arms = BetaArms(a, b)
    v = value_remaining(arms, quantile, champion=1)
    beaten = p_value_remaining(arms, v, champion=1)
    assert (v == 0 and beaten <= 1 - quantile) or beaten == pytest.approx(1 - quantile, abs=1e-8)
