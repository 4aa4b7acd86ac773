"""Contestants for tests: one arm for ever, one arm per customer, and one that remembers what it was shown."""

from dataclasses import dataclass, field

import numpy as np

from app.simulation.clv.policies.protocol import NOBODY
from app.simulation.clv.policies.random_crayfish import RandomCrayfish


@dataclass(frozen=True)
class ByCustomer:
    """The arm that was chosen beforehand for each customer (n,)."""

    choice: np.ndarray
    label: str = "by customer"
    segments: int = 1

    def described(self):
        return {"kind": self.label}

    def enter(self, world):
        return ByCustomer(self.choice, self.label, world.arms.k + 1)

    def segment_of(self, customers):
        return self.choice[customers.index] + 1

    def draw(self, shown, segment, open_arms, rng):
        return segment - 1

    def shares(self, shown, segment, open_arms):
        return np.eye(self.segments)[segment, 1:]


def always(arm, customers=100_000):
    return ByCustomer(np.full(customers, arm), f"always {arm}")


def nobody(customers):
    return ByCustomer(np.full(customers, NOBODY), "nobody")


@dataclass(frozen=True)
class Witness(RandomCrayfish):
    """Random, and keeps what it was shown each morning."""

    seen: list = field(default_factory=list, repr=False)

    def draw(self, shown, segment, open_arms, rng):
        self.seen.append(shown.copy())
        return super().draw(shown, segment, open_arms, rng)
