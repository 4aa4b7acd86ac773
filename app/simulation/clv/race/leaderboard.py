"""The interim result of a race while it is played."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.simulation.clv.race.campaign import Booked
from app.simulation.clv.race.race import Race

POINTS = 100
"""The largest number of days in an interim result."""

OnInterimResult = Callable[[Callable[[], dict[str, Any]]], None]
"""Called after every day with a function that computes the interim result."""

Part = tuple[Booked, int]
"""What replications of a policy came to, and how many of its days were played."""


def leaderboard(race: Race, parts: Sequence[Sequence[Part]]) -> dict[str, Any]:
    """The mean cumulative delta CLV of each policy, EUR, over the replications that have come to a day.

    Parameters
    ----------
    parts : for every policy of the race what its blocks came to so far; none where it has not begun

    Returns
    -------
    Days, counted from 1, up to 100 of them evenly spread over the race; and per policy the means on the first of
    these days, as far as it has come.
    """
    points = min(POINTS, race.scenario.days)
    days = [race.scenario.days * (point + 1) // points for point in range(points)]
    return {"days": days, "policies": [_line(race, days, of_policy) for of_policy in parts]}


def _line(race: Race, days: list[int], parts: Sequence[Part]) -> list[float]:
    summed, count = np.zeros((2, race.scenario.days))
    for booked, played in parts:
        summed[:played] += booked.cumulative[:, :played].sum(axis=0)
        count[:played] += len(booked.delta)
    come = [day - 1 for day in days if count[day - 1]]
    line: list[float] = (summed[come] / count[come]).round(2).tolist()
    return line
