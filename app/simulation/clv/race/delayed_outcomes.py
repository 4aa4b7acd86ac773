"""What comes back to a policy, and when: never before the morning after it happened."""

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.delay.effective import matured_totals
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.race.contacts import Contacts
from app.simulation.delay.cohorts import Cohorts, Correction


class DelayedOutcomes:
    """Counts trials at the contact, shows sales the next morning and misses once their window has passed.

    Parameters
    ----------
    shown : what has come in; updated in place
    window : days in which a contact may convert
    correction : auto allows for the outstanding sales by a curve that is estimated from all arms together
    """

    def __init__(self, shown: Observations, window: int, correction: Correction = "none") -> None:
        self._shown, self._window = shown, window
        nothing = np.empty(0, dtype=np.intp)
        self._sales: tuple[Integers, Integers, Floats] = nothing, nothing, np.empty(0)
        self._misses: dict[int, Integers] = {}
        r, s, k = shown.trials.shape
        self._cohorts = Cohorts((r, s * k), window - 1) if correction == "auto" else None

    def made(self, contacts: Contacts, day: int) -> None:
        """Count these contacts of a day, and remember how they will end."""
        cell = self._cell(contacts)
        self._shown.contacts(cell)
        sold = contacts.delay < self._window
        self._misses[day + self._window] = cell[~sold]
        new = (day + contacts.delay[sold] + 1, cell[sold], contacts.delta[sold])
        due, cells, delta = (np.concatenate(pair) for pair in zip(self._sales, new, strict=True))
        self._sales = due, cells, delta
        if self._cohorts is not None:
            trials = self._counted(cell, np.zeros_like(cell), 1)[0]
            self._cohorts.close_day(trials, self._counted(cell[sold], contacts.delay[sold], self._window))

    def morning(self, day: int) -> None:
        """Show what is due on this morning."""
        due, cell, delta = self._sales
        now = due <= day
        self._shown.sales(cell[now], delta[now])
        self._sales = due[~now], cell[~now], delta[~now]
        if day in self._misses:
            self._shown.misses(self._misses.pop(day))

    def known(self) -> Observations:
        """Return what a policy decides with on this morning: what was shown, or matured by the correction."""
        if self._cohorts is None or not self._cohorts.closed:
            return self._shown
        return matured(self._shown, self._cohorts)

    def _cell(self, contacts: Contacts) -> Integers:
        """The flat place of each contact in arrays (r, s, k)."""
        _, s, k = self._shown.trials.shape
        cell: Integers = (contacts.row * s + contacts.segment) * k + contacts.arm
        return cell

    def _counted(self, cell: Integers, age: Integers, ages: int) -> Floats:
        """Return how many contacts there are at each age in each cell, (ages, r, s k)."""
        r, s, k = self._shown.trials.shape
        counted = np.bincount(age * (r * s * k) + cell, minlength=ages * r * s * k)
        return counted.astype(np.float64).reshape(ages, r, s * k)


def matured(shown: Observations, cohorts: Cohorts) -> Observations:
    """Return what was shown, with trials that count as far as their sales have come.

    How certain an arm's totals are (the factor q of `matured_totals`) is that of all its segments together: of
    single cells, those that happen to have sold would count for less than those that have not.
    """
    r, s, k = shown.trials.shape
    trials, fractions = cohorts.by_cohort()
    by_arm = trials.reshape(r, -1, s, k).sum(axis=2)
    scale = matured_totals(by_arm, shown.successes.sum(axis=1, keepdims=True), fractions).scale[:, None]
    return Observations(
        trials=scale * (trials * fractions).sum(axis=1).reshape(r, s, k),
        successes=scale * shown.successes,
        failures=shown.failures,
        value=scale * shown.value,
        value_sq=scale * shown.value_sq,
        cost=shown.cost,
    )
