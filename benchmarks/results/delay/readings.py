"""What a policy takes for the totals: as booked, of days that are old enough, or by a delay curve."""

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import fractions_at
from app.bandits.delay.differs import ALARM, e_value, log_rank
from app.bandits.delay.effective import matured_totals
from app.bandits.totals import Totals
from benchmarks.results.delay.campaigns import OLDEST, Campaigns, Reading


def as_booked(known: Campaigns, through: int) -> Totals:
    """Count an impression at once and a conversion when it came."""
    return Totals(known.impressions.sum(axis=1), known.by_age(known.ages(through)).sum(axis=1))


def matured_days(days: int) -> Reading:
    """Count cohorts of so many days or older only."""
    return lambda known, through: as_booked(known.cohorts(through - days), through)


def with_curve(fractions: Floats) -> Reading:
    """Count impressions as far as a known curve says that their conversions have come."""

    def read(known: Campaigns, through: int) -> Totals:
        return _matured(known, known.ages(through), fractions)

    return read


def tracked(known: Campaigns, through: int) -> Totals:
    """Estimate the curve from the ages of the conversions that came, in all arms together."""
    ages = known.ages(through)
    return _matured(known, ages, chain_ladder(AgeCounts.of_cohorts(known.all_came, ages)))


def tracked_by_arm(known: Campaigns, through: int) -> Totals:
    """Estimate each arm's own curve, too, and use it in the campaigns in which the delays are said to differ."""
    ages = known.ages(through)
    common = chain_ladder(AgeCounts.of_cohorts(known.all_came, ages))
    by_arm = AgeCounts.of_cohorts(np.moveaxis(known.came, -1, 1), ages)
    fractions = np.where(
        alarmed(known, through)[:, None, None], chain_ladder(by_arm, common[:, None]), common[:, None]
    )
    at = np.swapaxes(fractions_at(fractions, ages), 1, 2)
    return counted(known.impressions, known.by_age(ages), at)


def alarmed(known: Campaigns, through: int) -> Booleans:
    """Say in which campaigns (r,) the arms' delays are said to differ."""
    seen = (np.arange(OLDEST + 1) <= known.ages(through)[:, None])[..., None]
    excess, variance = log_rank(known.came * seen, np.cumsum(known.came, axis=2) * seen)
    return e_value(excess.sum(axis=(1, 2)), variance.sum(axis=(1, 2))) >= ALARM


def _matured(known: Campaigns, ages: Integers, fractions: Floats) -> Totals:
    return counted(known.impressions, known.by_age(ages), fractions_at(fractions, ages)[..., None])


def counted(impressions: Floats, successes: Floats, fractions: Floats) -> Totals:
    """Return the effective totals (r, k) of cohorts (r, t, k)."""
    found = matured_totals(impressions, successes, fractions)
    return Totals(found.trials, found.successes)
