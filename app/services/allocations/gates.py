"""Which gates are active on a date, in the order of their precedence, each with its numbers.

Their fields and sentences are in `app.schemas.gates`.
"""

from app.bandits.allocation.decide import Decision
from app.bandits.allocation.rounding import significant
from app.bandits.estimation.sample_ratio import SRM_ALPHA
from app.schemas.gates import (
    ArchivedGate,
    BurnInGate,
    DelayDiffersGate,
    Gate,
    ImpossibleTotals,
    IncompleteDayGate,
    InvalidTotalsGate,
    NoDataGate,
    NoRevenueGate,
    PausedGate,
    ReportedData,
    RequiredData,
    RolloutGate,
    SampleRatioGate,
    SplitCount,
    StaleDataGate,
)
from app.services.allocations.inputs.decision_inputs import DecisionInputs

MAX_DAYS_LISTED = 31
EVIDENCE_DIGITS = 4
"""Of an e-value: the exponential of a large number is known no better."""


def active_gates(inputs: DecisionInputs, decision: Decision) -> list[Gate]:
    """Return the gates of an answer; the first one that decides shares comes first."""
    candidates = (
        _halt(inputs),
        _rollout(inputs),
        _no_data(inputs, decision),
        _no_revenue(inputs),
        _burn_in(inputs, decision),
        _invalid_totals(inputs),
        _incomplete_day(inputs),
        _stale_data(inputs),
        _sample_ratio(inputs),
        _delay_differs(inputs),
    )
    return [gate for gate in candidates if gate is not None]


def _halt(inputs: DecisionInputs) -> ArchivedGate | PausedGate | None:
    halt = inputs.halt
    if halt is None:
        return None
    if halt.state == "archived":
        return ArchivedGate(gate="archived", since=halt.since)
    return PausedGate(gate="paused", since=halt.since)


def _rollout(inputs: DecisionInputs) -> RolloutGate | None:
    variant_id = inputs.settings.rollout
    if variant_id is None or variant_id not in inputs.variant_ids:
        return None
    return RolloutGate(gate="rollout", variant_id=variant_id)


def _no_data(inputs: DecisionInputs, decision: Decision) -> NoDataGate | None:
    if decision.gate != "no_data" or not inputs.current.possible.all():
        return None
    return NoDataGate(gate="no_data")


def _no_revenue(inputs: DecisionInputs) -> NoRevenueGate | None:
    if not inputs.days_without_revenue:
        return None
    return NoRevenueGate(gate="no_revenue", days_without=inputs.days_without_revenue)


def _burn_in(inputs: DecisionInputs, decision: Decision) -> BurnInGate | None:
    if decision.gate != "burn_in":
        return None
    required, used = inputs.settings.burn_in, inputs.used.as_booked
    return BurnInGate(
        gate="burn_in",
        asked=RequiredData(
            days=required.days, impressions=required.impressions, successes=required.successes
        ),
        variants={
            variant_id: ReportedData(
                days=int(used.days[i] if inputs.hour is None else inputs.daily.shown[:, i].sum()),
                impressions=significant(float(used.trials[i])),
                successes=significant(float(used.successes[i])),
            )
            for i, variant_id in enumerate(inputs.variant_ids)
            if decision.burning[i]
        },
    )


def _invalid_totals(inputs: DecisionInputs) -> InvalidTotalsGate | None:
    current = inputs.current.as_booked
    if current.possible.all():
        return None
    return InvalidTotalsGate(
        gate="invalid_totals",
        possible_through=inputs.possible_through,
        variants={
            variant_id: ImpossibleTotals(
                impressions=significant(float(current.trials[i])),
                successes=significant(float(current.successes[i])),
            )
            for i, variant_id in enumerate(inputs.variant_ids)
            if not current.possible[i]
        },
    )


def _incomplete_day(inputs: DecisionInputs) -> IncompleteDayGate | None:
    missing = inputs.missing_days
    if not missing:
        return None
    newest = list(missing.items())[-MAX_DAYS_LISTED:]
    return IncompleteDayGate(
        gate="incomplete_day",
        days=len(missing),
        missing={date: list(variants) for date, variants in newest},
    )


def _stale_data(inputs: DecisionInputs) -> StaleDataGate | None:
    threshold, newest = inputs.settings.stale_after_days, inputs.last_day_with_data
    if not threshold or newest is None:
        return None
    days_without = (inputs.date - newest).days - 1 - inputs.settings.maturity_days
    if days_without < threshold:
        return None
    return StaleDataGate(gate="stale_data", days_without_data=days_without)


def _sample_ratio(inputs: DecisionInputs) -> SampleRatioGate | None:
    ratio = inputs.sample_ratio
    if ratio is None or ratio.p >= SRM_ALPHA:
        return None
    return SampleRatioGate(
        gate="srm",
        p_value=ratio.p,
        **ratio.over,
        variants={
            variant_id: SplitCount(
                **{ratio.of: ratio.counted[variant_id]}, expected=ratio.expected[variant_id]
            )
            for variant_id in ratio.counted
        },
    )


def _delay_differs(inputs: DecisionInputs) -> DelayDiffersGate | None:
    delay = inputs.delay
    if delay is None or not delay.own:
        return None
    return DelayDiffersGate(
        gate="delay_differs",
        e_value=significant(delay.e_value, EVIDENCE_DIGITS),
        variants={name: significant(excess) for name, excess in delay.excess.items()},
    )
