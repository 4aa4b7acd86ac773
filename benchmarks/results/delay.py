"""What a bandit loses while conversions are on their way, and what a delay curve wins back.

Campaigns are played by day with the product's own policy and delay curves; only the bookkeeping of who knows what
when is written here, for many campaigns at once. Run with ``python -m benchmarks.results.delay``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.bandits.delay.arrays import Booleans, Floats
from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import DelayCurve, fractions_at
from app.bandits.delay.differs import ALARM, compare, e_value, log_rank, reported_increases
from app.bandits.delay.effective import matured_totals
from app.bandits.delay.snapshots import Snapshots, reported_curve
from app.bandits.thompson import ThompsonSampling
from app.bandits.totals import Totals
from app.simulation.streams import stream

OLDEST = 30
"""The oldest age, in days, that a curve looks at: `max_days`."""


def at_once() -> Floats:
    """Return the masses (OLDEST + 1,) of conversions that come on the day."""
    return exactly(0)


def exactly(days: int) -> Floats:
    """Return the masses of conversions that all come so many days later."""
    return np.eye(1, OLDEST + 1, days)[0]


def geometric(mean: float) -> Floats:
    """Return the masses p (1 - p)^j of ages j with a mean, in days; what comes later than OLDEST is missing."""
    p = 1 / (1 + mean)
    masses: Floats = p * (1 - p) ** np.arange(OLDEST + 1)
    return masses


@dataclass(frozen=True, slots=True)
class World:
    """Arms with rates and delays, the same each day.

    Parameters
    ----------
    rates : (k,), or (r, k) where each campaign has its own
    masses : (k, OLDEST + 1), which fraction of an arm's conversions comes at each age, or (OLDEST + 1,) for all
    per_day, days : impressions a day, and how long
    prior : of the policy
    """

    rates: Floats
    masses: Floats
    per_day: int = 10_000
    days: int = 30
    prior: tuple[float, float] = (1.0, 1.0)


@dataclass(slots=True)
class Campaigns:
    """What has happened so far in r campaigns; ``came`` holds what is to come, too.

    Parameters
    ----------
    impressions : (r, days, k)
    came : (r, days, OLDEST + 1, k), conversions by cohort and age
    """

    impressions: Floats
    came: Floats

    def cohorts(self, through: int) -> "Campaigns":
        """Return the cohorts up to a day."""
        return Campaigns(self.impressions[:, : through + 1], self.came[:, : through + 1])

    def by_age(self, ages: Floats) -> Floats:
        """Return the conversions (r, t, k) that came by an age of each cohort (t,)."""
        known = np.arange(OLDEST + 1) <= ages[:, None]
        return np.einsum("rtjk,tj->rtk", self.came, known.astype(np.float64))


Reading = Callable[[Campaigns, int], Totals]
"""What a policy takes for the totals of r campaigns, from what is known through a day."""


def play(world: World, reading: Reading, runs: int, seed: int) -> Campaigns:
    """Play campaigns in which each day's traffic is split by Thompson sampling on what is known the day before."""
    rng = stream(seed, "delay")
    rates = np.broadcast_to(world.rates, (runs, np.shape(world.rates)[-1]))
    k = rates.shape[1]
    masses = np.broadcast_to(world.masses, (k, OLDEST + 1))
    rest = np.maximum(1 - masses.sum(axis=1, keepdims=True), 0)
    played = Campaigns(np.zeros((runs, world.days, k)), np.zeros((runs, world.days, OLDEST + 1, k)))
    for day in range(world.days):
        shares = shares_of(world, reading, played, day)
        n = rng.multinomial(world.per_day, shares)
        converted = rng.binomial(n, rates)
        ages = rng.multinomial(converted, np.concatenate((masses, rest), axis=1))
        played.impressions[:, day] = n
        played.came[:, day] = np.swapaxes(ages[..., :-1], 1, 2)
    return played


def shares_of(world: World, reading: Reading, played: Campaigns, day: int) -> Floats:
    """Return the shares (r, k) of a day, from what is known through the day before."""
    runs, _, k = played.impressions.shape
    if day == 0:
        return np.full((runs, k), 1 / k)
    found = ThompsonSampling(world.prior).shares(reading(played.cohorts(day - 1), day - 1))
    return found / found.sum(axis=1, keepdims=True)


def lift(world: World, played: Campaigns) -> Floats:
    """Return how much more (r,) a campaign's traffic converts than an even split's, in percent, in expectation."""
    earned = (played.impressions * np.expand_dims(world.rates, -2)).sum(axis=(1, 2))
    even = world.per_day * world.days * np.mean(world.rates, axis=-1)
    return 100 * (earned / even - 1)


def as_booked(known: Campaigns, through: int) -> Totals:
    """Count an impression at once and a conversion when it came."""
    return Totals(known.impressions.sum(axis=1), known.by_age(_ages(known, through)).sum(axis=1))


def matured_days(days: int) -> Reading:
    """Count cohorts of so many days or older only."""
    return lambda known, through: as_booked(known.cohorts(through - days), through)


def with_curve(fractions: Floats) -> Reading:
    """Count impressions as far as a known curve says that their conversions have come."""

    def read(known: Campaigns, through: int) -> Totals:
        return _matured(known, _ages(known, through), fractions)

    return read


def tracked(known: Campaigns, through: int) -> Totals:
    """Estimate the curve from the ages of the conversions that came, in all arms together."""
    ages = _ages(known, through)
    return _matured(known, ages, chain_ladder(AgeCounts.of_cohorts(known.came.sum(axis=-1), ages)))


def tracked_by_arm(known: Campaigns, through: int) -> Totals:
    """Estimate each arm's own curve, too, and use it in the campaigns in which the delays are said to differ."""
    ages = _ages(known, through)
    common = chain_ladder(AgeCounts.of_cohorts(known.came.sum(axis=-1), ages))
    by_arm = AgeCounts.of_cohorts(np.moveaxis(known.came, -1, 1), ages)
    fractions = np.where(
        alarmed(known, through)[:, None, None], chain_ladder(by_arm, common[:, None]), common[:, None]
    )
    at = np.swapaxes(fractions_at(fractions, ages), 1, 2)
    return _totals(known.impressions, known.by_age(ages), at)


def alarmed(known: Campaigns, through: int) -> Booleans:
    """Say in which campaigns (r,) the arms' delays are said to differ."""
    seen = (np.arange(OLDEST + 1) <= _ages(known, through)[:, None])[..., None]
    excess, variance = log_rank(known.came * seen, np.cumsum(known.came, axis=2) * seen)
    return e_value(excess.sum(axis=(1, 2)), variance.sum(axis=(1, 2))) >= ALARM


def reported(schedule: Callable[[int], Booleans], by_arm: bool = False) -> Reading:
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
        return _totals(known.impressions, known.by_age(ages), fractions)

    return read


def daily_reports(last_days: int) -> Callable[[int], Booleans]:
    """Report the last so many days every day."""

    def at(through: int) -> Booleans:
        cohort = np.arange(through + 1)[:, None]
        age = np.arange(OLDEST + 1)
        return (age < last_days) & (cohort + age <= through)

    return at


def weekly_reports(last_days: int) -> Callable[[int], Booleans]:
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
    reports = snapshots_of(known, run, at)
    common = reported_curve(reports, OLDEST).curve
    period, arm = np.divmod(np.arange(t * k), k)
    if not by_arm or not compare(reported_increases(reports, period, arm, OLDEST), k).alarm:
        return [common] * k
    arms = [reports.only(arm[reports.cohort] == i) for i in range(k)]
    return [reported_curve(one, OLDEST, common).curve for one in arms]


def _ages(known: Campaigns, through: int) -> Floats:
    """Return the ages (t,) that the cohorts have reached by the end of a day."""
    return np.minimum(through - np.arange(known.impressions.shape[1]), OLDEST)


def _matured(known: Campaigns, ages: Floats, fractions: Floats) -> Totals:
    return _totals(known.impressions, known.by_age(ages), fractions_at(fractions, ages)[..., None])


def _totals(impressions: Floats, successes: Floats, fractions: Floats) -> Totals:
    found = matured_totals(impressions, successes, fractions)
    return Totals(found.trials, found.successes)
