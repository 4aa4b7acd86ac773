"""Top-two Thompson sampling: as Thompson, but never letting go of the runner-up."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.best_arm.best_arm import BestArm, best_arm
from app.bandits.parameters import check_parameters, parameter
from app.bandits.policies.sampling import equal_shares, sample_arms
from app.bandits.posteriors.beta import BetaArms, Prior, check_prior
from app.bandits.totals import Totals

UNDERFLOW = 1e-15


@dataclass(frozen=True, slots=True)
class TopTwoThompson:
    r"""Give the leader about beta of the traffic and its likeliest challengers the rest.

    Thompson sampling starves the runner-up; this finds the best arm sooner.

    Draw a leader i with probability P_i; keep it with probability beta, else draw a challenger among the others
    in proportion to theirs. In closed form

    .. math:: s_i = P_i \Bigl(\beta + (1 - \beta) \sum_{j \ne i} \frac{P_j}{1 - P_j}\Bigr)

    with 1 - P_j summed from the other arms. Where all of these have underflowed (below 1e-15, the resolution of
    the quadrature) the challenger is the arm with the least expected loss among them, equal ones equally.

    Parameters
    ----------
    beta : in [0, 1], the leader's part
    prior : (a, b), both > 0

    References
    ----------
    .. [1] D. Russo, Operations Research 68 (2020) 1625-1647, section 3.3. doi:10.1287/opre.2019.1911
    """

    beta: float = parameter(0.5, "the part of the traffic that the leading arm keeps", 0, 1)
    prior: Prior = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_parameters(self)
        check_prior(self.prior)

    def shares(self, totals: Totals) -> Floats:
        """The top-two probabilities, (..., k)."""
        if totals.k == 1:
            return np.ones(totals.trials.shape)
        return top_two(best_arm(BetaArms.from_totals(totals, self.prior)), self.beta)

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""
        return sample_arms(self.shares(totals), rng, units)


def top_two(found: BestArm, beta: float) -> Floats:
    """The closed form, (..., k): only the leader's complement can be small, so only that is summed apart."""
    p = found.p_best
    leader = np.arange(p.shape[-1]) == p.argmax(axis=-1)[..., None]
    others = np.where(leader, 0, p)
    complement = np.where(leader, others.sum(axis=-1, keepdims=True), 1 - p)
    lost = complement < UNDERFLOW
    odds = np.where(lost, 0, p / np.where(lost, 1, complement))
    # the leader's odds can be 1e15: they are added to the others' but never subtracted again
    small = np.where(leader, 0, odds)
    large = np.where(leader, 0, (odds - small).sum(axis=-1, keepdims=True))
    shares = p * (beta + (1 - beta) * (small.sum(axis=-1, keepdims=True) - small + large))
    loss = np.where(leader, np.inf, found.expected_loss)
    second = equal_shares((loss == loss.min(axis=-1, keepdims=True)).astype(np.float64))
    rest = (1 - beta) * np.where(lost, p, 0).sum(axis=-1, keepdims=True)
    total: Floats = shares + rest * second
    return total
