"""All of a day's e-mails are decided in the morning, by the service's own decision."""

import numpy as np

from app.bandits.allocation.decide import AllocationRules
from app.bandits.allocation.decide_batch import decided_shares
from app.bandits.allocation.rounding import percentages
from app.bandits.arrays import Floats, Integers
from app.bandits.policies.sampling import sample_arms
from app.bandits.sequential.unit_loop import UnitCounts, counted
from app.simulation.email.known_by_day import KnownByDay
from app.simulation.email.policies import EmailPolicy, RoundRobin
from app.simulation.email.scenario import EmailScenario


class DailyPlay:
    """A policy that decides a day's shares in r replications, as the live service does.

    Shares are those of `decide`, rounded to the percentages that are served; each e-mail is drawn with them. An
    outstanding conversion counts as a failure until it comes, unless the correction allows for it.
    """

    def __init__(
        self,
        scenario: EmailScenario,
        contestant: EmailPolicy,
        rows: int,
        rng: np.random.Generator,
        known: KnownByDay,
    ) -> None:
        assert contestant.policy is not None
        self._rng, self._row, self._known = rng, np.arange(rows), known
        self._rules = AllocationRules(
            contestant.policy,
            scenario.prior,
            contestant.by_value,
            np.full(scenario.k, scenario.min_share),
            np.full(scenario.k, np.nan),
            scenario.burn_in,
        )
        self._days = np.zeros((scenario.k, rows))
        self._sent = np.zeros((scenario.k, rows))
        self.shares = np.full((rows, scenario.k), 1 / scenario.k)

    def begin_day(self, sent: Floats, won: Floats) -> None:
        """Take note of yesterday, and decide the day's shares from what is known."""
        self._days += sent > self._sent
        self._sent = sent.copy()
        totals = self._known.totals(*self.known(sent, won))
        booked = self._known.totals(*self._known.booked(sent, won))
        shares = decided_shares(self._rules, totals, self._days.T, booked)
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

    def end_day(self, sent: Floats, won: Floats) -> None:
        """Close the day."""
        self._known.close_day(sent, won)

    def known(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Trials and successes (k, r) as they decide on the morning after the last day closed."""
        return self._known.effective(sent, won)


class DailyEvenSplit:
    """The even split, whose conversions become known day by day, as those of the policies beside it."""

    def __init__(self, scenario: EmailScenario, rows: int, known: KnownByDay) -> None:
        self._split, self._known = RoundRobin(scenario.k, rows), known

    def begin_day(self, sent: Floats, won: Floats) -> None:
        """There is nothing to decide."""

    def decide(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """What becomes of the next e-mails."""
        return self._split.play(uniform, rates)

    def end_day(self, sent: Floats, won: Floats) -> None:
        """Close the day."""
        self._known.close_day(sent, won)

    def known(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Trials and successes (k, r) as P(best) is computed from them."""
        return self._known.effective(sent, won)
