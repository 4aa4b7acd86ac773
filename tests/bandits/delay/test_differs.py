"""Whether delays differ: the moments of the log-rank test, its e-value, and what is no difference."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import hypergeom, norm

from app.bandits.delay.differs import TAU, by_age, by_report, compare, e_value, log_rank
from app.bandits.delay.snapshots import Snapshots, linked_reports


def test_observed_less_expected_has_the_moments_of_a_hypergeometric_part():
    """Of 50 conversions 20 are the first variant's; 10 came at this age, 7 of them the first's."""
    excess, variance = log_rank([7, 3], [20, 30])
    law = hypergeom(50, 20, 10)
    assert excess == pytest.approx([7 - law.mean(), law.mean() - 7], rel=1e-12)
    assert variance == pytest.approx([law.var(), law.var()], rel=1e-12)


@pytest.mark.parametrize(
    ("came", "so_far"),
    [
        pytest.param([5, 9], [5, 9], id="the first age: all came at it"),
        pytest.param([0, 0], [5, 9], id="nothing came"),
        pytest.param([1, 0], [1, 0], id="one conversion in all"),
        pytest.param([0, 0], [0, 0], id="none at all"),
        pytest.param([3, 0], [8, 0], id="one variant alone"),
    ],
)
def test_such_an_age_says_nothing(came, so_far):
    excess, variance = log_rank(came, so_far)
    assert (excess.tolist(), variance.tolist()) == ([0, 0], [0, 0])


def test_the_e_value_is_the_mean_of_normal_mixtures_of_likelihood_ratios():
    excess, variance = np.array([12.0, -5.0]), np.array([150.0, 400.0])

    def mixture(u, v):
        ratio = lambda theta: np.exp(theta * u - theta**2 * v / 2) * norm.pdf(theta, scale=TAU)  # noqa: E731
        return quad(ratio, -1, 1, epsabs=1e-12)[0]

    expected = (mixture(12, 150) + mixture(-5, 400)) / 2
    assert e_value(excess, variance) == pytest.approx(expected, rel=1e-8)


def test_without_evidence_the_e_value_is_one():
    nothing = compare(*by_age(*np.zeros((3, 0), np.intp), np.zeros(0), 3))
    assert (nothing.e_value, nothing.alarm) == (1, False)
    assert nothing.excess.tolist() == nothing.variance.tolist() == [0, 0, 0]


def test_the_strongest_evidence_is_finite():
    assert np.isfinite(e_value(np.array([1e9, -1e9]), np.array([1.0, 1.0])))


def counted(table):
    """The rows of a table (c, a, k), shuffled."""
    rows = np.random.default_rng(0).permutation(np.argwhere(table > 0))
    return (*rows.T, table[tuple(rows.T)].astype(float), table.shape[2])


def test_conversions_are_compared_cohort_by_cohort_and_age_by_age():
    table = np.random.default_rng(1).poisson(1.5, (7, 5, 3))
    came, so_far = by_age(*counted(table))
    there = table.sum(axis=2) > 0
    assert came.tolist() == table[there].tolist()
    assert so_far.tolist() == np.cumsum(table, axis=1)[there].tolist()


def reports(table, known):
    """What daily reports of a table (c, a, k) say, at the ages known (c, a, k)."""
    t, _, k = table.shape
    day, age, arm = np.nonzero(known)
    cumulated = np.cumsum(table, axis=1)[day, age, arm].astype(float)
    snapshots = Snapshots(day * k + arm, age, np.full(len(day), 1000.0), cumulated)
    return by_report(linked_reports(snapshots, 30), *np.divmod(np.arange(t * k), k), k)


def test_daily_reports_are_compared_as_the_ages_are():
    table = np.random.default_rng(1).poisson(20, (7, 5, 3))
    tracked, reported = compare(*by_age(*counted(table))), compare(*reports(table, table >= 0))
    assert reported.excess == pytest.approx(tracked.excess, rel=1e-12)
    assert reported.e_value == pytest.approx(tracked.e_value, rel=1e-12)


def test_reports_are_compared_at_ages_that_all_variants_know():
    table = np.random.default_rng(1).poisson(20, (7, 5, 3))
    known, merged = np.ones(table.shape, bool), table.copy()
    known[:, 2, 1] = False
    merged[:, 3] += merged[:, 2]
    merged[:, 2] = 0
    assert compare(*reports(table, known)).excess == pytest.approx(
        compare(*by_age(*counted(merged))).excess, rel=1e-12
    )


def expected_table(delays, rates=(120, 150), days=40):
    """The expected conversions (days, 31, k) of geometric delays; per day and arm its own mean."""
    age = np.arange(31)
    p = 1 / (1 + np.asarray(delays, float))[..., None]
    return np.moveaxis(np.reshape(rates, (1, -1, 1)) * p * (1 - p) ** age, 1, 2) * np.ones((days, 1, 1))


def test_rates_that_differ_are_no_difference_of_delays():
    assert compare(*by_age(*counted(expected_table([[3, 3]], (20, 500))))).e_value < 1


def test_delays_that_change_for_all_alike_are_no_difference():
    means = np.linspace(1, 12, 40)[:, None] * [1, 1]
    assert compare(*by_age(*counted(expected_table(means)))).e_value < 1


def test_delays_that_differ_are_found_and_the_later_one_has_the_excess():
    found = compare(*by_age(*counted(expected_table([[6, 3]]))))
    assert found.alarm
    assert found.excess[0] > 0 > found.excess[1]
