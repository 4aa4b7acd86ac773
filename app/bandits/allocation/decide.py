"""From the totals of the active arms to their shares: burn-in, policy, floors and fixed shares, in this order.

The service and the simulator both decide with ``decide``; there is no second implementation.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.bandits.allocation.floors import with_floors
from app.bandits.arrays import Booleans, Floats
from app.bandits.best_arm.best_arm import BestArm, best_arm
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.policies.fixed import Fixed
from app.bandits.policies.registry import Policy
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals

Gate = Literal["no_data", "burn_in"]


@dataclass(frozen=True, slots=True)
class BurnInRule:
    """What an arm must show before it takes part in P(best).

    Parameters
    ----------
    days, impressions, successes : at least so many, of days with impressions, trials and successes
    share : fraction of traffic until then, capped at 1/k; None is 1/k
    """

    days: int = 1
    impressions: float = 0
    successes: float = 0
    share: float | None = None

    def unfinished(self, totals: Totals, days: Floats) -> Booleans:
        """Return which arms ``(k,)`` have shown less than asked."""
        return (days < self.days) | (totals.trials < self.impressions) | (totals.successes < self.successes)


@dataclass(frozen=True, slots=True)
class AllocationRules:
    """The settings of an experiment that decide.

    Parameters
    ----------
    policy, prior : how shares follow from the data
    by_value : whether the best arm is the one that earns most, rather than the one that converts most
    floors : (k,), fractions of traffic that arms keep; those of fixed arms do not count
    fixed : (k,), the share of an arm that is fixed, NaN for the others
    burn_in : what an arm must show first
    """

    policy: Policy
    prior: tuple[float, float]
    by_value: bool
    floors: Floats
    fixed: Floats
    burn_in: BurnInRule


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and from what.

    Parameters
    ----------
    shares : (k,), fractions of traffic, summing to 1
    gate : what prevents the policy from deciding alone, or None
    burning : (k,), the arms still in burn-in
    judged : (k,), the arms among which P(best) was computed: those past burn-in, or all where none is
    best : P(best) and expected loss of the judged arms, in their order
    weights : (k,), the policy's shares before floors, over the arms it decides about; 0 for the others
    """

    shares: Floats
    gate: Gate | None
    burning: Booleans
    judged: Booleans
    best: BestArm
    weights: Floats


def decide(rules: AllocationRules, totals: Totals, days: Floats, booked: Totals | None = None) -> Decision:
    """Return the shares of k arms.

    A fixed arm gets its share c exactly, and a fixed policy waits for no data. Without any data the others share
    the rest equally. Otherwise an arm i in burn-in gets b_i = max(f_i, min(1/k, burn-in share)), as far as the
    others' floors and fixed shares leave room, and those past burn-in get f_j + (1 - sum c - sum b - sum f) w_j,
    with w the policy's shares over them alone.

    Parameters
    ----------
    totals : of k arms
    days : (k,), number of days on which each arm had impressions
    booked : the totals as they were booked, where those that decide await conversions; burn-in is judged by them

    Raises
    ------
    ValueError
        The floors and fixed shares sum to more than 1.
    """
    booked = totals if booked is None else booked
    unfinished = rules.burn_in.unfinished(booked, days)
    nothing = not (booked.trials > 0).any()
    free = np.isnan(rules.fixed)
    judged = np.ones(totals.k, dtype=np.bool_) if nothing or unfinished.all() else ~unfinished
    best = _best_arm(rules, totals.select(judged))
    if isinstance(rules.policy, Fixed):  # chosen, whatever the data: there is nothing to wait for
        burning, nothing = np.zeros(totals.k, dtype=np.bool_), False
    else:
        burning = free & unfinished
    gate: Gate | None = "no_data" if nothing else "burn_in" if burning.any() else None
    weights = _weights(rules, totals, free & ~burning & (not nothing), judged, best)
    shares = _shares(rules, weights, free, burning | nothing)
    return Decision(shares, gate, burning, judged, best, weights)


def _best_arm(rules: AllocationRules, totals: Totals) -> BestArm:
    if rules.by_value:
        return best_value_arm(ValueArms.from_totals(totals, rules.prior))
    return best_arm(BetaArms.from_totals(totals, rules.prior))


def _weights(
    rules: AllocationRules, totals: Totals, deciding: Booleans, judged: Booleans, best: BestArm
) -> Floats:
    """Return the policy's shares over the ``deciding`` arms alone, (k,)."""
    weights = np.zeros(totals.k)
    if not deciding.any():
        return weights
    if isinstance(rules.policy, ThompsonSampling) and (deciding == judged).all():
        weights[deciding] = best.p_best  # what it would compute again
    else:
        policy = rules.policy.among(deciding) if isinstance(rules.policy, Fixed) else rules.policy
        weights[deciding] = policy.shares(totals.select(deciding))
    return weights


def _shares(rules: AllocationRules, weights: Floats, free: Booleans, waiting: Booleans) -> Floats:
    """Return the shares; ``free`` arms are not fixed, ``waiting`` ones not yet for the policy to judge."""
    if not (free & ~waiting).any():
        return with_floors(weights, rules.floors, rules.fixed)
    burning = free & waiting
    minimum = np.where(free, rules.floors, rules.fixed)
    held = np.where(burning, minimum + _burn_in_extra(rules, minimum, burning), rules.fixed)
    return with_floors(weights, rules.floors, held)


def _burn_in_extra(rules: AllocationRules, minimum: Floats, burning: Booleans) -> Floats:
    """Return what arms in burn-in get beyond their floors, scaled down where it does not fit."""
    k, room = len(minimum), max(1 - float(minimum.sum()), 0.0)
    share = 1 / k if rules.burn_in.share is None else min(1 / k, rules.burn_in.share)
    extra = np.where(burning, np.maximum(share - minimum, 0.0), 0.0)
    return extra * (room / extra.sum()) if extra.sum() > room else extra
