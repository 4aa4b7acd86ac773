"""What a policy knows from totals that are reported again and again."""

from collections.abc import Callable

import numpy as np

from app.bandits.arrays import Booleans
from app.bandits.delay.curve import DelayCurve
from app.bandits.delay.differs import by_report, compare
from app.bandits.delay.estimate import reported_delay
from app.bandits.delay.snapshots import Snapshots, linked_reports
from app.bandits.totals import Totals
from benchmarks.results.delay.campaigns import OLDEST, Campaigns, Reading
from benchmarks.results.delay.readings import counted

Schedule = Callable[[int], Booleans]
"""The ages (t, OLDEST + 1) at which cohorts were reported through a day."""


def reported(schedule: Schedule, by_arm: bool = False) -> Reading:
    """Know cohorts at the ages (t, OLDEST + 1) they were reported at, and estimate the curve from the reports.

    Parameters
    ----------
    by_arm : use each arm's own curve where the delays are said to differ
    """

    def read(known: Campaigns, through: int) -> Totals:
        at = schedule(through)
        ages = OLDEST - at[:, ::-1].argmax(axis=1)
        curves = [_reported_curves(known, run, at, by_arm) for run in range(len(known.came))]
        fractions = np.array([np.stack([curve.at(ages) for curve in arms], axis=-1) for arms in curves])
        return counted(known.impressions, known.by_age(ages), fractions)

    return read


def daily_reports(last_days: int) -> Schedule:
    """Report the last so many days every day."""

    def at(through: int) -> Booleans:
        cohort = np.arange(through + 1)[:, None]
        age = np.arange(OLDEST + 1)
        return (age < last_days) & (cohort + age <= through)

    return at


def weekly_reports(last_days: int) -> Schedule:
    """Report each day once when it is over, and the last so many days every seventh day."""

    def at(through: int) -> Booleans:
        cohort = np.arange(through + 1)[:, None]
        age = np.arange(OLDEST + 1)
        weekly = (age < last_days) & ((cohort + age) % 7 == 6)
        return ((age == 0) | weekly) & (cohort + age <= through)

    return at


def snapshots_of(known: Campaigns, run: int, at: Booleans) -> Snapshots:
    """Return the reports of one campaign; cohort t of arm i has the number t k + i."""
    k = known.impressions.shape[-1]
    cohort, age = (np.repeat(v, k) for v in np.nonzero(at))
    arm = np.tile(np.arange(k), int(at.sum()))
    successes = np.cumsum(known.came[run], axis=1)[cohort, age, arm]
    return Snapshots(cohort * k + arm, age, known.impressions[run, cohort, arm], successes)


def _reported_curves(known: Campaigns, run: int, at: Booleans, by_arm: bool) -> list[DelayCurve]:
    t, k = known.impressions.shape[1:]
    seen = linked_reports(snapshots_of(known, run, at), OLDEST)
    common = reported_delay(seen).curve
    period, arm = np.divmod(np.arange(t * k), k)
    if not by_arm or not compare(*by_report(seen, period, arm, k)).alarm:
        return [common] * k
    return [reported_delay(seen.select(arm[seen.cohort] == i), common).curve for i in range(k)]
