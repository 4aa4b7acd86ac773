"""What is known of a campaign's e-mails by the end of a day, while conversions are outstanding."""

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.totals import Totals
from app.simulation.delay.cohorts import Cohorts
from app.simulation.email.scenario import EmailScenario


class KnownByDay:
    """E-mails and conversions (k, r) as they are known, and as the service's correction counts them.

    A day's conversions come at ages drawn from a stream of the policy's own. Without a delay nothing is drawn, and
    what is known is what happened.
    """

    def __init__(self, scenario: EmailScenario, rows: int, rng: np.random.Generator) -> None:
        self._scenario, self._rng, self._day = scenario, rng, 0
        self._sent, self._won = np.zeros((2, scenario.k, rows))
        self._cohorts = None
        if not scenario.delay_in_days.is_none:
            self._cohorts = Cohorts((rows, scenario.k))

    def close_day(self, sent: Floats, won: Floats) -> None:
        """Close a day by whose end so many e-mails, of which so many convert, have gone out."""
        if self._cohorts is None:
            return
        sent_today, won_today = (sent - self._sent).T, (won - self._won).T
        left = self._scenario.days - self._day
        by_age = self._scenario.delay_in_days.drawn(won_today, left, self._rng)
        self._cohorts.close_day(sent_today, by_age)
        self._sent, self._won, self._day = sent.copy(), won.copy(), self._day + 1

    def booked(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Return the trials and successes (k, r) as booked, of e-mails by the end of the last day closed."""
        return (sent, won) if self._cohorts is None else (sent, self._cohorts.successes.T)

    def effective(self, sent: Floats, won: Floats) -> tuple[Floats, Floats]:
        """Return the trials and successes (k, r) that decide: matured ones where the correction is auto."""
        auto = self._scenario.delay_correction == "auto"
        if self._cohorts is None or not auto or not self._cohorts.closed:
            return self.booked(sent, won)
        matured = self._cohorts.matured()
        return matured.trials.T, matured.successes.T

    def totals(self, trials: Floats, successes: Floats) -> Totals:
        """Return trials and successes (k, r) as totals (r, k), a conversion worth what the scenario says."""
        s, value = successes.T, self._scenario.value
        return Totals(trials.T, s, s * value, s * value**2, self._scenario.cost)
