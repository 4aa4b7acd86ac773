"""A campaign's cohorts as they become known, and the totals that the service's delay curve makes of them."""

from collections import deque
from typing import Literal, get_args

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import fractions_at
from app.bandits.delay.effective import MaturedTotals, matured_totals

Correction = Literal["auto", "none"]
"""What a policy makes of outstanding conversions, as an experiment's setting `delay`: auto estimates the curve
from the campaign's own conversions, none counts what has come."""

COHORT_DAYS = 90
"""A curve is estimated from so many of the last days, as in the service."""

OLDEST = 30
"""The age by which all conversions have come for the curve, as the service's default `max_days`."""


def check_correction(correction: str) -> None:
    """Reject anything but auto and none.

    Raises
    ------
    ValueError
        With the choices.
    """
    if correction not in get_args(Correction):
        raise ValueError(f"must be one of {', '.join(get_args(Correction))}, not {correction!r}")


class Cohorts:
    """Cohorts of m cells (arms, or arms by segment) in r replications, of which one day after another is closed.

    Nothing of a day is known before it is closed. A day's trials count at once, its conversions on the day they
    come.

    Parameters
    ----------
    shape : (r, m)
    oldest : the age, in days, by which a cohort counts as complete
    """

    def __init__(self, shape: tuple[int, int], oldest: int = OLDEST) -> None:
        self.trials, self.successes = np.zeros(shape), np.zeros(shape)
        """(r, m), as they are booked: what the closed days' trials are, and the conversions that have come."""
        self.closed, self._oldest = 0, max(oldest, 1)
        self._coming: deque[Floats] = deque()
        self._recent: deque[Floats] = deque(maxlen=self._oldest)
        self._by_age: deque[Floats] = deque(maxlen=COHORT_DAYS)

    def close_day(self, trials: Floats, by_age: Floats) -> None:
        """Close a day of these trials (r, m), whose conversions come at the ages 0, 1, ..., (a, r, m)."""
        for age, conversions in enumerate(by_age):
            if age < len(self._coming):
                self._coming[age] = self._coming[age] + conversions
            else:
                self._coming.append(conversions)
        self.trials = self.trials + trials
        if self._coming:
            self.successes = self.successes + self._coming.popleft()
        self._recent.append(trials.copy())
        pooled = np.zeros((len(trials), self._oldest + 1))
        pooled[:, : len(by_age)] = by_age[: self._oldest + 1].sum(axis=-1).T
        self._by_age.append(pooled)
        self.closed += 1

    def fractions(self) -> Floats:
        """Return the fractions F(0), ..., F(oldest) that have come by each age, (r, oldest + 1).

        The chain ladder over all cells together, from the last 90 days, as far as they are known.
        """
        known_through = np.minimum(np.arange(len(self._by_age))[::-1], self._oldest)
        return chain_ladder(AgeCounts.of_cohorts(np.stack(self._by_age, axis=1), known_through))

    def by_cohort(self) -> tuple[Floats, Floats]:
        """Return the trials (r, c, m) of the cohorts, and which fraction (r, c, 1) of their conversions has come.

        The first cohort is that of all days that are old enough to be complete.
        """
        ages = np.arange(len(self._recent))[::-1]
        fractions = fractions_at(self.fractions(), np.append(self._oldest, ages))
        recent = np.stack(self._recent)
        older = self.trials - recent.sum(axis=0)
        return np.moveaxis(np.concatenate((older[None], recent)), 0, 1), fractions[..., None]

    def matured(self) -> MaturedTotals:
        """Return the totals (r, m) of cohorts that count as far as their conversions have come."""
        trials, fractions = self.by_cohort()
        return matured_totals(trials, self.successes[:, None], fractions)
