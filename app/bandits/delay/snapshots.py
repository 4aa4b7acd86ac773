"""The delay curve from totals that were reported again and again, each time with what had come by then."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.delay.turnbull import Intervals

WORD = 8
"""Bytes of a whole number."""


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
        return self if used.all() else self.select(used)

    def select(self, used: Booleans) -> "Snapshots":
        """Return the reports that are marked (m,)."""
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

    def only(self, chosen: Booleans) -> "LinkedReports":
        """Return the cohorts that are marked (c,)."""
        return LinkedReports(self.cohort[chosen], self.conversions[chosen], self.known[chosen])


def linked_reports(snapshots: Snapshots, oldest: int) -> LinkedReports:
    """Return the reports of cohorts that were reported at two ages or more, up to ``oldest``.

    Reports of no impressions do not count. Where a cohort's impressions changed, its conversions are those per
    impression, times the last impressions.
    """
    used = snapshots.through(oldest)
    cohorts, ages = used.cohort.max(initial=-1) + 1, oldest + 1
    reports = np.bincount(used.cohort, minlength=cohorts)
    linked = np.flatnonzero(reports > 1)
    row = np.cumsum(reports > 1) - 1
    if len(linked) < cohorts:
        used = used.select(reports[used.cohort] > 1)
    cell = row[used.cohort] * ages + used.age
    known = _table(cell, True, len(linked), ages)
    impressions, successes = (
        _table(cell, counts, len(linked), ages) for counts in (used.impressions, used.successes)
    )
    last = impressions[np.arange(len(known)), oldest - known[:, ::-1].argmax(axis=1)][:, None]
    changed = known & (impressions != last)
    if changed.any():
        np.divide(successes * last, impressions, out=successes, where=changed)
    return LinkedReports(linked, successes, known)


def _table(cell: Integers, values: NDArray[Any] | bool, rows: int, columns: int) -> NDArray[Any]:
    table = np.zeros(rows * columns, np.asarray(values).dtype)
    table[cell] = values
    return table.reshape(rows, columns)


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
    total = summed_alike(seen, np.zeros_like(seen.cohort))
    patterns = total.known
    pattern, age = np.nonzero(patterns)
    came = never_falling(total.conversions, patterns)[pattern, age]
    first = np.diff(pattern, prepend=-1) > 0
    after = np.where(first, -1, np.roll(age, 1))
    counts = came - np.where(first, 0.0, np.roll(came, 1))
    oldest = patterns.shape[1] - 1 - patterns[:, ::-1].argmax(axis=1)
    return Intervals(after, age, oldest[pattern], counts)


def summed_alike(seen: LinkedReports, day: Integers) -> LinkedReports:
    """Return the sums of each day's cohorts that were reported at the same ages; ``cohort`` is then the day.

    Parameters
    ----------
    day : (c,), of each cohort, from 0
    """
    if not len(seen.known):
        return seen
    packed = np.packbits(seen.known, axis=1)
    width = packed.shape[1]
    key: NDArray[Any] = packed.view(f"V{width}")[:, 0]
    if width <= WORD:  # whole numbers in the same order are sorted three times as fast
        key = np.pad(packed, ((0, 0), (0, WORD - width))).view(">u8")[:, 0].astype(np.uint64)
    _, pattern = np.unique(key, return_inverse=True)
    group = day * len(pattern) + pattern
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    first = order[starts]
    return LinkedReports(
        day[first], np.add.reduceat(seen.conversions[order], starts, axis=0), seen.known[first]
    )
