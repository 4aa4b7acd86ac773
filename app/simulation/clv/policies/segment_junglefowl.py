"""A human marketing department: gold, silver and bronze customers, and faster offers for each."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import sample_arms
from app.simulation.clv.policies.described import Described
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.protocol import NOBODY
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


@dataclass(frozen=True)
class SegmentJunglefowl(Described):
    """Offer what is faster and does not lower the customer's lifetime value, the cheaper the likelier.

    Customers above the `gold` percentile of lifetime value at the start are gold, those below the `bronze`
    percentile bronze, the rest silver. An offer serves a tier if what it earns over a whole contract, less its
    cost, exceeds the tier's threshold (gold: its percentile, silver: bronze's percentile, bronze: 0). Of the m
    products left for a customer the cheapest gets weight m, the dearest weight 1, shared equally by channels and
    templates. Whom nothing suits is left in peace; an expired product is never an arm. Nothing is learned.

    Parameters
    ----------
    gold, bronze : percentiles in [0, 100], bronze <= gold
    """

    kind: ClassVar[str] = "segment_junglefowl"

    gold: float = parameter(80.0, "the percentile of lifetime value above which customers are gold", 0, 100)
    bronze: float = parameter(20.0, "the percentile of lifetime value below which they are bronze", 0, 100)

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.bronze > self.gold:
            raise ValueError("bronze must not be above gold")

    def enter(self, world: World) -> "Department":
        """The department that knows this world's customers and catalogue."""
        return Department(world, self.bronze, self.gold)


class Department:
    """Fixed shares per segment: tier x current product x how many new contracts would lower lifetime value.

    Parameters
    ----------
    world : whose base sets the thresholds
    bronze, gold : percentiles
    """

    def __init__(self, world: World, bronze: float, gold: float) -> None:
        self._world = world
        at_start = world.hlv_of_base()
        self.thresholds: Floats = np.percentile(at_start, [bronze, gold])
        """(2,), EUR: bronze lies below the first, gold above the second."""
        self.tier: Integers = (at_start >= self.thresholds[0]).astype(np.intp) + (
            at_start > self.thresholds[1]
        )
        """(n,), 0 for bronze, 1 for silver, 2 for gold."""
        products = np.arange(world.margin.size)
        self._new = world.hlv(products, np.zeros_like(products), 0)
        self._steps = np.unique(self._new[world.arms.product])
        self._shares = self._all_shares()
        self.segments = len(self._shares)

    def segment_of(self, customers: Customers) -> Integers:
        """The segment of each customer, (r, m)."""
        lowered = np.searchsorted(self._steps, self._world.hlv_of(customers))
        tier = self.tier[customers.index]
        return (tier * self._new.size + customers.product) * (self._steps.size + 1) + lowered

    def draw(
        self,
        shown: Observations,  # noqa: ARG002
        segment: Integers,
        open_arms: Booleans,
        rng: np.random.Generator,
    ) -> Integers:
        """An arm per customer, (r, m), or nobody."""
        arm = sample_arms(self._among(segment, open_arms[:, None]), rng)
        return np.where(arm == open_arms.shape[1], NOBODY, arm)

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:  # noqa: ARG002
        """The shares of a segment's offers among the open arms, (r, k)."""
        return self._among(segment, open_arms)[:, :-1]

    def _among(self, segment: Integers, open_arms: Booleans) -> Floats:
        """Shares of the open arms and, last, of nobody, (..., k + 1)."""
        if open_arms.all():
            return self._shares[segment]
        return _or_nobody(np.where(open_arms, self._shares[segment][..., :-1], 0))

    def _all_shares(self) -> Floats:
        """The shares of every segment's offers, (s, k + 1), the last one nobody's."""
        world, arms = self._world, self._world.arms
        download = np.array([product.download for product in world.scenario.products])
        faster = download[arms.product] > download[:, None]
        earns = self._new[arms.product] - arms.cost > np.append(0, self.thresholds)[:, None]
        keeps = (
            np.searchsorted(self._steps, self._new[arms.product]) >= np.arange(self._steps.size + 1)[:, None]
        )
        suits = earns[:, None, None] & faster[:, None] & keeps
        return _or_nobody(np.array([self._by_rank(row) for row in suits.reshape(-1, arms.k)]))

    def _by_rank(self, suits: Booleans) -> Floats:
        """Weights (k,) of the offers that suit: m for the cheapest product, 1 for the dearest of m."""
        price = np.array([product.price for product in self._world.scenario.products])
        of_arm = price[self._world.arms.product]
        ranked = np.unique(of_arm[suits])
        alike = ((of_arm[:, None] == of_arm) & suits).sum(axis=1)
        weights: Floats = np.where(suits, ranked.size - np.searchsorted(ranked, of_arm), 0) / np.maximum(
            alike, 1
        )
        return weights


def _or_nobody(weights: Floats) -> Floats:
    """Shares in proportion to the weights and, last, nobody's where all are 0, (..., k) -> (..., k + 1)."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.append(weights / np.where(total > 0, total, 1), total == 0, axis=-1)
