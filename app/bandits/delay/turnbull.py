"""The chain ladder of conversions whose age is known to lie in an interval only."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.delay.chain_ladder import AgeCounts, imagined_counts, ladder_of
from app.bandits.delay.curve import masses

MAX_ROUNDS = 500
CONVERGED = 1e-4
"""More rounds fit the noise of ages that only differences of reports tell apart: with weekly reports of 1,300
conversions a day, a curve's root mean square error is 0.005 here and 0.010 at the maximum of the likelihood."""

WEAKEST = 1e-4
"""Of the information on a step of log F: what the data cannot tell gets a standard deviation of 100, not none."""
WEAKEST_PART = 1e-12
"""Of a step's information what no other step shares: beside counts of 1e18 the matrix still has an inverse."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Conversions that came after one age and by another, in cohorts that are known through a third.

    Parameters
    ----------
    after, by, known_through : (m,), -1 <= after < by <= known_through; -1 is "from the beginning on"
    counts : (m,), conversions, >= 0
    """

    after: Integers
    by: Integers
    known_through: Integers
    counts: Floats


@dataclass(frozen=True)
class Fit:
    """Fractions (a,) at the ages of a grid, and the counts they follow from."""

    fractions: Floats
    counts: AgeCounts
    imputed: "_Imputed"
    toward: Floats | None

    @cached_property
    def variance(self) -> Floats:
        """Return the variance of the fractions' logarithm, (a,)."""
        return _variance(self.imputed, self.fractions, self.toward)


def fit_intervals(
    intervals: Intervals, widths: Floats, toward: Floats | None = None, tolerance: float = CONVERGED
) -> Fit:
    r"""Return the fractions that have come by the cells of a grid of ages, the chain ladder of imputed ages.

    In turn, until no fraction moves by more than a tolerance: the conversions of each interval are spread over its
    cells as the curve has them, and the chain ladder is computed of these counts. The fixed point is the maximum
    of the likelihood of interval-censored, right-truncated ages, in which an interval (a, b] of a cohort known
    through L has the probability

    .. math:: \frac{F(b) - F(a)}{F(L)} =
              \Bigl[1 - \prod_{a < l \le b} (1 - h_l)\Bigr] \prod_{b < l \le L} (1 - h_l), \qquad
              h_l = 1 - \frac{F(l - 1)}{F(l)}

    An interval from the beginning on says nothing of the h within it, so it is not spread: the ages in it that
    nothing else tells apart have h = 0 at once and exactly.

    Parameters
    ----------
    intervals : in cells of the grid instead of ages
    widths : (a,), how many ages each cell holds; within an interval the first round spreads by them
    toward : (a,), the fractions to shrink to by 30 conversions; None shrinks to "no delay" by one

    References
    ----------
    .. [1] B. W. Turnbull, J. R. Statist. Soc. B 38 (1976) 290-295. doi:10.1111/j.2517-6161.1976.tb01597.x
    """
    cells = len(widths)
    imputed, imagined = _Imputed(intervals, cells), imagined_counts(cells, toward)
    fractions = np.cumsum(widths / widths.sum())
    for _ in range(MAX_ROUNDS):
        counts = imputed.counts(fractions)
        fitted = ladder_of(counts, imagined)
        moved = np.abs(fitted - fractions).max()
        fractions = fitted
        if moved <= tolerance or imputed.is_exact:
            break
    return Fit(fractions, counts, imputed, toward)


class _Imputed:
    """Counts by cell, of the intervals spread over their cells as a curve has them."""

    def __init__(self, intervals: Intervals, cells: int) -> None:
        inner = intervals.after >= 0
        pairs, place = np.unique(intervals.after[inner] * cells + intervals.by[inner], return_inverse=True)
        self.after, self.by = pairs // cells, pairs % cells
        self.conversions: Floats = np.bincount(place, intervals.counts[inner], len(pairs)).astype(np.float64)
        at = np.arange(cells)
        self.covers: Booleans = (self.after[:, None] < at) & (at <= self.by[:, None])
        entered = np.bincount(intervals.by + 1, intervals.counts, cells + 1)
        left = np.bincount(intervals.known_through + 1, intervals.counts, cells + 1)
        self._older = np.cumsum(entered - left)[:cells]
        self._at_first = float(intervals.counts[~inner & (intervals.by == 0)].sum())
        self.is_exact = bool((self.by == self.after + 1).all())
        """Whether nothing has to be spread: each interval is one cell."""

    def counts(self, fractions: Floats) -> AgeCounts:
        before = fractions[self.after]
        within = fractions[self.by] - before
        weight = np.divide(self.conversions, within, out=np.zeros_like(within), where=within > 0)
        spread = np.where(self.covers, weight[:, None], 0.0)  # summed by row: what is 0 stays exactly 0
        came = np.add.reduce(spread) * masses(fractions)
        at_risk = np.add.reduce(spread * (fractions - before[:, None])) + self._older
        came[0] = at_risk[0] = self._at_first
        return AgeCounts(came, at_risk)


def _variance(imputed: _Imputed, fractions: Floats, toward: Floats | None) -> Floats:
    """Return the variance of log F (a,) from the observed information on the steps of log F between cells.

    An interval of N conversions with x = F(a) / F(b) adds N x / (1 - x)^2 for each pair of steps in it, the second
    derivative of -log(1 - x); where each interval is one cell this is Greenwood's formula.
    """
    x = _ratio(fractions[imputed.after], fractions[imputed.by])
    covers = imputed.covers.astype(np.float64)
    information = (covers * _information(imputed.conversions, x)[:, None]).T @ covers
    if toward is not None:
        imagined = imagined_counts(len(fractions), toward).came[1:]
        of_cells = _information(imagined, _ratio(fractions[:-1], fractions[1:]))
        information += np.diag(np.append(0.0, of_cells))
    known = np.flatnonzero(np.diag(information) > 0)
    variance = np.zeros_like(information)
    matrix = information[np.ix_(known, known)]
    matrix += np.diag(WEAKEST + WEAKEST_PART * np.diag(matrix))
    variance[np.ix_(known, known)] = np.linalg.inv(matrix)
    of_older = np.cumsum(np.cumsum(variance[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]
    return np.append(np.maximum(np.diag(of_older)[1:], 0.0), 0.0)


def _ratio(before: Floats, after: Floats) -> Floats:
    """Return F(a) / F(b); 0 where the conversions are so many that both are below the smallest float."""
    return np.divide(before, after, out=np.zeros_like(before), where=after > 0)


def _information(conversions: Floats, x: Floats) -> Floats:
    known = (conversions > 0) & (x < 1)
    return np.divide(conversions * x, (1 - x) ** 2, out=np.zeros_like(x), where=known)
