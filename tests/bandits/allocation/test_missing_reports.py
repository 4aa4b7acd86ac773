"""Which missing reports are awaited: those that no impressions would not explain."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bandits.allocation.missing_reports import SURPRISING, MissingReports


def missing_first(share, trials):
    """The first arm did not report, the other one has the rest of the traffic and so many trials."""
    return MissingReports(np.array([share, 1 - share]), np.array([False, True]), np.array([0.0, trials]))


@given(st.floats(0.001, 0.999), st.integers(0, 40))
def test_the_probability_of_no_impressions_is_that_of_so_many_for_the_others_alone(share, trials):
    """(1 - p)^n, one impression after the other."""
    expected = math.prod([1 - share] * trials)
    assert missing_first(share, trials).p_no_impressions[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("share", [1e-6, 1e-4])
def test_of_a_small_share_it_is_that_of_a_poisson_variable(share):
    """e^-m to second order: m p / 2 of it, with m = n p / (1 - p) expected."""
    found = missing_first(share, round(5 / share))
    mean = found.expected[0]
    assert found.p_no_impressions[0] == pytest.approx(math.exp(-mean), rel=mean * share)


@pytest.mark.parametrize(
    ("share", "trials", "awaited"),
    [
        pytest.param(0.5, 1000, True, id="half of the traffic"),
        pytest.param(0.5, 9, False, id="half of nine: 1/512"),
        pytest.param(0.5, 10, True, id="half of ten: 1/1024"),
        pytest.param(0.9, 3, False, id="a probability of exactly 0.001"),
        pytest.param(0.0001, 4000, False, id="0.4 expected"),
        pytest.param(0.0001, 70_000, True, id="7 expected"),
        pytest.param(0.0, 10**9, False, id="no share"),
        pytest.param(1.0, 10, True, id="all of the traffic"),
    ],
)
def test_a_report_is_awaited_where_none_would_be_surprising(share, trials, awaited):
    assert missing_first(share, trials).awaited.tolist() == [awaited, False]


def test_impressions_of_an_arm_without_a_share_say_nothing():
    found = MissingReports(np.array([0.5, 0.0]), np.array([False, True]), np.array([0.0, 3.0]))
    assert (found.expected[0], found.awaited[0]) == (np.inf, True)


def test_so_many_days_have_no_impressions():
    """Where 4 impressions are expected, so many days have none as it says, and the report is not awaited."""
    rng = np.random.default_rng(1)
    trials = rng.multinomial(2_000, [0.002, 0.998], size=100_000)
    awaited = np.array([missing_first(0.002, other).awaited[0] for other in np.unique(trials[:, 1])])
    assert not awaited.any()  # 4 are expected
    none = (trials[:, 0] == 0).mean()
    error = 4 * math.sqrt(none / len(trials))
    assert none == pytest.approx(missing_first(0.002, 2_000).p_no_impressions[0], abs=error)
    assert none > SURPRISING
