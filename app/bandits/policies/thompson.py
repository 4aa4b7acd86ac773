"""Thompson sampling as daily shares."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.best_arm.best_arm import best_arm
from app.bandits.posteriors.beta import BetaArms, Prior, check_prior
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class ThompsonSampling:
    """Give each arm the share of traffic that is its probability of being the best one.

    With prior Beta(a, b) the posterior of arm i is Beta(a + s_i, b + n_i - s_i), and
    shares_i = P(theta_i = max_j theta_j | data), exact to 1e-12 by quadrature: no draws, so the same data
    give the same shares.

    Parameters
    ----------
    prior : (a, b), both > 0, in pseudo-conversions and pseudo-failures; (1, 1) is uniform.

    References
    ----------
    .. [1] W. R. Thompson, Biometrika 25 (1933) 285-294. doi:10.1093/biomet/25.3-4.285
    .. [2] S. L. Scott, Appl. Stochastic Models Bus. Ind. 26 (2010) 639-658. doi:10.1002/asmb.874
    """

    prior: Prior = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_prior(self.prior)

    def shares(self, totals: Totals) -> Floats:
        """P(best), (..., k); each row sums to 1 within 1e-9."""
        return best_arm(BetaArms.from_totals(totals, self.prior)).p_best

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`.

        A rate is drawn for every arm and the largest wins: no integral is computed.
        """
        arms = BetaArms.from_totals(totals, self.prior)
        shape = arms.a.shape if units is None else (*arms.a.shape[:-1], units, arms.k)
        a, b = (v if units is None else v[..., None, :] for v in (arms.a, arms.b))
        drawn: Integers = rng.beta(a, b, size=shape).argmax(axis=-1)
        return drawn
