"""Any policy of the service, or a person's own, as a contestant without context."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.policies.registry import Policy
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


@dataclass(frozen=True)
class ServicePolicy:
    """Decides for every customer as the policy would for a unit of live traffic.

    While a quota is full the policy's shares are those of the open arms, scaled up to 1 (equal ones where it
    gives these nothing).

    Parameters
    ----------
    kind, parameters : what the policy was built from
    policy : `shares` and `draw` on the totals of all customers
    """

    kind: str
    parameters: Mapping[str, Any]
    policy: Policy = field(repr=False)
    segments: int = 1

    def described(self) -> dict[str, Any]:
        """The kind and the parameters given."""
        return {"kind": self.kind, **self.parameters}

    @property
    def label(self) -> str:
        """The description in one word."""
        return json.dumps(self.described(), sort_keys=True)

    def enter(self, world: World) -> "ServicePolicy":  # noqa: ARG002 - every world is the same to it
        """Itself: it needs to know nothing."""
        return self

    def segment_of(self, customers: Customers) -> Integers:
        """Everybody is alike."""
        return np.zeros_like(customers.index)

    def draw(
        self, shown: Observations, segment: Integers, open_arms: Booleans, rng: np.random.Generator
    ) -> Integers:
        """An arm per customer, (r, m)."""
        if open_arms.all():
            return self.policy.draw(shown.pooled(), rng, segment.shape[1])
        return sample_arms(self.shares(shown, segment, open_arms), rng, segment.shape[1])

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:  # noqa: ARG002
        """The policy's shares among the open arms, (r, k)."""
        shares = np.where(open_arms, self.policy.shares(shown.pooled()), 0)
        nothing = shares.sum(axis=-1, keepdims=True) == 0
        return equal_shares(np.where(nothing, open_arms, shares))
