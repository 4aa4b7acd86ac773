"""The delay curve from totals that were reported again and again, each time with what had come by then."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.delay.turnbull import Intervals


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Reports of cohorts' totals, in any order; no cohort twice at one age.

    Parameters
    ----------
    cohort : (m,), a number for each variant and period, from 0
    age : (m,), whole periods from the cohort's to the last one whose conversions the report holds, >= 0
    impressions, successes : (m,), the totals reported
    """

    cohort: Integers
    age: Integers
    impressions: Floats
    successes: Floats

    def through(self, oldest: int) -> "Snapshots":
        """Return the reports of impressions at ages up to ``oldest``."""
        used = (self.age <= oldest) & (self.impressions > 0)
        if used.all():
            return self
        return Snapshots(self.cohort[used], self.age[used], self.impressions[used], self.successes[used])


@dataclass(frozen=True, slots=True)
class LinkedReports:
    """Cumulated conversions of some cohorts at the ages they were reported at.

    Parameters
    ----------
    cohort : (c,), the cohorts that were reported at two ages or more
    conversions : (c, a), 0 where they were not reported
    known : (c, a), whether they were
    """

    cohort: Integers
    conversions: Floats
    known: Booleans

    def select(self, chosen: Booleans) -> "LinkedReports":
        """Return the cohorts that are marked (c,)."""
        return LinkedReports(self.cohort[chosen], self.conversions[chosen], self.known[chosen])


def linked_reports(snapshots: Snapshots, oldest: int) -> LinkedReports:
    """Return the reports of cohorts that were reported at two ages or more, up to ``oldest``.

    Reports of no impressions do not count. Where a cohort's impressions changed, its conversions are those per
    impression, times the last impressions.
    """
    used = snapshots.through(oldest)
    known = np.zeros((used.cohort.max(initial=-1) + 1, oldest + 1), np.bool_)
    impressions, successes = np.zeros(known.shape), np.zeros(known.shape)
    known[used.cohort, used.age] = True
    impressions[used.cohort, used.age] = used.impressions
    successes[used.cohort, used.age] = used.successes
    linked = np.flatnonzero(np.count_nonzero(known, axis=1) > 1)
    known, impressions, successes = known[linked], impressions[linked], successes[linked]
    last = impressions[np.arange(len(known)), oldest - known[:, ::-1].argmax(axis=1)][:, None]
    same = ~known | (impressions == last)
    scaled = np.divide(successes * last, impressions, out=successes.copy(), where=~same)
    return LinkedReports(linked, scaled, known)


def never_falling(conversions: Floats, known: Booleans) -> Floats:
    """Return cumulated conversions (..., a) less those that a later report took back; 0 where none is known.

    Whatever was refunded or found to be fraud counts at no age.
    """
    later = np.where(known, conversions, np.inf)[..., ::-1]
    return np.where(known, np.minimum.accumulate(later, axis=-1)[..., ::-1], 0.0)


def intervals_of(seen: LinkedReports) -> Intervals:
    """Return the intervals, in ages, that the conversions between two reports fell into.

    Cohorts reported at the same ages are summed first: a refund in one is made up for by a conversion in another.
    """
    patterns, total = _summed_by_pattern(seen)
    pattern, age = np.nonzero(patterns)
    came = never_falling(total, patterns)[pattern, age]
    first = np.diff(pattern, prepend=-1) > 0
    after = np.where(first, -1, np.roll(age, 1))
    counts = came - np.where(first, 0.0, np.roll(came, 1))
    oldest = patterns.shape[1] - 1 - patterns[:, ::-1].argmax(axis=1)
    return Intervals(after, age, oldest[pattern], counts)


def _summed_by_pattern(seen: LinkedReports) -> tuple[Booleans, Floats]:
    """Return the sets of ages (p, a) that some cohort was reported at, and the sums (p, a) of these cohorts."""
    if not len(seen.known):
        return seen.known, seen.conversions
    packed = np.packbits(seen.known, axis=1)
    _, pattern = np.unique(packed.view(f"V{packed.shape[1]}")[:, 0], return_inverse=True)
    order = np.argsort(pattern, kind="stable")
    starts = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    return seen.known[order[starts]], np.add.reduceat(seen.conversions[order], starts, axis=0)
