"""Curves from reports: regular and irregular, refunds, impressions that grow, and what says nothing."""

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import DelayCurve
from app.bandits.delay.estimate import reported_delay
from app.bandits.delay.snapshots import Snapshots, linked_reports

IMMEDIATE = DelayCurve((1.0,))
"""All conversions come in the period of their impression."""


def curve(*reports, oldest=30, common=None):
    """Of reports (cohort, age, impressions, successes)."""
    return estimate(*reports, oldest=oldest, common=common).curve


def estimate(*reports, oldest=30, common=None):
    cohort, age, impressions, successes = np.array(reports, dtype=float).reshape(-1, 4).T
    snapshots = Snapshots(cohort.astype(np.intp), age.astype(np.intp), impressions, successes)
    return reported_delay(linked_reports(snapshots, oldest), common)


def reports_of(known, cumulated, impressions=1000):
    """Reports of cumulated conversions (c, a) at the ages that are known (c, a)."""
    return [(c, age, impressions, cumulated[c, age]) for c, age in np.argwhere(known).tolist()]


def test_daily_reports_give_the_chain_ladder_of_the_ages():
    table = np.random.default_rng(3).integers(1, 50, (6, 6))
    known_through = np.arange(6)[::-1]
    known = np.arange(6) <= known_through[:, None]
    found = curve(*reports_of(known, np.cumsum(table, axis=1)))
    assert found.fractions == pytest.approx(
        DelayCurve.shortest(chain_ladder(AgeCounts.of_cohorts(table, known_through))).fractions, rel=1e-13
    )


def test_days_that_were_reported_once_say_nothing():
    assert curve((0, 0, 100, 10), (1, 5, 100, 30), (2, 9, 100, 50)) == IMMEDIATE
    assert curve() == IMMEDIATE


def test_reports_after_the_oldest_age_are_not_used():
    assert curve((0, 25, 100, 10), (0, 31, 100, 20)) == IMMEDIATE


def test_the_order_of_reports_does_not_matter():
    reports = [(0, 0, 90, 10), (0, 2, 100, 30), (1, 1, 80, 20), (1, 4, 80, 25), (2, 0, 10, 1), (2, 3, 10, 4)]
    assert curve(*reports) == curve(*reversed(reports))


def test_weekly_reports_recover_an_exact_delay():
    """All conversions come at age 3; each day is reported when it is over and then every seventh day, 28 days."""
    day, age = np.arange(30)[:, None], np.arange(31)
    known = ((age == 0) | ((day + age) % 7 == 6)) & (age < 28) & (day + age < 30)
    cumulated = np.where(age >= 3, 1300.0, 0.0) * np.ones((30, 1))
    found = curve(*reports_of(known, cumulated))
    assert found.at(np.arange(8)) == pytest.approx([0, 0, 0, 1, 1, 1, 1, 1], abs=2e-3)


def test_weekly_reports_recover_a_gradual_delay():
    day, age = np.arange(30)[:, None], np.arange(31)
    known = ((age == 0) | ((day + age) % 7 == 6)) & (age < 28) & (day + age < 30)
    expected = 1 - 0.8 ** (age + 1)
    found = curve(*reports_of(known, 1300 * expected * np.ones((30, 1))))
    assert found.at(np.arange(28)) == pytest.approx(expected[:28] / expected[27], abs=5e-3)


def test_ages_that_no_report_tells_apart_are_interpolated():
    found = curve((0, 0, 10**9, 10**8), (0, 4, 10**9, 2 * 10**8))
    assert found.fractions == pytest.approx([0.5, 0.625, 0.75, 0.875, 1], abs=1e-6)


def test_before_the_youngest_age_reported_no_delay_is_assumed():
    found = curve((0, 2, 10**9, 10**8), (0, 3, 10**9, 2 * 10**8))
    assert found.fractions == pytest.approx([0.5, 0.5, 0.5, 1], abs=1e-6)


def test_where_impressions_grew_conversions_per_impression_count():
    """10 of 100 by age 0, 20 of 100 by age 1, however many of the impressions were reported first."""
    found = curve((0, 0, 50, 5), (0, 1, 100, 20))
    assert found.fractions == pytest.approx(((10 + 1) / (20 + 1), 1), rel=1e-14)


def test_a_report_without_impressions_does_not_count():
    assert curve((0, 0, 0, 0), (0, 1, 100, 20)) == IMMEDIATE


def test_refunds_count_at_no_age():
    """60 of 100 were there at age 0; 10 of the 100 of age 1 are taken back at age 2."""
    assert curve((0, 0, 999, 60), (0, 1, 999, 100), (0, 2, 999, 90)).fractions == pytest.approx(
        ((60 + 1) / (90 + 1), 1), rel=1e-14
    )


def test_a_curve_of_refunds_alone_is_one():
    assert curve((0, 0, 999, 100), (0, 1, 999, 90), (1, 0, 999, 50), (1, 7, 999, 20)) == IMMEDIATE


def test_a_refund_in_one_cohort_is_made_up_for_by_a_conversion_in_another():
    assert curve((0, 0, 999, 100), (0, 1, 999, 99), (1, 0, 999, 100), (1, 1, 999, 101)) == IMMEDIATE


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_of_any_reports_is_possible(seed):
    """DelayCurve rejects others."""
    rng = np.random.default_rng(seed)
    keys = {(int(c), int(a)) for c, a in rng.integers(0, [12, 40], (60, 2))}
    reports = [(c, a, int(rng.integers(0, 100)), int(rng.integers(0, 50))) for c, a in sorted(keys)]
    found = estimate(*reports)
    assert ((found.low >= 0) & (found.low <= found.high) & (found.high <= 1)).all()
    own = curve(*[report for report in reports if report[0] % 3 == 0], common=found.curve)
    assert own.oldest >= 0


def test_a_variant_without_linked_reports_has_the_common_curve():
    common = DelayCurve((0.4, 0.7, 1.0))
    assert curve((0, 5, 100, 10), common=common).fractions == pytest.approx((0.4, 0.7, 1), rel=1e-13)


def test_counts_stand_at_the_ages_that_reports_tell_apart():
    found = estimate((0, 0, 99, 10), (0, 3, 99, 25))
    assert found.counts.came == pytest.approx([10, 0, 0, 15], rel=1e-13)
    assert found.counts.at_risk == pytest.approx([10, 0, 0, 25], rel=1e-13)
