"""What days say of the delay, one by one, adds up to what they say together."""

import numpy as np
import pytest

from app.bandits.delay.by_day import evidence_by_day, in_order_of_days
from app.bandits.delay.differs import by_report, compare, difference_of
from app.bandits.delay.estimate import reported_delay
from app.bandits.delay.snapshots import LinkedReports, Snapshots, linked_reports

DAYS, K, OLDEST = 12, 3, 8


@pytest.fixture(params=[1.0, 0.6], ids=["daily", "irregular"])
def seen(request):
    """Reports of twelve days of three variants at all ages, or at some."""
    rng = np.random.default_rng(20261201)
    cohort, age = np.divmod(np.arange(DAYS * K * (OLDEST + 1)), OLDEST + 1)
    successes = np.cumsum(rng.poisson(20, (DAYS * K, OLDEST + 1)), axis=1).ravel().astype(float)
    reported = rng.random(len(age)) < request.param
    snapshots = Snapshots(cohort, age, np.full(len(age), 1000.0), successes)
    return linked_reports(snapshots.select(reported), OLDEST)


def test_the_curve_of_the_sums_is_that_of_the_reports(seen):
    sums = evidence_by_day(seen, DAYS, K).sums
    assert len(sums.cohort) <= len(seen.cohort)
    assert reported_delay(sums).curve == reported_delay(seen).curve


def test_the_differences_of_the_days_add_up(seen):
    variant, day = np.divmod(np.arange(DAYS * K), DAYS)
    together = compare(*by_report(seen, day, variant, K))
    found = evidence_by_day(seen, DAYS, K)
    summed = difference_of(found.excess.sum(axis=0), found.variance.sum(axis=0))
    assert summed.excess == pytest.approx(together.excess, rel=1e-12, abs=1e-12)
    assert summed.e_value == pytest.approx(together.e_value, rel=1e-12)


def test_a_day_says_the_same_alone_and_among_others(seen):
    all_days = evidence_by_day(seen, DAYS, K)
    alone = seen.select(seen.cohort % DAYS == 4)
    found = evidence_by_day(LinkedReports(alone.cohort // DAYS, alone.conversions, alone.known), 1, K)
    of_day = all_days.sums.select(all_days.sums.cohort == 4)
    assert found.sums.conversions.tolist() == of_day.conversions.tolist()
    assert found.excess[0].tolist() == all_days.excess[4].tolist()


def test_sums_are_put_in_the_order_of_their_days(seen):
    sums = evidence_by_day(seen, DAYS, K).sums
    odd = sums.cohort % 2 == 1
    found = in_order_of_days(sums.select(odd), sums.select(~odd))
    assert found.cohort.tolist() == sums.cohort.tolist()
    assert found.conversions.tolist() == sums.conversions.tolist()
