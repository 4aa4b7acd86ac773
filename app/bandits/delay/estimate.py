"""Delay curves estimated from data, each with its interval and the counts behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import DelayCurve
from app.bandits.delay.interval import fraction_interval, greenwood_variance
from app.bandits.delay.snapshots import LinkedReports, intervals_of
from app.bandits.delay.turnbull import Intervals, fit_intervals

Ends = tuple[Floats, Floats]
"""The lower and the upper ends of intervals, each (a,)."""


@dataclass(frozen=True)
class DelayEstimate:
    """An estimated curve.

    Parameters
    ----------
    curve : without the ages after the first at which it is 1
    counts : the conversions at ages 0, ..., a - 1, and those each age was seen among; imputed ones where reports
        were irregular, none at an age that no report tells from the next
    ends : computes the intervals at these ages: decisions need none
    """

    curve: DelayCurve
    counts: AgeCounts
    ends: Callable[[], Ends]

    @cached_property
    def interval(self) -> Ends:
        """Return the ends of the fractions' 95 % intervals at the ages 0, ..., a - 1."""
        return self.ends()

    @property
    def low(self) -> Floats:
        """Return the lower ends of the intervals (a,)."""
        return self.interval[0]

    @property
    def high(self) -> Floats:
        """Return the upper ends of the intervals (a,)."""
        return self.interval[1]


def tracked_delay(counts: AgeCounts, common: DelayCurve | None = None) -> DelayEstimate:
    """Return the curve of conversions by age, by the chain ladder.

    Parameters
    ----------
    counts : (J_max + 1,), of all variants together, or of one
    common : of all variants; a variant's own curve is shrunk to it by 30 conversions
    """
    toward = None if common is None else common.at(np.arange(len(counts.came)))
    fractions = chain_ladder(counts, toward)

    def ends() -> Ends:
        return fraction_interval(fractions, greenwood_variance(counts, toward), counts.at_risk)

    return DelayEstimate(DelayCurve.shortest(fractions), counts, ends)


def reported_delay(seen: LinkedReports, common: DelayCurve | None = None) -> DelayEstimate:
    """Return the curve of reported totals, by the chain ladder of imputed ages.

    Ages between two that no report tells apart are interpolated; before the youngest reported the fraction is that
    of the youngest, as nothing is known of a delay there. Cohorts that were reported once tell nothing.

    Parameters
    ----------
    seen : what the reports of all variants say, or of one
    common : of all variants; a variant's own curve is shrunk to it by 30 conversions
    """
    intervals = intervals_of(seen)
    ages = _grid(intervals, common)
    toward = None if common is None else common.at(ages)
    fit = fit_intervals(_in_cells(intervals, ages), np.diff(ages, prepend=-1).astype(np.float64), toward)
    every = np.arange(ages[-1] + 1)

    def interpolated(at_ages: Floats) -> Floats:
        return np.minimum(np.maximum.accumulate(np.interp(every, ages, at_ages)), 1.0)

    def ends() -> Ends:
        low, high = fraction_interval(fit.fractions, fit.variance, fit.counts.at_risk)
        return interpolated(low), interpolated(high)

    counts = AgeCounts(np.zeros(len(every)), np.zeros(len(every)))
    counts.came[ages], counts.at_risk[ages] = fit.counts.came, fit.counts.at_risk
    return DelayEstimate(DelayCurve.shortest(interpolated(fit.fractions)), counts, ends)


def _grid(intervals: Intervals, common: DelayCurve | None) -> Integers:
    """Return the ages at which fractions are computed: those reported at; each one where a curve is shrunk to."""
    if common is not None:
        return np.arange(max(common.oldest, int(intervals.by.max(initial=0))) + 1)
    return np.unique(intervals.by) if len(intervals.by) else np.zeros(1, np.intp)


def _in_cells(intervals: Intervals, ages: Integers) -> Intervals:
    def cell(age: Integers) -> Integers:
        return np.where(age < 0, -1, np.searchsorted(ages, age))

    return Intervals(
        cell(intervals.after), cell(intervals.by), cell(intervals.known_through), intervals.counts
    )
