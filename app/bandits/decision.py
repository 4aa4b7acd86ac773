"""From the totals of the active arms to their shares: burn-in, policy, floors, in this order.

The service and the simulator both decide with ``decide``; there is no second implementation.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.bandits.best_arm import BestArm, best_arm
from app.bandits.beta import BetaArms
from app.bandits.totals import Totals

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Gate = Literal["no_data", "burn_in"]


class Policy(Protocol):
    """A pure function from totals to shares."""

    def shares(self, totals: Totals) -> Floats:
        """Return the shares ``(..., k)``, each in [0, 1], summing to 1."""


@dataclass(frozen=True, slots=True)
class BurnIn:
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

    def unfinished(self, totals: Totals, days: Floats) -> Mask:
        """Return which arms ``(k,)`` have shown less than asked."""
        return (days < self.days) | (totals.trials < self.impressions) | (totals.successes < self.successes)


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of an experiment that decide: a policy, a prior, floors ``(k,)`` and the burn-in."""

    policy: Policy
    prior: tuple[float, float]
    floors: Floats
    burn_in: BurnIn


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and from what.

    Parameters
    ----------
    shares : (k,), fractions of traffic, summing to 1
    gate : what kept the policy from deciding alone, or None
    burning : (k,), the arms still in burn-in
    judged : (k,), the arms among which P(best) was computed: those past burn-in, or all where none is
    best : P(best) and expected loss of the judged arms, in their order
    arms : the posterior of every arm
    """

    shares: Floats
    gate: Gate | None
    burning: Mask
    judged: Mask
    best: BestArm
    arms: BetaArms


def decide(rules: Rules, totals: Totals, days: Floats) -> Decision:
    """Return the shares of k arms.

    Without any data all arms share equally. Otherwise an arm i in burn-in gets b_i = max(f_i, min(1/k, burn-in
    share)), as far as the floors f leave room, and the others get f_j + (1 - sum b - sum f) w_j, with w the
    policy's shares over them alone.

    Parameters
    ----------
    totals : of k arms
    days : (k,), number of days on which each arm had impressions

    Raises
    ------
    ValueError
        The floors sum to more than 1.
    """
    burning = rules.burn_in.unfinished(totals, days)
    nothing = not (totals.trials > 0).any()
    judged = ~burning if not (nothing or burning.all()) else np.ones(totals.k, dtype=bool)
    arms = BetaArms.from_totals(totals, rules.prior)
    best = best_arm(BetaArms(arms.a[judged], arms.b[judged]))
    if nothing or burning.all():
        weights = np.full(totals.k, 1 / totals.k)
        shares = rules.floors + _room(rules.floors) * weights
    else:
        weights = rules.policy.shares(_only(totals, judged))
        shares = _with_burn_in(rules, judged, weights)
    gate: Gate | None = "no_data" if nothing else "burn_in" if burning.any() else None
    return Decision(shares, gate, burning, judged, best, arms)


def _room(floors: Floats) -> float:
    room = 1 - float(floors.sum())
    if room < -1e-12:
        raise ValueError("the floors sum to more than 1")
    return max(room, 0.0)


def _with_burn_in(rules: Rules, judged: Mask, weights: Floats) -> Floats:
    k = judged.size
    room = _room(rules.floors)
    share = 1 / k if rules.burn_in.share is None else min(1 / k, rules.burn_in.share)
    extra = np.where(judged, 0.0, np.maximum(share - rules.floors, 0.0))
    if extra.sum() > room:
        extra *= room / extra.sum()
    shares = rules.floors + extra
    shares[judged] += (room - extra.sum()) * weights
    return shares


def _only(totals: Totals, arms: Mask) -> Totals:
    return Totals(
        totals.trials[arms],
        totals.successes[arms],
        None if totals.value is None else totals.value[arms],
        None if totals.value_sq is None else totals.value_sq[arms],
        None if totals.cost is None else totals.cost[arms],
    )
