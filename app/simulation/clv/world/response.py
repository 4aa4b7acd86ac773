"""Who can buy what, and how many days after a contact they do."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.simulation.clv.world.products import Arms
from app.simulation.clv.world.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Response:
    r"""Eligibility by product and arm, and the distribution of the delay by channel.

    A customer is eligible for an offer that is faster than the current product and costs less than `price_ratio`
    times its price; then each day d = 0..w-1 after the contact converts with the hazard q0 decay^d:

    .. math:: P(delay = d) = q_0 \, decay^d \prod_{j < d} (1 - q_0 \, decay^j)

    Parameters
    ----------
    eligible : (p, k), product by arm
    chance : (c, w), P(delay = d) by channel; a row's sum is the probability to convert at all
    """

    eligible: Booleans
    chance: Floats

    @classmethod
    def of(cls, scenario: Scenario, arms: Arms) -> "Response":
        """As the scenario says."""
        price = np.array([product.price for product in scenario.products])
        download = np.array([product.download for product in scenario.products])
        eligible = (download[arms.product] > download[:, None]) & (
            price[arms.product] / price[:, None] < scenario.price_ratio
        )
        q0 = np.array([channel.q0 for channel in scenario.channels])[:, None]
        hazard = q0 * scenario.decay ** np.arange(scenario.window_days)
        alive = np.cumprod(1 - hazard, axis=1)
        return cls(eligible, hazard * np.concatenate((np.ones_like(q0), alive[:, :-1]), axis=1))

    @property
    def window(self) -> int:
        """w, the delay that means never."""
        return int(self.chance.shape[1])

    def delay(self, uniform: Floats, channel: Integers) -> Integers:
        """Days until an eligible customer converts, (n,), by inverting the cumulated chances; w is never."""
        cumulated = np.cumsum(self.chance, axis=1)
        days: Integers = (uniform[:, None] >= cumulated[channel]).sum(axis=1)
        return days
