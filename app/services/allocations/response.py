"""An allocation in numbers: decided from its inputs, and put together as the typed object that is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.allocation.decide import AllocationRules, Decision, decide
from app.bandits.allocation.rounding import SIGNIFICANT, certain_probability, percentages, significant
from app.bandits.arrays import Floats
from app.bandits.best_arm.best_arm import BestArm, value_remaining
from app.bandits.best_arm.stopping import StopRule, StopWhen
from app.bandits.policies.registry import Policy, build_policy
from app.bandits.policies.uniform import Uniform
from app.bandits.posteriors.beta import BetaArms
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals
from app.schemas.allocations import Allocation, AssumedZero, DelayUsed, StopAdvice, VariantAllocation
from app.schemas.experiments.settings import StoredSettings
from app.services.allocations import explanations, gates
from app.services.allocations.inputs.decision_inputs import DecisionInputs
from app.services.experiments.share_constraints import constraints_for

TOP_LEVEL_SETTINGS = {"policy", "objective", "currency", "time_zone", "rollout"}
QUANTILE = 0.95
"""Of the value remaining: what the leading variant may still be beaten by."""

REMAINING_DIGITS = 8
"""Of the value remaining: it is found to 1e-9 of itself."""

VALUE_LOSS_DIGITS = 6
"""Of what the best variant earns, in an expected loss: the mean of long-tailed values is known no better."""


def revision_of(digest: str) -> str:
    """Return the short name of a digest of inputs."""
    return digest[:16]


@dataclass(frozen=True, slots=True)
class DecidedAllocation:
    """A decision with the rules, totals and posteriors it was made from."""

    rules: AllocationRules
    totals: Totals
    days: Floats
    decision: Decision
    rates: BetaArms

    @property
    def judged_rates(self) -> BetaArms:
        """Return the posteriors of the arms among which P(best) was computed."""
        return BetaArms(self.rates.a[self.decision.judged], self.rates.b[self.decision.judged])


def build_response(
    inputs: DecisionInputs, previous: Allocation | None, recorded: bool
) -> tuple[Allocation, str]:
    """Return an allocation and the digest of its inputs.

    Parameters
    ----------
    previous : the answer recorded last before this one, to explain what moved
    """
    digest = inputs.digest()
    decided = decided_from(inputs)
    settings, shares = inputs.settings, served_percent(inputs, decided.decision)
    values = _value_estimates(inputs, decided)
    best = _certain(decided, values)
    remaining = _value_remaining(inputs, decided, best)
    assumed_zero = _assumed_zero(inputs)
    allocation = Allocation(
        experiment_id=inputs.experiment_id,
        date=inputs.date,
        allocations=shares,
        revision=revision_of(digest),
        policy=settings.policy.model_dump(mode="json"),
        objective=settings.objective,
        settings=settings.model_dump(mode="json", exclude=TOP_LEVEL_SETTINGS, exclude_defaults=True),
        data_through=inputs.data_through,
        gates=gates.active_gates(inputs, decided.decision),
        variants=_variants(inputs, decided, best, values, shares),
        value_remaining=remaining,
        stop_advice=_stop_advice(inputs, decided, best, remaining),
        recorded=recorded,
        **({} if settings.currency is None else {"currency": settings.currency}),
        **_delay(inputs),
        **({"assumed_zero": assumed_zero} if assumed_zero else {}),
        explain=[],
    )
    explanation = explanations.explain(inputs, decided.rules, decided.decision, allocation, previous)
    return allocation.model_copy(update={"explain": explanation}), digest


def decided_from(inputs: DecisionInputs) -> DecidedAllocation:
    """Decide the shares of a date from its inputs."""
    used, costs = inputs.used, inputs.settings.cost_per_impression
    totals = Totals(
        used.trials,
        used.successes,
        used.value,
        used.value_sq,
        None if used.value is None else np.array([costs.get(v, 0.0) for v in inputs.variant_ids]),
    )
    rules = allocation_rules(inputs.settings, inputs.variant_ids, bool(inputs.days_without_revenue))
    booked = Totals(used.as_booked.trials, used.as_booked.successes)
    decision = decide(rules, totals, used.days, booked)
    prior = (inputs.settings.prior.a, inputs.settings.prior.b)
    return DecidedAllocation(rules, totals, used.days, decision, BetaArms.from_totals(totals, prior))


def allocation_rules(
    settings: StoredSettings, variant_ids: tuple[str, ...], without_revenue: bool = False
) -> AllocationRules:
    """Return the settings as the mathematics takes them: fractions, a policy object, constraints that fit."""
    constraints = constraints_for(settings, variant_ids).normalized()
    prior = (settings.prior.a, settings.prior.b)
    return AllocationRules(
        policy=Uniform() if without_revenue else _policy(settings, variant_ids, prior),
        prior=prior,
        by_value=settings.objective == "value" and not without_revenue,
        floors=constraints.floors,
        fixed=constraints.fixed,
        burn_in=settings.burn_in.to_rule(),
    )


def _policy(settings: StoredSettings, variant_ids: tuple[str, ...], prior: tuple[float, float]) -> Policy:
    parameters = settings.policy.parameters
    if settings.policy.kind == "fixed":
        chosen = np.array([parameters["shares"].get(v, 0.0) for v in variant_ids])
        total = chosen.sum()
        parameters = {"shares": tuple(chosen / total if total else np.full(len(chosen), 1 / len(chosen)))}
    return build_policy(settings.policy.kind, parameters, prior)


def served_percent(inputs: DecisionInputs, decision: Decision) -> dict[str, float]:
    """Return each eligible variant's percent of traffic; the share of one retired during a halt is distributed."""
    shares: Mapping[str, float] = inputs.shares_before_halt or dict(
        zip(inputs.variant_ids, decision.shares, strict=True)
    )
    left = np.array([shares.get(variant_id, 0.0) for variant_id in inputs.eligible])
    if inputs.shares_before_halt is not None or len(left) < len(shares):
        left = left / left.sum() if left.sum() > 0 else np.full(len(left), 1 / len(left))
    return {
        variant_id: float(percent)
        for variant_id, percent in zip(inputs.eligible, percentages(left), strict=True)
    }


def _certain(decided: DecidedAllocation, values: Floats | None) -> BestArm:
    """Return P(best) and the expected losses to the digits that all processors agree on.

    A loss is the difference of the means of the best arm and the arm itself, and is known as these are.
    """
    best, judged = decided.decision.best, decided.decision.judged
    means = decided.judged_rates.mean if values is None else values[judged, 0]
    digits = SIGNIFICANT if values is None else VALUE_LOSS_DIGITS
    size = float(np.abs(means).max())
    return BestArm(
        np.array([certain_probability(p) for p in best.p_best.tolist()]),
        np.array([significant(loss, digits, size) for loss in best.expected_loss.tolist()]),
    )


def _variants(
    inputs: DecisionInputs,
    decided: DecidedAllocation,
    best: BestArm,
    values: Floats | None,
    shares: dict[str, float],
) -> list[VariantAllocation]:
    judged = [] if inputs.days_without_revenue else np.flatnonzero(decided.decision.judged).tolist()
    place = {i: at for at, i in enumerate(judged) if decided.totals.trials[i] > 0}
    means, intervals = decided.rates.mean, decided.rates.interval(0.95)
    return [
        VariantAllocation(
            variant_id=variant_id,
            impressions=_number(decided.totals.trials[i]),
            successes=_number(decided.totals.successes[i]),
            mean=significant(float(means[i])),
            interval_95=(significant(float(intervals[i, 0])), significant(float(intervals[i, 1]))),
            **_matured(inputs, i),
            **({} if values is None else _value_fields(*values[i].tolist())),
            p_best=float(best.p_best[place[i]]) if i in place else None,
            expected_loss=float(best.expected_loss[place[i]]) if i in place else None,
            share=shares[variant_id],
        )
        for i, variant_id in enumerate(inputs.variant_ids)
        if variant_id in shares
    ]


def _matured(inputs: DecisionInputs, arm: int) -> dict[str, float]:
    matured = inputs.used.matured
    return {} if matured is None else {"matured": significant(float(matured[arm]))}


def _delay(inputs: DecisionInputs) -> dict[str, DelayUsed]:
    """Return the delay that was counted with, as a field of the answer; none where all conversions have come."""
    delay, used = inputs.delay, inputs.used
    if delay is None or used.matured is None:
        return {}
    weights = used.as_booked.trials
    matured = float((used.matured * weights).sum() / weights.sum()) if weights.any() else 1.0
    curves = {name: [significant(f) for f in curve.fractions] for name, curve in delay.own.items()}
    own: dict[str, Any] = {"own_curves": curves} if curves else {}
    if inputs.hour is not None:
        own["unit"] = "hour"
    common = [significant(fraction) for fraction in delay.curve.fractions]
    return {"delay": DelayUsed(kind=delay.kind, curve=common, **own, matured=significant(matured))}


def _assumed_zero(inputs: DecisionInputs) -> list[AssumedZero]:
    return [
        AssumedZero(
            variant_id=zero.variant_id, date=zero.date, share=zero.share, expected_impressions=zero.expected
        )
        for zero in inputs.assumed_zero[-gates.MAX_DAYS_LISTED :]
    ]


def _value_fields(mean: float, low: float, high: float) -> dict[str, Any]:
    return {
        "value_per_impression": None if np.isnan(mean) else significant(mean),
        "value_interval_95": None if np.isnan(low) else (significant(low), significant(high)),
    }


def _number(total: float) -> int | float:
    """Return a whole number as one."""
    return int(total) if float(total).is_integer() else significant(float(total))


def _value_estimates(inputs: DecisionInputs, decided: DecidedAllocation) -> Floats | None:
    """Return the mean and the interval of what an impression of each arm past burn-in earns, (k, 3).

    NaN for the others, and an interval of NaN where no success or value was seen; None without values.
    """
    if decided.totals.value is None or inputs.days_without_revenue:
        return None
    judged = decided.decision.judged
    estimates = np.full((len(judged), 3), np.nan)
    prior = (inputs.settings.prior.a, inputs.settings.prior.b)
    arms = ValueArms.from_totals(decided.totals.select(judged), prior)
    estimates[judged] = np.column_stack((arms.mean, arms.interval(0.95)))
    return estimates


def _value_remaining(inputs: DecisionInputs, decided: DecidedAllocation, best: BestArm) -> float | None:
    if inputs.settings.objective == "value" or not decided.totals.trials.any():
        return None
    champion = int(best.p_best.argmax())
    remaining = value_remaining(decided.judged_rates, QUANTILE, champion, decided.decision.best)
    return significant(remaining, REMAINING_DIGITS)


def _stop_advice(
    inputs: DecisionInputs, decided: DecidedAllocation, best: BestArm, remaining: float | None
) -> StopAdvice | None:
    """Return what the stop rule advises; None where there is nothing to compare."""
    nothing_decided = decided.decision.gate == "no_data" or inputs.days_without_revenue
    if nothing_decided or inputs.halt or inputs.settings.rollout:
        return None
    stop, judged = inputs.settings.stop, decided.decision.judged
    default = "p_best" if inputs.settings.objective == "value" else "value_remaining"
    rule = StopRule(StopWhen(stop.rule or default), stop.threshold, stop.minimum_days, QUANTILE)
    variant_ids = [inputs.variant_ids[i] for i in np.flatnonzero(judged)]
    if len(variant_ids) < 2:
        return None
    advice = rule.advice(decided.judged_rates, inputs.experiment_days(judged), best, remaining)
    return StopAdvice(
        stop=advice.stop,
        variant_id=variant_ids[advice.champion],
        rule=rule.when.value,
        figure=advice.statistic,
        threshold=advice.threshold,
        days=advice.days,
        minimum_days=rule.minimum_days,
    )
