"""Duration plans: an experiment simulated before it begins, with the allocations of the service."""

from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.policies.registry import build_policy, needs_value
from app.errors import invalid_field
from app.schemas.simulations.plans import MAX_DECISIONS, Plan, PlanRequest, Spread
from app.services.simulations.world_delay import in_days
from app.simulation import duration_plan as simulated
from app.simulation.email.decision_day import P_BEST_DECIDED
from app.simulation.replication_statistics import summary


def check(asked: PlanRequest) -> None:
    """Reject a plan that cannot be played, or not within seconds.

    Raises
    ------
    Invalid: naming the field
    """
    k = len(asked.rates)
    decisions = k * asked.days * asked.replications
    if asked.policy.kind == "fixed" or needs_value(asked.policy.kind):
        raise invalid_field(
            "policy.kind", "a plan has conversions only: choose a policy that decides by them"
        )
    if asked.min_share > 100 / k:
        raise invalid_field("min_share", f"floors of {k} variants are at most {100 / k:g} % each")
    if asked.minimum_days > asked.days:
        raise invalid_field("minimum_days", f"at most the {asked.days} days that are played")
    if decisions > MAX_DECISIONS:
        message = (
            f"{k} variants x {asked.days} days x {asked.replications} replications exceed {MAX_DECISIONS:,}"
        )
        raise invalid_field("replications", message)


def play(request: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a plan as JSON can express it; the same request has the same result."""
    asked = PlanRequest.model_validate(request)
    prior = (asked.prior.a, asked.prior.b)
    plan = simulated.DurationPlan(
        rates=np.array(asked.rates),
        traffic=asked.traffic,
        policy=build_policy(asked.policy.kind, asked.policy.parameters, prior),
        days=asked.days,
        minimum_days=asked.minimum_days,
        prior=prior,
        min_share=asked.min_share / 100,
        replications=asked.replications,
        seed=asked.seed,
        burn_in=asked.burn_in.to_rule(),
        delay=in_days(asked.delay),
        delay_correction=asked.delay_correction,
    )
    return _result(plan, simulated.play_plan(plan)).model_dump(mode="json")


def _result(plan: simulated.DurationPlan, outcome: simulated.PlanOutcome) -> Plan:
    decided = outcome.day != simulated.NEVER
    days: Floats = outcome.day[decided].astype(np.float64)
    by_day = np.cumsum(np.bincount(outcome.day[decided], minlength=plan.days + 1)[1:]) / len(decided)
    half = np.flatnonzero(by_day >= 0.5)
    classical = simulated.classical_days(plan)
    return Plan(
        p_best=P_BEST_DECIDED,
        replications=plan.replications,
        decided=float(decided.mean()),
        days=Spread(**summary(days).to_dict()) if days.size else None,
        median_day=float(half[0] + 1) if half.size else None,
        right=float(outcome.right[decided].mean()) if days.size else None,
        decided_by_day=by_day.tolist(),
        classical_days=classical if np.isfinite(classical) else None,
    )
