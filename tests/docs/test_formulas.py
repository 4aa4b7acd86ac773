"""The examples of docs/reference/formulas.md: as the page has them, as the code computes them, as scipy does."""

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from app.bandits.best_arm.best_arm import best_arm, value_remaining
from app.bandits.delay.chain_ladder import AgeCounts
from app.bandits.delay.differs import compare
from app.bandits.delay.effective import matured_totals
from app.bandits.delay.estimate import tracked_delay
from app.bandits.estimation.adaptive_batches import AdaptiveBatches
from app.bandits.estimation.adaptive_means import (
    adaptive_differences,
    adaptive_means,
    naive_means,
    stratified_means,
)
from app.bandits.estimation.gain import extra_conversions, extra_value, moved_trials
from app.bandits.estimation.lift import Sample, conversion_lift, value_lift
from app.bandits.estimation.sample_ratio import assignment_ratio_p, sample_ratio_p
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from tests.support.samples import conversions_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "formulas.md").read_text()
PROPENSITIES = np.array([[0.5, 0.5], [0.2, 0.8]])
UNITS = 1000 * PROPENSITIES
CONVERSIONS = np.array([[50.0, 60.0], [30.0, 140.0]])
BATCHES = AdaptiveBatches(PROPENSITIES, UNITS, CONVERSIONS, CONVERSIONS)


def examples(heading):
    """Every number in the examples of one section of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    text = " ".join(re.findall(r"^> (.*)$", section, re.MULTILINE))
    assert text, heading
    return [
        Decimal(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", re.sub(r"(?<=\d),(?=\d)", "", text))
    ]


def missing(heading, *values):
    """The values that do not stand in the section's examples, to half a unit of the last digit written there."""
    written = [(float(n), 0.501 * 10.0 ** n.as_tuple().exponent) for n in examples(heading)]
    flat = np.concatenate([np.ravel(value) for value in values])
    return [value for value in flat if not any(abs(value - n) <= half for n, half in written)]


def p_second_is_best(first, second):
    return integrate.quad(
        lambda x: second.pdf(x) * first.cdf(x), 0, 1, epsabs=1e-13, limit=200, points=[0.12]
    )[0]


def expected_maximum(*posteriors):
    return integrate.quad(
        lambda x: 1 - np.prod([p.cdf(x) for p in posteriors]), 0, 1, epsabs=1e-13, limit=200
    )[0]


def test_conversion_rates():
    first, second = stats.beta(121, 881), stats.beta(151, 851)
    arms = BetaArms(np.array([121.0, 151.0]), np.array([881.0, 851.0]))
    found, top = best_arm(arms), expected_maximum(first, second)
    assert arms.mean == pytest.approx([first.mean(), second.mean()], rel=1e-14)
    assert arms.interval() == pytest.approx(
        np.array([p.ppf([0.025, 0.975]) for p in (first, second)]), rel=1e-9
    )
    assert found.p_best[1] == pytest.approx(p_second_is_best(first, second), abs=1e-9)
    assert found.expected_loss == pytest.approx([top - first.mean(), top - second.mean()], abs=1e-9)
    assert missing("Conversion rates", arms.mean, arms.interval(), found.p_best, found.expected_loss) == []
    assert value_remaining(arms) == 0


COHORTS = AgeCounts.of_cohorts([[60, 20, 10], [50, 30, 0], [40, 0, 0]], [2, 1, 0])


def test_delay_curve():
    """By hand: d and R of the example, Greenwood's sum, the interval on the scale log(-log F)."""
    d, at_risk = np.array([50.0, 10.0]), np.array([161.0, 91.0])
    fractions = np.cumprod((1 - d / at_risk)[::-1])[::-1]
    variance = np.cumsum((d / (at_risk * (at_risk - d)))[::-1])[::-1]
    reach = np.exp(stats.norm.ppf(0.975) * np.sqrt(variance) / np.abs(np.log(fractions)))
    found = tracked_delay(COHORTS)
    assert found.curve.fractions[:2] == pytest.approx(fractions, rel=1e-12)
    assert found.low[:2] == pytest.approx(fractions**reach, rel=1e-9)
    assert found.high[:2] == pytest.approx(fractions ** (1 / reach), rel=1e-9)
    own = tracked_delay(AgeCounts.of_cohorts([[20, 20, 10]], [2]), found.curve)
    mass = 30 * np.diff(found.curve.fractions)
    reached = 30 * np.array(found.curve.fractions)
    second = 1 - (10 + mass[1]) / (50 + reached[2])
    first = second * (1 - (20 + mass[0]) / (40 + reached[1]))
    assert own.curve.fractions[:2] == pytest.approx((first, second), rel=1e-12)
    shown = (found.curve.fractions, found.low[:2], found.high[:2], own.curve.fractions)
    assert missing("Delay", d, at_risk, *shown) == []


def test_delayed_totals():
    """The posterior is as certain of the rate as Bin(n, r F) conversions of each day are."""
    fractions = np.array(tracked_delay(COHORTS).curve.fractions)[::-1]
    n, s = np.full(3, 500.0), np.array([90.0, 80.0, 40.0])
    m, r = (n * fractions).sum(), s.sum() / (n * fractions).sum()
    information = (n * fractions / (r * (1 - r * fractions))).sum()
    scale = information * r * (1 - r) / m
    found = matured_totals(n[:, None], s[:, None], fractions[:, None])
    assert found.trials == pytest.approx(scale * m, rel=1e-12)
    assert found.successes == pytest.approx(scale * s.sum(), rel=1e-12)
    assert missing("Delay", m, scale, found.trials, found.successes, found.matured) == []


def test_delays_that_differ():
    """The mixture of likelihood ratios over a normal effect with standard deviation 0.1, integrated."""
    found = compare(np.array([[200.0, 120.0]]), np.array([[600.0, 600.0]]))
    u, v = 200 - 320 * 600 / 1200, 320 * 0.5 * 0.5 * (1200 - 320) / 1199
    mixture = integrate.quad(
        lambda effect: np.exp(effect * u - effect**2 * v / 2) * stats.norm.pdf(effect, scale=0.1), -2, 2
    )[0]
    assert (found.excess[0], found.variance[0]) == pytest.approx((u, v), rel=1e-12)
    assert found.e_value == pytest.approx(mixture, rel=1e-7)
    assert missing("Delay", u, v, found.e_value) == []


def test_value_remaining():
    first, second = stats.beta(101, 901), stats.beta(106, 896)

    def beaten(v):
        return integrate.quad(
            lambda x: first.pdf(x) * second.cdf(x / (1 + v)), 0, 1, epsabs=1e-12, limit=200
        )[0]

    expected = optimize.brentq(lambda v: beaten(v) - 0.05, 0, 1, xtol=1e-10)
    arms = BetaArms(np.array([101.0, 106.0]), np.array([901.0, 896.0]))
    assert value_remaining(arms) == pytest.approx(expected, rel=1e-6)
    assert missing("Conversion rates", expected, p_second_is_best(first, second)) == []


VALUE = Totals(
    np.array([10_000.0, 10_000.0]),
    np.array([1000.0, 500.0]),
    np.array([1000.0, 2000.0]),
    np.array([2000.0, 16_000.0]),
)


def student_of_the_second():
    """Degrees of freedom, location and scale by the page's formulas."""
    s, v, q, m, variance = 500, 2000, 16_000, 3000 / 1500, 18_000 / 1500 - 4
    squares = 2 * variance + (q - v**2 / s) + 2 * s / (s + 2) * (v / s - m) ** 2
    return s + 2, (v + 2 * m) / (s + 2), squares**0.5 / (s + 2)


def test_value_per_impression():
    freedom, location, scale = student_of_the_second()
    rate = stats.beta(501, 9501)
    ends = rate.ppf(1e-14), rate.isf(1e-14)

    def below(q):
        return integrate.quad(
            lambda x: rate.pdf(x) * stats.t.cdf((q / x - location) / scale, freedom), *ends, epsabs=1e-12
        )[0]

    interval = [optimize.brentq(lambda q, p=p: below(q) - p, 0.1, 0.3, xtol=1e-12) for p in (0.025, 0.975)]
    arms = ValueArms.from_totals(VALUE)
    student = arms.value.freedom[1], arms.value.location[1], arms.value.scale[1]
    assert student == pytest.approx((freedom, location, scale), rel=1e-12)
    assert arms.mean[1] == pytest.approx(rate.mean() * location, rel=1e-12)
    assert arms.interval()[1] == pytest.approx(interval, rel=1e-5)
    assert missing("Value per impression", freedom, location, scale, arms.mean[1], interval) == []


def test_gain_over_an_even_split():
    trials = np.array([[500.0, 500.0], [200.0, 800.0]])
    moved = moved_trials(trials, np.ones((2, 2), dtype=bool))
    rates = [stats.beta(71, 631), stats.beta(157, 1145)]
    mean = sum(m * rate.mean() for m, rate in zip(moved, rates, strict=True))
    deviation = sum(m**2 * rate.var() for m, rate in zip(moved, rates, strict=True)) ** 0.5
    found = extra_conversions(moved, BetaArms(np.array([71.0, 157.0]), np.array([631.0, 1145.0])))
    assert (found.mean, found.deviation) == pytest.approx((mean, deviation), rel=1e-12)
    assert found.interval() == pytest.approx(stats.norm(mean, deviation).interval(0.95), rel=1e-9)
    assert missing("Gain over an even split", moved, mean, deviation, found.interval()) == []


def test_the_variance_of_extra_value_is_that_of_a_product():
    moved = np.array([-300.0, 300.0])
    variance = 0.0
    for i, (s, n) in enumerate(((1000, 10_000), (500, 10_000))):
        rate = stats.beta(1 + s, 1 + n - s)
        value = ValueArms.from_totals(VALUE).value.at(i)
        worth = stats.t(value.freedom, value.location, value.scale)
        second_moment = (rate.mean() ** 2 + rate.var()) * (worth.mean() ** 2 + worth.var())
        variance += moved[i] ** 2 * (second_moment - rate.mean() ** 2 * worth.mean() ** 2)
    found = extra_value(moved, ValueArms.from_totals(VALUE))
    assert found.deviation == pytest.approx(variance**0.5, rel=1e-9)


def one_unit_per_row():
    """Batch, arm and outcome of each of the 2,000 units."""
    for j in range(2):
        for arm in range(2):
            for i in range(int(UNITS[j, arm])):
                yield j, arm, float(i < CONVERSIONS[j, arm])


def scores(arm):
    """The page's score of every unit, with 0 predicted in the first batch."""
    predicted = [0.0, (CONVERSIONS[0, arm] + 0.11) / (UNITS[0, arm] + 1)]
    return np.array([
        predicted[j] + (had == arm) * (y - predicted[j]) / PROPENSITIES[j, arm] for j, had, y in one_unit_per_row()
    ])  # fmt: skip


def weighted(terms, weight):
    mean = (weight * terms).sum() / weight.sum()
    return mean, (weight**2 * (terms - mean) ** 2).sum() ** 0.5 / weight.sum()


def in_batch():
    return np.array([j for j, _, _ in one_unit_per_row()])


@pytest.mark.parametrize("arm", [0, 1])
def test_naive_and_stratified_means_and_their_standard_errors(arm):
    rows = [(j, y) for j, had, y in one_unit_per_row() if had == arm]
    y = np.array([y for _, y in rows])
    inverse = np.array([1 / PROPENSITIES[j, arm] for j, _ in rows])
    naive, stratified = naive_means(BATCHES), stratified_means(BATCHES)
    found = naive.mean[arm], naive.standard_error[arm], stratified.mean[arm], stratified.standard_error[arm]
    assert found == pytest.approx((y.mean(), stats.sem(y), *weighted(y, inverse)), rel=1e-9)
    assert missing("Estimates", found) == []


@pytest.mark.parametrize("arm", [0, 1])
def test_adaptive_means_and_their_standard_errors(arm):
    mean, error = weighted(scores(arm), np.sqrt(PROPENSITIES[in_batch(), arm]))
    found = adaptive_means(BATCHES)
    assert (found.mean[arm], found.standard_error[arm]) == pytest.approx((mean, error), rel=1e-9)
    assert missing("Estimates", mean, error) == []


def test_the_adaptive_difference_its_standard_error_and_its_interval():
    weight = (1 / PROPENSITIES).sum(axis=1) ** -0.5
    mean, error = weighted(scores(1) - scores(0), weight[in_batch()])
    found = adaptive_differences(BATCHES, control=0)
    interval = stats.norm(mean, error).interval(0.95)
    assert (found.mean[1], found.standard_error[1]) == pytest.approx((mean, error), rel=1e-9)
    assert found.interval()[1] == pytest.approx(interval, rel=1e-9)
    assert missing("Estimates", mean, error, interval) == []


def wilson(conversions, units):
    found = stats.binomtest(conversions, units).proportion_ci(method="wilson")
    return found.low, found.high


def test_the_lift_of_conversions_has_newcombes_interval():
    (low, high), (other_low, other_high) = wilson(60, 400), wilson(30, 300)
    interval = (
        0.05 - np.hypot(0.15 - low, other_high - 0.1),
        0.05 + np.hypot(high - 0.15, 0.1 - other_low),
    )
    found = conversion_lift(conversions_of(400, 60), conversions_of(300, 30))
    assert found.interval == pytest.approx(interval, rel=1e-6)
    assert missing("Lift over the hold-out", interval) == []


def test_the_relative_lift_has_the_interval_of_the_ratios_logarithm():
    s = (0.85 / 0.15 / 399 + 0.9 / 0.1 / 299) ** 0.5
    interval = np.exp(stats.norm(np.log(1.5), s).interval(0.95)) - 1
    found = conversion_lift(conversions_of(400, 60), conversions_of(300, 30))
    assert found.relative_interval == pytest.approx(interval, rel=1e-6)
    assert missing("Lift over the hold-out", interval) == []


def test_the_lift_of_value_has_welchs_interval():
    first = (3.0, ((9000 - 1200**2 / 400) / 399) ** 0.5, 400)
    second = (2.0, ((5000 - 600**2 / 300) / 299) ** 0.5, 300)
    v1, v0 = first[1] ** 2 / 400, second[1] ** 2 / 300
    freedom = (v1 + v0) ** 2 / (v1**2 / 399 + v0**2 / 299)
    interval = stats.t(freedom, 1, (v1 + v0) ** 0.5).interval(0.95)
    found = value_lift(Sample(400, 1200, 9000), Sample(300, 600, 5000))
    assert found.interval == pytest.approx(interval, rel=1e-5)
    assert missing("Lift over the hold-out", interval) == []


def test_the_sample_ratio_of_impressions():
    """On the first day the alternative is Dirichlet(50, 50)."""
    counted = [5400, 4600]
    alternative = stats.dirichlet_multinomial([50, 50], 10_000).logpmf(counted)
    expected = np.exp(stats.multinomial(10_000, [0.5, 0.5]).logpmf(counted) - alternative)
    assert sample_ratio_p([np.array(counted, dtype=float)], [np.array([0.5, 0.5])]) == pytest.approx(
        expected, rel=1e-6
    )
    assert missing("Sample ratio", expected) == []


def test_the_sample_ratio_of_units():
    tilts = np.geomspace(1e-3, 2, 23)
    ratios = [
        np.exp(delta * x - 24_000 * np.log((1 + np.exp(delta)) / 2))
        for x in (11_520, 12_480)
        for delta in (*tilts, *-tilts)
    ]
    assert assignment_ratio_p([(11_520, 12_480)], [(0.5, 0.5)]) == pytest.approx(
        1 / np.mean(ratios), rel=1e-6
    )
    assert missing("Sample ratio", 1 / np.mean(ratios)) == []
