"""What the reports of single days say of the delay: it adds up, so that a day's is computed once and stored."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.differs import by_report, log_rank
from app.bandits.delay.snapshots import LinkedReports, summed_alike


@dataclass(frozen=True, slots=True)
class EvidenceByDay:
    """What the reports of d days say of the delay of k variants.

    Parameters
    ----------
    sums : of the conversions of each day's cohorts that were reported at the same ages; ``cohort`` is the day
    excess, variance : (d, k), of the comparison of the variants' delays (`differs.log_rank`), summed over the ages
    """

    sums: LinkedReports
    excess: Floats
    variance: Floats


def evidence_by_day(seen: LinkedReports, days: int, k: int) -> EvidenceByDay:
    """Return what reports say, day by day.

    Parameters
    ----------
    seen : the reports, linked; cohorts are numbered ``days`` to a variant
    """
    variant, day = np.divmod(np.arange(k * days), days)
    came, so_far = by_report(seen, day, variant, k)
    excess, variance = (of_ages.sum(axis=0) for of_ages in log_rank(came, so_far))
    return EvidenceByDay(summed_alike(seen, day_of(seen, days)), excess, variance)


def day_of(seen: LinkedReports, days: int) -> Integers:
    """Return the day of each cohort, of which there are ``days`` to a variant."""
    return seen.cohort % days


def in_order_of_days(*sums: LinkedReports) -> LinkedReports:
    """Return all of some sums by day, the earliest first: their order decides the last digit of a curve."""
    day = np.concatenate([some.cohort for some in sums])
    order = np.argsort(day, kind="stable")
    conversions = np.concatenate([some.conversions for some in sums])
    known = np.concatenate([some.known for some in sums])
    return LinkedReports(day[order], conversions[order], known[order])
