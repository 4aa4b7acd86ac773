"""What comes back to a policy, and when: never before the morning after it happened."""

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.race.contacts import Contacts


class DelayedOutcomes:
    """Counts trials at the contact, shows sales the next morning and misses once their window has passed.

    Parameters
    ----------
    shown : what the policy sees; updated in place
    window : days in which a contact may convert
    """

    def __init__(self, shown: Observations, window: int) -> None:
        self._shown, self._window = shown, window
        nothing = np.empty(0, dtype=np.intp)
        self._sales: tuple[Integers, Integers, Floats] = nothing, nothing, np.empty(0)
        self._misses: dict[int, Integers] = {}

    def made(self, contacts: Contacts, day: int) -> None:
        """Count these contacts of a day, and remember how they will end."""
        cell = self._cell(contacts)
        self._shown.contacts(cell)
        sold = contacts.delay < self._window
        self._misses[day + self._window] = cell[~sold]
        new = (day + contacts.delay[sold] + 1, cell[sold], contacts.delta[sold])
        due, cells, delta = (np.concatenate(pair) for pair in zip(self._sales, new, strict=True))
        self._sales = due, cells, delta

    def morning(self, day: int) -> None:
        """Show what is due on this morning."""
        due, cell, delta = self._sales
        now = due <= day
        self._shown.sales(cell[now], delta[now])
        self._sales = due[~now], cell[~now], delta[~now]
        if day in self._misses:
            self._shown.misses(self._misses.pop(day))

    def _cell(self, contacts: Contacts) -> Integers:
        """The flat place of each contact in arrays (r, s, k)."""
        _, s, k = self._shown.trials.shape
        cell: Integers = (contacts.row * s + contacts.segment) * k + contacts.arm
        return cell
