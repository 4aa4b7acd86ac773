"""Lifts over an even split, by delay and by what the policy makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats
from benchmarks.results.delay import campaigns, readings, reports
from benchmarks.results.delay.campaigns import Reading, World, lift, play

RATES = np.array([0.12, 0.15, 0.13])
LOW_RATES = np.array([0.01, 0.012, 0.011])
SEED = 1

AT_ONCE = "at once"
DELAYS = {
    AT_ONCE: campaigns.at_once(),
    "exactly 3 days later": campaigns.exactly(3),
    "exactly 7 days later": campaigns.exactly(7),
    "geometric, mean 3 days": campaigns.geometric(3),
    "geometric, mean 7 days": campaigns.geometric(7),
}
DIFFERING = {
    "the best after 6 days, the others after 3": np.stack(
        [campaigns.geometric(days) for days in (3.0, 6.0, 3.0)]
    ),
    "the worst after 6 days, the others after 3": np.stack(
        [campaigns.geometric(days) for days in (6.0, 3.0, 3.0)]
    ),
}

MATURITIES = range(11)

BOOKED, KNOWN, TRACKED = "booked (`none`)", "known (`curve`)", "estimated (`auto`), tracked"
DAILY, WEEKLY = "`auto`, last 14 days reported daily", "`auto`, last 28 days reported weekly"
POOLED, OWN = "`auto`, the common curve only", "`auto`, own curves while they differ"
POOLED_DAILY, OWN_DAILY = f"{POOLED}, reported daily", f"{OWN}, reported daily"

Lifts = Mapping[str, Mapping[str, Floats]]
"""Lifts (runs,) in percent, by world and reading."""


@dataclass(frozen=True, slots=True)
class DelayLifts:
    """What campaigns lift over an even split while conversions are outstanding.

    Parameters
    ----------
    by_delay, low_rates : of all delays, at rates of 12, 15 and 13 % and of 1, 1.2 and 1.1 %
    differing : where the variants' delays differ, at the higher rates
    fixed : of each delay, the best fixed `maturity_days` and the lifts (runs,) with it
    """

    by_delay: Lifts
    low_rates: Lifts
    differing: Lifts
    fixed: Mapping[str, tuple[int, Floats]]


def known_curve(masses: Floats) -> Floats:
    """Return the fractions that come by each age, of what comes by the oldest."""
    return np.minimum(np.cumsum(masses) / masses.sum(), 1.0)


def readings_of(masses: Floats) -> dict[str, Reading]:
    """Return what is compared in a world whose variants share a delay, by the column's head."""
    return {
        BOOKED: readings.as_booked,
        KNOWN: readings.with_curve(known_curve(masses)),
        TRACKED: readings.tracked,
        DAILY: reports.reported(reports.daily_reports(14)),
        WEEKLY: reports.reported(reports.weekly_reports(28)),
    }


def readings_where_delays_differ() -> dict[str, Reading]:
    """Return what is compared in a world whose variants have delays of their own, by the column's head."""
    schedule = reports.daily_reports(14)
    return {
        BOOKED: readings.as_booked,
        POOLED: readings.tracked,
        OWN: readings.tracked_by_arm,
        POOLED_DAILY: reports.reported(schedule),
        OWN_DAILY: reports.reported(schedule, by_arm=True),
    }


def measure_delays(runs: int, done: Callable[[int, int], None], days: int = 30) -> DelayLifts:
    """Play every world with every reading, on the same seed.

    Parameters
    ----------
    runs : campaigns of each
    done : called with how many worlds are played, and how many there are
    days : how long a campaign is
    """
    worlds = 2 * len(DELAYS) + len(DIFFERING)
    played = iter(range(1, worlds + 1))

    def lifts(world: World, by_head: Mapping[str, Reading]) -> dict[str, Floats]:
        found = {head: lift(world, play(world, reading, runs, SEED)) for head, reading in by_head.items()}
        done(next(played), worlds)
        return found

    def world(rates: Floats, masses: Floats) -> World:
        return World(rates, masses, days=days)

    def of_rates(rates: Floats) -> Lifts:
        return {name: lifts(world(rates, masses), readings_of(masses)) for name, masses in DELAYS.items()}

    differ = readings_where_delays_differ()
    return DelayLifts(
        by_delay=of_rates(RATES),
        low_rates=of_rates(LOW_RATES),
        differing={name: lifts(world(RATES, masses), differ) for name, masses in DIFFERING.items()},
        fixed={name: best_fixed(world(RATES, masses), runs) for name, masses in DELAYS.items()},
    )


def best_fixed(world: World, runs: int) -> tuple[int, Floats]:
    """Return the best `maturity_days`, found on the campaigns themselves, and the lifts (runs,) with it."""
    by_days = [lift(world, play(world, readings.matured_days(days), runs, SEED)) for days in MATURITIES]
    best = int(np.argmax([found.mean() for found in by_days]))
    return best, by_days[best]
