"""When the best subject is known, beside the classical test."""

from dataclasses import dataclass

import numpy as np

from app.simulation import email
from app.simulation.email.ledger import UNDECIDED
from benchmarks.results.measured import CADENCES, LONG_DAYS, LONG_EMAILS, POLICIES, Measured
from benchmarks.results.text import part, table


@dataclass(frozen=True, slots=True)
class Reached:
    """E-mails by which a part of the campaigns had named the best subject, with its interval; inf for later."""

    emails: float
    low: float
    high: float

    def text(self) -> str:
        """As the page has it."""
        if np.isinf(self.emails):
            return f"more than {LONG_EMAILS:,} ({_emails(self.low)} to unknown)"
        return f"{_emails(self.emails)} ({_emails(self.low)} to {_emails(self.high)})"

    def times_faster(self, than: float) -> str:
        """How many times fewer e-mails that is than so many."""
        if np.isinf(self.emails):
            return f"less than {than / LONG_EMAILS:.1f} (up to {than / self.low:.1f})"
        least = f"less than {than / LONG_EMAILS:.1f}" if np.isinf(self.high) else f"{than / self.high:.1f}"
        return f"{than / self.emails:.1f} ({least} to {than / self.low:.1f})"


def _emails(number: float) -> str:
    return f"more than {LONG_EMAILS:,}" if np.isinf(number) else f"{number:,.0f}"


def reached(played: email.PolicyResult, part_of_campaigns: float = 0.8) -> Reached:
    """When so many campaigns had reached P(best) >= 0.95 for the right subject; by order statistics."""
    day, right = played.ledger.decided_day, played.ledger.decided_right
    days = np.sort(np.where((day != UNDECIDED) & right, day, np.inf))
    n, p = days.size, part_of_campaigns
    reach = 1.959964 * np.sqrt(n * p * (1 - p))
    ranks = [np.ceil(n * p) - 1, np.floor(n * p - reach) - 1, np.ceil(n * p + reach)]
    found = days[np.clip(ranks, 0, n - 1).astype(int)] * LONG_EMAILS / LONG_DAYS
    return Reached(*found.tolist())


def classical(measured: Measured) -> float:
    """E-mails of the fixed-horizon test in the preset world, all subjects together."""
    return float(measured.decisions["daily"].to_dict()["fixed_horizon"]["emails"])


def decisions(measured: Measured) -> str:
    """The rule P(best) >= 0.95 beside the classical test."""
    needed = classical(measured)
    head = (
        "Traffic by",
        "Decides",
        "E-mails until 80 % of campaigns have named the best",
        "Saved against the test",
        "Times faster",
        f"Decided within {LONG_EMAILS:,}",
        "Of those, wrongly",
    )
    rows = []
    for cadence, race in measured.decisions.items():
        split = [(race.even_split, "Even split, the same rule")] if cadence == "per_email" else []
        for played, name in [*split, *((one, POLICIES[one.contestant.kind]) for one in race.policies)]:
            when, decided = reached(played), played.ledger.decided_day != UNDECIDED
            rows.append(
                (
                    name,
                    CADENCES[cadence] if played.contestant.policy else "-",
                    when.text(),
                    saved(when, needed),
                    when.times_faster(needed),
                    part(decided),
                    part(~played.ledger.decided_right[decided]) if decided.any() else "- (none to none)",
                )
            )
    return table(head, rows)


def saved(when: Reached, needed: float) -> str:
    """E-mails saved against the classical test; negative where it takes longer."""
    if np.isinf(when.emails):
        return f"none (up to {needed - when.low:,.0f})"
    least = f"less than {needed - LONG_EMAILS:,.0f}" if np.isinf(when.high) else f"{needed - when.high:,.0f}"
    return f"{needed - when.emails:,.0f} ({least} to {needed - when.low:,.0f})"
