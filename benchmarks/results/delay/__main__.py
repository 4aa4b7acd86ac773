"""Print the lifts over an even split, by delay and by what the policy makes of it."""

import numpy as np

from app.bandits.arrays import Floats
from benchmarks.results.delay import campaigns, readings, reports
from benchmarks.results.delay.campaigns import Reading, World, lift, play
from benchmarks.results.text import table

RATES = np.array([0.12, 0.15, 0.13])
RUNS, SEED = 30, 1

DELAYS = {
    "at once": campaigns.at_once(),
    "exactly 3 days later": campaigns.exactly(3),
    "exactly 7 days later": campaigns.exactly(7),
    "geometric, mean 3 days": campaigns.geometric(3),
    "geometric, mean 7 days": campaigns.geometric(7),
}

MATURITIES = range(11)


def known_curve(masses: Floats) -> Floats:
    """Return the fractions that come by each age, of what comes by the oldest."""
    return np.minimum(np.cumsum(masses) / masses.sum(), 1.0)


def readings_of(masses: Floats) -> dict[str, Reading]:
    """Return what is compared in a world, by the column's head."""
    return {
        "as booked": readings.as_booked,
        "delay known": readings.with_curve(known_curve(masses)),
        "estimated, tracked": readings.tracked,
        "estimated, last 14 days reported daily": reports.reported(reports.daily_reports(14)),
        "estimated, last 28 days reported weekly": reports.reported(reports.weekly_reports(28)),
    }


def lifts(masses: Floats, reading: Reading) -> Floats:
    """Return the lifts (runs,) in percent; the same seeds for every reading."""
    world = World(RATES, masses)
    return lift(world, play(world, reading, RUNS, SEED))


def shown(found: Floats) -> str:
    """Return a mean with its 95 % half-width."""
    return f"{found.mean():+.1f} ± {1.96 * found.std(ddof=1) / len(found) ** 0.5:.2f}"


def rows() -> list[tuple[str, ...]]:
    """Return a row for each delay: as booked, the best fixed maturity, and by curve."""
    found = []
    for name, masses in DELAYS.items():
        by_reading = {head: shown(lifts(masses, reading)) for head, reading in readings_of(masses).items()}
        fixed = [lifts(masses, readings.matured_days(days)) for days in MATURITIES]
        best = max(MATURITIES, key=lambda days: fixed[days].mean())
        booked, *by_curve = by_reading.values()
        found.append((name, booked, f"{shown(fixed[best])} ({best} days)", *by_curve))
    return found


def main() -> None:
    """Print the table."""
    _, *by_curve = readings_of(campaigns.at_once())
    print(table(("conversion comes", "as booked", "best fixed `maturity_days`", *by_curve), rows()))


if __name__ == "__main__":
    main()
