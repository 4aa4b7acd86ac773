"""The quadrature's pieces, on functions with known integrals."""

import numpy as np
import pytest

from app.bandits.numerics import maximum
from app.bandits.numerics.quadrature import NODES, gauss_legendre, grid, leave_one_out, running_integrals
from app.bandits.posteriors.logit_beta import LogitBeta

DOT = 2 * NODES * 2.0**-53
"""What a sum of NODES products, at most 1 in all, may be off: a rounding of 2^-53 for each product and addition,
in whatever order the processor's BLAS adds, and as much for the nodes and weights, which are eigenvalues."""


@pytest.mark.parametrize("degree", range(12))
def test_running_integrals_of_polynomials_are_exact(degree):
    rule = gauss_legendre()
    assert rule.running @ rule.nodes**degree == pytest.approx(
        rule.nodes ** (degree + 1) / (degree + 1), abs=DOT
    )


@pytest.mark.parametrize("degree", range(24))
def test_integrals_of_polynomials_are_exact(degree):
    rule = gauss_legendre()
    assert rule.weights @ rule.nodes**degree == pytest.approx(1 / (degree + 1), abs=DOT)


def test_panels_cover_the_window_of_each_row_without_gaps_and_respect_the_step():
    def step(left, right, row):
        return np.where((right > 0.2) & (left < 0.3), 0.003, 0.2) * (1 + row)

    cells = grid(np.array([0.0, -1.0]), np.array([1.0, 5.0]), np.empty((2, 0)), np.array([0.5, 0.2]), step)
    assert cells.width.sum(axis=1) == pytest.approx([1, 6], abs=1e-14)
    assert cells.left[:, 1:] == pytest.approx(cells.left[:, :-1] + cells.width[:, :-1], abs=1e-14)
    assert cells.weights.sum(axis=1) == pytest.approx([1, 6], abs=1e-13)
    for row in (0, 1):
        allowed = step(
            cells.left[row], cells.left[row] + cells.width[row], np.full(len(cells.left[row]), row)
        )
        assert (cells.width[row] <= allowed * (1 + 1e-8)).all()


def test_running_integrals_know_where_the_missing_mass_lies():
    cells = grid(
        np.zeros(1), np.ones(1), np.empty((1, 0)), np.full(1, 0.25), lambda left, *_: np.full(left.size, 0.25)
    )
    half = np.full((1, 1, cells.nodes.size), 0.5)
    below = running_integrals(half, cells, np.array([[False]]))
    above = running_integrals(half, cells, np.array([[True]]))
    assert below[0] == pytest.approx(0.5 + cells.nodes / 2, abs=1e-14)
    assert above[0] == pytest.approx(cells.nodes / 2, abs=1e-14)


def test_leave_one_out_products_need_no_division():
    factors = np.array([[[2.0, 0.0], [3.0, 5.0], [7.0, 0.5], [1.0, 4.0]]])
    assert leave_one_out(factors)[0].tolist() == [[21, 10], [14, 0], [6, 0], [42, 0]]


def test_breaks_within_the_window_become_edges():
    breaks = np.array([[0.7, 0.35, -3.0, 0.35]])
    cells = grid(np.zeros(1), np.ones(1), breaks, np.ones(1), lambda left, *_: np.full(left.size, 0.5))
    assert cells.left[0].tolist() == pytest.approx([0, 0.35, 0.7])
    assert cells.weights.sum() == pytest.approx(1)


def test_a_wide_window_starts_with_few_panels_and_narrows_only_where_asked():
    def step(left, right, row):
        return np.where((left <= 1e6) & (right >= 1e6), 1.0, 1e8)

    cells = grid(np.zeros(1), np.full(1, 1e7), np.empty((1, 0)), np.full(1, 1e-3), step)
    assert cells.width.shape[1] < 200
    assert cells.width[cells.width > 0].min() <= 1


@pytest.mark.parametrize("a", [0.01, 0.5, 3, 400, 1e7])
def test_running_integrals_of_densities_are_probabilities(a):
    arms = LogitBeta(np.array([[a, 2 * a, 40]]), np.array([[a, 3 * a, 90]]))
    low, high = arms.low.min(axis=1), arms.high.max(axis=1)
    cells = grid(low, high, arms.breaks, arms.first_step(), arms.step)
    below = running_integrals(arms.density(cells.nodes), cells, np.ones((1, 3), dtype=bool))
    assert (below >= 0).all()
    assert (below <= 1).all()


@pytest.mark.parametrize(
    ("sums", "used"), [((1, 1 + 1e-9), 2.0), ((1, 1 + 1.5e-9), 1.0), ((1 + 2.1e-9, 1), 0.5)], ids=str
)
def test_the_worst_row_decides_how_fine_the_grid_must_be(monkeypatch, sums, used):
    """Rows whose probabilities are off 1 by (sums - 1) * fineness."""
    off = np.array(sums) - 1

    def integrals(rivals, fineness):
        p_best = np.column_stack((off * fineness + 1 - fineness, [fineness] * 2))
        return p_best, np.zeros(2), np.zeros(2)

    monkeypatch.setattr(maximum, "_integrals", integrals)
    p_best, _ = maximum.p_best_and_expected_max(None, tolerance=2.05e-9)
    assert p_best[0, 1] == used


@pytest.mark.parametrize("off", [-0.02, 0.02])
def test_what_the_finest_grid_may_be_off_by_is_divided_out_and_more_is_rejected(monkeypatch, off):
    half = np.array([[0.5, 0.5 + off]])
    monkeypatch.setattr(maximum, "_integrals", lambda rivals, fineness: (half, np.zeros(1), np.zeros(1)))
    assert maximum.p_best_and_expected_max(None, acceptable=0.03)[0] == pytest.approx(half / (1 + off))
    for acceptable in (0.01, None):
        with pytest.raises(maximum.QuadratureError, match="only within"):
            maximum.p_best_and_expected_max(None, acceptable=acceptable)
