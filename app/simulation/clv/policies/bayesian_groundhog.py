"""Thompson sampling on what a contact is worth, all customers alike."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.bandits.arrays import Integers
from app.bandits.posteriors.beta import BetaArms
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.offer_value import OfferThompson, OfferValue, known_values
from app.simulation.clv.world.customers import Customers
from app.simulation.clv.world.world import World


@dataclass(frozen=True)
class BayesianGroundhog(OfferThompson):
    r"""Choose the largest draw of theta_i v_i - c_i, theta_i ~ Beta(a + S_i, b + n_i - S_i).

    .. math:: v_i = \frac{V_i + 2 m}{S_i + 2}, \qquad m = \frac{\sum_j V_j + sale}{\sum_j S_j + 1}

    Two differences from `ValueThompson`: v_i is taken as known, and one sale worth `sale` is known beforehand. The
    original let v_i begin at EUR 1, so that the first arm to sell was the only one worth anything.

    Parameters
    ----------
    prior : (a, b) of the rates, in sales and contacts without; the preset expects one sale in 301 contacts
    sale : EUR, > 0
    abstain : leave a customer in peace whose best draw is not above 0
    """

    kind: ClassVar[str] = "bayesian_groundhog"
    segments: ClassVar[int] = 1

    def enter(self, world: World) -> "BayesianGroundhog":  # noqa: ARG002 - every world is the same to it
        """Itself: it needs to know nothing."""
        return self

    def segment_of(self, customers: Customers) -> Integers:
        """Everybody is alike."""
        return np.zeros_like(customers.index)

    def worth(self, shown: Observations) -> OfferValue:
        """The posterior, (r, 1, k)."""
        totals = shown.totals()
        rates = BetaArms.from_totals(totals, self.prior)
        return OfferValue(rates.a, rates.b, known_values(totals, self.sale))
