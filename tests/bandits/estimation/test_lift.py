"""The lift against published and independent figures."""

import math

import numpy as np
import pytest
from scipy import stats

from app.bandits.estimation.lift import Sample, conversion_lift, value_lift
from tests.support.samples import conversions_of


def of(values):
    return Sample(len(values), np.sum(values), np.sum(np.square(values)))


@pytest.mark.parametrize(
    ("bandit", "holdout", "expected"),
    [
        pytest.param((56, 70), (48, 80), (0.0524, 0.3339), id="56/70 against 48/80"),
        pytest.param((9, 10), (3, 10), (0.1705, 0.8090), id="9/10 against 3/10"),
        pytest.param((5, 56), (0, 29), (-0.0381, 0.1926), id="5/56 against 0/29"),
        pytest.param((0, 10), (0, 10), (-0.2775, 0.2775), id="0/10 against 0/10"),
        pytest.param((10, 10), (0, 10), (0.6075, 1.0), id="10/10 against 0/10"),
    ],
)
def test_newcombes_intervals_are_those_of_his_table(bandit, holdout, expected):
    """Table II of Newcombe 1998, method 10."""
    samples = (conversions_of(n, s) for s, n in (bandit, holdout))
    assert conversion_lift(*samples).interval == pytest.approx(expected, abs=6e-5)


def test_wilsons_limits_are_scipys():
    ours = conversion_lift(conversions_of(400, 60), conversions_of(300, 30), 0.9)
    (l1, u1), (l0, u0) = (
        stats.binomtest(s, n).proportion_ci(0.9, method="wilson") for s, n in ((60, 400), (30, 300))
    )
    expected = [0.05 - math.hypot(0.15 - l1, u0 - 0.1), 0.05 + math.hypot(u1 - 0.15, 0.1 - l0)]
    assert ours.difference == pytest.approx(0.05)
    assert ours.interval == pytest.approx(expected, rel=1e-12)


def test_the_relative_lift_of_conversions_has_katzs_interval():
    found = conversion_lift(conversions_of(400, 60), conversions_of(300, 30))
    s = math.sqrt((1 - 0.15) / 0.15 / 399 + (1 - 0.1) / 0.1 / 299)
    assert found.relative == pytest.approx(0.5)
    expected = np.exp(math.log(1.5) + stats.norm.ppf([0.025, 0.975]) * s) - 1
    assert found.relative_interval == pytest.approx(expected, rel=1e-12)


def test_the_lift_of_values_has_welchs_interval():
    rng = np.random.default_rng(1)
    bandit, holdout = rng.gamma(2, 3, 12), rng.gamma(2, 2, 7)
    found = value_lift(of(bandit), of(holdout), 0.9)
    expected = stats.ttest_ind(bandit, holdout, equal_var=False)
    assert found.difference == pytest.approx(bandit.mean() - holdout.mean())
    assert found.interval == pytest.approx(tuple(expected.confidence_interval(0.9)), rel=1e-10)


def test_the_relative_lift_of_values_follows_from_the_logarithm_of_the_ratio():
    rng = np.random.default_rng(2)
    bandit, holdout = rng.gamma(2, 3, 500), rng.gamma(2, 2, 700)
    found = value_lift(of(bandit), of(holdout))
    s = math.hypot(stats.sem(bandit) / bandit.mean(), stats.sem(holdout) / holdout.mean())
    r = bandit.mean() / holdout.mean()
    assert found.relative == pytest.approx(r - 1)
    assert found.relative_interval == pytest.approx(r * np.exp(stats.norm.ppf([0.025, 0.975]) * s) - 1)


def test_without_conversions_there_is_a_difference_but_no_relative_lift():
    found = conversion_lift(conversions_of(100, 5), conversions_of(20, 0))
    assert found.difference == pytest.approx(0.05)
    assert np.isfinite(found.interval).all()
    assert np.isnan([found.relative, *found.relative_interval]).all()


@pytest.mark.parametrize("lift", [conversion_lift, value_lift])
def test_an_empty_holdout_gives_nothing(lift):
    found = lift(conversions_of(100, 5), conversions_of(0, 0))
    assert np.isnan([found.difference, *found.interval, found.relative, *found.relative_interval]).all()


def test_a_single_unit_has_no_spread():
    found = value_lift(Sample(1, 3, 9), Sample(10, 20, 50))
    assert found.difference == pytest.approx(1)
    assert np.isnan(found.interval).all()


def test_values_without_any_spread_give_no_interval():
    found = value_lift(of([0.1] * 30), of([0.7] * 10))
    assert found.difference == pytest.approx(-0.6)
    assert np.isnan(found.interval).all()


def test_a_loss_has_no_relative_lift():
    found = value_lift(of([-1, 2, -3, 1]), of([1, 2, 3]))
    assert np.isnan([found.relative, *found.relative_interval]).all()
    assert np.isfinite(found.interval).all()


def test_many_comparisons_at_once_are_each_alone():
    bandit, holdout = conversions_of([100, 50], [10, 0]), conversions_of([30, 60], [2, 6])
    for lift in (conversion_lift, value_lift):
        found = lift(bandit, holdout)
        for i, (n, s, m, t) in enumerate([(100, 10, 30, 2), (50, 0, 60, 6)]):
            alone = lift(conversions_of(n, s), conversions_of(m, t))
            np.testing.assert_array_equal(found.interval[i], alone.interval)
            np.testing.assert_array_equal(found.relative_interval[i], alone.relative_interval)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        pytest.param((3, [1, 2], [1, 2]), "one shape", id="shapes"),
        pytest.param((3, math.nan, 1), "finite", id="unknown"),
        pytest.param(([3, 3], [1, math.inf], [1, 1]), "finite", id="one infinite"),
        pytest.param(([3, -1], [1, 1], [1, 1]), "negative", id="negative units"),
        pytest.param(([3, 3], [1, 1], [1, -1]), "negative", id="negative squares"),
    ],
)
def test_what_no_sample_can_be_is_rejected(figures, message):
    with pytest.raises(ValueError, match=message):
        Sample(*figures)


@pytest.mark.parametrize(
    "figures", [(3, 2, 4), (3, 4, 4), ([9, 3], [2, 2], [2, 4]), ([9, 3], [4, 4], [4, 4])], ids=str
)
def test_a_conversion_is_1_or_0_per_unit(figures):
    good = conversions_of(10, 5)
    for samples in [(good, Sample(*figures)), (Sample(*figures), good)]:
        with pytest.raises(ValueError, match="1 or 0"):
            conversion_lift(*samples)


@pytest.mark.parametrize("lift", [conversion_lift, value_lift])
def test_a_level_lies_between_0_and_1(lift):
    with pytest.raises(ValueError, match="level"):
        lift(conversions_of(10, 5), conversions_of(10, 5), 1.0)
