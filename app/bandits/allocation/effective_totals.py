"""From daily totals to the effective totals a policy sees: a half-life, day effects, days left out, a delay."""

from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from numpy.typing import NDArray

from app.bandits.allocation.day_effects import fit_day_effects, without_day_effects
from app.bandits.arrays import Booleans, Floats
from app.bandits.delay.effective import matured_totals

LOG_2 = 0.6931471805599453
TERMS = 14
"""Of the series of e^-r for |r| <= log(2) / 2: the first one left out is below 1e-19."""

GONE = 1100.0
"""Halvings after which nothing is left of a float."""


@dataclass(frozen=True, slots=True)
class DailyTotals:
    """What each of k arms did on each of t days, or in all of them where they are summed into one row.

    Parameters
    ----------
    day : (t,), day numbers, ascending
    reported : (t, k), whether the arm reported that day
    trials, successes : (t, k), 0 where it did not
    value, value_sq : (t, k), currency units and their squares; None where value is not the objective
    summed_days : (t, k), on how many days the trials of a row were, where it is a sum of days; None where each
        row is a day
    fractions : (t, k), of the conversions of a row those that have come, F at the age through which they are
        known; None where all have
    summed_shown : (d, k), whether each arm had trials on each of the d days summed, in order of time; None where
        each row is a day
    """

    day: NDArray[np.int64]
    reported: Booleans
    trials: Floats
    successes: Floats
    value: Floats | None = None
    value_sq: Floats | None = None
    summed_days: Floats | None = None
    fractions: Floats | None = None
    summed_shown: Booleans | None = None

    @property
    def days_with_trials(self) -> Floats:
        """Return the number of days ``(k,)`` on which each arm had trials."""
        of_rows = (self.trials > 0).astype(float) if self.summed_days is None else self.summed_days
        days: Floats = of_rows.sum(axis=0)
        return days

    @property
    def shown(self) -> Booleans:
        """Return whether each arm had trials on each day, (d, k), whether or not the days are summed."""
        return self.trials > 0 if self.summed_shown is None else self.summed_shown

    def select(self, days: Booleans) -> "DailyTotals":
        """Return the days ``(t,)`` that are marked."""
        if days.all():
            return self
        return replace(
            self,
            day=self.day[days],
            reported=self.reported[days],
            trials=self.trials[days],
            successes=self.successes[days],
            value=None if self.value is None else self.value[days],
            value_sq=None if self.value_sq is None else self.value_sq[days],
            summed_days=None if self.summed_days is None else self.summed_days[days],
            fractions=None if self.fractions is None else self.fractions[days],
        )

    def through(self, last: int) -> "DailyTotals":
        """Return the days up to ``last``, inclusive."""
        return self.select(self.day <= last)


@dataclass(frozen=True, slots=True)
class Weighting:
    """How days count.

    Parameters
    ----------
    window_days : only the last so many days up to the last day used; None is all
    half_life_days : a day weighs 2^(-age / half-life), the last day used has age 0; None is 1 for all days
    day_effects : divide out good and bad days (see ``day_effects``)
    """

    window_days: int | None = None
    half_life_days: float | None = None
    day_effects: bool = False


@dataclass(frozen=True, slots=True)
class EffectiveTotals:
    """Weighted sums of k arms, possible or not: successes may exceed trials where conversions come late.

    Parameters
    ----------
    trials, successes : (k,)
    value, value_sq : (k,) or None
    days : (k,), number of days with trials that went in
    matured : (k,), the fraction of the conversions that has come; None without a delay
    booked : the same totals as they were booked, whatever has come; None without a delay
    """

    trials: Floats
    successes: Floats
    value: Floats | None
    value_sq: Floats | None
    days: Floats
    matured: Floats | None = None
    booked: "EffectiveTotals | None" = None

    @property
    def as_booked(self) -> "EffectiveTotals":
        """Return the totals as they were booked: what data there are is judged by them, not by what is to come."""
        return self if self.booked is None else self.booked

    @property
    def possible(self) -> Booleans:
        """Return which arms ``(k,)`` have no more successes than trials, as they were booked."""
        return self.as_booked.successes <= self.as_booked.trials


def effective_totals(daily: DailyTotals, last: int, weighting: Weighting) -> EffectiveTotals:
    """Return the effective totals of the days up to ``last``.

    Sums are exactly rounded, so that they do not depend on the order of rows. With day effects the successes
    stay and the trials become sum_t n_it d_t: what they would have been on average days, at least the successes.
    With a delay a row's trials count as far as its conversions have come (``matured_totals``), in the day effects,
    too, and values are scaled as the successes are.

    Parameters
    ----------
    last : the last day used

    Raises
    ------
    ValueError
        The days are summed already, and should not count alike.
    """
    if daily.summed_days is not None and weighting != Weighting():
        raise ValueError("days that are summed already count alike")
    used = daily.through(last)
    if weighting.window_days is not None:
        used = used.select(used.day > last - weighting.window_days)
    weight = np.ones(len(used.day))
    if weighting.half_life_days is not None:
        weight = halvings((last - used.day) / weighting.half_life_days)
    booked = EffectiveTotals(
        trials=_trials(used, weight, weighting.day_effects),
        successes=_summed(used.successes, weight),
        value=None if used.value is None else _summed(used.value, weight),
        value_sq=None if used.value_sq is None else _summed(used.value_sq, weight),
        days=used.days_with_trials,
    )
    return booked if used.fractions is None else _matured(used, used.fractions, weight, weighting, booked)


def _matured(
    used: DailyTotals, fractions: Floats, weight: Floats, weighting: Weighting, booked: EffectiveTotals
) -> EffectiveTotals:
    """Return the totals of rows of whose conversions a fraction has come."""
    trials, successes = used.trials * weight[:, None], used.successes * weight[:, None]
    if weighting.day_effects and len(used.day):
        trials = trials * fit_day_effects(trials * fractions, successes).days[:, None]
    found = matured_totals(trials, successes, fractions)
    return EffectiveTotals(
        trials=found.trials,
        successes=found.successes,
        value=None if booked.value is None else booked.value * found.scale,
        value_sq=None if booked.value_sq is None else booked.value_sq * found.scale,
        days=booked.days,
        matured=found.matured,
        booked=booked,
    )


def halvings(times: Floats) -> Floats:
    r"""2^-x for x >= 0, (t,) -> (t,), with the same bits on every processor.

    Totals decide, and name the revision; numpy's own powers differ in their last digit between processors. With
    n the whole number nearest to x and r = (x - n) log 2, e^-r is summed by Horner's rule, and halved n times:
    additions and multiplications, which IEEE 754 rounds alike everywhere. Whole x give exact powers of a half.

    Returns
    -------
    (t,), relative error <= 4 u with u = 2^-53. As |r| < 0.35, the roundings of log 2 and of the product shift the
    result by 0.7 u; those of the sum come to 2.5 u, because each level passes on at most 0.42 of the error of the
    one below.
    """
    whole = np.rint(times)
    r = (times - whole) * LOG_2
    power = np.ones_like(r)
    for term in range(TERMS, 0, -1):
        power = 1 - r / term * power
    halved: Floats = np.ldexp(power, -np.minimum(whole, GONE).astype(np.int64))
    return halved


def _trials(used: DailyTotals, weight: Floats, day_effects: bool) -> Floats:
    if not day_effects or not len(used.day):
        return _summed(used.trials, weight)
    return without_day_effects(used.trials * weight[:, None], used.successes * weight[:, None]).trials


def _summed(values: Floats, weight: Floats) -> Floats:
    """Return the weighted column sums, exactly rounded; whole numbers below 2^53 need no such care."""
    if (weight == 1).all() and (values == np.rint(values)).all() and np.abs(values).sum() < 2**53:
        whole: Floats = values.sum(axis=0)
        return whole
    return np.array([fsum(column) for column in (values * weight[:, None]).T])


def last_possible_day(daily: DailyTotals, last: int, weighting: Weighting) -> int | None:
    """Return the latest day, up to ``last``, through which all arms' totals are possible, or None."""
    for day in sorted({last, *daily.day[daily.day < last].tolist()}, reverse=True):
        found = effective_totals(daily, day, weighting)
        if found.possible.all() and (found.as_booked.trials > 0).any():
            return int(day)
    return None
