"""What the policies have been shown: totals of every segment and arm, as far as outcomes have come in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.totals import Totals

SUMS = ("trials", "successes", "failures", "value", "value_sq")


@dataclass(slots=True)
class Observations:
    """Running totals of s segments and k arms in r replications, as of a morning.

    A trial counts at the contact and a success when it is shown, as in the service; `failures` are contacts known
    to have ended without a sale, so trials - successes - failures are still open. Where outstanding sales are
    allowed for, trials count as far as their sales have come, so that a cell may have more successes than trials.

    Parameters
    ----------
    trials, successes, failures, value, value_sq : (r, s, k), value in EUR before costs
    cost : (k,), EUR per contact
    """

    trials: Floats
    successes: Floats
    failures: Floats
    value: Floats
    value_sq: Floats
    cost: Floats

    @classmethod
    def nothing(cls, replications: int, segments: int, cost: Floats) -> "Observations":
        """Before the first contact."""
        shape = (replications, segments, cost.size)
        return cls(**{name: np.zeros(shape) for name in SUMS}, cost=cost)

    @classmethod
    def stacked(cls, mornings: "Sequence[Observations]") -> "Observations":
        """Single replications of several mornings, side by side as if they were replications."""
        columns = {name: np.concatenate([getattr(shown, name) for shown in mornings]) for name in SUMS}
        return cls(**columns, cost=mornings[0].cost)

    def copy(self) -> "Observations":
        """The same as of now, whatever is shown later."""
        return Observations(**{name: getattr(self, name).copy() for name in SUMS}, cost=self.cost)

    def contacts(self, cell: Integers) -> None:
        """Count trials in these flat (replication, segment, arm) cells."""
        np.add.at(self.trials.reshape(-1), cell, 1.0)

    def sales(self, cell: Integers, delta: Floats) -> None:
        """Count sales and what each was worth in EUR."""
        np.add.at(self.successes.reshape(-1), cell, 1.0)
        np.add.at(self.value.reshape(-1), cell, delta)
        np.add.at(self.value_sq.reshape(-1), cell, delta * delta)

    def misses(self, cell: Integers) -> None:
        """Count contacts that ended without a sale."""
        np.add.at(self.failures.reshape(-1), cell, 1.0)

    def totals(self) -> Totals:
        """Everything as a policy of the service takes it, (r, s, k); the trials are at least the successes."""
        trials = np.maximum(self.trials, self.successes)
        return Totals(trials, self.successes, self.value, self.value_sq, self.cost)

    def pooled(self) -> Totals:
        """The same over all segments, (r, k)."""
        trials, successes = self.trials.sum(axis=1), self.successes.sum(axis=1)
        return Totals(
            np.maximum(trials, successes),
            successes,
            self.value.sum(axis=1),
            self.value_sq.sum(axis=1),
            self.cost,
        )
