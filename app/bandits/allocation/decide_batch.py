"""The decision of `decide` for many rows of totals at once."""

import numpy as np

from app.bandits.allocation.decide import AllocationRules, decide
from app.bandits.allocation.floors import with_floors
from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.totals import Totals


def decided_shares(
    rules: AllocationRules, totals: Totals, days: Floats, booked: Totals | None = None
) -> Floats:
    """The shares (r, k) that `decide` gives each of r rows of k arms, equal to 1e-12.

    Rows in which every arm is past burn-in and none is fixed are the policy's shares with floors, computed
    together; the others go through `decide` itself, those with the same values once.

    Parameters
    ----------
    totals : (r, k)
    days : (r, k), number of days on which each arm had impressions
    booked : (r, k), the totals as they were booked, where those that decide await conversions
    """
    shares = np.empty(totals.trials.shape)
    booked = totals if booked is None else booked
    plain = _plain(rules, booked, days)
    if plain.any():
        shares[plain] = with_floors(rules.policy.shares(rows(totals, plain)), rules.floors, rules.fixed)
    decided: dict[bytes, Floats] = {}
    for i in np.flatnonzero(~plain):
        one, as_booked = rows(totals, i), rows(booked, i)
        known = (one.trials, one.successes, as_booked.trials, as_booked.successes, days[i])
        key = b"".join(values.tobytes() for values in known)
        if key not in decided:
            decided[key] = decide(rules, one, days[i], as_booked).shares
        shares[i] = decided[key]
    return shares


def rows(totals: Totals, which: Integers | Booleans | np.intp) -> Totals:
    """Some rows of totals (r, k)."""
    value, value_sq = (
        None if values is None else values[which] for values in (totals.value, totals.value_sq)
    )
    return Totals(totals.trials[which], totals.successes[which], value, value_sq, totals.cost)


def _plain(rules: AllocationRules, totals: Totals, days: Floats) -> Booleans:
    """(r,), whether the policy alone decides."""
    waiting: Booleans = np.any(rules.burn_in.unfinished(totals, days), axis=-1, keepdims=True)[..., 0]
    if not np.isnan(rules.fixed).all():
        return np.zeros_like(waiting)
    some: Booleans = np.any(totals.trials > 0, axis=-1, keepdims=True)[..., 0]
    return some & ~waiting
