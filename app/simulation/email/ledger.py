"""What is written down while a policy plays a block of replications."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.sequential.unit_loop import UnitCounts
from app.simulation.email.scenario import EmailScenario
from app.simulation.email.schedule import Stretch, curve
from app.simulation.regret import pseudo_regret

UNDECIDED = -1


@dataclass(slots=True)
class Ledger:
    """Values of r replications of one policy.

    Parameters
    ----------
    sent, won : (k, r), e-mails and conversions of each subject so far
    regret : (r,), pseudo-regret so far, in conversions
    to_best : (r,), e-mails so far to the subject that was best at the time
    oracle : (r,), conversions that always sending the best one would get in expectation, n p* without drift
    conversions, regrets, oracles, bests : (steps, r), the same at the curve's points; the last one of `to_best`
    path_sent, path_won : (steps, k), the first replication's e-mails and conversions at these points
    decided_day : (r,), first day, from 1, at whose end some subject has P(best) >= 0.95; -1 for none
    decided_right : (r,), whether that subject was then the best
    holdout_won : (r,), conversions of the e-mails held out
    """

    sent: Floats
    won: Floats
    regret: Floats
    to_best: Floats
    oracle: Floats
    conversions: Floats
    regrets: Floats
    oracles: Floats
    bests: Floats
    path_sent: Floats
    path_won: Floats
    decided_day: Integers
    decided_right: Booleans
    holdout_won: Floats

    @classmethod
    def opened(cls, scenario: EmailScenario, rows: int) -> "Ledger":
        """An empty one."""
        k, steps = scenario.k, len(curve(scenario))
        tables, columns, curves, paths = (
            {name: np.zeros(shape) for name in names.split()}
            for names, shape in (
                ("sent won", (k, rows)),
                ("regret to_best oracle holdout_won", (rows,)),
                ("conversions regrets oracles bests", (steps, rows)),
                ("path_sent path_won", (steps, k)),
            )
        )
        right = np.zeros(rows, dtype=np.bool_)
        return cls(
            **tables,
            **columns,
            **curves,
            **paths,
            decided_day=np.full(rows, UNDECIDED),
            decided_right=right,
        )

    def write(self, counts: UnitCounts) -> None:
        """Add e-mails."""
        self.sent += counts.trials
        self.won += counts.successes

    def close(self, stretch: Stretch, rates: Floats, sent_before: Floats) -> None:
        """Account for a stretch with the rates (k, r), before which `sent_before` (k, r) had been sent."""
        sent = self.sent - sent_before
        self.regret += pseudo_regret(sent, rates)
        self.to_best += sent[rates.argmax(axis=0), np.arange(self.to_best.size)]
        self.oracle += sent.sum(axis=0) * rates.max(axis=0)
        if stretch.step is not None:
            self.conversions[stretch.step] = self.won.sum(axis=0)
            self.regrets[stretch.step], self.oracles[stretch.step] = self.regret, self.oracle
            self.bests[stretch.step] = self.to_best
            self.path_sent[stretch.step], self.path_won[stretch.step] = self.sent[:, 0], self.won[:, 0]

    def joined(self, later: "Ledger") -> "Ledger":
        """The replications of this block and then the later one's; the path stays the first replication's."""
        rows = {
            name: np.concatenate((getattr(self, name), getattr(later, name)), axis=-1)
            for name in self.__slots__
            if not name.startswith("path")
        }
        return Ledger(**rows, path_sent=self.path_sent, path_won=self.path_won)
