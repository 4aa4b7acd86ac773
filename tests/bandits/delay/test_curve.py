"""Delay curves: which are possible, and what they say at any age."""

import numpy as np
import pytest

from app.bandits.delay.curve import DelayCurve, fractions_at, masses

IMMEDIATE = DelayCurve((1.0,))
"""All conversions come in the period of their impression."""


@pytest.mark.parametrize(
    ("fractions", "reason"),
    [
        pytest.param((), "at least one fraction", id="empty"),
        pytest.param((0.5, 0.4, 1), "fraction 1 falls from 0.5 to 0.4", id="falls"),
        pytest.param((0.5, 1.01, 1), r"fraction 1 must be in \[0, 1\], not 1.01", id="exceeds 1"),
        pytest.param((-0.1, 1), r"fraction 0 must be in \[0, 1\], not -0.1", id="negative"),
        pytest.param((float("nan"), 1), r"fraction 0 must be in \[0, 1\]", id="no number"),
        pytest.param((0.5, 0.9), "last fraction must be 1, not 0.9", id="does not end in 1"),
    ],
)
def test_an_impossible_curve_is_rejected_with_the_reason(fractions, reason):
    with pytest.raises(ValueError, match=reason):
        DelayCurve(fractions)


def test_a_curve_is_one_beyond_its_oldest_age_and_zero_before_the_first():
    curve = DelayCurve((0.25, 0.5, 1))
    assert curve.at([[-1, 0], [1, 2], [3, 99]]).tolist() == [[0, 0.25], [0.5, 1], [1, 1]]
    assert curve.oldest == 2


def test_many_curves_are_read_at_the_same_ages():
    curves = np.array([[[0.1, 1.0]], [[0.2, 1.0]]])
    assert fractions_at(curves, [1, 0, 7]).tolist() == [[[1, 0.1, 1]], [[1, 0.2, 1]]]


def test_a_curve_ends_where_it_reaches_one():
    assert DelayCurve.shortest(np.array([0.5, 1.0, 1.0, 1.0])) == DelayCurve((0.5, 1.0))
    assert DelayCurve.shortest(np.ones(30)) == IMMEDIATE


def test_masses_are_what_comes_at_each_age():
    assert masses((0.25, 0.5, 0.5, 1)).tolist() == [0.25, 0.25, 0, 0.5]
