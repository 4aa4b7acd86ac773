"""Contacts as they were made, and how they turned out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class Contacts:
    """n contacts, in the order in which they were made within each replication.

    Parameters
    ----------
    row : (n,), replication within the block
    day : (n,), counted from day 0
    customer, segment, arm : (n,)
    open_arms : (n, k), the arms that could be chosen
    delay : (n,), days until the sale; the response's window where there is none
    delta : (n,), what the sale adds to the customer's lifetime value, EUR; 0 where there is none
    """

    row: Integers
    day: Integers
    customer: Integers
    segment: Integers
    arm: Integers
    open_arms: Booleans
    delay: Integers
    delta: Floats

    @classmethod
    def joined(cls, parts: "Sequence[Contacts]", k: int) -> "Contacts":
        """One after another, none for no parts; a single part is passed on as it is."""
        if len(parts) == 1:
            return parts[0]
        parts = (cls.nothing(k), *parts)
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @classmethod
    def nothing(cls, k: int) -> "Contacts":
        """No contacts."""
        none = np.empty(0, dtype=np.intp)
        return cls(none, none, none, none, none, np.empty((0, k), dtype=np.bool_), none, np.empty(0))

    def where(self, chosen: Booleans) -> "Contacts":
        """Those that are marked, (n,)."""
        return Contacts(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def of_row(self, row: int) -> "Contacts":
        """Those of one replication, as if it were the only one."""
        found = self.where(self.row == row)
        return replace(found, row=np.zeros_like(found.row))
