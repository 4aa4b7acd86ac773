"""Conversions come when their distribution says."""

import numpy as np
import pytest

from app.simulation.delay.distribution import AT_ONCE, ConversionDelay


@pytest.mark.parametrize(
    ("delay", "first"),
    [
        pytest.param(AT_ONCE, [1, 0, 0, 0], id="none"),
        pytest.param(ConversionDelay("fixed", 2), [0, 0, 1, 0], id="exactly 2 days"),
        pytest.param(ConversionDelay("fixed", 2, 0.25), [0.25, 0, 0.75, 0], id="a quarter at once"),
        pytest.param(ConversionDelay("fixed", 4), [0, 0, 0, 0], id="later than asked about"),
        pytest.param(ConversionDelay("geometric", 1), [1 / 2, 1 / 4, 1 / 8, 1 / 16], id="geometric, mean 1"),
        pytest.param(ConversionDelay("geometric", 1, 0.5), [3 / 4, 1 / 8, 1 / 16, 1 / 32], id="half at once"),
    ],
)
def test_the_chance_of_each_age_is_the_formulas(delay, first):
    np.testing.assert_allclose(delay.masses(4), first, rtol=1e-15)


@pytest.mark.parametrize("mean", [0.5, 3, 7])
def test_a_geometric_delay_has_its_mean_and_comes_in_the_end(mean):
    masses = ConversionDelay("geometric", mean).masses(2_000)
    assert masses.sum() == pytest.approx(1, abs=1e-12)
    assert masses @ np.arange(2_000) == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(
    "delay",
    [AT_ONCE, ConversionDelay("fixed", 0), ConversionDelay("geometric", 0), ConversionDelay("fixed", 3, 1)],
)
def test_a_delay_of_nothing_is_none(delay):
    assert delay.is_none
    np.testing.assert_array_equal(delay.masses(3), [1, 0, 0])


def test_every_conversion_is_drawn_once():
    conversions = np.array([[7, 0, 1000], [3, 12, 1]], dtype=float)
    drawn = ConversionDelay("geometric", 2).drawn(conversions, 400, np.random.default_rng(1))
    assert drawn.shape == (400, 2, 3)
    np.testing.assert_array_equal(drawn.sum(axis=0), conversions)


def test_what_has_come_by_an_age_is_the_geometric_distribution_function():
    """1 - (d / (1 + d))^(j + 1) of a million conversions; within four standard errors at each age."""
    drawn = ConversionDelay("geometric", 7).drawn(np.array([1e6]), 40, np.random.default_rng(2))[:, 0]
    truth = 1 - (7 / 8) ** np.arange(1, 41)
    assert (np.abs(np.cumsum(drawn) / 1e6 - truth) <= 4 * np.sqrt(truth * (1 - truth) / 1e6)).all()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (("weekly", 1), "kind must be one of"),
        (("fixed", 1.5), "whole number of days"),
        (("geometric", -1), "days must be finite"),
        (("geometric", float("inf")), "days must be finite"),
        (("geometric", 1, 1.1), "at_once must be in"),
    ],
)
def test_a_delay_that_cannot_be_is_rejected(given, fault):
    with pytest.raises(ValueError, match=fault):
        ConversionDelay(*given)
