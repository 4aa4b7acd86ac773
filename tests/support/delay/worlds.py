"""Worlds whose conversions come late, and campaigns in them: what was shown, and when its conversions come."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NAMES = "abc"
RATES = np.array([0.12, 0.15, 0.13])
OLDEST = 30


def exactly(days: int) -> Floats:
    """Return the masses (OLDEST + 1,) of conversions that all come so many days later."""
    return np.eye(1, OLDEST + 1, days)[0]


def geometric(mean: float) -> Floats:
    """Return the masses p (1 - p)^j of ages j with a mean, in days; what comes later than OLDEST is missing."""
    p = 1 / (1 + mean)
    masses: Floats = p * (1 - p) ** np.arange(OLDEST + 1)
    return masses


AT_ONCE = exactly(0)
DELAYS = {"exactly 3": exactly(3), "exactly 7": exactly(7), "mean 3": geometric(3), "mean 7": geometric(7)}


@dataclass(frozen=True, slots=True)
class World:
    """Three arms with rates and delays, the same each day.

    Parameters
    ----------
    masses : (OLDEST + 1,), which fraction of the conversions comes at each age, or (k, OLDEST + 1) by arm
    """

    masses: Floats
    rates: Floats = field(default_factory=RATES.copy)
    per_day: int = 10_000
    days: int = 30


class Total(NamedTuple):
    """Impressions and conversions of a variant's cohort, a day counted from the campaign's first."""

    variant_id: str
    cohort: int
    impressions: int
    successes: int


class Campaign:
    """One campaign in a world.

    Parameters
    ----------
    name : the experiment's id
    shown : (days, k), impressions by cohort
    came : (days, OLDEST + 1, k), conversions by cohort and age, those to come included
    first : the date of day 0
    """

    def __init__(self, world: World, seed: int, name: str, first: dt.date) -> None:
        self.world, self.name, self.first = world, name, first
        self._rng = np.random.default_rng([20_261, seed])
        k = len(NAMES)
        masses = np.broadcast_to(world.masses, (k, OLDEST + 1))
        rest = np.maximum(1 - masses.sum(axis=1, keepdims=True), 0)
        self._masses = np.concatenate((masses, rest), axis=1)
        self.shown: Integers = np.zeros((world.days, k), np.int64)
        self.came: Integers = np.zeros((world.days, OLDEST + 1, k), np.int64)

    def show(self, day: int, percent: dict[str, float]) -> None:
        """Show a day's traffic by shares in percent; its conversions come when they come."""
        shares = np.array([percent[variant_id] for variant_id in NAMES])
        self.shown[day] = self._rng.multinomial(self.world.per_day, shares / shares.sum())
        converted = self._rng.binomial(self.shown[day], self.world.rates)
        self.came[day] = self._rng.multinomial(converted, self._masses)[:, :-1].T

    def date(self, day: int) -> dt.date:
        """Return a day's date."""
        return self.first + dt.timedelta(days=day)

    def known(self, cohort: int, day: int) -> Iterator[Total]:
        """Yield the totals of a cohort with the conversions that came through a day."""
        came = self.came[cohort, : day - cohort + 1].sum(axis=0)
        for arm, variant_id in enumerate(NAMES):
            yield Total(variant_id, cohort, int(self.shown[cohort, arm]), int(came[arm]))

    def received(self, day: int) -> Iterator[Total]:
        """Yield what came on a day: its impressions, and conversions of it and of the days before."""
        for cohort in range(max(day - OLDEST, 0), day + 1):
            came = self.came[cohort, day - cohort]
            for arm, variant_id in enumerate(NAMES):
                shown = int(self.shown[cohort, arm]) if cohort == day else 0
                if shown or came[arm]:
                    yield Total(variant_id, cohort, shown, int(came[arm]))

    @property
    def lift(self) -> float:
        """How much more the traffic converts than an even split's, in percent, in expectation."""
        even = self.world.per_day * self.world.days * self.world.rates.mean()
        return float(100 * ((self.shown @ self.world.rates).sum() / even - 1))
