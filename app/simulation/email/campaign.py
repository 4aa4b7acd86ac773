"""One policy plays one block of replications, e-mail by e-mail or day by day."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from app.bandits.arrays import Booleans, Floats
from app.bandits.sequential.unit_loop import UnitCounts
from app.simulation.email.daily import DailyEvenSplit, DailyPlay
from app.simulation.email.decision_day import decision_day
from app.simulation.email.known_by_day import KnownByDay
from app.simulation.email.ledger import UNDECIDED, Ledger
from app.simulation.email.per_email import PerEmailPlay
from app.simulation.email.policies import EmailPolicy
from app.simulation.email.scenario import EmailScenario
from app.simulation.email.schedule import Stretch, held_out, rates_over_time, stretches
from app.simulation.random_streams import stream

BLOCK = 1000
"""Replications that are played together: a policy's stream is that of (seed, block, policy)."""

BATCH = 128_000
"""Outcomes in memory at once."""


class Play(Protocol):
    """A policy at work in a cadence."""

    def begin_day(self, sent: Floats, won: Floats) -> None:
        """A morning after which so many e-mails went out and converted, (k, r) each."""

    def decide(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """What becomes of the next n e-mails, given their uniforms (n, r) and the rates (k, r)."""

    def end_day(self, sent: Floats, won: Floats) -> None:
        """An evening by which so many e-mails went out and will have converted, (k, r) each."""

    def known(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """What the policy makes of these e-mails and conversions, (k, r) each, as far as they are known."""


def blocks(scenario: EmailScenario) -> int:
    """Into how many blocks the replications fall."""
    return -(-scenario.replications // BLOCK)


def play_block(
    scenario: EmailScenario,
    contestant: EmailPolicy,
    block: int,
    report: Callable[[int], None] | None = None,
) -> Ledger:
    """What becomes of a policy in a block of replications: a pure function, in any process.

    Parameters
    ----------
    block : 0 <= block < `blocks(scenario)`
    report : called with the number of decisions since the last call
    """
    rows = min(BLOCK, scenario.replications - block * BLOCK)
    ledger, play = Ledger.opened(scenario, rows), _play(scenario, contestant, block, rows)
    outcomes = stream(scenario.seed, "outcomes", block)
    day = -1
    for stretch, rates in zip(stretches(scenario), rates_over_time(scenario, block, rows), strict=True):
        if stretch.day > day:
            day = stretch.day
            play.begin_day(ledger.sent, ledger.won)
        before = ledger.sent.copy()
        for uniform, kept in _outcomes(scenario, stretch, rows, outcomes):
            ledger.write(play.decide(uniform if kept.all() else uniform[kept], rates))
            ledger.holdout_won += (uniform[~kept] < rates[0]).sum(axis=0)
        ledger.close(stretch, rates, before)
        if stretch.ends_day:
            play.end_day(ledger.sent, ledger.won)
            _note_decisions(scenario, ledger, play, day, rates)
        if report is not None:
            report((stretch.end - stretch.start) * rows)
    return ledger


def _play(scenario: EmailScenario, contestant: EmailPolicy, block: int, rows: int) -> Play:
    rng = stream(scenario.seed, "policy", block, contestant.name)
    if scenario.cadence == "per_email":
        return PerEmailPlay(scenario, contestant, rows, rng)
    known = KnownByDay(scenario, rows, stream(scenario.seed, "delay", block, contestant.name))
    if contestant.policy is None:
        return DailyEvenSplit(scenario, rows, known)
    return DailyPlay(scenario, contestant, rows, rng, known)


def _outcomes(
    scenario: EmailScenario, stretch: Stretch, rows: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Booleans]]:
    """Uniforms (n, r) of the stretch's e-mails, in pieces, and which e-mails are not held out, (n,)."""
    size = max(1, BATCH // rows)
    for start in range(stretch.start, stretch.end, size):
        end = min(start + size, stretch.end)
        yield rng.random((end - start, rows)), ~held_out(scenario, start, end)


def _note_decisions(scenario: EmailScenario, ledger: Ledger, play: Play, day: int, rates: Floats) -> None:
    """Write down in which replications some subject has reached P(best) >= 0.95 today."""
    open_ = np.flatnonzero(ledger.decided_day == UNDECIDED)
    if not open_.size:
        return
    trials, successes = (table[:, open_].T for table in play.known(ledger.sent, ledger.won))
    arm = decision_day(trials, successes, scenario.prior)
    now = arm >= 0
    ledger.decided_day[open_[now]] = day + 1
    ledger.decided_right[open_[now]] = rates.argmax(axis=0)[open_[now]] == arm[now]
