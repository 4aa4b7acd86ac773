"""What is played for the page: worlds, policies, replications."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress, TimeElapsedColumn

from app.simulation import clv, email
from benchmarks.results import google
from benchmarks.results.delay.lifts import DelayLifts, measure_delays

SEED = 1

EMAILS, DAYS = 10_000, 30

LONG_EMAILS, LONG_DAYS = 20_000, 60
"""Long enough for the classical test, at the same e-mails a day."""

POLICIES = {
    "epsilon_greedy_original": "Epsilon-greedy 0.1, as the original",
    "epsilon_greedy": "Epsilon-greedy 0.1, as the service",
    "thompson": "Thompson sampling",
}

CADENCES: dict[Any, str] = {"per_email": "every e-mail", "daily": "daily batches, as live"}

OTHER_WORLDS = {
    "rates of 2.0, 2.2, 2.4, 2.6 and 3.0 %": (0.020, 0.022, 0.024, 0.026, 0.030),
    "rates of 10, 12, 14, 16 and 20 %": (0.10, 0.12, 0.14, 0.16, 0.20),
    "five equal rates of 40 %": (0.4,) * 5,
}


TELCO: dict[Any, str] = {"none": "telco CLV race", "auto": "telco CLV race, outstanding sales allowed for"}


@dataclass(frozen=True, slots=True)
class Size:
    """Replications of each part, and the days of the parts that are played day by day for longest."""

    email: int = 500
    decisions: int = 300
    others: int = 300
    clv: int = 50
    google: int = 1000
    delay: int = 30
    clv_days: int = 365
    delay_days: int = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything the page shows: races by cadence, by world, the telco race, and Google's example."""

    size: Size
    races: dict[str, email.EmailResult]
    decisions: dict[str, email.EmailResult]
    others: dict[str, email.EmailResult]
    telco: clv.RaceResult
    telco_corrected: clv.RaceResult
    content: google.ContentExperiment
    ended: google.ContentOutcome
    delays: DelayLifts


def measure(size: Size) -> Measured:
    """Play everything, with a bar for each part."""
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as bars:

        def progress_of(part: str) -> Callable[[int, int], None]:
            if not bars.console.is_terminal:  # the bars would be shown only in the end
                bars.console.print(f"{part} ...")
            bar = bars.add_task(part, total=None)
            return lambda done, total: bars.update(bar, completed=done, total=total)

        races = {
            c: email.play(campaign(size.email, c), progress_of(f"e-mail, {CADENCES[c]}")) for c in CADENCES
        }
        decisions = {
            c: email.play(
                campaign(size.decisions, c, emails=LONG_EMAILS, days=LONG_DAYS),
                progress_of(f"decisions, {CADENCES[c]}"),
            )
            for c in CADENCES
        }
        thompson = (email.EmailPolicyChoice("thompson"),)
        others = {
            name: email.play(
                campaign(size.others, "daily", rates=rates, policies=thompson), progress_of(name)
            )
            for name, rates in OTHER_WORLDS.items()
        }
        telco, telco_corrected = (
            clv.play(race(size, delay_correction=correction), progress_of(part))
            for correction, part in TELCO.items()
        )
        content, finished = (
            google.ContentExperiment(runs=size.google, seed=SEED),
            progress_of("Google's example"),
        )
        ended = google.run_content_experiment(content)
        finished(1, 1)
        delays = measure_delays(size.delay, progress_of("outstanding conversions"), size.delay_days)
    return Measured(size, races, decisions, others, telco, telco_corrected, content, ended, delays)


def campaign(replications: int, cadence: Any, **changes: Any) -> email.EmailScenario:
    """The e-mail preset with every policy of the page, in a cadence."""
    chosen = tuple(
        email.EmailPolicyChoice(kind, {} if kind == "thompson" else {"epsilon": 0.1}) for kind in POLICIES
    )
    preset = {"emails": EMAILS, "days": DAYS, "policies": chosen, "seed": SEED}
    return email.EmailScenario(**(preset | changes), cadence=cadence, replications=replications)


def race(size: Size, **changes: Any) -> clv.Race:
    """The telco preset."""
    scenario = clv.Scenario(days=size.clv_days)
    return clv.Race(scenario=scenario, replications=size.clv, seed=SEED, **changes)
