"""An allocation in words: one sentence per point, for people who ask why."""

from collections.abc import Iterator

from app.schemas.allocations import Allocation, StopAdvice, VariantAllocation
from app.services.allocations.decision_inputs import DecisionInputs


def explain(inputs: DecisionInputs, allocation: Allocation, previous: Allocation | None) -> list[str]:
    """Return which data were used, which gates are active and why, and what moved since the last answer."""
    return [
        _data(inputs),
        *_weighting(inputs),
        *(gate.sentence for gate in allocation.gates),
        *_assumed_zero(inputs),
        *_changes(allocation, previous),
        *_advice(allocation.stop_advice),
    ]


def _data(inputs: DecisionInputs) -> str:
    if inputs.data_through is None:
        return f"There are no data dated {inputs.last} or earlier."
    impressions, successes = float(inputs.used.trials.sum()), float(inputs.used.successes.sum())
    return (
        f"Used {_count(impressions)} impressions and {_count(successes)} successes up to {inputs.data_through};"
        f" nothing dated {inputs.decided_on} or later."
    )


def _weighting(inputs: DecisionInputs) -> Iterator[str]:
    settings = inputs.settings
    if settings.window_days is not None:
        yield f"Only the last {settings.window_days} days count (window_days)."
    if settings.half_life_days is not None:
        yield f"A day's weight halves every {settings.half_life_days:g} days (half_life_days)."
    if settings.maturity_days:
        days = settings.maturity_days
        yield f"The last {days} days are left out: their conversions are still coming in (maturity_days)."
    if settings.adjust == "day":
        yield "Day effects are removed: impressions are weighted as on average days (adjust)."
    if settings.objective == "value" and inputs.used.value_sq is None and not inputs.days_without_revenue:
        yield (
            "Without revenue_sq the mean value of a success is treated as known:"
            " the probabilities are overconfident."
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


def _changes(allocation: Allocation, previous: Allocation | None) -> list[str]:
    """Return what moved since the answer recorded last, each with the change in the data beside it."""
    if previous is None:
        return ["No earlier answer is recorded to compare with."]
    since = f"revision {previous.revision} for {previous.date}"
    if allocation.revision == previous.revision:
        return [f"No input changed since {since}."]
    changes = [*_changed_shares(allocation, previous), *_changed_rules(allocation, previous)]
    return [f"Compared with {since}:", *changes] if changes else [f"No share moved since {since}."]


def _changed_shares(allocation: Allocation, previous: Allocation) -> Iterator[str]:
    before = {variant.variant_id: variant for variant in previous.variants}
    for variant in allocation.variants:
        sentence = _describe_change(before.pop(variant.variant_id, None), variant)
        if sentence is not None:
            yield sentence
    for variant_id in before:
        yield f"{variant_id} no longer takes part."


def _describe_change(old: VariantAllocation | None, new: VariantAllocation) -> str | None:
    if old is None:
        return f"{new.variant_id} is new, with {new.share:g} %."
    differences = {
        "impressions": new.impressions - old.impressions,
        "successes": new.successes - old.successes,
    }
    changes = [f"{_signed(by)} {what}" for what, by in differences.items() if by]
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


def _advice(advice: StopAdvice | None) -> Iterator[str]:
    if advice is None:
        return
    reason = (
        f"{advice.rule} of {advice.variant_id} is {advice.figure:.4g}, the threshold {advice.threshold:g}"
    )
    if advice.stop:
        yield f"Advice: stop and keep {advice.variant_id}; {reason}."
    elif advice.days < advice.minimum_days:
        yield f"Advice: continue; {advice.days} of at least {advice.minimum_days} days have data ({reason})."
    else:
        yield f"Advice: continue; {reason}."


def _count(number: float) -> str:
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.1f}"


def _signed(number: float) -> str:
    return f"{number:+,.0f}" if float(number).is_integer() else f"{number:+,.1f}"
