"""Thompson sampling on what a contact is worth: the part that two policies of the race share."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.parameters import check_parameters, parameter
from app.bandits.posteriors.beta import Prior, check_prior
from app.bandits.posteriors.value import mean_values
from app.bandits.totals import Totals
from app.simulation.clv.policies.described import Described
from app.simulation.clv.policies.known_value_shares import known_value_shares
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.protocol import NOBODY


def known_values(totals: Totals, sale: float) -> Floats:
    """The mean value of a sale, taken as known: (V_i + 2 m) / (S_i + 2), m = (V + sale) / (S + 1), (..., k), EUR.

    `mean_values` of the service with one more arm that has sold once, for `sale` EUR: so nobody's mean value is 0
    before the first sale, and none is so small that the first arm to sell locks the others out.
    """
    assert totals.value is not None
    one = np.ones((*totals.trials.shape[:-1], 1))
    trials, successes = (np.append(number, one, axis=-1) for number in (totals.trials, totals.successes))
    with_sale = Totals(trials, successes, np.append(totals.value, sale * one, axis=-1))
    return mean_values(with_sale).location[..., :-1]


MIN_VALUE = 1e-9
"""EUR; a mean value is no less, so that worths stay comparable where offers lose money."""


@dataclass(frozen=True, slots=True)
class OfferValue:
    """What is believed of each arm in each segment: theta value - cost in EUR, theta ~ Beta(a, b).

    Parameters
    ----------
    a, b : (r, s, k), of the rates
    value : (r, s, k), mean value of a sale in EUR, taken as known; losses count as almost nothing
    """

    a: Floats
    b: Floats
    value: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", np.maximum(self.value, MIN_VALUE))

    def of_segments(self, segment: Integers) -> "OfferValue":
        """Of these segments (r, m) -> (r, m, k); a single segment is left to broadcast, (r, 1, k)."""
        if self.a.shape[1] == 1:
            return self
        row = np.arange(len(segment))[:, None]
        return OfferValue(self.a[row, segment], self.b[row, segment], self.value[row, segment])


def drawn_rates(a: Floats, b: Floats, size: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Draws of Beta(a, b), of a size to which a and b broadcast.

    Most cells have not seen a sale, a = 1, where the distribution function 1 - (1 - theta)^b is inverted: a
    quarter of the time of `rng.beta`, which draws the rest.
    """
    rates = rng.standard_exponential(size)
    rates /= -b
    np.expm1(rates, out=rates)
    np.negative(rates, out=rates)
    seen = np.flatnonzero(np.broadcast_to(a != 1, size))
    rates.reshape(-1)[seen] = rng.beta(
        np.broadcast_to(a, size).reshape(-1)[seen], np.broadcast_to(b, size).reshape(-1)[seen]
    )
    return rates


@dataclass(frozen=True)
class OfferThompson(Described):
    """Draw every open arm's rate for every customer and choose the largest theta value - cost.

    As `ValueThompson`, with the mean value of a sale taken as known and a preset prior, both as the original.
    """

    prior: Prior = (1.0, 300.0)
    sale: float = parameter(400.0, "what a sale is worth before any was seen, in EUR", 0)
    abstain: bool = False

    def __post_init__(self) -> None:
        check_parameters(self)
        check_prior(self.prior)
        if self.prior[1] < 1:
            raise ValueError(f"prior needs b >= 1, not {self.prior}: its density must not be infinite at 1")

    def worth(self, shown: Observations) -> OfferValue:
        """What is believed given what was shown."""
        raise NotImplementedError

    def draw(
        self, shown: Observations, segment: Integers, open_arms: Booleans, rng: np.random.Generator
    ) -> Integers:
        """An arm per customer, (r, m); nobody, if it may abstain, where the best draw is not above 0."""
        believed = self.worth(shown).of_segments(segment)
        size = (*segment.shape, shown.cost.size)
        worth = drawn_rates(believed.a, believed.b, size, rng)
        worth *= believed.value
        worth -= shown.cost
        if not open_arms.all():
            worth[~np.broadcast_to(open_arms[:, None], size)] = -np.inf
        arm: Integers = worth.argmax(axis=-1)
        if not self.abstain:
            return arm
        return np.where(np.take_along_axis(worth, arm[..., None], axis=-1)[..., 0] > 0, arm, NOBODY)

    def shares(self, shown: Observations, segment: Integers, open_arms: Booleans) -> Floats:
        """The exact probabilities of `draw`, (r, k); error <= 1e-6."""
        believed = self.worth(shown).of_segments(segment[:, None])
        a, b, value = (number[:, 0] for number in (believed.a, believed.b, believed.value))
        cost = np.broadcast_to(shown.cost, a.shape)
        return known_value_shares(a, b, value, cost, open_arms, self.abstain)
