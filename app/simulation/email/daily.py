"""All of a day's e-mails are decided in the morning, by the service's own decision."""

import numpy as np

from app.bandits.allocation.decide import AllocationRules
from app.bandits.allocation.decide_batch import decided_shares
from app.bandits.allocation.rounding import percentages
from app.bandits.arrays import Floats, Integers
from app.bandits.policies.sampling import sample_arms
from app.bandits.sequential.unit_loop import UnitCounts, counted
from app.bandits.totals import Totals
from app.simulation.email.policies import EmailPolicy
from app.simulation.email.scenario import EmailScenario


class DailyPlay:
    """A policy that decides a day's shares in r replications, as the live service does.

    Shares are those of `decide`, rounded to the percentages that are served; each e-mail is drawn with them. A
    conversion that takes `delay` days to be known counts as a failure until then.
    """

    def __init__(
        self, scenario: EmailScenario, contestant: EmailPolicy, rows: int, rng: np.random.Generator
    ) -> None:
        assert contestant.policy is not None
        self._scenario, self._rng, self._row = scenario, rng, np.arange(rows)
        self._rules = AllocationRules(
            contestant.policy,
            scenario.prior,
            contestant.by_value,
            np.full(scenario.k, scenario.min_share),
            np.full(scenario.k, np.nan),
            scenario.burn_in,
        )
        self._days = np.zeros((scenario.k, rows))
        self._sent, self._won = np.zeros((scenario.k, rows)), [np.zeros((scenario.k, rows))]
        self.shares = np.full((rows, scenario.k), 1 / scenario.k)

    def begin_day(self, sent: Floats, won: Floats) -> None:
        """Take note of yesterday, and decide the day's shares from what is known."""
        self._days += sent > self._sent
        trials, successes = self.known(sent, won)
        self._sent = sent.copy()
        if sent.any():
            self._won.append(won.copy())
        shares = decided_shares(self._rules, self._totals(trials.T, successes.T), self._days.T)
        served: dict[bytes, Floats] = {}
        for i, row in enumerate(shares):
            key = row.tobytes()
            if key not in served:
                served[key] = np.array(percentages(row), dtype=np.float64) / 100
            self.shares[i] = served[key]

    def decide(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """What becomes of some of the day's e-mails."""
        arms = sample_arms(self.shares, self._rng, len(uniform))
        cells: Integers = arms.T * len(self._row) + self._row
        return counted(cells, uniform < rates.ravel()[cells], rates.shape)

    def known(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Trials and successes (k, r) as they are known at the end of a day with these values."""
        delay = self._scenario.delay
        arrived = won if delay == 0 else self._won[max(len(self._won) - delay, 0)]
        return sent, arrived

    def _totals(self, trials: Floats, successes: Floats) -> Totals:
        value = self._scenario.value
        return Totals(trials, successes, successes * value, successes * value**2, self._scenario.cost)
