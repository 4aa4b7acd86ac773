"""Any offer over any channel: the yardstick of the race."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.simulation.clv.policies.described import Described
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


@dataclass(frozen=True)
class RandomCrayfish(Described):
    """Choose among the open arms with equal probabilities, whatever was learned."""

    kind: ClassVar[str] = "random_crayfish"
    segments: ClassVar[int] = 1

    def enter(self, world: World) -> "RandomCrayfish":  # noqa: ARG002 - every world is the same to it
        """Itself: it needs to know nothing."""
        return self

    def segment_of(self, customers: Customers) -> Integers:
        """Everybody is alike."""
        return np.zeros_like(customers.index)

    def draw(
        self,
        shown: Observations,  # noqa: ARG002
        segment: Integers,
        open_arms: Booleans,
        rng: np.random.Generator,
    ) -> Integers:
        """An arm per customer, (r, m)."""
        return sample_arms(equal_shares(open_arms.astype(np.float64)), rng, segment.shape[1])

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:  # noqa: ARG002
        """1 / number of open arms, (r, k)."""
        return equal_shares(open_arms.astype(np.float64))
