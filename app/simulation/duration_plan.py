"""How long an experiment takes until it knows its best variant, played day by day before it begins."""

from dataclasses import dataclass, field

import numpy as np

from app.bandits.allocation.decide import AllocationRules, BurnInRule
from app.bandits.allocation.decide_batch import decided_shares, rows
from app.bandits.arrays import Floats, Integers
from app.bandits.best_arm.stopping import experiment_days
from app.bandits.policies.registry import Policy
from app.bandits.posteriors.beta import Prior
from app.bandits.totals import Totals
from app.simulation.delay.cohorts import Cohorts, Correction
from app.simulation.delay.distribution import AT_ONCE, ConversionDelay
from app.simulation.email.decision_day import decision_day, fixed_horizon

NEVER = 0
"""The day of a replication that knows nothing by its last day."""


@dataclass(frozen=True, slots=True)
class DurationPlan:
    """An experiment over k variants whose rates are supposed, played r times.

    Parameters
    ----------
    rates : (k,), supposed rates in [0, 1], k >= 2
    traffic : impressions a day, over all variants, >= 1
    policy : which decides each morning, by what came in until then, as the service does
    days : the longest that is played, >= 1
    minimum_days : nothing is declared before so many days of the experiment, >= 1, counted as the service does
    prior : (a, b) of Beta, both > 0
    min_share : floor of every variant, in [0, 1/k]
    replications : r >= 1
    seed : >= 0
    delay : until a conversion comes, in days
    delay_correction : auto allows for outstanding conversions, as the service does by default; none counts what
        has come
    """

    rates: Floats
    traffic: int
    policy: Policy
    days: int = 90
    minimum_days: int = 14
    prior: Prior = (1.0, 1.0)
    min_share: float = 0.0
    replications: int = 200
    seed: int = 1
    burn_in: BurnInRule = field(default_factory=BurnInRule)
    delay: ConversionDelay = AT_ONCE
    delay_correction: Correction = "auto"

    @property
    def rules(self) -> AllocationRules:
        """The rules of the service's own decision."""
        k = len(self.rates)
        return AllocationRules(
            self.policy, self.prior, False, np.full(k, self.min_share), np.full(k, np.nan), self.burn_in
        )


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What came of a plan.

    Parameters
    ----------
    day : (r,), the first day after which some variant had P(best) >= 0.95, NEVER where none had
    right : (r,), whether that was the variant with the highest rate, or one of those
    """

    day: Integers
    right: Integers


def play_plan(plan: DurationPlan) -> PlanOutcome:
    """Play a plan until every replication knows its best variant, or the days are over.

    A day's impressions are a multinomial draw with the shares decided in the morning, its successes binomial, and
    the ages at which these come multinomial. The shares and the best variant are decided by what has come.
    """
    rng = np.random.default_rng(plan.seed)
    known, days = _Known(plan, rng), np.zeros((plan.replications, len(plan.rates)))
    was_shown = np.zeros((plan.replications, plan.days, len(plan.rates)), dtype=np.bool_)
    day, arm = np.full(plan.replications, NEVER), np.full(plan.replications, -1)
    for today in range(1, plan.days + 1):
        open_ = np.flatnonzero(day == NEVER)
        if not open_.size:
            break
        effective, booked = rows(known.effective, open_), rows(known.booked, open_)
        shares = decided_shares(plan.rules, effective, days[open_], booked)
        shown = rng.multinomial(plan.traffic, shares / shares.sum(axis=1, keepdims=True))
        known.close_day(open_, shown, rng.binomial(shown, plan.rates))
        days[open_] += shown > 0
        was_shown[open_, today - 1] = shown > 0
        if today >= plan.minimum_days:
            open_ = open_[experiment_days(was_shown[open_, :today]) >= plan.minimum_days]
            effective = rows(known.effective, open_)
            found = decision_day(effective.trials, effective.successes, plan.prior)
            day[open_[found >= 0]], arm[open_[found >= 0]] = today, found[found >= 0]
    return PlanOutcome(day, (day != NEVER) & (plan.rates[arm] == plan.rates.max()))


class _Known:
    """Totals (r, k) of all replications as they are booked by the end of a day, and as they decide."""

    def __init__(self, plan: DurationPlan, rng: np.random.Generator) -> None:
        self._plan, self._rng, self._left = plan, rng, plan.days
        shape = (plan.replications, len(plan.rates))
        self.booked = self.effective = Totals(np.zeros(shape), np.zeros(shape))
        self._cohorts = None if plan.delay.is_none else Cohorts(shape)

    def close_day(self, which: Integers, shown: Integers, converted: Integers) -> None:
        """Close a day on which some replications had impressions (o, k), of which so many convert."""
        trials, successes = np.zeros((2, *self.booked.trials.shape))
        trials[which], successes[which] = shown, converted
        if self._cohorts is None:
            self.booked = Totals(self.booked.trials + trials, self.booked.successes + successes)
            self.effective = self.booked
            return
        self._cohorts.close_day(trials, self._plan.delay.drawn(successes, self._left, self._rng))
        self._left -= 1
        self.booked = self.effective = Totals(self._cohorts.trials, self._cohorts.successes)
        if self._plan.delay_correction == "auto":
            matured = self._cohorts.matured()
            self.effective = Totals(matured.trials, matured.successes)


def classical_days(plan: DurationPlan) -> float:
    """The days of the classical test of the two best variants in an even split, all pairs allowed for.

    At a level of 5 % and a power of 80 %; infinite for equal rates.
    """
    best, second = np.sort(plan.rates)[:-3:-1].tolist()
    k = len(plan.rates)
    return float(np.ceil(k * fixed_horizon(best, second, k * (k - 1) // 2) / plan.traffic))
