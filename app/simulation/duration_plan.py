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

    A day's impressions are a multinomial draw with the shares decided in the morning, its successes binomial.
    """
    rng = np.random.default_rng(plan.seed)
    shape = (plan.replications, len(plan.rates))
    trials, successes, days = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    was_shown = np.zeros((plan.replications, plan.days, len(plan.rates)), dtype=np.bool_)
    day, arm = np.full(plan.replications, NEVER), np.full(plan.replications, -1)
    for today in range(1, plan.days + 1):
        open_ = np.flatnonzero(day == NEVER)
        if not open_.size:
            break
        shares = decided_shares(plan.rules, rows(Totals(trials, successes), open_), days[open_])
        shown = rng.multinomial(plan.traffic, shares / shares.sum(axis=1, keepdims=True))
        trials[open_] += shown
        successes[open_] += rng.binomial(shown, plan.rates)
        days[open_] += shown > 0
        was_shown[open_, today - 1] = shown > 0
        if today >= plan.minimum_days:
            open_ = open_[experiment_days(was_shown[open_, :today]) >= plan.minimum_days]
            found = decision_day(trials[open_], successes[open_], plan.prior)
            day[open_[found >= 0]], arm[open_[found >= 0]] = today, found[found >= 0]
    return PlanOutcome(day, (day != NEVER) & (plan.rates[arm] == plan.rates.max()))


def classical_days(plan: DurationPlan) -> float:
    """The days of the classical test of the two best variants in an even split, all pairs allowed for.

    At a level of 5 % and a power of 80 %; infinite for equal rates.
    """
    best, second = np.sort(plan.rates)[:-3:-1].tolist()
    k = len(plan.rates)
    return float(np.ceil(k * fixed_horizon(best, second, k * (k - 1) // 2) / plan.traffic))
