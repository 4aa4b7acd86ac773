"""What a policy must do to take part in the race."""

from typing import Any, Protocol

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World

NOBODY = -1
"""The arm of a customer who is left in peace."""


class PlayingPolicy(Protocol):
    """A policy that has seen the rules of one world: it maps customers to segments and decides for each."""

    @property
    def segments(self) -> int:
        """s, how many segments there are."""

    def segment_of(self, customers: Customers) -> Integers:
        """The segment of each customer, (r, m) in 0..s-1."""

    def draw(
        self, shown: Observations, segment: Integers, open_arms: Booleans, rng: np.random.Generator
    ) -> Integers:
        """An arm per customer, (r, m), among the open ones (r, k), or `NOBODY`."""

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:
        """The probability of each arm in `draw`, (r, k), for one customer of `segment` (r,) per row.

        What is missing from 1 is the probability of `NOBODY`.
        """


class RacePolicy(Protocol):
    """A contestant's parameters, before any world."""

    @property
    def label(self) -> str:
        """Its kind and parameters in one word: names its stream of random numbers."""

    def described(self) -> dict[str, Any]:
        """Its kind and every parameter, defaults filled in, JSON-able."""

    def enter(self, world: World) -> PlayingPolicy:
        """The contestant in a world."""
