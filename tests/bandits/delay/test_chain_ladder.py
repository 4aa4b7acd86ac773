"""The chain ladder of ages: closed forms, the likelihood it maximises, what it shrinks to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import DelayCurve
from app.bandits.delay.estimate import tracked_delay

IMMEDIATE = DelayCurve((1.0,))
"""All conversions come in the period of their impression."""

THREE_COHORTS = AgeCounts.of_cohorts([[40, 30, 20], [50, 25, 99], [60, 99, 99]], [2, 1, 0])
"""What is not yet known of the two younger cohorts is marked by 99."""


def test_conversions_are_counted_by_age_among_the_cohorts_that_know_it():
    assert THREE_COHORTS.came.tolist() == [150, 55, 20]
    assert THREE_COHORTS.at_risk.tolist() == [150, 145, 90]


def test_the_ratio_of_neighbours_is_that_of_the_cohorts_that_know_both():
    """F(1) / F(2) = (70 + 1) / (90 + 1) from the oldest cohort, F(0) / F(1) = (90 + 1) / (145 + 1) from two."""
    assert chain_ladder(THREE_COHORTS) == pytest.approx([71 / 91 * 91 / 146, 71 / 91, 1], rel=1e-14)


def test_with_one_cohort_it_is_the_distribution_of_its_ages():
    counts = AgeCounts.of_cohorts([[7, 3, 0, 9]], [3])
    assert chain_ladder(counts) == pytest.approx(np.array([8, 11, 11, 20]) / 20, rel=1e-14)


def test_it_maximises_the_likelihood_of_right_truncated_ages():
    """With one more conversion that came at once in a cohort known in full."""
    rng = np.random.default_rng(4)
    table, known_through = rng.integers(0, 60, (5, 5)), np.array([4, 4, 3, 2, 1])
    came = np.where(np.arange(5) <= known_through[:, None], table, 0)
    came[0, 0] += 1

    def minus_log_likelihood(log_odds):
        p = np.exp(np.append(log_odds, 0))
        p /= p.sum()
        return -(came * np.log(p)).sum() + (came.sum(axis=1) * np.log(np.cumsum(p)[known_through])).sum()

    best = np.exp(np.append(minimize(minus_log_likelihood, np.zeros(4), tol=1e-12).x, 0))
    found = chain_ladder(AgeCounts.of_cohorts(table, known_through))
    assert found == pytest.approx(np.cumsum(best) / best.sum(), abs=1e-5)


def test_where_nothing_came_later_the_curve_is_exactly_one():
    counts = AgeCounts.of_cohorts([[3, 0, 0], [12_345_678, 0, 0]], [2, 1])
    assert chain_ladder(counts).tolist() == [1, 1, 1]
    assert tracked_delay(counts).curve == IMMEDIATE


def test_without_conversions_the_curve_is_exactly_one():
    assert chain_ladder(AgeCounts.of_ages([], [], [], 30)).tolist() == [1] * 31


def test_before_anything_came_at_once_the_curve_stays_above_zero():
    """All come at age 2: two cohorts of 10 know it; the third has nothing yet."""
    counts = AgeCounts.of_cohorts([[0, 0, 10], [0, 0, 10], [0, 0, 0]], [2, 2, 1])
    assert chain_ladder(counts).tolist() == [1 / 21, 1 / 21, 1]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 9)), max_size=20))
def test_ages_one_by_one_count_as_the_table_of_cohorts_does(rows):
    """A row is a cohort's age, the age it is known through, and how many conversions."""
    age, known, count = np.array(rows, dtype=np.intp).reshape(-1, 3).T
    table = np.zeros((len(rows), 6))
    inside = np.flatnonzero(age < 6)
    table[inside, age[inside]] = count[inside]
    one_by_one, by_cohort = AgeCounts.of_ages(age, known, count, 5), AgeCounts.of_cohorts(table, known)
    assert one_by_one.came.tolist() == by_cohort.came.tolist()
    assert one_by_one.at_risk.tolist() == by_cohort.at_risk.tolist()


def test_many_tables_are_computed_at_once():
    tables = np.random.default_rng(1).integers(0, 50, (4, 6, 6))
    known_through = np.arange(6)[::-1]
    together = chain_ladder(AgeCounts.of_cohorts(tables, known_through))
    alone = [chain_ladder(AgeCounts.of_cohorts(table, known_through)).tolist() for table in tables]
    assert together.tolist() == alone


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 10**9), min_size=7, max_size=7), min_size=1, max_size=7))
def test_a_curve_never_falls_and_ends_in_one(table):
    fractions = chain_ladder(AgeCounts.of_cohorts(table, np.arange(len(table))))
    assert DelayCurve.shortest(fractions).fractions[-1] == 1


COMMON = DelayCurve((0.4, 0.7, 1.0))


def test_a_variant_without_conversions_has_the_common_curve():
    found = tracked_delay(AgeCounts.of_ages([], [], [], 4), COMMON).curve
    assert found.at([0, 1, 2, 3, 4]) == pytest.approx([0.4, 0.7, 1, 1, 1], rel=1e-14)


def test_a_variants_own_curve_is_shrunk_by_thirty_conversions_of_the_common_one():
    """30 conversions, all at age 2, beside 30 that came as 12, 9, 9."""
    found = tracked_delay(AgeCounts.of_cohorts([[0, 0, 30]], [2]), COMMON).curve
    assert found.fractions == pytest.approx((12 / 60, 21 / 60, 1), rel=1e-14)


def test_with_many_conversions_a_variants_curve_is_its_own():
    found = tracked_delay(AgeCounts.of_cohorts([[10**7, 0, 10**7]], [2]), COMMON).curve
    assert found.fractions == pytest.approx((0.5, 0.5, 1), abs=2e-6)
