"""What came of a race in the e-mail world."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.simulation.email.decision_day import P_BEST_DECIDED, fixed_horizon
from app.simulation.email.ledger import UNDECIDED, Ledger
from app.simulation.email.policies import EmailPolicy
from app.simulation.email.scenario import EmailScenario
from app.simulation.email.schedule import curve
from app.simulation.replication_statistics import Summary, band, summary

LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy's values beside the even split's in the same worlds.

    Parameters
    ----------
    contestant : who played
    ledger : what was written down
    even : the even split's ledger
    """

    contestant: EmailPolicy
    ledger: Ledger
    even: Ledger

    @property
    def conversions(self) -> Summary:
        """Over replications."""
        return summary(self.ledger.won.sum(axis=0))

    @property
    def lift(self) -> Summary | None:
        """Conversions over those of the even split in the same replication, less 1; None where that has none."""
        even = self.even.won.sum(axis=0)
        return summary(self.ledger.won.sum(axis=0) / even - 1) if even.all() else None

    @property
    def pseudo_regret(self) -> Summary:
        """Conversions given up in expectation, sum of p* - p of every e-mail."""
        return summary(self.ledger.regret)

    @property
    def realised_regret(self) -> Summary:
        """What always the best subject would convert in expectation, less the conversions."""
        return summary(self.ledger.oracle - self.ledger.won.sum(axis=0))

    @property
    def top_arm_share(self) -> Summary:
        """The part of the e-mails that went to the subject best at the time."""
        return summary(self.ledger.to_best / self.ledger.sent.sum(axis=0))

    def to_dict(self, scenario: EmailScenario) -> dict[str, Any]:
        """As JSON has it."""
        ledger, sent = self.ledger, float(self.ledger.sent[:, 0].sum())
        value, cost = scenario.value @ ledger.won, scenario.cost @ ledger.sent
        return {
            "policy": {"kind": self.contestant.kind, "parameters": self.contestant.parameters},
            "emails": sent,
            "conversions": self.conversions.to_dict(),
            "rate": self.conversions.mean / sent if sent else None,
            "lift": None if self.lift is None else self.lift.to_dict(),
            "pseudo_regret": self.pseudo_regret.to_dict(),
            "realised_regret": self.realised_regret.to_dict(),
            "top_arm_share": self.top_arm_share.to_dict() if sent else None,
            "value": summary(value).to_dict(),
            "cost": summary(cost).to_dict(),
            "profit": summary(value - cost).to_dict(),
            "subjects": _subjects(scenario, ledger),
            "over_time": _over_time(ledger),
            "one_replication": _one_replication(ledger),
            "decision": _decision(scenario, ledger),
            "holdout_conversions": summary(ledger.holdout_won).to_dict(),
        }


@dataclass(frozen=True, slots=True)
class EmailResult:
    """A race: the scenario, the even split ("random reality") and every policy."""

    scenario: EmailScenario
    even_split: PolicyResult
    policies: tuple[PolicyResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; the same scenario gives the same bytes in any process."""
        scenario, oracle = self.scenario, self.even_split.ledger.oracle
        return {
            "emails_at": curve(scenario),
            "subjects": [
                {"name": name, "rate": rate}
                for name, rate in zip(scenario.names, scenario.true_rates.tolist(), strict=True)
            ],
            "oracle_conversions": float(oracle.mean()),
            "fixed_horizon": _fixed_horizon(scenario),
            "even_split": self.even_split.to_dict(scenario),
            "policies": [played.to_dict(scenario) for played in self.policies],
        }


def _subjects(scenario: EmailScenario, ledger: Ledger) -> list[dict[str, Any]]:
    """Means over replications; the rate is that of all e-mails together, None for a subject never sent."""
    sent, won = ledger.sent.mean(axis=1).tolist(), ledger.won.mean(axis=1).tolist()
    return [
        {
            "name": name,
            "sent": n,
            "conversions": s,
            "rate": s / n if n else None,
            "share": n / max(sum(sent), 1),
        }
        for name, n, s in zip(scenario.names, sent, won, strict=True)
    ]


def _over_time(ledger: Ledger) -> dict[str, list[float]]:
    return {
        **_band("conversions", ledger.conversions),
        **_band("pseudo_regret", ledger.regrets),
        **_band("realised_regret", ledger.oracles - ledger.conversions),
    }


def _one_replication(ledger: Ledger) -> dict[str, Any]:
    """The first replication at the points of the curve: each subject so far, and what was given up so far."""
    sent = ledger.path_sent.sum(axis=1)
    return {
        "sent": ledger.path_sent.T.tolist(),
        "conversions": ledger.path_won.T.tolist(),
        "pseudo_regret": ledger.regrets[:, 0].tolist(),
        "realised_regret": (ledger.oracles[:, 0] - ledger.conversions[:, 0]).tolist(),
        "top_arm_share": (ledger.bests[:, 0] / np.maximum(sent, 1)).tolist(),
    }


def _band(name: str, curves: Floats) -> dict[str, list[float]]:
    mean, low, high = band(curves)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _decision(scenario: EmailScenario, ledger: Ledger) -> dict[str, Any]:
    """The first day with P(best) >= 0.95; days and e-mails are of those replications that had one."""
    day, right = ledger.decided_day, ledger.decided_right
    decided = day != UNDECIDED
    days = day[decided].astype(np.float64)
    return {
        "p_best": P_BEST_DECIDED,
        "decided": float(decided.mean()),
        "days": summary(days).to_dict() if days.size else None,
        "median_day": float(np.median(days)) if days.size else None,
        "emails": scenario.emails / scenario.days * float(days.mean()) if days.size else None,
        "error_rate": 1 - float(right[decided].mean()) if days.size else None,
    }


def _fixed_horizon(scenario: EmailScenario) -> dict[str, Any]:
    """The classical test of the two best subjects, all pairs allowed for, planned with their true rates."""
    k = scenario.k
    best, second = np.sort(scenario.true_rates)[:-3:-1].tolist()
    per_arm = fixed_horizon(best, second, k * (k - 1) // 2, LEVEL, POWER)
    emails = float(np.ceil(per_arm)) * k
    known = bool(np.isfinite(emails))
    return {
        "level": LEVEL,
        "power": POWER,
        "comparisons": k * (k - 1) // 2,
        "emails": emails if known else None,
        "days": emails / (scenario.emails / scenario.days) if known else None,
    }
