"""An allocation in words: one sentence per point, for people who ask why.

The sentence of a gate is its class's (`app.schemas.gates`).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.bandits.allocation.decide import AllocationRules, Decision
from app.bandits.allocation.effective_totals import EffectiveTotals, Weighting
from app.schemas.allocations import Allocation, StopAdvice, VariantAllocation
from app.services.allocations.inputs.decision_inputs import DecisionInputs


def explain(
    inputs: DecisionInputs,
    rules: AllocationRules,
    decision: Decision,
    allocation: Allocation,
    previous: Allocation | None,
) -> list[str]:
    """Return which data were used, which gates are active and why, and what moved since the last answer.

    Parameters
    ----------
    rules, decision : what decided the shares, unless they are held or rolled out
    """
    return [
        _data(inputs),
        *_weighting(inputs),
        *_delay(allocation),
        *(gate.sentence for gate in allocation.gates),
        *_assumed_zero(inputs),
        *_promises(inputs, rules, decision, allocation),
        *_changes(allocation, previous, _counted_as(inputs, allocation, previous)),
        *_advice(allocation),
    ]


def _data(inputs: DecisionInputs) -> str:
    through = inputs.data_through
    if through is None:
        if inputs.hour is not None:
            return "There are no data of an hour that is over."
        return f"There are no data dated {inputs.last} or earlier."
    impressions, successes = _sums(inputs.used.as_booked)
    weighted = "weighted " if _is_weighted(inputs) else ""
    used = f"Used {impressions} {weighted}impressions and {successes} {weighted}successes"
    if isinstance(through, dt.datetime):
        return f"{used} of units exposed before {through:%Y-%m-%d %H:%M} UTC; nothing of the hour that ran."
    return f"{used} up to {through}; nothing dated {inputs.decided_on} or later."


def _is_weighted(inputs: DecisionInputs) -> bool:
    return inputs.settings.half_life_days is not None


def _counted_as(inputs: DecisionInputs, allocation: Allocation, previous: Allocation | None) -> str:
    """Return what the totals of two answers are beside the booked ones: counted as far as they have come."""
    if _is_weighted(inputs):
        return "weighted "
    delayed = allocation.delay or (previous and previous.delay)
    return "effective " if delayed else ""


def _weighting(inputs: DecisionInputs) -> Iterator[str]:
    settings = inputs.settings
    if settings.window_days is not None:
        impressions, successes = _sums(inputs.weighted_totals(replace(inputs.weighting, day_effects=False)))
        all_impressions, all_successes = _sums(inputs.weighted_totals(Weighting()))
        yield (
            f"Only the last {settings.window_days} days count (window_days): {impressions} of {all_impressions}"
            f" impressions, {successes} of {all_successes} successes."
        )
    if settings.half_life_days is not None:
        weighted = replace(inputs.weighting, day_effects=False)
        impressions, successes = _sums(inputs.weighted_totals(weighted))
        plain_impressions, plain_successes = _sums(inputs.weighted_totals(Weighting()))
        period = "A day" if inputs.hour is None else "An hour"
        yield (
            f"{period}'s weight halves every {settings.half_life_days:g} days (half_life_days):"
            f" {plain_impressions} impressions count as {impressions}, {plain_successes} successes as {successes}."
        )
    if settings.maturity_days:
        days = settings.maturity_days
        yield f"The last {days} days are left out: their conversions are still coming in (maturity_days)."
    if settings.adjust == "day":
        period = "day" if inputs.hour is None else "hour"
        yield (
            f"{period.capitalize()} effects are removed: impressions are weighted as on average {period}s"
            " (adjust)."
        )
    if settings.objective == "value" and inputs.used.value_sq is None and not inputs.days_without_revenue:
        yield (
            "Without revenue_sq the mean value of a success is treated as known:"
            " the probabilities are overconfident."
        )


def _delay(allocation: Allocation) -> Iterator[str]:
    delay = allocation.delay
    if delay is not None:
        source = "estimated from the data" if delay.kind == "auto" else "given"
        period, periods = ("an hour", "hours") if delay.unit == "hour" else ("a day", "days")
        yield (
            f"{100 * delay.matured:.3g} % of the conversions have come: {period}'s impressions count as far as"
            f" theirs have; conversions come within {len(delay.curve) - 1} {periods} ({source})."
        )


def _assumed_zero(inputs: DecisionInputs) -> Iterator[str]:
    """Yield on how many days the missing report of a variant counts as 0 impressions, and the newest."""
    zeros = inputs.assumed_zero
    for variant_id in dict.fromkeys(zero.variant_id for zero in zeros):
        days = [zero for zero in zeros if zero.variant_id == variant_id]
        newest = days[-1]
        yield (
            f"{variant_id} did not report {len(days)} day(s), counted as 0 impressions: on {newest.date}, with"
            f" {newest.share:.3g} % of the traffic, {newest.expected:.3g} were expected."
        )


def _promises(
    inputs: DecisionInputs, rules: AllocationRules, decision: Decision, allocation: Allocation
) -> Iterator[str]:
    """Yield which shares a floor, a fixed share or the burn-in decided, beside what the policy alone gives."""
    if inputs.halt is not None or inputs.settings.rollout in inputs.variant_ids:
        return
    for i, variant_id in enumerate(inputs.variant_ids):
        share, floor, weight = allocation.allocations[variant_id], rules.floors[i], decision.weights[i]
        if not np.isnan(rules.fixed[i]):
            yield f"{variant_id}: {_percent(share)} by fixed_share."
        elif decision.burning[i] and decision.gate == "burn_in":
            yield f"{variant_id}: {_percent(share)} by {_burn_in_rule(rules, floor)}, until it is past burn-in."
        elif floor > 0 and decision.weights.any() and share > 100 * weight:
            yield (
                f"{variant_id}: {_percent(100 * weight)} raised to {_percent(share)} by min_share"
                f" {100 * floor:.6g}."
            )


def _burn_in_rule(rules: AllocationRules, floor: float) -> str:
    """Return what decides the share of a variant in burn-in."""
    even, share = 1 / len(rules.floors), rules.burn_in.share
    if floor >= min(even, even if share is None else share):
        return f"min_share {100 * floor:.6g}"
    return "an even split" if share is None or share >= even else f"burn_in.share {100 * share:.6g}"


def _changes(allocation: Allocation, previous: Allocation | None, weighted: str) -> list[str]:
    """Return what moved since the answer recorded last, each with the change in the data beside it."""
    if previous is None:
        return ["No earlier answer is recorded to compare with."]
    since = f"revision {previous.revision} for {previous.date}"
    if allocation.revision == previous.revision:
        return [f"No input changed since {since}."]
    changes = [*_changed_shares(allocation, previous, weighted), *_changed_rules(allocation, previous)]
    return [f"Compared with {since}:", *changes] if changes else [f"No share moved since {since}."]


def _changed_shares(allocation: Allocation, previous: Allocation, weighted: str) -> Iterator[str]:
    before = {variant.variant_id: variant for variant in previous.variants}
    for variant in allocation.variants:
        sentence = _describe_change(before.pop(variant.variant_id, None), variant, weighted)
        if sentence is not None:
            yield sentence
    for variant_id in before:
        yield f"{variant_id} no longer takes part."


def _describe_change(old: VariantAllocation | None, new: VariantAllocation, weighted: str) -> str | None:
    if old is None:
        return f"{new.variant_id} is new, with {new.share:g} %."
    differences = {
        "impressions": new.impressions - old.impressions,
        "successes": new.successes - old.successes,
    }
    changes = [f"{_signed(by)} {weighted}{what}" for what, by in differences.items() if by]
    data = f" ({', '.join(changes)})" if changes else " (its own data are unchanged)"
    if new.share == old.share:
        return f"{new.variant_id} keeps {new.share:g} %{data}." if changes else None
    return f"{new.variant_id} went from {old.share:g} to {new.share:g} %{data}."


def _changed_rules(allocation: Allocation, previous: Allocation) -> Iterator[str]:
    """Yield which settings and gates differ from the answer before."""
    old, new = previous.settings, allocation.settings
    named = [
        ("policy", previous.policy, allocation.policy),
        ("objective", previous.objective, allocation.objective),
        *((name, old.get(name, "default"), new.get(name, "default")) for name in sorted({*old, *new})),
    ]
    for name, before, after in named:
        if before != after:
            yield f"{name} was changed from {before} to {after}."
    was_active, is_active = set(previous.gate_names), set(allocation.gate_names)
    for gate in sorted(is_active - was_active):
        yield f"The gate {gate} is now active."
    for gate in sorted(was_active - is_active):
        yield f"The gate {gate} is no longer active."


def _advice(allocation: Allocation) -> Iterator[str]:
    advice = allocation.stop_advice
    if advice is not None:
        yield _advice_sentence(advice)
    elif allocation.gate_names[:1] == ["rollout"]:
        yield "Advice: nothing is left to decide until the rollout is undone."


def _advice_sentence(advice: StopAdvice) -> str:
    reason = (
        f"{advice.rule} of {advice.variant_id} is {advice.figure:.4g}, the threshold {advice.threshold:g}"
    )
    if advice.stop:
        return f"Advice: stop and keep {advice.variant_id}; {reason}."
    if advice.days < advice.minimum_days:
        return f"Advice: continue; {advice.days} of at least {advice.minimum_days} days have data ({reason})."
    return f"Advice: continue; {reason}."


def _sums(totals: EffectiveTotals) -> tuple[str, str]:
    """Return the impressions and the successes of all variants."""
    return _count(float(totals.trials.sum())), _count(float(totals.successes.sum()))


def _percent(percent: float) -> str:
    """Return a share of traffic to three digits, or that it is smaller than any served."""
    return f"{percent:.3g} %" if percent == 0 or percent >= 0.001 else "less than 0.001 %"


def _count(number: float) -> str:
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.1f}"


def _signed(number: float) -> str:
    return f"{number:+,.0f}" if float(number).is_integer() else f"{number:+,.1f}"
