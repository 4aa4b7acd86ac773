"""The gates that hold on a date, in the order of their precedence, each with the numbers behind it."""

import datetime as dt
from typing import Any

from app.bandits.allocation.decide import Decision
from app.bandits.estimation.sample_ratio import SRM_ALPHA
from app.services.allocations.decision_inputs import DecisionInputs

MAX_DAYS_LISTED = 31


def active_gates(found: DecisionInputs, decision: Decision, date: dt.date) -> list[dict[str, Any]]:
    """Return the gates of an answer; the first that decides shares comes first."""
    candidates = (
        _halt(found),
        _rollout(found),
        _no_data(found, decision),
        _no_revenue(found),
        _burn_in(found, decision),
        _invalid_totals(found),
        _incomplete_day(found),
        _stale_data(found, date),
        _sample_ratio_mismatch(found),
    )
    return [gate for gate in candidates if gate is not None]


def _halt(found: DecisionInputs) -> dict[str, Any] | None:
    halt = found.halt
    return None if halt is None else {"gate": halt.state, "since": halt.since.isoformat()}


def _rollout(found: DecisionInputs) -> dict[str, Any] | None:
    variant_id = found.settings.rollout
    return {"gate": "rollout", "variant_id": variant_id} if variant_id in found.variant_ids else None


def _no_data(found: DecisionInputs, decision: Decision) -> dict[str, Any] | None:
    impossible = not found.current.possible.all()
    return {"gate": "no_data"} if decision.gate == "no_data" and not impossible else None


def _no_revenue(found: DecisionInputs) -> dict[str, Any] | None:
    return (
        {"gate": "no_revenue", "days_without": found.days_without_revenue}
        if found.days_without_revenue
        else None
    )


def _burn_in(found: DecisionInputs, decision: Decision) -> dict[str, Any] | None:
    if decision.gate != "burn_in":
        return None
    asked, used = found.settings.burn_in, found.used
    return {
        "gate": "burn_in",
        "asked": {"days": asked.days, "impressions": asked.impressions, "successes": asked.successes},
        "variants": {
            variant_id: {
                "days": int(used.days[i]),
                "impressions": float(used.trials[i]),
                "successes": float(used.successes[i]),
            }
            for i, variant_id in enumerate(found.variant_ids)
            if decision.burning[i]
        },
    }


def _invalid_totals(found: DecisionInputs) -> dict[str, Any] | None:
    current, through = found.current, found.possible_through
    if current.possible.all():
        return None
    return {
        "gate": "invalid_totals",
        "possible_through": None if through is None else through.isoformat(),
        "variants": {
            variant_id: {
                "impressions": float(current.trials[i]),
                "successes": float(current.successes[i]),
            }
            for i, variant_id in enumerate(found.variant_ids)
            if not current.possible[i]
        },
    }


def _incomplete_day(found: DecisionInputs) -> dict[str, Any] | None:
    missing = found.missing_days
    if not missing:
        return None
    newest = list(missing.items())[-MAX_DAYS_LISTED:]
    return {
        "gate": "incomplete_day",
        "days": len(missing),
        "missing": {date.isoformat(): list(variants) for date, variants in newest},
    }


def _stale_data(found: DecisionInputs, date: dt.date) -> dict[str, Any] | None:
    limit, newest = found.settings.stale_after_days, found.data_through
    if not limit or newest is None:
        return None
    days_without = (date - newest).days - 1 - found.settings.maturity_days
    return {"gate": "stale_data", "days_without_data": days_without} if days_without >= limit else None


def _sample_ratio_mismatch(found: DecisionInputs) -> dict[str, Any] | None:
    ratio = found.sample_ratio
    if ratio is None or ratio.p >= SRM_ALPHA:
        return None
    return {
        "gate": "srm",
        "p_value": ratio.p,
        **ratio.over,
        "variants": {
            variant_id: {ratio.of: ratio.counted[variant_id], "expected": ratio.expected[variant_id]}
            for variant_id in ratio.counted
        },
    }
