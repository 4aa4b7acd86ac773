"""Thompson sampling on what a trial earns."""

from dataclasses import dataclass

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.best_arm.best_value_arm import best_value_arm
from app.bandits.posteriors.beta import Prior, check_prior
from app.bandits.posteriors.value import ValueArms
from app.bandits.totals import Totals


@dataclass(frozen=True, slots=True)
class ValueThompson:
    """Give each arm the share of traffic that is its probability of earning most per trial.

    What arm i earns is w_i = theta_i M_i - c_i: its rate, times the mean value of a success, minus its cost per
    trial; shares_i = P(w_i = max_j w_j | data) by quadrature, to 1e-6 from ten successes and ten failures per arm
    on. With sums of squared values M_i is uncertain (Student's t), otherwise taken as known; see `ValueArms`.

    Parameters
    ----------
    prior : (a, b), both > 0, of the rates

    References
    ----------
    .. [1] S. L. Scott, Appl. Stochastic Models Bus. Ind. 26 (2010) 639-658. doi:10.1002/asmb.874
    """

    prior: Prior = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_prior(self.prior)

    def shares(self, totals: Totals) -> Floats:
        """P(earns most), (..., k); each row sums to 1 within 1e-6."""
        return best_value_arm(ValueArms.from_totals(totals, self.prior)).p_best

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`.

        A rate and a mean value are drawn for every arm and the largest earning wins; where nothing is known of
        values every arm is equally likely.
        """
        arms = ValueArms.from_totals(totals, self.prior)
        axes = (..., None, slice(None))
        shape = (*totals.trials.shape[:-1], 1 if units is None else units, totals.k)
        value = arms.value.at(axes)
        rates = rng.beta(arms.rates.a[axes], arms.rates.b[axes], shape)
        means = value.location + value.scale * rng.standard_t(np.broadcast_to(value.freedom, shape))
        earned = rates * means - arms.cost[axes]
        if not arms.known.all():
            earned = np.where(arms.known[..., None], earned, rng.random(shape))
        drawn: Integers = earned.argmax(axis=-1)
        return drawn[..., 0] if units is None else drawn
