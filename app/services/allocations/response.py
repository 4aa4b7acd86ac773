"""An allocation in numbers: decided from its inputs, written as the JSON that is served."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.allocation.decide import AllocationRules, BurnIn, Decision, decide, only
from app.bandits.allocation.rounding import percentages
from app.bandits.arrays import Floats
from app.bandits.best_arm.best_arm import value_remaining
from app.bandits.best_arm.stopping import StopRule, StopWhen
from app.bandits.policies.registry import Policy, build_policy
from app.bandits.policies.uniform import Uniform
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations import explanations, gates
from app.services.allocations.decision_inputs import DecisionInputs
from app.services.experiments.share_constraints import constraints_for

TOP_LEVEL_SETTINGS = {"policy", "objective", "currency", "time_zone", "rollout"}
QUANTILE = 0.95
"""Of the value remaining: what the leading variant may still be beaten by."""


def revision_of(digest: str) -> str:
    """Return the short name of a digest of inputs."""
    return digest[:16]


@dataclass(frozen=True, slots=True)
class DecidedAllocation:
    """A decision with the totals and posteriors it was made from."""

    totals: Totals
    days: Floats
    decision: Decision
    rates: BetaArms

    @property
    def judged_rates(self) -> BetaArms:
        """Return the posteriors of the arms among which P(best) was computed."""
        return BetaArms(self.rates.a[self.decision.judged], self.rates.b[self.decision.judged])


def build_response(
    found: DecisionInputs, date: dt.date, before: dict[str, Any] | None, recorded: bool
) -> tuple[str, str]:
    """Return the JSON text of an allocation and the digest of its inputs.

    Parameters
    ----------
    before : the answer recorded last before this one, for saying what moved
    """
    digest = found.digest()
    decided = decided_from(found)
    shares = served_percent(found, decided.decision)
    remaining = _value_remaining(found, decided)
    body: dict[str, Any] = {
        "experiment_id": found.experiment_id,
        "date": date.isoformat(),
        "allocations": shares,
        "revision": revision_of(digest),
        "policy": found.settings.policy.model_dump(mode="json"),
        "objective": found.settings.objective,
        "settings": found.settings.model_dump(mode="json", exclude=TOP_LEVEL_SETTINGS, exclude_defaults=True),
        "data_through": None if found.data_through is None else found.data_through.isoformat(),
        "gates": gates.active_gates(found, decided.decision, date),
        "variants": _variants(found, decided, shares),
        "value_remaining": remaining,
        "stop_advice": _stop_advice(found, decided, remaining),
        "recorded": recorded,
    }
    if found.settings.currency is not None:
        body["currency"] = found.settings.currency
    body["explain"] = explanations.explain(found, body, before)
    return json.dumps(body, allow_nan=False), digest


def decided_from(found: DecisionInputs) -> DecidedAllocation:
    """Decide the shares of a date from its inputs."""
    used, costs = found.used, found.settings.cost_per_impression
    totals = Totals(
        used.trials,
        used.successes,
        used.value,
        used.value_sq,
        None if used.value is None else np.array([costs.get(v, 0.0) for v in found.variant_ids]),
    )
    decision = decide(
        allocation_rules(found.settings, found.variant_ids, bool(found.days_without_revenue)),
        totals,
        used.days,
    )
    prior = (found.settings.prior.a, found.settings.prior.b)
    return DecidedAllocation(totals, used.days, decision, BetaArms.from_totals(totals, prior))


def allocation_rules(
    settings: StoredSettings, variant_ids: tuple[str, ...], without_revenue: bool = False
) -> AllocationRules:
    """Return the settings as the mathematics knows them: fractions, a policy object, promises that fit."""
    promises = constraints_for(settings, variant_ids).normalized()
    burn_in, prior = settings.burn_in, (settings.prior.a, settings.prior.b)
    return AllocationRules(
        policy=Uniform() if without_revenue else _policy(settings, variant_ids, prior),
        prior=prior,
        by_value=settings.objective == "value" and not without_revenue,
        floors=promises.floors,
        fixed=promises.fixed,
        burn_in=BurnIn(
            burn_in.days,
            burn_in.impressions,
            burn_in.successes,
            None if burn_in.share is None else burn_in.share / 100,
        ),
    )


def _policy(settings: StoredSettings, variant_ids: tuple[str, ...], prior: tuple[float, float]) -> Policy:
    parameters = settings.policy.parameters
    if settings.policy.kind == "fixed":
        chosen = np.array([parameters["shares"].get(v, 0.0) for v in variant_ids])
        total = chosen.sum()
        parameters = {"shares": tuple(chosen / total if total else np.full(len(chosen), 1 / len(chosen)))}
    return build_policy(settings.policy.kind, parameters, prior)


def served_percent(found: DecisionInputs, decision: Decision) -> dict[str, float]:
    """Return each served variant's percent of traffic; a variant retired during a halt leaves its part behind."""
    shares: Mapping[str, float] = found.shares_before_halt or dict(
        zip(found.variant_ids, decision.shares, strict=True)
    )
    left = np.array([shares.get(variant_id, 0.0) for variant_id in found.eligible])
    if found.shares_before_halt is not None or len(left) < len(shares):
        left = left / left.sum() if left.sum() > 0 else np.full(len(left), 1 / len(left))
    return {
        variant_id: float(percent)
        for variant_id, percent in zip(found.eligible, percentages(left), strict=True)
    }


def _variants(
    found: DecisionInputs, decided: DecidedAllocation, shares: dict[str, float]
) -> list[dict[str, Any]]:
    decision = decided.decision
    place = (
        {}
        if found.days_without_revenue
        else {int(i): at for at, i in enumerate(np.flatnonzero(decision.judged))}
    )
    means, intervals = decided.rates.mean, decided.rates.interval(0.95)
    earned = _value_estimates(found, decided)
    return [
        {
            "variant_id": variant_id,
            "impressions": _number(decided.totals.trials[i]),
            "successes": _number(decided.totals.successes[i]),
            "mean": float(means[i]),
            "interval_95": [float(end) for end in intervals[i]],
            **({} if earned is None else _value_fields(*earned[i])),
            "p_best": float(decision.best.p_best[place[i]]) if i in place else None,
            "expected_loss": float(decision.best.expected_loss[place[i]]) if i in place else None,
            "share": shares[variant_id],
        }
        for i, variant_id in enumerate(found.variant_ids)
        if variant_id in shares
    ]


def _value_fields(mean: float, low: float, high: float) -> dict[str, Any]:
    return {
        "value_per_impression": None if np.isnan(mean) else float(mean),
        "value_interval_95": None if np.isnan(low) else [float(low), float(high)],
    }


def _number(figure: float) -> int | float:
    """Return a whole number as one."""
    return int(figure) if float(figure).is_integer() else float(figure)


def _value_estimates(found: DecisionInputs, decided: DecidedAllocation) -> Floats | None:
    """Return the mean and the interval of what an impression of each arm past burn-in earns, (k, 3).

    NaN for the others, and an interval of NaN where no success or value was seen; None without values.
    """
    if decided.totals.value is None or found.days_without_revenue:
        return None
    judged = decided.decision.judged
    earned = np.full((len(judged), 3), np.nan)
    prior = (found.settings.prior.a, found.settings.prior.b)
    arms = ValueArms.from_totals(only(decided.totals, judged), prior)
    earned[judged] = np.column_stack((arms.mean, arms.interval(0.95)))
    return earned


def _value_remaining(found: DecisionInputs, decided: DecidedAllocation) -> float | None:
    if found.settings.objective == "value":
        return None
    return value_remaining(decided.judged_rates, QUANTILE, found=decided.decision.best)


def _stop_advice(
    found: DecisionInputs, decided: DecidedAllocation, remaining: float | None
) -> dict[str, Any] | None:
    """Return what the stop rule says; nothing where there is nothing to compare."""
    if (
        decided.decision.gate == "no_data"
        or found.days_without_revenue
        or found.halt
        or found.settings.rollout
    ):
        return None
    chosen = found.settings.stop
    default = "p_best" if found.settings.objective == "value" else "value_remaining"
    rule = StopRule(StopWhen(chosen.rule or default), chosen.threshold, chosen.minimum_days, QUANTILE)
    days = int(found.daily.days_with_trials[decided.decision.judged].min())
    judged = [v for v, is_judged in zip(found.variant_ids, decided.decision.judged, strict=True) if is_judged]
    if len(judged) < 2:
        return None
    advice = rule.advice(decided.judged_rates, days, decided.decision.best, remaining)
    return {
        "stop": advice.stop,
        "variant_id": judged[advice.champion],
        "rule": rule.when.value,
        "figure": advice.statistic,
        "threshold": advice.threshold,
        "days": advice.days,
        "minimum_days": rule.minimum_days,
    }
