"""P(best) and expected loss against closed forms, 28-digit references and independent integrals."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from app.bandits.best_arm.best_arm import CHUNK, QuadratureError, best_arm
from app.bandits.numerics import maximum
from app.bandits.posteriors.beta import BetaArms

few = settings(max_examples=25, deadline=None, derandomize=True)
counts = st.integers(0, 2000)
arms_drawn = st.lists(st.tuples(counts, counts), min_size=2, max_size=7).map(
    lambda arms: BetaArms([1 + s for s, _ in arms], [1 + f for _, f in arms])
)


def by_scipy(a, b, i):
    """P(arm i is best) by adaptive quadrature of prod_j F_j over arm i's own probability scale."""
    others = [j for j in range(len(a)) if j != i]

    def integrand(u):
        x = stats.beta.ppf(u, a[i], b[i])
        return np.prod([stats.beta.cdf(x, a[j], b[j]) for j in others])

    edges = [0, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-4, 1]
    return sum(integrate.quad(integrand, *pair, epsabs=1e-12)[0] for pair in itertools.pairwise(edges))


def test_the_28_digit_references_are_met_to_1e_12(references):
    for name, (a, b, p_best, expected_loss) in references.items():
        found = best_arm(BetaArms(a, b))
        assert np.abs(found.p_best - p_best).max() <= 1e-12, name
        assert np.abs(found.expected_loss - expected_loss).max() <= 1e-12, name


@pytest.mark.parametrize(
    ("a", "b", "p_first"),
    [
        pytest.param([1, 1], [1, 1], 1 / 2, id="nothing observed"),
        pytest.param([2, 1], [1, 2], 5 / 6, id="Beta(2,1) against Beta(1,2)"),
        pytest.param([3, 1], [1, 1], 3 / 4, id="x^3 against x: n / (n + m)"),
        pytest.param([4, 1, 2], [1, 1, 1], 4 / 7, id="maxima of 4, 1 and 2 uniforms"),
        pytest.param([0.5, 0.5], [0.5, 0.5], 1 / 2, id="Jeffreys"),
        pytest.param([1e-3, 1e-3], [1e-3, 1e-3], 1 / 2, id="nearly improper"),
    ],
)
def test_closed_forms_are_met(a, b, p_first):
    assert best_arm(BetaArms(a, b)).p_best[0] == pytest.approx(p_first, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 10, 100, 1000])
def test_the_best_of_k_uniforms_is_expected_at_k_over_k_plus_1(k):
    loss = best_arm(BetaArms(np.ones(k), np.ones(k))).expected_loss
    assert loss == pytest.approx(k / (k + 1) - 1 / 2, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param([13, 16, 14], [89, 86, 88], id="12, 15 and 13 %"),
        pytest.param([0.5, 0.7, 3.2], [0.4, 9.5, 8.1], id="fractional, below 1"),
        pytest.param([2.5, 40.5], [1e5, 2e6], id="small rates"),
        pytest.param([1e5, 3.2], [1e5 + 300, 3.4], id="one sure, one vague"),
        pytest.param([900.5, 95.5], [10.5, 2.5], id="rates near 1"),
    ],
)
def test_p_best_agrees_with_adaptive_quadrature(a, b):
    expected = [by_scipy(a, b, i) for i in range(len(a))]
    assert best_arm(BetaArms(a, b)).p_best == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("a", "b", "c", "d"), [(1, 9e5, 3, 1e6), (1001, 99_000, 1060, 99_500), (2, 5, 40, 90)]
)
def test_two_arms_agree_with_the_exact_finite_sum(a, b, c, d):
    with mpmath.workdps(
        40
    ):  # P(theta_2 > theta_1) = sum_{i < c} B(a + i, b + d) / ((d + i) B(1 + i, d) B(a, b))
        terms = (
            mpmath.beta(a + i, b + d) / ((d + i) * mpmath.beta(1 + i, d) * mpmath.beta(a, b))
            for i in range(c)
        )
        expected = float(mpmath.fsum(terms))
    assert best_arm(BetaArms([a, c], [b, d])).p_best[1] == pytest.approx(expected, abs=1e-12)


def test_the_expected_loss_is_the_integral_of_the_difference():
    """E[(theta_2 - theta_1)+] = integral of F_1 (1 - F_2)."""
    gain, _ = integrate.quad(
        lambda x: stats.beta.cdf(x, 13, 89) * stats.beta.sf(x, 16, 86), 0, 1, epsabs=1e-13
    )
    assert best_arm(BetaArms([13, 16], [89, 86])).expected_loss[0] == pytest.approx(gain, abs=1e-12)


@few
@given(arms_drawn)
def test_probabilities_sum_to_one(arms):
    assert best_arm(arms).p_best.sum() == pytest.approx(1, abs=1e-10)


@few
@given(arms_drawn, st.randoms(use_true_random=False))
def test_permuting_the_arms_permutes_the_bits(arms, random):
    order = random.sample(range(arms.k), arms.k)
    permuted = best_arm(BetaArms(arms.a[order], arms.b[order]))
    assert (permuted.p_best == best_arm(arms).p_best[order]).all()
    assert (permuted.expected_loss == best_arm(arms).expected_loss[order]).all()


@few
@given(arms_drawn, st.integers(2, 6))
def test_identical_arms_get_identical_bits(arms, copies):
    found = best_arm(BetaArms(np.tile(arms.a, copies), np.tile(arms.b, copies)))
    assert (found.p_best.reshape(copies, -1) == found.p_best[: arms.k]).all()


@few
@given(arms_drawn)
def test_the_worst_of_the_mirrored_arms_is_the_best(arms):
    """P(theta_i is smallest) = P(1 - theta_i is largest); with two arms the two add up to 1."""
    pair = BetaArms(arms.a[:2], arms.b[:2])
    mirrored = best_arm(BetaArms(pair.b, pair.a)).p_best
    assert best_arm(pair).p_best == pytest.approx(1 - mirrored, abs=1e-12)


@few
@given(arms_drawn)
def test_mean_plus_expected_loss_is_the_same_for_every_arm(arms):
    top = arms.mean + best_arm(arms).expected_loss
    assert top == pytest.approx(top[0], abs=1e-12)


@few
@given(arms_drawn)
def test_a_hopeless_arm_changes_nothing(arms):
    hopeless = BetaArms(np.append(arms.a, 1), np.append(arms.b, 1e7))
    shares = best_arm(BetaArms(arms.a + 30, arms.b)).p_best
    with_it = best_arm(BetaArms(hopeless.a + 30 * (np.arange(arms.k + 1) < arms.k), hopeless.b)).p_best
    assert with_it == pytest.approx(np.append(shares, 0), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_extreme_problems_stay_within_1e_10_of_a_sum_of_one(seed):
    rng = np.random.default_rng(seed)
    for k in (2, 3, 20, 60):
        n, rate = 10 ** rng.uniform(0, 8, k), 10 ** rng.uniform(-5, -0.01, k)
        rate = np.where(rng.random() < 0.3, 1 - rate, rate)
        assert best_arm(BetaArms(n * rate, n * (1 - rate))).p_best.sum() == pytest.approx(1, abs=1e-10)


def test_many_bandits_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.5, 200, (300, 2, 5)), rng.uniform(0.5, 2000, (300, 2, 5))
    together = best_arm(BetaArms(a, b))
    for i, j in [(0, 0), (17, 1), (299, 1)]:
        alone = best_arm(BetaArms(a[i, j], b[i, j]))
        assert together.p_best[i, j] == pytest.approx(alone.p_best, abs=1e-12)
        assert together.expected_loss[i, j] == pytest.approx(alone.expected_loss, abs=1e-12)


def test_a_dominating_arm_takes_everything_and_never_more():
    p_best = best_arm(BetaArms([9e7, 1000, 1], [1e7, 9e7, 1e8])).p_best
    assert p_best == pytest.approx([1, 0, 0], abs=1e-12)
    assert p_best.max() <= 1


def test_a_single_arm_is_best_and_loses_nothing():
    found = best_arm(BetaArms([3.0], [5.0]))
    assert found.p_best == pytest.approx([1], abs=1e-14)
    assert found.expected_loss == pytest.approx([0], abs=1e-14)


def test_a_vague_arm_can_win_though_a_sure_one_with_a_larger_mean_cannot():
    """P(Beta(1, 30) beats theta) = E[(1 - theta)^30], a product of ratios of gammas; the middle arm is lost."""
    failures, n = 80_000, 100_000
    vague = np.prod([(failures + i) / (n + i) for i in range(30)])
    p_best = best_arm(BetaArms([1, 1000, n - failures], [30, 9000, failures])).p_best
    assert p_best == pytest.approx([vague, 0, 1 - vague], abs=1e-12)


def test_probabilities_that_never_sum_to_one_are_an_error(monkeypatch):
    monkeypatch.setattr(maximum, "_integrals", lambda *_: (np.array([[0.4, 0.5]]), np.zeros(1), np.zeros(1)))
    with pytest.raises(QuadratureError, match=r"only within 1\.0e-01"):
        best_arm(BetaArms([1, 1], [1, 1]))


def test_probabilities_that_are_nearly_right_are_normed_where_that_is_acceptable(monkeypatch):
    monkeypatch.setattr(maximum, "_integrals", lambda *_: (np.array([[0.4, 0.5]]), np.zeros(1), np.zeros(1)))
    assert maximum.p_best_and_expected_max(None, 1e-9, acceptable=0.11)[0].tolist() == [
        [pytest.approx(4 / 9), pytest.approx(5 / 9)]
    ]
    with pytest.raises(QuadratureError):
        maximum.p_best_and_expected_max(None, 1e-9, acceptable=0.09)


def test_a_grid_that_is_too_coarse_is_refined(monkeypatch):
    monkeypatch.setattr(maximum, "FINENESS", (40.0, 20.0, 10.0, 2.0))
    assert best_arm(BetaArms([2, 1], [1, 2])).p_best[0] == pytest.approx(5 / 6, abs=1e-9)


def test_a_bandit_keeps_its_contenders_beside_bandits_of_other_rates():
    """Of the first bandit the worst arm is hopeless, of the others it is not, whatever rates the first has."""
    a = np.array([[100.0, 500, 520], [10, 11, 12], [300, 300, 300]])
    b = np.array([[900.0, 500, 480], [990, 989, 988], [300, 300, 300]])
    together = best_arm(BetaArms(a, b))
    for i in range(3):
        alone = best_arm(BetaArms(a[i], b[i]))
        assert together.p_best[i] == pytest.approx(alone.p_best, abs=1e-12)
        assert together.expected_loss[i] == pytest.approx(alone.expected_loss, abs=1e-12)


def test_more_arms_than_fit_into_one_piece_of_memory_are_judged_too():
    k = CHUNK // 200 + 1
    assert best_arm(BetaArms(np.ones(k), np.ones(k))).p_best == pytest.approx(np.full(k, 1 / k), abs=1e-12)


@pytest.mark.parametrize("a", [10, 100, 1000, 1e4, 1e5])
def test_a_sure_champion_has_no_negative_loss_and_no_more_than_all_of_the_probability(a):
    found = best_arm(BetaArms([a, 2 * a, 2.5 * a], [9 * a, 8 * a, 7.5 * a]))
    assert (found.expected_loss >= 0).all()
    assert (found.p_best <= 1).all()


def test_a_vague_bandit_beside_a_sure_one_overflows_nothing():
    """Beta(0.001, 0.001) is nearly 0 or 1: beside two sure arms it is best with probability 1/2."""
    a, b = (
        np.array([[0.001, 1000, 400], [1000, 1000, 1100]]),
        np.array([[0.001, 1000, 1600], [1000, 1000, 900]]),
    )
    p_best = best_arm(BetaArms(a, b)).p_best
    assert p_best[0] == pytest.approx([0.5, 0.5, 0], abs=1e-5)
    assert p_best[1] == pytest.approx(best_arm(BetaArms(a[1], b[1])).p_best, abs=1e-12)
