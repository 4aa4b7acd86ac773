"""Gamma variates of whole tables have the law of their shapes."""

import numpy as np
import pytest
from scipy import stats

from app.bandits.numerics.gamma_variates import (
    LOTS,
    MAX_SHAPE,
    _doubtful,
    _normals,
    _random,
    _rejected,
    gamma_variates,
)

N = 200_000
SHAPES = [1.0, 1.1, 1.5, 2.0, 3.5, 12.0, 300.0, 1e6, MAX_SHAPE]


def drawn(a, b, seed=1, n=N):
    """(n, 2) variates of these two shapes, in ten tables."""
    shapes = np.repeat(np.array([[a], [b]]), n // 10, axis=1)
    return gamma_variates(shapes, 10, np.random.default_rng(seed)).transpose(0, 2, 1).reshape(n, 2)


@pytest.mark.sampling
@pytest.mark.parametrize("shape", SHAPES)
def test_each_has_the_law_of_its_shape(shape):
    first, second = drawn(shape, 1.0).T, drawn(30.0, shape).T
    for variates in (first[0], second[1]):
        assert stats.kstest(variates, stats.gamma(shape).cdf).pvalue > 1e-4


@pytest.mark.sampling
@pytest.mark.parametrize("shape", [1.0, 1.5, 4.0])
def test_the_tails_have_it_too(shape):
    """Refused are mostly variates far out; four standard errors at each of these quantiles."""
    variates, law = drawn(shape, shape, seed=2, n=2_000_000).ravel(), stats.gamma(shape)
    for p in (1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999):
        found = np.mean(variates <= law.ppf(p))
        assert found == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / variates.size))


@pytest.mark.sampling
@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 30), (1, 400), (300, 300)])
def test_those_of_a_pair_are_independent(a, b):
    g_a, g_b = drawn(float(a), float(b), seed=3).T
    assert stats.kstest(g_a / (g_a + g_b), stats.beta(a, b).cdf).pvalue > 1e-4
    assert abs(stats.spearmanr(g_a, g_b).statistic) <= 4 / np.sqrt(N)


@pytest.mark.sampling
def test_tables_and_places_are_independent():
    tables = gamma_variates(np.full((2, N), 1.5), 2, np.random.default_rng(4)).reshape(4, N)
    assert np.abs(np.corrcoef(tables) - np.eye(4)).max() <= 4 / np.sqrt(N)
    neighbours = stats.spearmanr(tables[0, :-1], tables[0, 1:]).statistic
    assert abs(neighbours) <= 4 / np.sqrt(N)


def test_the_table_keeps_the_form_of_its_shapes():
    shapes = np.arange(1, 25, dtype=float).reshape(2, 3, 4) * 1e6
    tables = gamma_variates(shapes, 5, np.random.default_rng(5))
    assert tables.shape == (5, 2, 3, 4)
    np.testing.assert_allclose(tables, np.broadcast_to(shapes, tables.shape), rtol=0.01)


def test_the_normals_are_normal():
    x = _normals(*_random((1, N), np.random.default_rng(6))[:2])[0]
    for some in x:
        assert stats.kstest(some, stats.norm.cdf).pvalue > 1e-4
    assert abs(np.corrcoef(x)[0, 1]) <= 4 / np.sqrt(N)


def test_lots_are_equally_likely_whole_numbers_apart_from_the_angle():
    _, angle, lot = _random((1, N), np.random.default_rng(7))[:, 0]
    assert stats.chisquare(np.bincount(lot.astype(int), minlength=LOTS)).pvalue > 1e-4
    assert len(np.unique(lot)) == LOTS
    assert abs(np.corrcoef(lot, angle)[0, 1]) <= 4 / np.sqrt(N)


@pytest.mark.parametrize("a", [1.0, 1.3, 2.0, 4.0, 15.0, 500.0, 1e6])
@pytest.mark.parametrize("b", [1.0, 40.0, 1e5])
def test_none_that_is_rejected_is_beyond_doubt(a, b):
    """Each pair with almost the smallest uniform of its lot, on a grid of normals to +-6.8."""
    grid = np.linspace(-6.8, 6.8, 137, dtype=np.float32)
    x = np.stack(np.meshgrid(grid, grid)).reshape(1, 2, -1)
    d = np.full((2, x.shape[2]), [[a], [b]]) - 1 / 3
    for lot in (0, 1, 5, 30, LOTS - 1):
        lots = np.full((1, x.shape[2]), lot, dtype=np.float32)
        uniform = np.full(x.shape[2], (lot + 1e-6) / LOTS)
        refused = np.flatnonzero(_rejected(x[0], d, uniform))
        assert np.isin(refused, _doubtful(x, d.astype(np.float32), lots)).all()
