"""A race: who plays in which world, how often."""

from dataclasses import dataclass, field
from typing import get_args

from app.simulation.clv.policies.protocol import RacePolicy
from app.simulation.clv.policies.registry import preset
from app.simulation.clv.world.scenario import Scenario
from app.simulation.delay.cohorts import Correction

BLOCK = 10
"""Replications that share a stream of random numbers: the unit of work for one process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Policies that meet the same customers, r times.

    Parameters
    ----------
    policies : the contestants, all different
    scenario : the world
    replications : r, how many times the world's outcomes are drawn
    seed : starts the random numbers of outcomes and policies
    exported : the replication whose contacts can be exported, 0..r-1
    delay_correction : auto lets the policies allow for outstanding sales, as the service does; none shows them
        what has come

    Raises
    ------
    ValueError
        Its first word is the invalid field.
    """

    policies: tuple[RacePolicy, ...] = field(default_factory=preset)
    scenario: Scenario = field(default_factory=Scenario)
    replications: int = 10
    seed: int = 1
    exported: int = 0
    delay_correction: Correction = "none"

    def __post_init__(self) -> None:
        labels = [policy.label for policy in self.policies]
        if not labels:
            raise ValueError("policies must not be empty")
        if len(set(labels)) < len(labels):
            raise ValueError("policies must all be different")
        if self.delay_correction not in get_args(Correction):
            raise ValueError(f"delay_correction must be one of {', '.join(get_args(Correction))}")
        if self.replications < 1:
            raise ValueError("replications must be at least 1")
        if not 0 <= self.exported < self.replications:
            raise ValueError("exported must be one of the replications, counted from 0")

    @property
    def blocks(self) -> int:
        """How many blocks of replications there are."""
        return -(-self.replications // BLOCK)

    @property
    def steps(self) -> int:
        """What progress counts: days of one policy in one block."""
        return self.blocks * self.steps_of_block

    @property
    def steps_of_block(self) -> int:
        """The steps of one block."""
        return len(self.policies) * self.scenario.days

    @property
    def work(self) -> int:
        """Contacts to decide at most: policies x replications x days x contacts a day."""
        return len(self.policies) * self.replications * self.scenario.days * self.scenario.daily

    def size_of(self, block: int) -> int:
        """Replications in a block; only the last one may have fewer than `BLOCK`."""
        return min(BLOCK, self.replications - block * BLOCK)
