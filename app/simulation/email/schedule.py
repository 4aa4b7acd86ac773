"""When the campaign's values are recorded, when its days begin, and how its rates move."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.bandits.arrays import Booleans, Floats
from app.simulation.email.drift import RandomWalk
from app.simulation.email.scenario import EmailScenario
from app.simulation.random_streams import stream

STEPS = 100
"""The most points of a curve."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """E-mails start to end - 1, between which nothing changes.

    Parameters
    ----------
    start, end : positions among all e-mails; 0 <= start < end
    day : 0-based
    step : the curve's point that is reached at `end`, or None
    ends_day : whether `end` is the day's
    """

    start: int
    end: int
    day: int
    step: int | None
    ends_day: bool


def stretches(scenario: EmailScenario) -> list[Stretch]:
    """The campaign cut at its days, its curve's points and its rates' change points."""
    steps = {end: i for i, end in enumerate(curve(scenario))}
    days = {end: i for i, end in enumerate(day_ends(scenario))}
    changes = [point.at for point in scenario.drift] if isinstance(scenario.drift, tuple) else []
    cuts = sorted({0, *steps, *days, *changes})
    ends = day_ends(scenario)
    found = np.searchsorted(ends, cuts[:-1], side="right").tolist()
    return [
        Stretch(start, end, day, steps.get(end), end in days)
        for (start, end), day in zip(pairwise(cuts), found, strict=True)
    ]


def day_ends(scenario: EmailScenario) -> list[int]:
    """(days,), how many e-mails have gone out by the end of each day; the last is n."""
    return [scenario.emails * (day + 1) // scenario.days for day in range(scenario.days)]


def curve(scenario: EmailScenario) -> list[int]:
    """Up to 100 numbers of e-mails at which values are recorded, evenly spread; the last is n."""
    steps = min(STEPS, scenario.emails)
    return [scenario.emails * (step + 1) // steps for step in range(steps)]


def held_out(scenario: EmailScenario, start: int, end: int) -> Booleans:
    """(end - start,), which of these e-mails are held out of the race: every h-th, evenly spread."""
    part = scenario.holdout_percent / 100
    counted = np.floor(np.arange(start, end + 1) * part)
    out: Booleans = np.diff(counted) > 0
    return out


def rates_over_time(scenario: EmailScenario, block: int, rows: int) -> Iterator[Floats]:
    """The true rates (k, r) of each stretch, the same for every policy."""
    rates = np.repeat(scenario.true_rates[:, None], rows, axis=1)
    rng = stream(scenario.seed, "drift", block)
    changes = {p.at: p.rates for p in scenario.drift} if isinstance(scenario.drift, tuple) else {}
    yesterday = 0
    for stretch in stretches(scenario):
        if isinstance(scenario.drift, RandomWalk) and stretch.day > yesterday:
            rates, yesterday = scenario.drift.moved(rates, rng), stretch.day
        if stretch.start in changes:
            rates = np.repeat(np.array(changes[stretch.start], dtype=np.float64)[:, None], rows, axis=1)
        yield rates
