"""The value objective against independent integrals, draws, and what must happen at its edges."""

import numpy as np
import pytest
from scipy import integrate, stats

from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.numerics import maximum
from app.bandits.numerics.maximum import QuadratureError
from app.bandits.policies.value_epsilon_greedy import ValueEpsilonGreedy
from app.bandits.policies.value_thompson import ValueThompson
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.student_t import StudentT
from app.bandits.posteriors.value import ValueArms, mean_values
from app.bandits.totals import Totals

COLUMNS = ("trials", "successes", "value", "value_sq")


def by_scipy(arms):
    """P(arm 2 earns more than arm 1): integrals over both rates, with Student's t inside where it is uncertain."""
    (a1, a2), (b1, b2) = arms.rates.a, arms.rates.b
    grid = (np.arange(400) + 0.5) / 400
    first = np.multiply.outer(stats.beta.ppf(grid, a1, b1), _means(arms.value, 0, grid)) - arms.cost[0]
    second = np.multiply.outer(stats.beta.ppf(grid, a2, b2), _means(arms.value, 1, grid)) - arms.cost[1]
    below = np.searchsorted(np.sort(first.ravel()), second.ravel()) / first.size
    return below.mean()


def _means(value, i, u):
    return value.location[i] + value.scale[i] * stats.t.ppf(u, value.freedom[i])


def totals(successes, spread, trials=1000, mean=30.0, cost=None):
    """Arms whose successes are worth `mean` with the squared coefficient of variation `spread`."""
    s = np.array(successes, dtype=float)
    return Totals(np.full(s.size, trials), s, s * mean, s * mean**2 * (1 + spread), cost)


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.5, 1.0, 9.0])
@pytest.mark.parametrize("successes", [(120, 150), (12, 20), (4, 9)])
def test_p_best_agrees_with_a_plain_product_grid(spread, successes):
    arms = ValueArms.from_totals(totals(successes, spread))
    assert best_value_arm(arms).p_best[1] == pytest.approx(by_scipy(arms), abs=2e-3)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(([400, 500], [40, 60], [1200, 1700], [90e3, 80e3], [0.1, 0.4]), id="costs"),
        pytest.param(
            ([351, 1403], [13, 17], [200, 495], [473e3, 14_416]), id="values less certain than rates"
        ),
        pytest.param(
            ([214, 272], [0, 10], [0, 10_348], [0, 36_844e3], [1.3, 4.85]), id="an arm without success"
        ),
    ],
)
def test_p_best_agrees_with_a_double_integral(figures):
    arms = ValueArms.from_totals(Totals(*figures))
    a, b, value = arms.rates.a, arms.rates.b, arms.value

    spread = np.abs(arms.mean).max() + value.scale.max() * arms.rates.mean.max()
    x = spread / 20 * np.sinh(np.linspace(-10, 10, 1501))
    u, weights = np.polynomial.legendre.leggauss(200)

    def below(i):
        """P(w_i < x), over the quantiles of the rate."""
        rates = stats.beta.ppf((u + 1) / 2, a[i], b[i])
        z = ((x[:, None] + arms.cost[i]) / rates - value.location[i]) / value.scale[i]
        return stats.t.cdf(z, value.freedom[i]) @ weights / 2

    p_second = np.trapezoid(below(0), below(1))
    assert best_value_arm(arms).p_best[1] == pytest.approx(p_second, abs=2e-5)


@pytest.mark.parametrize("level", [100, 0.01, -30])
def test_known_values_leave_a_comparison_of_scaled_rates(level):
    """P(m1 theta_1 < m2 theta_2) with known means, by scipy over the second rate."""
    arms = ValueArms.from_totals(Totals([500, 500], [50, 60], [50 * level, 55 * level]))
    ratio = arms.value.location[1] / arms.value.location[0]
    a, b = arms.rates.a, arms.rates.b
    expected = integrate.quad(
        lambda u: stats.beta.cdf(stats.beta.ppf(u, a[1], b[1]) * ratio, a[0], b[0]), 0, 1
    )[0]
    assert best_value_arm(arms).p_best[1] == pytest.approx(expected if level > 0 else 1 - expected, abs=1e-7)


def test_the_mean_value_is_shrunk_by_two_successes_of_the_pooled_mean():
    arms = ValueArms.from_totals(Totals([100, 100], [10, 0], [300, 0]))
    assert arms.value.location == pytest.approx([(300 + 2 * 30) / 12, (0 + 2 * 30) / 2])
    assert arms.value.scale.tolist() == [0, 0]


def test_the_uncertainty_of_the_mean_value_is_the_conjugate_one():
    """Normal-inverse-gamma by its own update, with prior mean 24, strength 2, variance 160 and 2 freedoms."""
    s, v, q = np.array([3.0, 2.0]), np.array([60.0, 60.0]), np.array([1400.0, 2280.0])
    arms = ValueArms.from_totals(Totals([100, 100], s, v, q))
    m, variance = 120 / 5, 3680 / 5 - 24**2
    beta = 0.5 * (2 * variance) + 0.5 * (q - v**2 / s) + s * 2 * (v / s - m) ** 2 / (2 * (s + 2))
    assert arms.value.freedom.tolist() == [5, 4]
    assert arms.value.scale**2 == pytest.approx(beta / ((2 + s) / 2) / (2 + s))


def test_costs_are_subtracted_per_trial():
    arms = ValueArms.from_totals(totals([100, 100], 1.0, cost=[0.0, 2.0]))
    assert arms.mean[0] - arms.mean[1] == pytest.approx(2)
    assert best_value_arm(arms).p_best[0] > 0.999
    assert best_value_arm(arms).expected_loss[1] == pytest.approx(2, abs=0.01)


def test_the_same_cost_for_all_changes_nothing():
    free, costly = (ValueArms.from_totals(totals([100, 120, 90], 1.0, cost=[c] * 3)) for c in (0.0, 5.0))
    assert best_value_arm(costly).p_best == pytest.approx(best_value_arm(free).p_best, abs=1e-7)


@pytest.mark.parametrize("rate", [100, 1e-3])
@pytest.mark.parametrize("spread", [1.0, 0.25])
def test_another_currency_changes_nothing_but_the_loss(spread, rate):
    euros = totals([100, 120, 90], spread)
    others = Totals(euros.trials, euros.successes, rate * euros.value, rate**2 * euros.value_sq)
    first, second = (best_value_arm(ValueArms.from_totals(t)) for t in (euros, others))
    assert second.p_best == pytest.approx(first.p_best, abs=1e-9)
    assert second.expected_loss / rate == pytest.approx(first.expected_loss, abs=1e-9)


@pytest.mark.sampling
def test_two_identical_arms_are_declared_in_at_most_12_percent_of_2000_runs():
    rng, n, runs = np.random.default_rng(8), 2000, 2000
    s = rng.binomial(n, 0.05, (runs, 2))
    values = np.where(np.arange(s.max()) < s[..., None], rng.lognormal(3, 1, (runs, 2, s.max())), 0)
    totals = Totals(np.full((runs, 2), n), s, values.sum(axis=2), (values**2).sum(axis=2))
    p_best = best_value_arm(ValueArms.from_totals(totals)).p_best
    assert (p_best.max(axis=1) >= 0.95).mean() <= 0.12
    known = best_value_arm(ValueArms.from_totals(Totals(totals.trials, s, totals.value))).p_best
    assert (known.max(axis=1) >= 0.95).mean() > 0.2, "without value_sq the answer is overconfident"


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(([100, 100], [0, 0], [0, 0], [0, 0]), id="no success at all"),
        pytest.param(([100, 100], [10, 10], [0, 0], [0, 0]), id="successes worth nothing"),
        pytest.param(([0, 0], [0, 0], [0, 0]), id="no data"),
        pytest.param(([100, 100], [5, 5], [-50, -50], [500, 500]), id="a loss with each success"),
    ],
)
def test_equal_arms_share_equally_at_every_edge(figures):
    found = best_value_arm(ValueArms.from_totals(Totals(*figures)))
    assert found.p_best == pytest.approx([0.5, 0.5], abs=1e-9)
    assert np.isfinite(found.expected_loss).all()


def test_with_negative_values_fewer_successes_are_better():
    found = best_value_arm(
        ValueArms.from_totals(Totals([1000, 1000], [50, 100], [-500, -1000], [6000, 12_000]))
    )
    assert found.p_best[0] > 0.99


def test_a_refund_without_a_success_counts_against_its_arm():
    found = best_value_arm(ValueArms.from_totals(Totals([100, 100], [0, 5], [-20, 100], [400, 2500])))
    assert found.p_best[0] < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_odd_totals_are_always_answered(seed):
    rng = np.random.default_rng(seed)
    for k in (2, 3, 6):
        s = np.floor(rng.uniform(0, 1, k) ** 3 * 10 ** rng.uniform(0, 4, k))
        v = s * rng.normal(5, 20, k)
        q = np.where(s > 0, v**2 / np.maximum(s, 1) * rng.uniform(1, 3, k), 0)
        found = best_value_arm(ValueArms.from_totals(Totals(s + rng.integers(0, 9999, k), s, v, q)))
        assert found.p_best.sum() == pytest.approx(1, abs=1e-6)


def test_expected_losses_agree_with_draws():
    arms = ValueArms.from_totals(totals([20, 30, 25], 2.0, cost=[0, 0.1, 0]))
    rng, n = np.random.default_rng(4), 400_000
    values = arms.value.location + arms.value.scale * rng.standard_t(arms.value.freedom, (n, 3))
    earned = rng.beta(arms.rates.a, arms.rates.b, (n, 3)) * values - arms.cost
    losses = earned.max(axis=1, keepdims=True) - earned
    error = losses.std(axis=0) / np.sqrt(n)
    assert (np.abs(best_value_arm(arms).expected_loss - losses.mean(axis=0)) < 4 * error).all()


def test_the_value_objective_needs_values():
    with pytest.raises(ValueError, match="needs the value"):
        ValueThompson().shares(Totals([10], [5]))


def test_the_largest_expected_earning_is_exploited():
    figures = Totals([100, 100], [10, 20], [1000, 400], cost=[0, 0])
    assert ValueEpsilonGreedy(0.1).shares(figures).tolist() == pytest.approx([0.95, 0.05])


def test_nothing_known_of_values_is_an_even_split():
    nothing = Totals([100, 50, 10], [0, 0, 0], [0, 0, 0], cost=[0, 1, 2])
    assert ValueEpsilonGreedy(0.1).shares(nothing) == pytest.approx(1 / 3)
    assert ValueThompson().shares(nothing) == pytest.approx(1 / 3)
    drawn = ValueThompson().draw(nothing, np.random.default_rng(1), 3000)
    assert stats.chisquare(np.bincount(drawn)).pvalue > 1e-4


def test_what_one_bandit_knows_of_values_does_not_help_another_to_draw():
    """The second bandit has seen no value: each of its arms is equally likely, whatever they cost."""
    rows = Totals([[100] * 3, [100] * 3], [[10] * 3, [0] * 3], [[90, 20, 20], [0] * 3], cost=[0, 1, 2])
    drawn = ValueThompson().draw(rows, np.random.default_rng(2), 3000)
    assert (drawn[0] == 0).mean() > 0.9
    assert stats.chisquare(np.bincount(drawn[1], minlength=3)).pvalue > 1e-4


def summing_to(monkeypatch, *sums):
    """Let two arms' probabilities sum to these on ever finer grids."""
    left = iter(sums)

    def integrals(*_):
        return np.array([[0.5, next(left) - 0.5]]), np.zeros(1), np.zeros(1)

    monkeypatch.setattr(maximum, "_integrals", integrals)
    return best_value_arm(ValueArms.from_totals(totals([100, 120], 1.0))).p_best


def test_probabilities_are_refined_until_they_sum_to_1_within_1e_6(monkeypatch):
    assert summing_to(monkeypatch, 1 - 1.1e-6, 1 - 0.9e-6).sum() == pytest.approx(1 - 0.9e-6, abs=1e-12)


def test_the_finest_grid_may_be_off_by_a_hundredth(monkeypatch):
    assert summing_to(monkeypatch, *[1 - 0.0099] * 4) == pytest.approx([0.5 / 0.9901, 0.4901 / 0.9901])
    with pytest.raises(QuadratureError):
        summing_to(monkeypatch, *[1 - 0.0101] * 4)


@pytest.mark.parametrize("freedom", [2, 4.5, 30, 1e6])
def test_students_density_agrees_with_scipy(freedom):
    t = StudentT(np.array(3.0), np.array(0.5), np.array(freedom))
    m = np.linspace(-5, 12, 41)
    assert t.density(m) == pytest.approx(stats.t.pdf(m, freedom, 3, 0.5), rel=1e-11)


def test_students_reach_holds_all_but_the_tail():
    t = StudentT(np.array([0.0]), np.array([2.0]), np.array([2.0]))
    assert t.reach(23.0)[0] == pytest.approx(2 * np.sqrt(2 * np.expm1(23)))


def test_the_rates_of_value_arms_are_those_of_conversions():
    assert isinstance(ValueArms.from_totals(totals([5, 6], 1.0), (2, 3)).rates, BetaArms)
    assert ValueArms.from_totals(totals([5, 6], 1.0), (2, 3)).rates.a.tolist() == [7, 8]


@pytest.mark.parametrize(("freedom", "tail"), [(1e7, 23.0), (5.0, 2.0)])
def test_students_reach_is_where_the_body_has_dropped_by_the_tail(freedom, tail):
    reach = StudentT(np.array([0.0]), np.array([2.0]), np.array([freedom])).reach(tail)[0]
    assert -freedom / 2 * np.log1p((reach / 2) ** 2 / freedom) == pytest.approx(-tail, rel=1e-9)


def test_values_that_never_vary_leave_no_uncertainty():
    arms = ValueArms.from_totals(totals([7, 11, 13], 0.0, mean=9.99))
    assert arms.value.scale.tolist() == [0, 0, 0]
    assert arms.value.location == pytest.approx(9.99)


def test_the_prior_of_the_rates_is_uniform_unless_another_is_given():
    rates = ValueArms.from_totals(Totals([10], [3], [6])).rates
    assert (rates.a.tolist(), rates.b.tolist()) == ([4], [8])


@pytest.mark.parametrize(
    ("successes", "value", "known"),
    [
        pytest.param([1, 0], [0, 0], True, id="one success, worth nothing"),
        pytest.param([0, 0], [5, 0], True, id="a value before its success"),
        pytest.param([0, 0], [0, 0], False, id="neither"),
    ],
)
def test_values_are_known_once_a_success_or_a_value_was_seen(successes, value, known):
    assert ValueArms.from_totals(Totals([10, 10], successes, value)).known.tolist() == [known]


def test_a_single_success_tells_the_mean_value_of_all_arms():
    assert mean_values(Totals([10, 10], [1, 0], [30, 0])).location.tolist() == [30, 30]


@pytest.mark.parametrize("sign", [1, -1])
def test_an_arm_worth_exactly_nothing_gets_the_least_of_uncertainties(sign):
    """Values -5 and 55 of ten successes each: pooled 2.5, so that the means are (-5 + 5) / 12 = 0 and 5."""
    value = sign * np.array([[-5.0, 55.0], [-50.0, 550.0]])
    found = mean_values(Totals(np.full((2, 2), 100.0), np.full((2, 2), 10.0), value))
    assert found.location == pytest.approx(sign * np.array([[0, 5.0], [0, 50.0]]), abs=1e-12)
    assert found.scale == pytest.approx(np.array([[5e-9, 0], [5e-8, 0]]), abs=1e-15)


def test_losses_of_many_bandits_are_those_of_each():
    batch = [totals([100, 120], 1.0), totals([10, 160], 1.0), totals([30, 30], 0.5)]
    columns = (np.stack([getattr(one, c) for one in batch])[None] for c in COLUMNS)
    together = best_value_arm(ValueArms.from_totals(Totals(*columns)))
    assert together.expected_loss.shape == (1, 3, 2)
    for i, one in enumerate(batch):
        alone = best_value_arm(ValueArms.from_totals(one))
        assert together.expected_loss[0, i] == pytest.approx(alone.expected_loss, abs=1e-9)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(([400, 500], [40, 60], [1200, 1700], [90e3, 80e3], [0.1, 0.4]), id="costs"),
        pytest.param(([1000, 1000], [100, 120], [3, 3.6], [0.12, 0.15]), id="values more certain than rates"),
        pytest.param(
            ([214, 272], [0, 10], [0, 10_348], [0, 36_844e3], [1.3, 4.85]), id="an arm without success"
        ),
        pytest.param(([100, 100], [5, 8], [-50, -90], [900, 1800]), id="a loss with each success"),
    ],
)
def test_the_interval_holds_what_is_earned_with_its_probability_and_as_much_on_either_side(figures):
    """P(theta M < w + c) by scipy over the quantiles of the rate."""
    arms = ValueArms.from_totals(Totals(*figures))
    u, weights = np.polynomial.legendre.leggauss(400)
    for i, ends in enumerate(arms.interval(0.9)):
        rates = stats.beta.ppf((u + 1) / 2, arms.rates.a[i], arms.rates.b[i])
        z = ((ends[:, None] + arms.cost[i]) / rates - arms.value.location[i]) / arms.value.scale[i]
        assert stats.t.cdf(z, arms.value.freedom[i]) @ weights / 2 == pytest.approx([0.05, 0.95], abs=2e-5)


def test_known_values_leave_the_interval_of_the_rate():
    arms = ValueArms.from_totals(Totals([[500], [800]], [[50], [60]], [[100], [240]], cost=[0.3]))
    expected = arms.rates.interval() * arms.value.location[..., None] - 0.3
    assert arms.interval() == pytest.approx(expected, abs=1e-9)


def test_nothing_known_of_values_has_no_interval():
    assert np.isnan(ValueArms.from_totals(Totals([100, 50], [0, 0], [0, 0])).interval()).all()


@pytest.mark.parametrize("level", [0, 1])
def test_an_interval_needs_a_level_between_0_and_1(level):
    with pytest.raises(ValueError, match="level"):
        ValueArms.from_totals(Totals([100], [5], [9])).interval(level)


def test_a_sure_champion_has_no_negative_loss():
    for worst in range(1, 40, 3):
        found = best_value_arm(ValueArms.from_totals(totals([worst, 600], 0.3)))
        assert (found.expected_loss >= 0).all()
        assert (found.p_best <= 1).all()
