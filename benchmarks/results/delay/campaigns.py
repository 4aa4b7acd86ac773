"""Worlds with delayed conversions, and campaigns played in them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.totals import Totals
from app.simulation.random_streams import stream

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

    @property
    def all_came(self) -> Floats:
        """The conversions (r, t, OLDEST + 1) of all arms together."""
        together: Floats = self.came.sum(axis=-1)
        return together

    def ages(self, through: int) -> Integers:
        """Return the ages (t,) that the cohorts have reached by the end of a day, at most OLDEST."""
        return np.minimum(through - np.arange(self.impressions.shape[1]), OLDEST)

    def by_age(self, ages: Integers) -> Floats:
        """Return the conversions (r, t, k) that came by an age of each cohort (t,)."""
        known = np.arange(OLDEST + 1) <= ages[:, None]
        by_then: Floats = np.einsum("rtjk,tj->rtk", self.came, known.astype(np.float64))
        return by_then


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
    earned: Floats = (played.impressions * np.expand_dims(world.rates, -2)).sum(axis=(1, 2))
    even = world.per_day * world.days * np.mean(world.rates, axis=-1)
    return 100 * (earned / even - 1)
