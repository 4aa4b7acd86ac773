"""An allocation in words and numbers: decided from its inputs, written as the JSON that is served."""

import datetime as dt
import json
from typing import Any

import numpy as np

from app.bandits.best_arm import value_remaining
from app.bandits.beta import BetaArms
from app.bandits.decision import BurnIn, Decision, Rules, decide
from app.bandits.rounding import percentages
from app.bandits.thompson import ThompsonSampling
from app.bandits.totals import Totals
from app.schemas.experiments import Settings
from app.services.inputs import ArmTotals, Inputs


def revision_of(digest: str) -> str:
    """Return the short name of a digest of inputs."""
    return digest[:16]


def answer(found: Inputs, date: dt.date, digest: str, recorded: bool) -> str:
    """Return the JSON text of an allocation: the same inputs give the same bytes."""
    decision = decided(found.settings, found.arms)
    shares = served_percent(found, decision)
    body = {
        "experiment_id": found.experiment_id,
        "date": date.isoformat(),
        "allocations": shares,
        "revision": revision_of(digest),
        "policy": found.settings.policy.model_dump(mode="json"),
        "objective": "conversion",
        "data_through": None if found.data_through is None else found.data_through.isoformat(),
        "gates": _gates(found, decision),
        "variants": _variants(found, decision, shares),
        "value_remaining": _value_remaining(decision),
        "recorded": recorded,
    }
    return json.dumps(body, allow_nan=False)


def decided(settings: Settings, arms: tuple[ArmTotals, ...]) -> Decision:
    """Decide the shares of arms under an experiment's settings."""
    totals = Totals(
        np.array([arm.impressions for arm in arms], dtype=float),
        np.array([arm.successes for arm in arms], dtype=float),
    )
    return decide(rules(settings, len(arms)), totals, np.array([arm.days for arm in arms], dtype=float))


def rules(settings: Settings, k: int) -> Rules:
    """Return the settings as the mathematics knows them: fractions, a policy object, floors that fit.

    Floors are checked when they are set; on a past date more variants may have been active than then: they are
    lowered in proportion.
    """
    prior = (settings.prior.a, settings.prior.b)
    burn_in = settings.burn_in
    floor = min(settings.min_share / 100, 1 / k)
    share = None if burn_in.share is None else burn_in.share / 100
    return Rules(
        policy=ThompsonSampling(prior),
        prior=prior,
        floors=np.full(k, floor),
        burn_in=BurnIn(burn_in.days, burn_in.impressions, burn_in.successes, share),
    )


def served_percent(found: Inputs, decision: Decision) -> dict[str, float]:
    """Return each served variant's percent of traffic; a variant retired during a halt leaves its part behind."""
    shares = {arm.variant_id: share for arm, share in zip(found.arms, decision.shares, strict=True)}
    left = np.array([shares[variant_id] for variant_id in found.served])
    if len(left) < len(shares):
        left = left / left.sum() if left.sum() > 0 else np.full(len(left), 1 / len(left))
    return {
        variant_id: float(percent)
        for variant_id, percent in zip(found.served, percentages(left), strict=True)
    }


def _variants(found: Inputs, decision: Decision, shares: dict[str, float]) -> list[dict[str, Any]]:
    place = {int(arm): at for at, arm in enumerate(np.flatnonzero(decision.judged))}
    means, intervals = decision.arms.mean, decision.arms.interval(0.95)
    return [
        {
            "variant_id": arm.variant_id,
            "impressions": arm.impressions,
            "successes": arm.successes,
            "mean": float(means[i]),
            "interval_95": [float(end) for end in intervals[i]],
            "p_best": float(decision.best.p_best[place[i]]) if i in place else None,
            "expected_loss": float(decision.best.expected_loss[place[i]]) if i in place else None,
            "share": shares[arm.variant_id],
        }
        for i, arm in enumerate(found.arms)
        if arm.variant_id in shares
    ]


def _gates(found: Inputs, decision: Decision) -> list[dict[str, Any]]:
    gates: list[dict[str, Any]] = []
    if found.halt is not None:
        gates.append({"gate": found.halt.state, "since": found.halt.since.isoformat()})
    if decision.gate == "no_data":
        gates.append({"gate": "no_data"})
    elif decision.gate == "burn_in":
        gates.append(_burn_in_gate(found, decision))
    return gates


def _burn_in_gate(found: Inputs, decision: Decision) -> dict[str, Any]:
    asked = found.settings.burn_in
    return {
        "gate": "burn_in",
        "asked": {"days": asked.days, "impressions": asked.impressions, "successes": asked.successes},
        "variants": {
            arm.variant_id: {"days": arm.days, "impressions": arm.impressions, "successes": arm.successes}
            for arm, burning in zip(found.arms, decision.burning, strict=True)
            if burning
        },
    }


def _value_remaining(decision: Decision) -> float:
    judged = BetaArms(decision.arms.a[decision.judged], decision.arms.b[decision.judged])
    return float(value_remaining(judged, 0.95))
