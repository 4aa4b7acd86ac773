"""The e-mail world: lift, conversions, value, regret."""

from typing import Any

from app.simulation import email
from app.simulation.email.ledger import UNDECIDED
from benchmarks.results.measured import CADENCES, EMAILS, POLICIES, Measured
from benchmarks.results.text import mean_of, part, percent, singles, table


def conversions(played: email.PolicyResult) -> Any:
    """(r,), of each replication."""
    return played.ledger.won.sum(axis=0)


def lift(played: email.PolicyResult) -> Any:
    """(r,), over the even split of the same replication."""
    return conversions(played) / played.even.won.sum(axis=0) - 1


def lifts(measured: Measured) -> str:
    """Every policy in both cadences against the even split."""
    head = (
        "Policy",
        "Decides",
        "Lift over even split",
        "95 % of single campaigns",
        "Conversions",
        "Value gained, EUR",
        "Pseudo-regret, conversions",
        "E-mails to the best subject",
    )
    split = next(iter(measured.races.values())).even_split
    rows = [("Even split", "-", "0 by definition", "-", mean_of(conversions(split)), "0 by definition")]
    rows[0] += (f"{split.ledger.regret.mean():,.0f} (exact)", "20 % (exact)")
    for cadence, race in measured.races.items():
        for played in race.policies:
            gained = conversions(played) - conversions(race.even_split)
            rows.append(
                (
                    POLICIES[played.contestant.kind],
                    CADENCES[cadence],
                    percent(lift(played)),
                    singles(100 * lift(played), "{:+.1f} %"),
                    mean_of(conversions(played)),
                    mean_of(gained, "{:+,.0f}"),
                    mean_of(played.ledger.regret, "{:.1f}"),
                    percent(played.ledger.to_best / EMAILS, "{:.1f} %"),
                )
            )
    return table(head, rows)


def other_worlds(measured: Measured) -> str:
    """Thompson in daily batches where subjects lie closer together, or do not differ."""
    head = (
        "World",
        "Most any policy can lift",
        "Lift of Thompson, daily",
        "95 % of single campaigns",
        "Some subject declared best (P(best) >= 95 %) within 30 days",
        "The same of an even split",
    )
    rows = []
    for name, race in measured.others.items():
        (played,) = race.policies
        rates = race.scenario.true_rates
        declared = (one.ledger.decided_day != UNDECIDED for one in (played, race.even_split))
        possible = f"{100 * (rates.max() / rates.mean() - 1):+.1f} % (exact)"
        spread = singles(100 * lift(played), "{:+.1f} %")
        rows.append((name, possible, percent(lift(played)), spread, *map(part, declared)))
    return table(head, rows)
