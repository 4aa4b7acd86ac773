"""The delay curve from totals that were reported again and again, each time with what had come by then."""

from dataclasses import dataclass

import numpy as np

from app.bandits.delay.arrays import Booleans, Floats, Integers
from app.bandits.delay.turnbull import Intervals


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Reports of cohorts' totals, in any order; no cohort twice at one age.

    Parameters
    ----------
    cohort : (m,), a number for each variant and period
    age : (m,), whole periods from the cohort's to the last one whose conversions the report holds, >= 0
    impressions, successes : (m,), the totals reported
    """

    cohort: Integers
    age: Integers
    impressions: Floats
    successes: Floats

    def through(self, oldest: int) -> "Snapshots":
        """Return the reports of impressions at ages up to ``oldest``."""
        return self.only((self.age <= oldest) & (self.impressions > 0))

    def only(self, chosen: Booleans) -> "Snapshots":
        """Return the reports that are marked (m,)."""
        return Snapshots(
            self.cohort[chosen], self.age[chosen], self.impressions[chosen], self.successes[chosen]
        )


@dataclass(frozen=True, slots=True)
class Grown:
    """Cumulated conversions of some cohorts at the ages they were reported at, never falling.

    Parameters
    ----------
    cohort : (c,), the cohorts that were reported at two ages or more
    conversions : (c, a), 0 where they were not reported
    known : (c, a), whether they were
    """

    cohort: Integers
    conversions: Floats
    known: Booleans


def grown(snapshots: Snapshots, oldest: int) -> Grown:
    """Return what linked reports say: those of cohorts that were reported at two ages or more, up to ``oldest``.

    Where a cohort's impressions changed, its conversions are those per impression, times the last impressions.
    """
    used = snapshots.through(oldest)
    cohorts, row = np.unique(used.cohort, return_inverse=True)
    known = np.zeros((len(cohorts), oldest + 1), np.bool_)
    impressions, successes = np.zeros(known.shape), np.zeros(known.shape)
    known[row, used.age] = True
    impressions[row, used.age] = used.impressions
    successes[row, used.age] = used.successes
    linked = known.sum(axis=1) > 1
    known, impressions, successes = known[linked], impressions[linked], successes[linked]
    last = impressions[np.arange(len(known)), oldest - known[:, ::-1].argmax(axis=1)][:, None]
    same = ~known | (impressions == last)
    scaled = np.divide(successes * last, impressions, out=successes.copy(), where=~same)
    return Grown(cohorts[linked], scaled, known)


def never_falling(conversions: Floats, known: Booleans) -> Floats:
    """Return cumulated conversions (c, a) less those that a later report took back; 0 where none is known.

    Whatever was refunded or found to be fraud counts at no age.
    """
    later = np.where(known, conversions, np.inf)[:, ::-1]
    return np.where(known, np.minimum.accumulate(later, axis=1)[:, ::-1], 0.0)


def intervals_of(seen: Grown) -> Intervals:
    """Return the intervals, in ages, that the conversions between two reports fell into.

    Cohorts reported at the same ages are summed first: a refund in one is made up for by a conversion in another.
    """
    patterns, row = np.unique(seen.known, axis=0, return_inverse=True)
    total = np.zeros(patterns.shape)
    np.add.at(total, row, seen.conversions)
    pattern, age = np.nonzero(patterns)
    came = never_falling(total, patterns)[pattern, age]
    first = np.diff(pattern, prepend=-1) > 0
    after = np.where(first, -1, np.roll(age, 1))
    counts = came - np.where(first, 0.0, np.roll(came, 1))
    oldest = patterns.shape[1] - 1 - patterns[:, ::-1].argmax(axis=1)
    return Intervals(after, age, oldest[pattern], counts)
