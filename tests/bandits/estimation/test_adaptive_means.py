"""Estimates from adaptive data, unit by unit and where the answer is known."""

import math

import numpy as np
import pytest
from scipy import stats

from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import (
    adaptive_differences,
    adaptive_means,
    naive_means,
    stratified_means,
)
from app.bandits.estimation.estimate import Estimate

PROPENSITIES = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.1, 0.9, 0.0]])
ESTIMATORS = [naive_means, stratified_means, adaptive_means, lambda batches: adaptive_differences(batches, 0)]


def drawn(seed=1, propensities=PROPENSITIES, sizes=(40, 50, 60)):
    """Units with outcomes of any size: their batch, arm and outcome, and what is summed of them."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(np.arange(len(sizes)), sizes)
    arm = np.array([rng.choice(propensities.shape[1], p=propensities[j]) for j in batch])
    outcome = rng.normal(3 + arm, 2)
    figures = np.zeros((3, *propensities.shape))
    for power in range(3):
        np.add.at(figures[power], (batch, arm), outcome**power)
    return batch, arm, outcome, AdaptiveBatches(propensities, *figures)


def scores(batch, arm, outcome, propensities=PROPENSITIES):
    """The scores of every unit by their definition, (n, k); NaN without support."""
    found = np.full((len(batch), propensities.shape[1]), np.nan)
    for i, j in enumerate(batch):
        before = batch < j
        pooled = outcome[before].mean() if before.any() else 0.0
        for w in np.flatnonzero(propensities[j]):
            own = outcome[before & (arm == w)]
            m = (own.sum() + pooled) / (own.size + 1)
            found[i, w] = m + (arm[i] == w) / propensities[j, w] * (outcome[i] - m)
    return found


def weighted(figures, h):
    """The weighted mean of some units' figures and its standard error."""
    mean = (h * figures).sum() / h.sum()
    return mean, math.sqrt((h**2 * (figures - mean) ** 2).sum()) / h.sum()


@pytest.mark.parametrize("first", [1, 40])
def test_adaptive_means_are_those_of_the_single_units_scores(first):
    batch, arm, outcome, batches = drawn(sizes=(first, 50, 60))
    found = adaptive_means(batches)
    for w in range(3):
        some = PROPENSITIES[batch, w] > 0
        figures = scores(batch, arm, outcome)[some, w]
        expected = weighted(figures, np.sqrt(PROPENSITIES[batch[some], w]))
        assert (found.mean[w], found.standard_error[w]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("control", [0, 1, 2])
def test_adaptive_differences_are_those_of_the_single_units_scores(control):
    batch, arm, outcome, batches = drawn()
    found = adaptive_differences(batches, control)
    for w in {0, 1, 2} - {control}:
        p, q = PROPENSITIES[batch, w], PROPENSITIES[batch, control]
        some = (p > 0) & (q > 0)
        figures = scores(batch, arm, outcome)[some]
        expected = weighted(figures[:, w] - figures[:, control], (1 / p[some] + 1 / q[some]) ** -0.5)
        assert (found.mean[w], found.standard_error[w]) == pytest.approx(expected, rel=1e-12)
    assert np.isnan([found.mean[control], found.standard_error[control]]).all()


def test_naive_means_are_plain_means_with_their_standard_errors():
    _, arm, outcome, batches = drawn()
    found = naive_means(batches)
    assert found.mean == pytest.approx([outcome[arm == w].mean() for w in range(3)])
    assert found.standard_error == pytest.approx([stats.sem(outcome[arm == w]) for w in range(3)])


def test_stratified_means_weigh_units_by_their_inverse_propensity():
    batch, arm, outcome, batches = drawn()
    found = stratified_means(batches)
    for w in range(3):
        own = arm == w
        expected = weighted(outcome[own], 1 / PROPENSITIES[batch[own], w])
        assert (found.mean[w], found.standard_error[w]) == pytest.approx(expected, rel=1e-12)


def test_under_constant_propensities_stratifying_changes_no_mean():
    *_, batches = drawn(propensities=np.tile([0.5, 0.3, 0.2], (3, 1)))
    assert stratified_means(batches).mean == pytest.approx(naive_means(batches).mean, rel=1e-12)


def test_one_batch_has_the_inverse_propensity_mean():
    """Nothing is predicted yet: sum of outcomes / (n p), 12 conversions of 100 units drawn at 40 %."""
    batches = AdaptiveBatches([[0.4, 0.6]], [[38, 62]], [[12, 20]], [[12, 20]])
    found = adaptive_means(batches)
    mean = 12 / 0.4 / 100
    assert found.mean[0] == pytest.approx(mean)
    assert found.standard_error[0] == pytest.approx(math.sqrt(12 / 0.4**2 / 100 - mean**2) / 10)


def test_two_batches_by_hand():
    """Batch 1: 10 units each, 5 and 3 converted; batch 2 at 20:80 %: 1 of 2 and 2 of 8."""
    figures = [[5, 3], [1, 2]]
    found = adaptive_means(AdaptiveBatches([[0.5, 0.5], [0.2, 0.8]], [[10, 10], [2, 8]], figures, figures))
    predicted = (5 + 8 / 20) / 11
    h = math.sqrt(0.5), math.sqrt(0.2)
    second = 10 * predicted + (1 - 2 * predicted) / 0.2
    assert found.mean[0] == pytest.approx((h[0] * 5 / 0.5 + h[1] * second) / (20 * h[0] + 10 * h[1]))


def expected_over_draws(estimator, propensities, rates):
    """The exact expectation over two units in two batches: all arms and outcomes, each with its probability."""
    total = 0.0
    for arms in np.ndindex(2, 2):
        for outcomes in np.ndindex(2, 2):
            units, sums = np.zeros((2, 2, 2))
            units[[0, 1], arms] = 1
            sums[[0, 1], arms] = outcomes
            p = [propensities[j][arms[j]] for j in range(2)]
            y = [rates[arms[j]] if outcomes[j] else 1 - rates[arms[j]] for j in range(2)]
            found = estimator(AdaptiveBatches(propensities, units, sums, sums))
            total += math.prod(p) * math.prod(y) * found.mean
    return total


def test_with_propensities_chosen_beforehand_the_adaptive_mean_is_unbiased():
    found = expected_over_draws(adaptive_means, [[0.5, 0.5], [0.1, 0.9]], [0.3, 0.7])
    assert found == pytest.approx([0.3, 0.7], abs=1e-12)


def test_with_propensities_chosen_beforehand_the_adaptive_difference_is_unbiased():
    found = expected_over_draws(
        lambda batches: adaptive_differences(batches, 0), [[0.5, 0.5], [0.1, 0.9]], [0.3, 0.7]
    )
    assert found[1] == pytest.approx(0.4, abs=1e-12)


def test_a_good_day_favours_nobody_in_the_difference():
    """Both arms convert at 10 % on the first day and at 30 % on the second, when traffic has moved to b."""
    p, n = np.array([[0.5, 0.5], [0.1, 0.9]]), 10_000
    units = p * n
    sums = units * [[0.1], [0.3]]
    batches = AdaptiveBatches(p, units, sums, sums)
    assert naive_means(batches).mean == pytest.approx([0.8 / 6, 3.2 / 14])
    assert stratified_means(batches).mean == pytest.approx([0.2, 0.2])
    assert np.ptp(adaptive_means(batches).mean) > 0.02, "each arm has its own weights"
    assert adaptive_differences(batches, 0).mean[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_arm_without_support_has_no_estimate(estimator):
    figures = [[8, 12, 0], [9, 11, 0]]
    batches = AdaptiveBatches([[0.5, 0.5, 0], [0.4, 0.6, 0]], figures, figures, figures)
    found = estimator(batches)
    assert np.isnan([found.mean[2], found.standard_error[2]]).all()
    assert np.isnan(found.interval()[2]).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batches_without_support_change_nothing_for_that_arm(estimator):
    *_, batches = drawn()
    whole, part = estimator(batches), estimator(only(batches, slice(0, 2)))
    assert whole.mean[2] == pytest.approx(part.mean[2], rel=1e-12)
    assert whole.standard_error[2] == pytest.approx(part.standard_error[2], rel=1e-12)


def only(batches, which):
    names = ("propensities", "units", "sums", "squares")
    return AdaptiveBatches(*(getattr(batches, name)[..., which, :] for name in names))


def test_a_batch_with_neither_the_arm_nor_the_control_changes_nothing_in_their_difference():
    *_, batches = drawn(propensities=np.array([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3], [1, 0, 0]]))
    whole, part = (adaptive_differences(some, 1) for some in (batches, only(batches, slice(0, 2))))
    assert whole.mean[2] == pytest.approx(part.mean[2], rel=1e-12)
    assert whole.standard_error[2] == pytest.approx(part.standard_error[2], rel=1e-12)


def test_support_is_the_part_of_the_units_that_came_while_the_arm_could_be_drawn():
    *_, batches = drawn()
    assert batches.support() == pytest.approx([1, 1, 90 / 150])
    assert AdaptiveBatches(PROPENSITIES, *np.zeros((3, 3, 3))).support().tolist() == [0, 0, 0]
    assert AdaptiveBatches([[0.5, 0.5]], [[1, 0]], [[3, 0]], [[9, 0]]).support().tolist() == [1, 1]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("batches", [0, 3])
def test_without_units_nothing_is_known(estimator, batches):
    found = estimator(AdaptiveBatches(PROPENSITIES[:batches], *np.zeros((3, batches, 3))))
    assert np.isnan(found.mean).all()
    assert np.isnan(found.standard_error).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_many_experiments_at_once_are_each_alone(estimator):
    several = [drawn(seed)[-1] for seed in range(4)]
    names = ("propensities", "units", "sums", "squares")
    together = AdaptiveBatches(*(np.stack([getattr(one, name) for one in several]) for name in names))
    found = estimator(together)
    for name in ("mean", "standard_error"):
        np.testing.assert_array_equal(
            getattr(found, name), [getattr(estimator(one), name) for one in several]
        )


@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
def test_a_batch_without_units_changes_nothing(estimator):
    *_, batches = drawn()
    names = ("propensities", "units", "sums", "squares")
    longer = {name: np.insert(getattr(batches, name), 1, 0, axis=0) for name in names}
    longer["propensities"][1] = [0.3, 0.3, 0.4]
    found, expected = estimator(AdaptiveBatches(**longer)), estimator(batches)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS[:3])
def test_without_any_conversion_there_is_a_mean_but_no_interval(estimator):
    found = estimator(AdaptiveBatches([[0.5, 0.5]], [[10, 12]], [[0, 0]], [[0, 0]]))
    assert found.mean.tolist() == [0, 0]
    assert np.isnan(found.interval()).all()


def test_a_single_unit_has_a_naive_mean_without_an_interval():
    found = naive_means(AdaptiveBatches([[0.5, 0.5]], [[1, 2]], [[5, 3]], [[25, 5]]))
    assert found.mean == pytest.approx([5, 1.5])
    assert found.standard_error == pytest.approx([math.nan, 0.5], nan_ok=True)


def test_the_interval_is_the_normal_one():
    estimate = Estimate(np.array([1.0, 2.0]), np.array([0.5, math.nan]))
    assert estimate.interval(0.9)[0] == pytest.approx(stats.norm.interval(0.9, 1, 0.5), rel=1e-12)
    assert estimate.interval()[0] == pytest.approx(stats.norm.interval(0.95, 1, 0.5), rel=1e-12)
    assert np.isnan(estimate.interval()[1]).all()


@pytest.mark.parametrize("level", [0, 1, -0.5, math.nan])
def test_a_level_lies_between_0_and_1(level):
    with pytest.raises(ValueError, match="level"):
        Estimate(np.zeros(1), np.ones(1)).interval(level)


GOOD = {"propensities": [[0.5, 0.5]], "units": [[3, 4]], "sums": [[1, 2]], "squares": [[1, 2]]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"units": [[3]]}, "one shape", id="other arms"),
        pytest.param({name: row[0] for name, row in GOOD.items()}, "one shape", id="one axis"),
        pytest.param(dict.fromkeys(GOOD, np.zeros((1, 0))), "one shape", id="no arms"),
        pytest.param(dict.fromkeys(GOOD, np.zeros((1, 1, 0))), "one shape", id="no arms of several"),
        pytest.param({"sums": [[1, math.inf]]}, "sums must be finite", id="infinite"),
        pytest.param({"propensities": [[50, 50]]}, "sum to 1", id="percent"),
        pytest.param({"propensities": [[0.5, 0.4]]}, "sum to 1", id="too little"),
        pytest.param({"propensities": [[-0.5, 1.5]]}, "must be >= 0", id="below 0"),
        pytest.param(
            {"propensities": [[0, 1]], "units": [[1, 4]]}, "propensity 0 has no units", id="without support"
        ),
        pytest.param({"units": [[-1, 4]]}, "negative", id="negative units"),
        pytest.param({"squares": [[1, -1]]}, "negative", id="negative squares"),
        pytest.param({"units": [[3, 0]]}, "outcomes need units", id="outcomes of nobody"),
        pytest.param({"units": [[3, 0]], "sums": [[1, 0]]}, "outcomes need units", id="squares of nobody"),
        pytest.param({"units": [[3, 0]], "squares": [[1, 0]]}, "outcomes need units", id="sums of nobody"),
    ],
)
def test_what_no_batches_can_be_is_rejected(wrong, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveBatches(**GOOD | wrong)
